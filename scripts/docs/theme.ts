// Additions of the site to TypeDoc's own look: addresses and names of the guides, the sections they stand in, and a
// list of pages for browsers without JavaScript.
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import {
  type DefaultThemeRenderContext,
  type DocumentReflection,
  JSX,
  type ProjectReflection,
  type Reflection,
  StructureRouter,
} from 'typedoc'

/** Folders of docs/ that are a section each. */
const FOLDERS: Readonly<Record<string, string>> = { spec: 'Specification', zh: '中文' }
/** The rest: ARCHITECTURE.md and the like. */
const PROJECT = 'Project'

/** A heading of docs/README.md, and the pages that its table leads to, as paths in the repository. */
export interface Section {
  readonly name: string
  readonly pages: readonly string[]
}

export function sectionsOf(text: string): Section[] {
  return text
    .split(/^## /m)
    .slice(1)
    .map((part) => ({
      name: part.slice(0, part.indexOf('\n')),
      pages: [...part.matchAll(/\]\((?!https?:)([^)#]+\.md)\)/g)].map(([, path]) => join('docs', path)),
    }))
}

/** The name of the section that a page is in. */
export function sectionOf(page: string, sections: readonly Section[]): string {
  const folder = /^docs\/(\w+)\//.exec(page)?.[1] ?? ''
  return FOLDERS[folder] ?? sections.find(({ pages }) => pages.includes(page))?.name ?? PROJECT
}

export interface Guide {
  /** Path in the repository. */
  readonly page: string
  /** The page's first heading, as text. */
  readonly title: string
}

export function guideOf(path: string, root: string): Guide {
  const heading = /^# (.*)$/m.exec(readFileSync(path, 'utf8'))?.[1] ?? ''
  return { page: relative(root, path), title: heading.replace(/[`*]/g, '').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1') }
}

/** Guides at `guides/calls.html` and `guides/spec/wire.html`, the API at `api/dmicro/rpc/RpcClient.html`. */
export class GuideRouter extends StructureRouter {
  protected override getIdealBaseName(reflection: Reflection): string {
    if (!reflection.isDocument()) return `api/${super.getIdealBaseName(reflection)}`
    const path = this.application.files.getReflectionPath(reflection) ?? reflection.name
    return `guides/${(/\/docs\/(.*)\.md$/.exec(path)?.[1] ?? /([^/]*)\.md$/.exec(path)?.[1] ?? path).toLowerCase()}`
  }
}

/** The sidebar is made by JavaScript; without it this list stands there. */
export function noScriptList(context: DefaultThemeRenderContext, project: ProjectReflection, sections: readonly Section[]): JSX.Element {
  const documents = project.documents ?? []
  const items = (of: readonly Reflection[]) =>
    of.map((target) => JSX.createElement('li', null, JSX.createElement('a', { href: context.urlTo(target) }, target.name)))
  const groups = orderOf(sections).filter((group) => documents.some((document) => groupOf(document) === group))
  return JSX.createElement(
    'noscript',
    null,
    JSX.createElement(
      'nav',
      { class: 'no-script-pages' },
      ...groups.flatMap((group) => [
        JSX.createElement('h3', null, group),
        JSX.createElement('ul', null, ...items(documents.filter((document) => groupOf(document) === group))),
      ]),
      JSX.createElement('h3', null, 'API'),
      JSX.createElement('ul', null, ...items(project.children ?? [])),
    ),
  )
}

/** The sections of the sidebar from top to bottom. */
export function orderOf(sections: readonly Section[]): string[] {
  return [...sections.map(({ name }) => name), ...Object.values(FOLDERS), PROJECT]
}

function groupOf(document: DocumentReflection): string {
  return String(document.frontmatter.group ?? '')
}
