import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import vm from 'node:vm'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import ts from 'typescript'
import type * as Contract from '../../src/contract/browser.ts'
import { Endpoint } from '../../src/index.ts'

const dist = fileURLToPath(new URL('../../dist/', import.meta.url))
const file = join(dist, 'contract/browser.js')

/** Maximum bytes of the file, compressed: what pages load besides dmicro/browser. */
const MAX_GZIP = 8_000

describe('dmicro/contract for pages', { skip: !existsSync(file) && 'nothing is built' }, () => {
  it('is small, imports nothing, and finds all that it names in a page', () => {
    const text = readFileSync(file, 'utf8')
    const { length } = gzipSync(text, { level: 9 })
    assert.ok(length <= MAX_GZIP, `${length} bytes`)
    assert.deepEqual(ts.preProcessFile(text, true, true).importedFiles, [])
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS)
    const options = { allowJs: true, checkJs: true, noLib: true, noEmit: true, types: [] }
    const host = ts.createCompilerHost(options)
    const program = ts.createProgram([file], options, { ...host, getSourceFile: (name) => (name === file ? source : undefined) })
    const unknown = program.getSemanticDiagnostics(source).flatMap(({ messageText }) => {
      const [, name] = /^Cannot find name '(\w+)'/.exec(ts.flattenDiagnosticMessageText(messageText, '\n')) ?? []
      return name ?? []
    })
    const language = new Set(vm.runInNewContext('Object.getOwnPropertyNames(globalThis)') as string[])
    assert.ok(unknown.includes('Symbol'), 'globals were found at all')
    assert.deepEqual(
      unknown.filter((name) => !language.has(name)),
      [],
    )
  })

  it('names routes by any mapper, and its services serve and call as those of Node.js', async (t) => {
    const { call, declareError, defineService, plain, push } = (await import(pathToFileURL(file).href)) as typeof Contract
    const Full = declareError(1001, 'full', plain<{ max: number }>())
    const Rpc = defineService(
      'math',
      { addFunc: call(plain<number[]>(), plain<number>(), { errors: { Full } }), tell: push(plain<string>()) },
      { naming: 'rpc' },
    )
    const server = new Endpoint({ log: false })
    t.after(() => server.close({ timeout: 0 }))
    const names = server.serve(Rpc, {
      addFunc: (numbers: number[]) => {
        if (numbers.length > 2) throw Full({ max: 2 })
        return numbers.reduce((a, b) => a + b, 0)
      },
      tell() {},
    })
    assert.deepEqual(names, ['math.addFunc', 'math.tell'])
    const math = (await server.dial((await server.listen('tcp://127.0.0.1:0')).url)).client(Rpc)
    assert.equal(await math.addFunc([1, 2]), 3)
    const outcome = await math.addFunc.try([1, 2, 3])
    assert.ok(!outcome.ok && outcome.name === 'Full')
    assert.deepEqual((outcome.error as { details?: unknown }).details, { max: 2 })
  })

  it('is what bundlers for browsers take, with types that need none of Node.js', async (t) => {
    const folder = mkdtempSync(join(fileURLToPath(new URL('../../build/', import.meta.url)), 'page-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const program = join(folder, 'page.ts')
    writeFileSync(
      program,
      `import { Endpoint } from 'dmicro/browser'
      import { call, defineService, none, plain, push } from 'dmicro/contract'
      const Shop = defineService('shop', { buy: call(plain<{ item: string }>(), plain<number>()), log: push(plain<string>()) }, { toClient: { sold: push(none) } })
      const endpoint = new Endpoint()
      endpoint.serve(Shop.toClient, { sold() {} })
      const price: number = await (await endpoint.dial('wss://a.example/rpc')).client(Shop).buy({ item: 'tea' })
      // @ts-expect-error an item has a name
      await (await endpoint.dial('wss://a.example/rpc')).client(Shop).buy({ item: price })
      export {}`,
    )
    const { metafile } = await build({
      entryPoints: [program],
      bundle: true,
      format: 'esm',
      platform: 'browser',
      write: false,
      metafile: true,
    })
    const inputs = Object.keys(metafile.inputs).map((name) => name.replace(/^.*\/(?=dist\/|page)/, ''))
    assert.deepEqual(inputs.sort(), ['dist/browser.js', 'dist/contract/browser.js', 'page.ts'])
    const options: ts.CompilerOptions = {
      ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true, types: [], lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'] },
      ...{ module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, target: ts.ScriptTarget.ES2022 },
      customConditions: ['browser'],
      skipDefaultLibCheck: true,
    }
    const errors = ts.getPreEmitDiagnostics(ts.createProgram([program], options))
    assert.deepEqual(errors.map(({ file: at, messageText }) => `${at?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`), []) // biome-ignore format: one line
  })
})
