import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { onEachTransport } from '../support/helpers.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const index = join(root, 'dist/index.js')
const built = existsSync(index) && existsSync(join(root, 'dist/base/here.js'))

/** Maximum bytes of JavaScript that a process loads for one raw call, and further ones for each module that comes later. */
const MAX_BYTES = 375_000
const MAX_LATER_BYTES = 60_000

interface Loaded {
  /** Files of the package, relative to dist/. */
  files: string[]
  bytes: number
  /** Files of other packages. */
  packages: string[]
  /** Modules of Node.js, without those that it loads before any program. */
  builtin: string[]
}

/** Runs `body` in a new process, and returns what was loaded. */
function loadedBy(t: TestContext, body: string, transport = ''): Loaded {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-startup-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const program = `const before = new Set(process.moduleLoadList)
    const { Endpoint } = await import(${JSON.stringify(pathToFileURL(index).href)})
    ${body}
    const after = process.moduleLoadList.filter((name) => !before.has(name))
    console.log(JSON.stringify(after.map((name) => name.replace('NativeModule ', ''))))`
  // With coverage, V8 lists all scripts when the process ends.
  const env = { ...process.env, NODE_V8_COVERAGE: folder, DMICRO_TRANSPORT: transport, DMICRO_IO_THREADS: '' }
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { cwd: root, encoding: 'utf8', env })
  assert.notEqual(stdout, '', stderr)
  const urls = readdirSync(folder).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { result: { url: string }[] }
    return result.map(({ url }) => url).filter((url) => url.startsWith('file:') && !url.includes('[eval'))
  })
  const paths = [...new Set(urls)].map((url) => fileURLToPath(url))
  const files = paths.filter((path) => path.startsWith(join(root, 'dist') + sep))
  return {
    files: files.map((path) => relative(join(root, 'dist'), path)).sort(),
    bytes: files.reduce((sum, path) => sum + statSync(path).size, 0),
    packages: paths.filter((path) => path.includes(`node_modules${sep}`)),
    builtin: JSON.parse(stdout),
  }
}

/** Asserts that only `index` and the modules `later` were loaded, and none of the `rare` modules of Node.js. */
function assertLean({ files, bytes, packages, builtin }: Loaded, rare: string[], later: string[] = []): void {
  const names = files.map((file) => file.replace(/-\w+\.js$/, ''))
  assert.deepEqual(
    names.filter((name) => name !== 'chunk'),
    ['index.js', ...later],
  )
  // Each module that comes later has one chunk.
  assert.equal(files.length, 1 + 2 * later.length, files.join(' '))
  assert.ok(bytes > 0 && bytes < MAX_BYTES + later.length * MAX_LATER_BYTES, `${bytes} bytes of JavaScript`)
  assert.deepEqual(packages, [])
  assert.deepEqual(
    rare.filter((name) => builtin.includes(name)),
    [],
  )
}

const rare = ['crypto', 'zlib', 'http', '_http_client', 'https', 'child_process', 'cluster', 'dgram', 'worker_threads']
const network = ['net', 'dns', 'os']

describe('what a start loads', { skip: !built && 'nothing is built' }, () => {
  it('the package by itself loads two files, no other package, and no module of Node.js that few need', (t) => {
    assertLean(loadedBy(t, ''), [...rare, ...network, 'stream'])
  })

  it('nothing of the event bus, which has a file of its own', (t) => {
    const has = ({ files }: Loaded): string[] =>
      files.filter((file) => /not a name of an event/.test(readFileSync(join(root, 'dist', file), 'utf8')))
    assert.deepEqual(has(loadedBy(t, '')), [])
    const eventbus = JSON.stringify(pathToFileURL(join(root, 'dist/dserver/eventbus/index.js')).href)
    assert.equal(has(loadedBy(t, `await import(${eventbus})`)).length, 1)
  })

  onEachTransport('and one raw call', (transport) => {
    it(transport === 'js' ? 'loads node:net and what uses it' : 'loads nothing more', (t) => {
      const loaded = loadedBy(
        t,
        `const server = new Endpoint({ log: false })
        server.routeCall('/echo', (value) => value)
        const { url } = await server.listen('tcp://127.0.0.1:0')
        const client = new Endpoint({ log: false })
        if (server.transport.kind !== '${transport}') throw new Error(server.transport.reason)
        if (await (await client.dial(url)).call('/echo', 'x') !== 'x') throw new Error('no echo')
        await Promise.all([client.close(), server.close()])`,
        transport,
      )
      // The server of node:net asks node:cluster who listens.
      if (transport === 'js') assertLean(loaded, [...rare.slice(0, 5), 'worker_threads'], ['sockets'])
      else assertLean(loaded, [...rare, ...network])
    })
  })

  it('a protocol that is named comes with its first use, and alone', (t) => {
    const loaded = loadedBy(
      t,
      `const server = new Endpoint({ log: false })
      const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['json'] })
      await (await server.dial(url, { protocol: 'json' })).call('/none').catch(() => {})
      await server.close()`,
    )
    assert.ok(
      loaded.files.some((file) => file.startsWith('json-')),
      loaded.files.join(' '),
    )
    assert.deepEqual(
      loaded.files.filter((file) => /^(http|jsonrpc|redis|protobuf)-/.test(file)),
      [],
    )
    assert.deepEqual(loaded.packages, [])
  })
})
