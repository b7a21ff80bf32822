// The documentation site: guides and specification as they are in docs/, the API and the table of options as they are
// in src/, by TypeDoc.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  Application,
  type Context,
  Converter,
  type DeclarationReflection,
  type DocumentReflection,
  Logger,
  LogLevel,
  PageEvent,
  type Reflection,
  ReflectionKind,
  type TypeDocOptions,
} from 'typedoc'
import { faultOf, optionsPage, optionTypes } from './options.ts'
import { problemsOf } from './pages.ts'
import { GuideRouter, guideOf, noScriptList, orderOf, type Section, sectionOf, sectionsOf } from './theme.ts'

export const root = fileURLToPath(new URL('../../', import.meta.url))

/** Pages of the site beside docs/. */
const PROJECT_PAGES = ['ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md']
/** The page of all options, which stands beside those of docs/. */
const OPTIONS_SECTION = 'Reference'

/** Types that only help to infer others, or are inner parts: pages of their own would tell a reader nothing. */
const HELPER_TYPES = [
  'AnyFailure',
  'AnyResult',
  'Args',
  'ContextName',
  'ControllerClient',
  'DecodedStatus',
  'Describable',
  'DottedEvents',
  'EndpointConstructor',
  'EndpointInstance',
  'EventNamed',
  'FailureStatus',
  'HasEndpointEvents',
  'Hooks',
  'Json',
  'MakeClient',
  'MatchingName',
  'ProcessSettings',
  'TextHint',
  'Transport',
  'Write',
  'makers',
  'src/browser/endpoint-types.ts:Endpoint',
  'src/message/message.ts:MessageType',
]

class Collected extends Logger {
  readonly lines: string[] = []

  override log(message: string, level: LogLevel): void {
    if (level >= LogLevel.Warn && !message.startsWith('disableGit is set')) this.lines.push(message)
  }
}

/**
 * Builds the site into the folder `out`.
 * @returns what is wrong with it, one line each: warnings of TypeDoc, options without default or unit, broken links
 */
export async function buildSite(out: string): Promise<string[]> {
  mkdirSync(join(root, '.cache'), { recursive: true })
  const made = mkdtempSync(join(root, '.cache', 'docs-')) // TypeDoc wants all documents below one folder
  try {
    const options = join(made, 'options.md')
    writeFileSync(options, '')
    const sections = sectionsOf(readFileSync(join(root, 'docs/README.md'), 'utf8'))
    const app = await Application.bootstrap({
      ...settings(out),
      projectDocuments: documents(options),
      groupOrder: [...orderOf(sections), 'Modules'],
    })
    const logger = new Collected()
    app.logger = logger
    app.renderer.defineRouter('guides', GuideRouter)
    const faults: string[] = []
    app.converter.on(Converter.EVENT_BEGIN, (context: Context) => {
      const types = optionTypes(context.programs[0], root)
      faults.push(...types.flatMap((type) => type.options.flatMap((option) => faultOf(type, option) ?? [])))
      writeFileSync(options, optionsPage(types))
    })
    app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_: Context, reflection: DeclarationReflection) => nameModule(reflection))
    app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_: undefined, document: DocumentReflection) => place(app, document, sections))
    const project = await app.convert()
    if (project === undefined) return [...logger.lines, 'TypeDoc made nothing']
    app.validate(project)
    const order = sections.flatMap(({ pages }) => pages)
    for (const list of [project.documents ?? [], ...(project.groups ?? []).map(({ children }) => children)])
      list.sort((a: Reflection, b: Reflection) => order.indexOf(pageOf(app, a)) - order.indexOf(pageOf(app, b)))
    app.renderer.hooks.on('sidebar.begin', (context) => noScriptList(context, project, sections))
    app.renderer.on(PageEvent.END, (page: PageEvent) => {
      const html = withIndex(page.contents ?? '')
      page.contents = page.url.startsWith('api/') ? withGuides(html, page.url) : html
    })
    await app.generateDocs(project, out)
    return [...logger.lines, ...faults, ...problemsOf(out)]
  } finally {
    rmSync(made, { recursive: true })
  }
}

function settings(out: string): TypeDocOptions {
  return {
    name: 'dmicro',
    readme: join(root, 'README.md'),
    basePath: root,
    tsconfig: join(root, 'tsconfig.build.json'),
    out,
    router: 'guides',
    skipErrorChecking: true, // `npm run typecheck` does it
    disableGit: true,
    sourceLinkTemplate: '', // sources are named by file and line
    includeVersion: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    hideGenerator: true,
    searchInDocuments: true,
    navigation: { includeGroups: true },
    sort: ['kind', 'alphabetical'],
    sortEntryPoints: false,
    intentionallyNotExported: HELPER_TYPES,
    includeHierarchySummary: false,
    headings: { readme: false, document: false },
    highlightLanguages: [
      'ts',
      'js',
      'json',
      'jsonc',
      'sh',
      'bash',
      'html',
      'xml',
      'yaml',
      'toml',
      'ini',
      'docker',
      'nginx',
      'go',
      'proto',
      'text',
    ],
    customCss: fileURLToPath(new URL('site.css', import.meta.url)),
  }
}

function documents(options: string): string[] {
  const docs = join(root, 'docs')
  return [join(docs, '**/*.md'), options, ...PROJECT_PAGES.map((page) => join(root, page)).filter((page) => existsSync(page))]
}

/** A module by the name that it is imported by. */
function nameModule(reflection: DeclarationReflection): void {
  if (reflection.kind === ReflectionKind.Module) reflection.name = reflection.name === '' ? 'dmicro' : `dmicro/${reflection.name}`
}

/** Names a document by its heading, and puts it into the section of the sidebar that docs/README.md has it in. */
function place(app: Application, document: DocumentReflection, sections: readonly Section[]): void {
  const path = app.files.getReflectionPath(document)
  if (path === undefined) return
  const guide = guideOf(path, root)
  document.name = guide.title
  document.frontmatter.group = guide.page.startsWith('.cache') ? OPTIONS_SECTION : sectionOf(guide.page, sections)
}

/** Links to README.md, which TypeDoc writes as `../`, name a file, so that they lead there without a server too. */
function withIndex(html: string): string {
  return html.replace(/ href="((?:\.\.\/)+)(#[^"]*)?"/g, (_, path: string, anchor = '') => ` href="${path}index.html${anchor}"`)
}

/** Path in the repository of a document; '' for what is none. */
function pageOf(app: Application, reflection: Reflection): string {
  return relative(root, app.files.getReflectionPath(reflection) ?? root)
}

/** Doc comments name guides by their path, `docs/resume.md`: on pages of the API that leads there. */
function withGuides(html: string, url: string): string {
  const up = '../'.repeat(url.split('/').length - 1)
  return html.replace(/(?<=[\s(>])docs\/([\w/-]+)\.md(#[\w-]+)?(?=[\s).,;:<])/g, (path, name: string, anchor = '') => {
    return `<a href="${up}guides/${name.toLowerCase()}.html${anchor}">${path}</a>`
  })
}
