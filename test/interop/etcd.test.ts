import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, type TestContext, test } from 'node:test'
import { Endpoint } from '../../src/index.ts'
import type { Service } from '../../src/rpc/registry/registry.ts'
import { EtcdServer } from '../outside/etcd/servers.ts'
import { MATH, registryOf, Watcher } from '../outside/etcd/support.ts'
import { run } from '../outside/support/processes.ts'
import { next, open, service, until } from '../unit/rpc/registry/contract.ts'

// The real Go DMicro and we find each other in one etcd.

const limit = { timeout: 60_000 }
const directory = await mkdtemp(join(tmpdir(), 'dmicro-interop-etcd-'))
after(() => rm(directory, { recursive: true, force: true }))
const binary = join(directory, 'dmicro-interop-etcd')
const missing = await build()
if (missing !== undefined && process.env.DMICRO_INTEROP === 'required') throw new Error(`the Go peer is required: ${missing}`)
if (missing !== undefined) console.log(`interop with Go's etcd registry not run: ${missing}`)

async function build(): Promise<string | undefined> {
  if (spawnSync('which', ['etcd']).status !== 0) return 'etcd is not installed (Debian: etcd-server)'
  if (spawnSync('which', ['go']).status !== 0) return 'go is not installed'
  const { code, stderr } = await run('go', ['build', '-o', binary, '.'], { cwd: join(import.meta.dirname, 'go-etcd'), timeout: 300_000 })
  if (/^\.\/\S+\.go:\d+:/m.test(stderr)) throw new Error(`test/interop/go-etcd does not compile:\n${stderr}`)
  return code === 0 ? undefined : `go build: ${stderr.trim().split('\n').at(-1)}`
}

interface Line {
  kind: string
  value: unknown
  error?: string
}

/** The Go program, which does what it is told. */
class Go {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>
  readonly #events: Line[] = []

  constructor(t: TestContext, endpoint: string) {
    this.#child = spawn(binary, [endpoint], { stdio: 'pipe' })
    this.#child.stderr.resume()
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]()
    t.after(() => this.kill())
  }

  tell(command: string): void {
    this.#child.stdin.write(`${command}\n`)
  }

  /** Gives a command, and resolves to the answer. */
  async ask(command: string): Promise<Line> {
    this.tell(command)
    return this.#next((line) => line.kind === command.split(' ')[0])
  }

  /** The next event of its watch: what happened, by Go's numbers, and to which addresses. */
  async event(): Promise<string> {
    const { value } = this.#events.shift() ?? (await this.#next(({ kind }) => kind === 'event'))
    const { Action, Service } = value as { Action: number; Service: Service }
    return `${['create', 'delete', 'update'][Action]} ${Service.nodes.map(({ address }) => address).join()}`
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }

  async #next(wanted: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const { value, done } = await this.#lines.next()
      assert.ok(!done, 'the Go program ended')
      const line = JSON.parse(value) as Line
      if (wanted(line)) return line
      if (line.kind === 'event') this.#events.push(line)
    }
  }
}

describe("Go DMicro's registry in etcd", { skip: missing ?? false }, () => {
  test('what Go registers is found, watched and called, and gone when it closes or dies', limit, async (t) => {
    const server = await EtcdServer.start(t, 'etcd')
    const registry = registryOf(t, server)
    const watch = open(registry, 'math')
    assert.deepEqual(await next(watch), [])
    const go = new Go(t, server.endpoint)
    go.tell('serve math 1.0.1')
    const [found] = await next(watch)
    const [{ id, address, paths, metadata }] = found.nodes
    assert.equal(found.version, '1.0.1')
    assert.equal(id, `math-${address}`)
    assert.deepEqual([paths, metadata], [['/math/add'], { registry: 'etcd', server: 'math' }])
    assert.deepEqual(await registry.getService('math'), [found])
    assert.deepEqual(await registry.listServices(), [found])
    const endpoint = new Endpoint({})
    t.after(() => endpoint.close())
    const session = await endpoint.dial(`tcp://${address}`)
    assert.equal(await session.call('/math/add', [1, 2, 3]), 6)
    await session.close()
    await go.ask('stop')
    assert.deepEqual(await next(watch), [])
    go.tell('serve math 1.0.2')
    assert.equal((await next(watch))[0].version, '1.0.2')
    await go.kill()
    assert.deepEqual(await next(watch), [])
  })

  test('what we register is found, watched and called by Go, and gone when we deregister it', limit, async (t) => {
    const server = await EtcdServer.start(t, 'etcd')
    const registry = registryOf(t, server)
    const go = new Go(t, server.endpoint)
    await go.ask('watch math')
    assert.equal((await go.ask('get math')).error, 'service not found')
    const endpoint = new Endpoint({})
    t.after(() => endpoint.close())
    endpoint.routeCall('/math/add', (numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
    const listener = await endpoint.listen('tcp://127.0.0.1:0')
    const { port } = new URL(listener.url)
    const given = service('math', [Number(port)], { metadata: { b: '<2>', a: '1' } })
    await registry.register(given, { ttl: 3_000 })
    assert.equal(await go.event(), `create 127.0.0.1:${port}`)
    const expected = [{ ...given, metadata: { a: '1', b: '<2>' } }]
    assert.deepEqual((await go.ask('get math')).value, expected)
    assert.deepEqual((await go.ask('list')).value, expected)
    assert.equal((await go.ask('call math')).value, 6)
    await registry.register({ ...given, version: '2' }, { ttl: 3_000 })
    assert.equal(await go.event(), `update 127.0.0.1:${port}`)
    await registry.deregister(given)
    assert.equal(await go.event(), `delete 127.0.0.1:${port}`)
    assert.equal((await go.ask('get math')).error, 'service not found')
  })

  test('Go sees every one of several nodes that end at once', limit, async (t) => {
    const server = await EtcdServer.start(t, 'etcd')
    const registry = registryOf(t, server)
    const go = new Go(t, server.endpoint)
    await go.ask('watch math')
    const given = service('math', [1, 2, 3])
    await registry.register(given)
    const ends = (kind: string): string[] => [1, 2, 3].map((port) => `${kind} 127.0.0.1:${port}`)
    for (const expected of ends('create')) assert.equal(await go.event(), expected)
    await registry.deregister(given)
    assert.deepEqual([await go.event(), await go.event(), await go.event()].sort(), ends('delete'))
    assert.deepEqual(await server.leases(), [])
  })

  test('a Go server and ours are nodes of one service, with keys of one form', limit, async (t) => {
    const server = await EtcdServer.start(t, 'etcd')
    const registry = registryOf(t, server)
    const watcher = new Watcher(t, registry, 'math')
    await watcher.ports()
    const go = new Go(t, server.endpoint)
    go.tell('serve math 1.0.0')
    await until(open(registry, 'math'), [await addressOf(registry)])
    const [theirs] = await server.read(MATH)
    const { nodes } = JSON.parse(theirs.value) as Service
    const copy = { name: 'math', version: '1.0.0', metadata: {}, nodes }
    await go.ask('stop')
    await watcher.ports()
    await registry.register(copy)
    const [ours] = await server.read(MATH)
    assert.deepEqual([ours.key, ours.value], [theirs.key, theirs.value])
  })
})

async function addressOf(registry: ReturnType<typeof registryOf>): Promise<string> {
  for await (const services of registry.watch('math')) if (services.length > 0) return services[0].nodes[0].address
  throw new Error('the watch has ended')
}
