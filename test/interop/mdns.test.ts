import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { after, describe, type TestContext, test } from 'node:test'
import { RpcClient } from '../../src/rpc/client.ts'
import { type MdnsRegistryOptions, mdnsRegistry, type Registry, type Service } from '../../src/rpc/registry/mdns/index.ts'
import { RpcServer } from '../../src/rpc/server.ts'
import { addresses, open, until } from '../unit/rpc/registry/contract.ts'

// The mDNS registry of the real Go DMicro and ours in one network, in a domain of their own.

delete process.env.DMICRO_TRANSPORT

const directory = await mkdtemp(join(tmpdir(), 'dmicro-interop-mdns-'))
const binary = join(directory, 'dmicro-interop-mdns')
const missing = await build()
if (missing !== undefined && process.env.DMICRO_INTEROP === 'required') throw new Error(`the Go peer is required: ${missing}`)

async function build(): Promise<string | undefined> {
  const child = spawn('go', ['build', '-o', binary, '.'], {
    cwd: join(import.meta.dirname, 'go-mdns'),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  try {
    const [[code], stderr] = await Promise.all([once(child, 'close'), text(child.stderr)])
    if (code === 0) return undefined
    if (/^\.\/\S+\.go:\d+:/m.test(stderr)) throw new Error(`test/interop/go-mdns does not compile:\n${stderr}`)
    return `go build: ${stderr.trim().split('\n').at(-1)}`
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return 'go is not installed'
  }
}

interface Answer {
  event?: string
  error?: string
  services: Service[] | null
  /** Number of calls that each kind of server answered. */
  answers?: Record<string, number>
}

/** The Go registry in a process of its own. */
class GoRegistry {
  readonly #child: ChildProcess
  readonly #lines: Interface
  readonly #answers: ((answer: Answer) => void)[] = []
  readonly #events: Answer[] = []
  #onEvent: (() => void) | undefined

  constructor(domain: string) {
    this.#child = spawn(binary, [domain], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface(this.#child.stdout as NodeJS.ReadableStream)
    this.#lines.on('line', (line) => {
      const answer = JSON.parse(line) as Answer
      if (answer.event === undefined) {
        this.#answers.shift()?.(answer)
        return
      }
      this.#events.push(answer)
      this.#onEvent?.()
    })
  }

  async do(op: 'register' | 'deregister' | 'get' | 'list' | 'watch', more: { name?: string; service?: Service } = {}): Promise<Service[]> {
    return (await this.#ask({ op, ...more })).services ?? []
  }

  /** Starts an RpcServer of this service in the process, or closes it. */
  async rpc(op: 'serve' | 'stop', name: string): Promise<void> {
    await this.#ask({ op, name })
  }

  /** Lets the process's RpcClient make so many calls: how many each kind of server answered. Rejects when one fails. */
  async calls(name: string, count: number): Promise<Record<string, number>> {
    return (await this.#ask({ op: 'calls', name, count })).answers ?? {}
  }

  async #ask(command: object): Promise<Answer> {
    const answered = new Promise<Answer>((resolve) => this.#answers.push(resolve))
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`)
    const answer = await answered
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer
  }

  /** The next event of a watch that is of this kind and about this address. */
  async event(kind: string, address: string): Promise<Service> {
    for (;;) {
      for (let found = this.#events.shift(); found !== undefined; found = this.#events.shift()) {
        const [service] = found.services ?? []
        if (found.event === kind && service.nodes[0].address === address) return service
      }
      await new Promise<void>((resolve) => {
        this.#onEvent = resolve
      })
    }
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await exited
  }
}

let domains = 0

function pair(t: TestContext, options: MdnsRegistryOptions = {}): { go: GoRegistry; ours: Registry } {
  const domain = `dmicro-${process.pid}-${++domains}`
  const go = new GoRegistry(domain)
  const ours = mdnsRegistry({ domain, log: false, ...options })
  t.after(() => Promise.all([go.stop(), ours.close()]))
  return { go, ours }
}

function math(port: number, more: Partial<Service> = {}, host = '127.0.0.1'): Service {
  const address = `${host}:${port}`
  const nodes = [{ id: `math-${address}`, address, paths: undefined, metadata: { registry: 'mdns', server: 'math' } }]
  return { name: 'math', version: '1.0.0', metadata: {}, nodes, ...more }
}

/** A service without what Go leaves out or calls null. */
function shown(services: readonly Service[]): unknown {
  return services.map(({ name, version, nodes }) => ({
    name,
    version,
    nodes: nodes.map(({ id, address, metadata }) => ({ id, address, metadata })),
  }))
}

/** Nodes by id, each once: Go lists a node for each address family that it was heard on. */
function distinctIds(services: readonly Service[]): string[] {
  return [...new Set(services.flatMap(({ nodes }) => nodes.map(({ id }) => id)))].sort()
}

describe('the mDNS registry of Go DMicro', { skip: missing }, () => {
  after(() => rm(directory, { recursive: true, force: true }))

  test('a node of Go is found, with version and metadata', async (t) => {
    const { go, ours } = pair(t)
    await go.do('register', { service: math(7001) })
    assert.deepEqual(shown(await ours.getService('math')), shown([math(7001)]))
    assert.deepEqual(await ours.getService('other'), [])
  })

  test('a node of ours is found by Go, with version and metadata', async (t) => {
    const { go, ours } = pair(t)
    await ours.register(math(7001))
    const [found, ...others] = await go.do('get', { name: 'math' })
    assert.deepEqual(others, [])
    const [node] = found.nodes
    assert.deepEqual(shown([{ ...found, nodes: [node] }]), shown([math(7001)]))
    assert.deepEqual(await go.do('get', { name: 'other' }), [])
  })

  test('all nodes of one service are found, in both directions', async (t) => {
    const { go, ours } = pair(t)
    const ports = [7001, 7002, 7003, 7004, 7005]
    await Promise.all(ports.map((port) => ours.register(math(port, { version: port > 7003 ? '2.0.0' : '1.0.0' }))))
    await go.do('register', { service: math(7010) })
    const expected = [...ports, 7010].map((port) => `math-127.0.0.1:${port}`)
    assert.deepEqual(distinctIds(await go.do('get', { name: 'math' })), expected)
    assert.deepEqual(distinctIds(await ours.getService('math')), expected)
  })

  test('metadata that fills several strings of TXT arrives, in both directions', async (t) => {
    const { go, ours } = pair(t)
    const metadata = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`key${index}`, `<&> "ü" ${(index * 7_919) ** 3}`]))
    const [node] = math(7001).nodes
    await ours.register(math(7001, { nodes: [{ ...node, metadata }] }))
    const [fromOurs] = await go.do('get', { name: 'math' })
    assert.deepEqual(fromOurs.nodes[0].metadata, metadata)
    await ours.deregister(math(7001))
    await go.do('register', { service: math(7001, { nodes: [{ ...node, metadata }] }) })
    const [fromGo] = await ours.getService('math')
    assert.deepEqual(fromGo.nodes[0].metadata, metadata)
  })

  test('names of services are listed, in both directions', async (t) => {
    const { go, ours } = pair(t)
    await go.do('register', { service: math(7001) })
    await ours.register({ ...math(7002), name: 'text' })
    const expected = ['math', 'text']
    assert.deepEqual(
      (await ours.listServices()).map(({ name }) => name),
      expected,
    )
    assert.deepEqual((await go.do('list')).map(({ name }) => name).sort(), expected)
  })

  test('a watch of ours sees nodes of Go come and go', async (t) => {
    const { go, ours } = pair(t)
    const watch = open(ours, 'math')
    const alive = setInterval(() => {}, 1_000)
    t.after(() => clearInterval(alive))
    await until(watch, [])
    await go.do('register', { service: math(7001) })
    assert.deepEqual(shown(await until(watch, ['127.0.0.1:7001'])), shown([math(7001)]))
    await go.do('register', { service: math(7002, { version: '2.0.0' }) })
    await until(watch, ['127.0.0.1:7001', '127.0.0.1:7002'])
    await go.do('deregister', { service: math(7001) })
    await until(watch, ['127.0.0.1:7002'])
    await go.do('deregister', { service: math(7002) })
    await until(watch, [])
    await watch.return?.()
  })

  test('a watch of Go sees nodes of ours come, change and go', async (t) => {
    const { go, ours } = pair(t)
    await go.do('watch', { name: 'math' })
    await ours.register(math(7001))
    assert.deepEqual(shown([await go.event('create', '127.0.0.1:7001')]), shown([math(7001)]))
    await ours.register(math(7001, { version: '1.0.1' }))
    let changed: Service
    do changed = await go.event('create', '127.0.0.1:7001')
    while (changed.version !== '1.0.1')
    await ours.deregister(math(7001))
    await go.event('delete', '127.0.0.1:7001')
  })

  test('a node of Go on all addresses has one that leads to it', async (t) => {
    const { go, ours } = pair(t)
    const alive = setInterval(() => {}, 1_000)
    t.after(() => clearInterval(alive))
    const [node] = math(7001, {}, '[::]').nodes
    await go.do('register', { service: math(7001, { nodes: [node] }) })
    const found = addresses(await ours.getService('math'))
    assert.equal(found.length, 1)
    assert.match(found[0], /^(?!0\.0\.0\.0|\[::\]).*:7001$/)
  })

  for (const transport of ['native', 'js'] as const)
    test(`${transport}: an RpcServer of Go and one of ours are one service for RpcClients of both`, async (t) => {
      const { go, ours } = pair(t)
      const own = { transport, log: false, closeTimeout: 200 } as const
      const server = new RpcServer('math', { ...own, registry: ours, listen: 'tcp://127.0.0.1:0' })
      t.after(() => server.close({ timeout: 0 }))
      server.routeCall('/math/who', () => 'ours')
      await server.start()
      const client = new RpcClient('math', { ...own, registry: ours, strategy: 'roundRobin', timeout: 10_000, slowStart: 0 })
      t.after(() => client.close({ timeout: 0 }))
      const who = (): Promise<string> => client.call<string>('/math/who', 0)
      assert.equal(await who(), 'ours')
      await go.rpc('serve', 'math')
      const answers = new Set<string>()
      while (answers.size < 2) answers.add(await who())
      // Go's client picks at random, among the nodes that one lookup found.
      const counts = await go.calls('math', 200)
      assert.equal(counts.ours + counts.go, 200, JSON.stringify(counts))
      assert.ok(counts.ours > 50 && counts.go > 50, JSON.stringify(counts))
      const alone = new Promise<void>((resolve) => {
        client.selector.onChange(() => client.selector.candidates('math').length === 1 && resolve())
      })
      await go.rpc('stop', 'math')
      await alone
      for (let calls = 0; calls < 10; calls++) assert.equal(await who(), 'ours')
    })
})
