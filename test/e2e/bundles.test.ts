import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'

const root = fileURLToPath(new URL('../../', import.meta.url))
const built = existsSync(join(root, 'dist/base/here.js'))

/** As docs/http.md has it: some of what is bundled is CommonJS and asks for modules of Node. */
const banner = { js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);" }

/** A program that prints what it came to, as JSON. */
const program = (body: string): string => `import { Endpoint } from ${JSON.stringify(join(root, 'dist/index.js'))}
  import protobuf from 'protobufjs'
  async function main() {
    const said = []
    ${body}
    return said
  }
  main().then((said) => console.log(JSON.stringify(said)), (error) => console.log(JSON.stringify(String(error))))`

/** Runs `body`, bundled into a folder with nothing around it. */
async function run(t: TestContext, body: string, options: BuildOptions, flags: string[] = []): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-bundle-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const out = join(folder, `out.${options.format === 'esm' ? 'mjs' : 'cjs'}`)
  await build({
    stdin: { contents: program(body), resolveDir: root },
    bundle: true,
    platform: 'node',
    outfile: out,
    logLevel: 'error',
    ...options,
  })
  return printed(process.execPath, [...flags, out], folder)
}

function printed(command: string, args: string[], cwd: string): unknown {
  const { stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, DMICRO_TRANSPORT: '' } })
  assert.notEqual(stdout, '', stderr)
  return JSON.parse(stdout)
}

const everything = `
  const Note = new protobuf.Type('Note').add(new protobuf.Field('text', 1, 'string'))
  new protobuf.Root().add(Note)
  const server = new Endpoint({ log: false })
  server.routeCall('/echo', (value) => value)
  server.routeCall('/note', (note) => note, { arg: Note, result: Note })
  said.push(server.transport.kind)
  const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'http'] })
  const client = new Endpoint({ log: false })
  for (const protocol of ['raw', 'http']) {
    const session = await client.dial(url, { protocol })
    said.push((await session.call('/echo', { a: { b: '1' } }, { codec: 'xml' })).a.b)
    said.push((await session.call('/note', { text: 'x' }, { codec: 'protobuf', arg: Note, result: Note })).text)
  }
  await Promise.all([client.close(), server.close()])`

const refused = `
  const server = new Endpoint({ log: false })
  server.routeCall('/echo', (value) => value)
  const reason = (promise) => promise.then(() => 'fine', (error) => String(error.message))
  said.push(await reason(server.listen('tcp://127.0.0.1:0', { protocols: ['http'] })))
  said.push(await reason(server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'http'] })))
  const { url } = await server.listen('tcp://127.0.0.1:0')
  said.push(await reason(server.dial(url, { protocol: 'http' })))
  said.push(await (await server.dial(url)).call('/echo', 'raw goes on'))
  const session = await server.dial(url)
  said.push(await session.call('/echo', { a: '1' }, { codec: 'xml' }).catch((error) => [error.code, error.cause]))
  await server.close()`

describe('bundles', { skip: !built && 'nothing is built' }, () => {
  const all = ['js', '1', 'x', '1', 'x']

  it('one file of CommonJS', async (t) => {
    assert.deepEqual(await run(t, everything, { format: 'cjs', logOverride: { 'empty-import-meta': 'silent' } }), all)
  })

  it('one file of modules', async (t) => {
    assert.deepEqual(await run(t, everything, { format: 'esm', banner }), all)
  })

  it('one small file', async (t) => {
    assert.deepEqual(await run(t, everything, { format: 'esm', banner, minify: true }), all)
  })

  it('what was left out and is not there is told by name, where it is asked for', async (t) => {
    const external = ['undici', 'saxes']
    for (const options of [
      { format: 'cjs', external, logOverride: { 'empty-import-meta': 'silent' } },
      { format: 'esm', external, banner },
    ] satisfies BuildOptions[]) {
      const [listen, several, dial, raw, xml] = (await run(t, refused, options)) as string[]
      const wrong =
        /^protocol http cannot run here, its parser does not load: the module undici\/lib\/llhttp\/llhttp-wasm\.js does not load: Cannot find/
      for (const said of [listen, several, dial]) assert.match(said, wrong)
      assert.equal(raw, 'raw goes on')
      assert.equal(xml[0], 500)
      assert.match(xml[1], /^the module saxes does not load: Cannot find module 'saxes'/)
    }
  })

  it('what was left out and is there is found', async (t) => {
    const folder = mkdtempSync(join(root, 'node_modules', '.bundle-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const out = join(folder, 'out.mjs')
    await build({
      stdin: { contents: program(everything), resolveDir: root },
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: out,
      logLevel: 'error',
      external: ['undici', 'saxes', 'protobufjs'],
    })
    assert.deepEqual(printed(process.execPath, [out], folder), all)
  })
})

test('without WebAssembly http is refused by name, and everything else runs', { skip: !built && 'nothing is built' }, () => {
  const [listen, several, dial, raw, xml] = printed(
    process.execPath,
    ['--jitless', '--no-warnings', '--input-type=module', '-e', program(refused)],
    root,
  ) as string[]
  for (const said of [listen, several, dial])
    assert.equal(said, 'protocol http cannot run here, its parser does not load: there is no WebAssembly here (node --jitless)')
  assert.deepEqual([raw, xml], ['raw goes on', { a: '1' }])
})
