// Reads the built pages as a browser would: every link leads to a page and a heading that are there, and nothing is
// loaded from elsewhere.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

interface Page {
  readonly file: string
  readonly ids: ReadonlySet<string>
  readonly links: readonly string[]
  readonly loaded: readonly string[]
}

/** Faults of the pages in the folder `out`, a line each. */
export function problemsOf(out: string): string[] {
  const files = readdirSync(out, { recursive: true, encoding: 'utf8' })
  const pages = new Map(files.filter((name) => name.endsWith('.html')).map((name) => [join(out, name), read(join(out, name))]))
  const styles = files.filter((name) => name.endsWith('.css')).map((name) => join(out, name))
  return [
    ...[...pages.values()].flatMap((page) => [...brokenLinks(page, pages, out), ...loadedFromElsewhere(page, out)]),
    ...styles
      .filter((file) => /url\(["']?(https?:)?\/\//.test(readFileSync(file, 'utf8')))
      .map((file) => `${relative(out, file)} loads from elsewhere`),
  ]
}

function read(file: string): Page {
  const text = readFileSync(file, 'utf8')
  const all = (pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, value]) => decode(value))
  return {
    file,
    ids: new Set(all(/\sid="([^"]*)"/g)),
    links: all(/<a\s[^>]*?href="([^"]*)"/g),
    loaded: [...all(/\ssrc="([^"]*)"/g), ...all(/<link\s[^>]*?href="([^"]*)"/g), ...all(/<use href="([^"#]*)/g)],
  }
}

function brokenLinks(page: Page, pages: ReadonlyMap<string, Page>, out: string): string[] {
  return [...page.links, ...page.loaded].flatMap((link) => {
    if (/^([a-z][a-z+]*:|\/\/)/i.test(link)) return []
    const [path, anchor] = link.split('#')
    const target = path === '' ? page.file : join(dirname(page.file), decodeURIComponent(path))
    const told = (why: string) => [`${relative(out, page.file)}: ${why}: ${link}`]
    if (!existsSync(target) || !statSync(target).isFile()) return told('leads to no file')
    if (anchor === undefined || anchor === '' || !target.endsWith('.html')) return []
    return pages.get(target)?.ids.has(decodeURIComponent(anchor)) === true ? [] : told('leads to no heading')
  })
}

function loadedFromElsewhere({ file, loaded }: Page, out: string): string[] {
  return loaded.filter((source) => /^(https?:)?\/\//.test(source)).map((source) => `${relative(out, file)} loads ${source}`)
}

function decode(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}
