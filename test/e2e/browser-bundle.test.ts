import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import vm from 'node:vm'
import { gzipSync } from 'node:zlib'
import ts from 'typescript'

const dist = fileURLToPath(new URL('../../dist/', import.meta.url))
const file = join(dist, 'browser.js')
const built = existsSync(file)

/** Maximum bytes that a page loads, compressed. */
const MAX_GZIP = 40_000

/** Globals that the bundle may read: those of the language, and those that pages and their workers both have. */
const shared = [
  'AbortController',
  'MessageChannel',
  'TextDecoder',
  'TextEncoder',
  'URL',
  'btoa',
  'console',
  'crypto',
  'performance',
  'queueMicrotask',
]

describe('the file for pages', { skip: !built && 'nothing is built' }, () => {
  it('has at most 40 KB, compressed', () => {
    const { length } = gzipSync(readFileSync(file), { level: 9 })
    assert.ok(length <= MAX_GZIP, `${length} bytes`)
  })

  it('imports nothing', () => {
    const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'), true, true)
    assert.deepEqual(importedFiles, [])
  })

  it('names no global of Node.js: it finds all it names in a page or worker', () => {
    const text = readFileSync(file, 'utf8')
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS)
    const options = { allowJs: true, checkJs: true, noLib: true, noEmit: true, types: [] }
    const host = ts.createCompilerHost(options)
    const program = ts.createProgram([file], options, { ...host, getSourceFile: (name) => (name === file ? source : undefined) })
    const unknown = new Set<string>()
    for (const { code, messageText } of program.getSemanticDiagnostics(source)) {
      const found = /^Cannot find name '(\w+)'/.exec(typeof messageText === 'string' ? messageText : messageText.messageText)
      if (found !== null && [2304, 2552, 2580, 2584, 2591, 2592].includes(code)) unknown.add(found[1])
    }
    const language = new Set(vm.runInNewContext('Object.getOwnPropertyNames(globalThis)') as string[])
    language.delete('console')
    const others = [...unknown].filter((name) => !language.has(name)).sort()
    assert.ok(others.includes('TextEncoder'), 'globals were found at all')
    assert.deepEqual(
      others.filter((name) => !shared.includes(name)),
      [],
    )
  })

  it('has types that need none of Node.js', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'dmicro-types-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const program = join(folder, 'page.ts')
    writeFileSync(
      program,
      `import { Endpoint, StatusError, Code, heartbeatPing, type Session } from ${JSON.stringify(join(dist, 'browser/index.js'))}
      const endpoint: Endpoint = new Endpoint({ redial: { maxDelay: 500 }, plugins: [heartbeatPing({ interval: 25_000 })] })
      endpoint.routeCall('/add', (numbers: number[], ctx) => { ctx.setMeta('a', 'b'); return numbers.length + ctx.seq })
      const session: Session = await endpoint.dial('wss://a.example/rpc', { protocol: 'json', signal: AbortSignal.timeout(1) })
      session.on('gap', ({ sent }) => sent.toFixed()).on('close', (reason) => reason?.code === Code.NotFound)
      const sum: number = await session.call<number>('/add', [1], { timeout: 5, signal: new AbortController().signal })
      try { await session.push('/a', sum) } catch (error) { if (error instanceof StatusError) error.retryAfter?.toFixed() }
      // @ts-expect-error pages do not listen
      endpoint.listen('ws://a')
      // @ts-expect-error nor choose a transport
      new Endpoint({ transport: 'js' })
      export {}`,
    )
    const options: ts.CompilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      types: [],
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      target: ts.ScriptTarget.ES2022,
    }
    const errors = ts.getPreEmitDiagnostics(ts.createProgram([program], options))
    assert.deepEqual(
      errors.map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`),
      [],
    )
  })
})
