import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

function run(cwd: string, command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  assert.equal(status, 0, stdout + stderr)
  return stdout.trim()
}

/** Tarballs of what the package needs at run time, made of this checkout's own: npm's cache may be empty. */
function packDependencies(folder: string): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, { dev?: boolean }> }
  const paths = Object.keys(packages).filter((path) => path !== '' && packages[path].dev !== true)
  const packed = JSON.parse(
    run(root, 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', folder, ...paths.map((path) => `./${path}`)),
  )
  return packed.map(({ filename }: { filename: string }) => join(folder, filename))
}

test('every relative link of a shipped page leads to a shipped file', () => {
  const [{ files }] = JSON.parse(run(root, 'npm', 'pack', '--dry-run', '--json', '--ignore-scripts')) as { files: { path: string }[] }[]
  const shipped = new Set(files.map(({ path }) => path))
  const pages = [...shipped].filter((path) => path.endsWith('.md') && !/^(dist|native)\//.test(path))
  assert.ok(pages.includes('README.md') && pages.includes('docs/zh/calls.md'))
  const dead = pages.flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8').replace(/^```.*?^```/gms, '')
    const links = [...text.matchAll(/\]\((?!\w+:)([^)#\s]+)(?:#[^)]*)?\)/g)]
    return links.filter(([, path]) => !shipped.has(join(dirname(page), path))).map(([link]) => `${page}: ${link}`)
  })
  assert.deepEqual(dead, [])
})

test('the packed package installs into an empty folder without scripts and serves import, require and types', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-pack-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [{ filename, files }] = JSON.parse(run(root, 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', folder))
  const own = files
    .map(({ path }: { path: string }) => path)
    .filter((path: string) => /^(test|bench|build)\/|(^|\/)node_modules\//.test(path))
  // Of tests and measurements only the pages, and the pictures in them, that other pages link to.
  for (const path of own) assert.match(path, /^(test|bench)\/.*\.(md|svg)$/)
  // Yarn 1 runs node-gyp in every package that has one, whatever `gypfile` says, and refuses what it cannot build.
  assert.ok(!files.some(({ path }: { path: string }) => path === 'binding.gyp'))
  const app = join(folder, 'app')
  mkdirSync(app)
  writeFileSync(join(app, 'package.json'), '{"private":true}')
  run(
    app,
    'npm',
    'install',
    '--offline',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    join(folder, filename),
    ...packDependencies(folder),
  )
  const manifest = JSON.parse(readFileSync(join(app, 'node_modules/dmicro/package.json'), 'utf8'))
  for (const name of ['install', 'preinstall', 'postinstall', 'prepare']) assert.equal(manifest.scripts[name], undefined)
  for (const [name, usage] of [
    ['dmctl', /^Usage: dmctl/],
    ['protoc-gen-dmicro', /^protoc-gen-dmicro \d+\.\d+\.\d+: a plugin of protoc and buf/],
  ] as const) {
    const command = join(app, 'node_modules/.bin', name)
    assert.match(run(app, command, '--help'), usage)
    assert.equal(run(app, command, '--version'), manifest.version)
  }
  const vector = JSON.parse(readFileSync(join(root, 'test/vectors/protoc.json'), 'utf8')) as { request: string }
  const plugin = spawnSync(join(app, 'node_modules/.bin/protoc-gen-dmicro'), { input: Buffer.from(vector.request, 'hex') })
  assert.match(plugin.stdout.toString(), /shop\.ts[\s\S]*export const Shop = defineService/, plugin.stderr.toString())
  const body = `
    const server = new Endpoint({ log: false })
    server.routeCall('/add', (n) => n.reduce((a, b) => a + b))
    server.listen('tcp://127.0.0.1:0').then(({ url }) => server.dial(url))
      .then((session) => session.call('/add', [1, 2, 3])).then((sum) => { console.log(sum, server.transport.kind); return server.close() })`
  writeFileSync(join(app, 'esm.mjs'), `import { Endpoint } from 'dmicro'\n${body}`)
  writeFileSync(join(app, 'cjs.cjs'), `const { Endpoint } = require('dmicro')\n${body}`)
  const same = `import { Endpoint } from 'dmicro'; import { createRequire } from 'node:module'
    console.log(createRequire(import.meta.url)('dmicro').Endpoint === Endpoint)`
  writeFileSync(join(app, 'same.mjs'), same)
  // `npm run prebuilds` makes the binary, which other checkouts do not have.
  const kind = existsSync(join(app, `node_modules/dmicro/prebuilds/dmicro-${process.platform}-${process.arch}/dmicro.node`))
    ? 'native'
    : 'js'
  assert.equal(run(app, process.execPath, 'esm.mjs'), `6 ${kind}`)
  assert.equal(run(app, process.execPath, '--no-warnings', 'cjs.cjs'), `6 ${kind}`)
  assert.equal(run(app, process.execPath, '--no-warnings', 'same.mjs'), 'true')
  writeFileSync(join(app, 'hint.mjs'), `import { Endpoint } from 'dmicro'\nnew Endpoint()`)
  rmSync(join(app, 'node_modules/dmicro/prebuilds'), { recursive: true, force: true })
  const { stderr: hint } = spawnSync(process.execPath, ['hint.mjs'], { cwd: app, encoding: 'utf8' })
  assert.match(hint, /no native binary was built or shipped/)
  assert.match(hint, /npm i --no-save cmake-js node-addon-api node-api-headers && npx cmake-js compile -d node_modules\/dmicro$/m, hint)
  for (const file of ['CMakeLists.txt', 'native/node/addon.cc']) assert.ok(existsSync(join(app, 'node_modules/dmicro', file)), file)
  const inMemory = `
    const net = new TestNetwork()
    const at = (name) => new Endpoint({ transport: net.host(name).transport, log: false })
    const server = at('server')
    server.routeCall('/add', (n) => n.reduce((a, b) => a + b))
    net.run(() => server.listen('tcp://server:1').then(() => at('client').dial('tcp://server:1')).then((session) => session.call('/add', [1, 2, 3])))
      .then((sum) => { console.log(sum, server.transport.kind); return net.close() })`
  writeFileSync(join(app, 'memory.mjs'), `import { Endpoint } from 'dmicro'\nimport { TestNetwork } from 'dmicro/testing'\n${inMemory}`)
  writeFileSync(
    join(app, 'memory.cjs'),
    `const { Endpoint } = require('dmicro')\nconst { TestNetwork } = require('dmicro/testing')\n${inMemory}`,
  )
  assert.equal(run(app, process.execPath, 'memory.mjs'), '6 memory')
  assert.equal(run(app, process.execPath, '--no-warnings', 'memory.cjs'), '6 memory')
  const onBus = `
    const bus = new EventBus()
    bus.on('endpoint.*', ({ name }) => console.log(name))
    const server = new Endpoint({ plugins: [endpointEvents(bus)], log: false })
    server.listen('tcp://127.0.0.1:0').then(({ url }) => new Endpoint({ log: false }).dial(url))
      .then((session) => session.close()).then(() => server.close())`
  const names = ['EventBus', 'endpointEvents'].join(', ')
  writeFileSync(join(app, 'bus.mjs'), `import { Endpoint } from 'dmicro'\nimport { ${names} } from 'dmicro/eventbus'\n${onBus}`)
  writeFileSync(join(app, 'bus.cjs'), `const { Endpoint } = require('dmicro')\nconst { ${names} } = require('dmicro/eventbus')\n${onBus}`)
  assert.equal(run(app, process.execPath, 'bus.mjs'), 'endpoint.accept\nendpoint.close')
  assert.equal(run(app, process.execPath, '--no-warnings', 'bus.cjs'), 'endpoint.accept\nendpoint.close')
  writeFileSync(
    join(app, 'types.mts'),
    `import { Endpoint, StatusError, type Session } from 'dmicro'
    import { EventBus, type Subscription } from 'dmicro/eventbus'
    import { type Faults, TestNetwork } from 'dmicro/testing'
    const endpoint = new Endpoint({ timeout: 5 })
    const signal = Math.random() > 2 ? AbortSignal.timeout(5) : undefined
    endpoint.dial('tcp://x:1', { signal, protocol: undefined, redial: undefined }).catch(() => {})
    endpoint.routeCall('/x', (n: number[], ctx) => ctx.serviceMethod + n.length)
    const session: Session = await endpoint.dial('tcp://x:1')
    const sum: number = await session.call<number>('/x', [1], { timeout: 1, meta: { a: 'b' } })
    // @ts-expect-error an option that does not exist
    new Endpoint({ timeouts: 5 })
    const faults: Faults = { delay: [1, 5], split: true, stall: { chance: 0.1, ms: 5 } }
    const net = new TestNetwork({ seed: 1 })
    net.faults(faults, { from: 'a' })
    new Endpoint({ transport: net.host('a').transport })
    const ran: number = await net.run(async () => 1)
    // @ts-expect-error a fault that does not exist
    net.faults({ latency: 5 })
    const bus = new EventBus<{ 'order.new': { id: number } }>()
    const subscription: Subscription = bus.on('order.*', ({ data }) => data.id.toFixed())
    bus.publish('order.new', { id: 1 })
    // @ts-expect-error an event that does not exist
    bus.publish('order.old', { id: 1 })
    export { ran, subscription, sum, StatusError }`,
  )
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  run(
    app,
    process.execPath,
    tsc,
    '--noEmit',
    '--strict',
    '--exactOptionalPropertyTypes',
    '--module',
    'nodenext',
    '--target',
    'es2022',
    '--types',
    'node',
    '--typeRoots',
    join(root, 'node_modules/@types'),
    'types.mts',
  )
})
