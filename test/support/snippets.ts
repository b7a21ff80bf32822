import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

/** A piece of code in the documentation. */
export interface Snippet {
  /** Where it is: `README.md:24`. */
  readonly where: string
  readonly language: 'ts' | 'js'
  /** It can be compiled, and perhaps run, as it is. */
  readonly code: string
}

/**
 * The fenced snippets of a page. What a reader need not see stands in a comment before the fence: `<!-- ts: continues -->`, that what the fences before it
 * have comes first; `<!-- ts: declare const x: number -->`, what else comes first.
 */
export function fences(page: string, text: string): Snippet[] {
  const found: Snippet[] = []
  let before = ''
  for (const match of text.matchAll(/(?:<!-- ts: ([\s\S]*?) -->\n+)?^```(ts|js)\n([\s\S]*?)^```$/gm)) {
    const [, mark = '', language, body] = match
    const code = mark === 'continues' ? `${before}${body}` : mark === '' ? body : `${mark}\n${body}`
    before = code
    found.push({ where: at(page, text, match.index), language: language as 'ts' | 'js', code })
  }
  return found
}

/** The fences of a page in another language than TypeScript and JavaScript, such as `sh`. */
export function blocks(page: string, text: string): { where: string; language: string; code: string }[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, language]) => language !== 'ts' && language !== 'js')
    .map((match) => ({ where: at(page, text, match.index), language: match[1], code: match[2] }))
}

/** Code inside of sentences that is a call: `session.call('/x')`, `new Endpoint({ … })`. */
export function spans(page: string, text: string): Snippet[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, (fence) => fence.replace(/[^\n]/g, ' '))
  return [...prose.matchAll(/`((?:new )?[a-zA-Z][\w.]*\([^`…]*\)(?:\.\w+\([^`…]*\))*)`/g)]
    .filter(([, code]) => !/^\w+\(\d?\)$/.test(code) || /^[a-z]\w+[A-Z]/.test(code)) // `read(2)` of the system
    .map((match) => ({ where: at(page, text, match.index), language: 'ts', code: match[1] }))
}

/** The `@example`s of doc comments, and fences in them. */
export function examples(file: string, text: string): Snippet[] {
  const found: Snippet[] = []
  for (const comment of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const lines = comment[0].replace(/^\s*\* ?/gm, '').replace(/\/$/, '')
    for (const [, body] of lines.matchAll(/(?:@example\n|```ts\n)([\s\S]*?)(?=\n@|```|$)/g))
      found.push({ where: at(file, text, comment.index), language: 'ts', code: body })
  }
  return found
}

/**
 * README.md and every page of docs/, those in its folders too, except the translations of docs/zh: their code is that of the English pages, and
 * test/unit/repository/translations.test.ts checks that and their links.
 */
export function pages(root: string): string[] {
  const all = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  const names = all.filter((name) => name.endsWith('.md') && !name.startsWith('zh/'))
  return ['README.md', ...names.map((name) => `docs/${name}`).sort()]
}

export function sources(root: string): string[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')).map((name) => `src/${name}`) // biome-ignore format: one line
}

/** Files that no snippet is, which several calls of `complaints` read. */
const parsed = new Map<string, ts.SourceFile>()

/** What the compiler says of each snippet, as a line with its place; `dmicro` is the source. */
export function complaints(
  root: string,
  snippets: readonly Snippet[],
  prelude: (snippet: Snippet) => string = ({ code }) => code,
): string[] {
  const byFile = new Map(
    snippets.map((snippet, i) => [join(root, 'test', 'types', `snippet-${i}.${snippet.language === 'js' ? 'mjs' : 'mts'}`), snippet]),
  )
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root)
  Object.assign(options, {
    noEmit: true,
    noUnusedLocals: false,
    noUnusedParameters: false,
    allowJs: true,
    checkJs: true,
    allowImportingTsExtensions: true,
  })
  options.paths = Object.fromEntries(Object.entries(entries(root)).map(([name, file]) => [name, [file]]))
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  const codeOf = (file: string): string | undefined => {
    const snippet = byFile.get(file)
    return snippet === undefined ? undefined : `${prelude(snippet)}\nexport {}\n`
  }
  host.fileExists = (file) => byFile.has(file) || fileExists.call(host, file)
  host.readFile = (file) => codeOf(file) ?? readFile.call(host, file)
  host.getSourceFile = (file, target, ...rest) => {
    const code = codeOf(file)
    if (code !== undefined) return ts.createSourceFile(file, code, target)
    const known = parsed.get(file) ?? getSourceFile.call(host, file, target, ...rest)
    if (known !== undefined) parsed.set(file, known)
    return known
  }
  const program = ts.createProgram([...byFile.keys()], options, host)
  return [...byFile].flatMap(([file, { where, code }]) => {
    const source = program.getSourceFile(file)
    const told = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    return told.map(({ messageText }) => `${where}: ${ts.flattenDiagnosticMessageText(messageText, ' ')} in\n${code}`)
  })
}

function at(name: string, text: string, index: number): string {
  return `${name}:${text.slice(0, index).split('\n').length}`
}

export function read(root: string, name: string): string {
  return readFileSync(join(root, name), 'utf8')
}

/** The sources of the package's entries, by the names that they are imported by. */
export function entries(root: string): Record<string, string> {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: Record<string, { types?: string }> }
  const typed = Object.entries(exports).filter(([, { types }]) => types !== undefined)
  return Object.fromEntries(
    typed.map(([name, { types }]) => [`dmicro${name.slice(1)}`, join(root, types!.replace('./dist/', 'src/').replace('.d.ts', '.ts'))]),
  )
}
