import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { Endpoint } from '../../src/index.ts'
import { RpcClient } from '../../src/rpc/client.ts'
import type { Service } from '../../src/rpc/registry/registry.ts'
import { RpcServer } from '../../src/rpc/server.ts'
import { EtcdServer } from '../outside/etcd/servers.ts'
import { MATH, registryOf, Watcher } from '../outside/etcd/support.ts'
import { load } from '../support/rpc.ts'
import { next, open, service, until } from '../unit/rpc/registry/contract.ts'
import { disposeGoEtcd, type GoCalls, GoEtcd, goEtcdMissing } from './etcd-peer.ts'

// The real Go DMicro and we find each other in one etcd.

delete process.env.DMICRO_TRANSPORT

const limit = { timeout: 60_000 }
const missing = await goEtcdMissing()
if (missing !== undefined && process.env.DMICRO_INTEROP === 'required') throw new Error(`the Go peer is required: ${missing}`)
if (missing !== undefined) console.log(`interop with Go's etcd registry not run: ${missing}`)

describe("Go DMicro's registry in etcd", { skip: missing ?? false }, () => {
  after(disposeGoEtcd)

  test('what Go registers is found, watched and called, and gone when it closes or dies', limit, async (t) => {
    const server = await EtcdServer.start(t, 'etcd')
    const registry = registryOf(t, server)
    const watch = open(registry, 'math')
    assert.deepEqual(await next(watch), [])
    const go = await GoEtcd.start(t, server.endpoint)
    go.tell('serve math 1.0.1')
    const [found] = await next(watch)
    const [{ id, address, paths, metadata }] = found.nodes
    assert.equal(found.version, '1.0.1')
    assert.equal(id, `math-${address}`)
    assert.deepEqual(
      [paths, metadata],
      [['/heartbeat', '/heartbeat', '/math/add', '/math/later', '/math/who', '/call/back'], { registry: 'etcd', server: 'math' }],
    )
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
    const go = await GoEtcd.start(t, server.endpoint)
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
    const go = await GoEtcd.start(t, server.endpoint)
    await go.ask('watch math')
    const given = service('math', [1, 2, 3])
    await registry.register(given)
    const ends = (kind: string): string[] => [1, 2, 3].map((port) => `${kind} 127.0.0.1:${port}`)
    for (const expected of ends('create')) assert.equal(await go.event(), expected)
    await registry.deregister(given)
    assert.deepEqual([await go.event(), await go.event(), await go.event()].sort(), ends('delete'))
    assert.deepEqual(await server.leases(), [])
  })

  for (const transport of ['native', 'js'] as const) {
    const own = { transport, log: false, closeTimeout: 200 } as const

    test(`${transport}: an RpcServer of Go and one of ours are one service for RpcClients of both, whichever closes`, limit, async (t) => {
      const etcd = await EtcdServer.start(t, 'etcd')
      const registry = registryOf(t, etcd)
      const server = new RpcServer('math', { ...own, registry, listen: 'tcp://127.0.0.1:0' })
      t.after(() => server.close({ timeout: 0 }))
      server.routeCall('/math/who', () => 'ours')
      server.routeCall('/call/back', (n: number, ctx) => ctx.session.call<number>('/client/double', n))
      await server.start()
      const [node] = await etcd.read(MATH)
      assert.equal(node.key, `${MATH}math-${server.service.nodes[0].address}`)
      const go = await GoEtcd.start(t, etcd.endpoint)
      assert.deepEqual((await go.ask('calls math 20')).value, { answers: { ours: 20 }, failures: [] })
      assert.equal((await go.ask('back math')).value, 42)

      const client = new RpcClient('math', { ...own, registry, strategy: 'roundRobin', timeout: 5_000, slowStart: 0 })
      t.after(() => client.close({ timeout: 0 }))
      client.routeCall('/client/double', (n: number) => 2 * n)
      assert.deepEqual(await callsOf(client, 10), { ours: 10 })
      const theirs = await GoEtcd.start(t, etcd.endpoint)
      theirs.tell('serve math 1.0.0')
      await nodesOf(client, 2)
      assert.deepEqual(await callsOf(client, 10), { go: 5, ours: 5 })
      assert.deepEqual([await client.call('/call/back', 4), await client.call('/call/back', 5)], [8, 10])
      // Go's client learns of the new node by a watch of its own.
      while ((await goCalls(go, 10)).answers.go === undefined);
      let { answers, failures } = await goCalls(go, 200)
      assert.deepEqual(failures, [])
      assert.equal(answers.ours + answers.go, 200)
      // Go picks at random: one kind alone of 200 calls is out of the question.
      assert.ok(answers.ours > 50 && answers.go > 50, JSON.stringify(answers))

      // A server of Go that closes drops what it has not answered, which is why these calls are idempotent.
      const before = load(() => client.call('/math/who', 0, { idempotent: true }))
      await before.more(100)
      await theirs.ask('stop')
      await nodesOf(client, 1)
      await before.more(100)
      assert.deepEqual(await before.end(), [])
      assert.deepEqual(await callsOf(client, 10), { ours: 10 })
      theirs.tell('serve math 1.0.1')
      await nodesOf(client, 2)

      await go.ask('watch math')
      await server.close()
      assert.match(await go.event(), /^delete 127/)
      assert.deepEqual(await callsOf(client, 10), { go: 10 })
      while ((await goCalls(go, 10)).failures.length > 0);
      ;({ answers, failures } = await goCalls(go, 50))
      assert.deepEqual([answers, failures], [{ go: 50 }, []])
    })
  }

  test('a Go server and ours are nodes of one service, with keys of one form', limit, async (t) => {
    const server = await EtcdServer.start(t, 'etcd')
    const registry = registryOf(t, server)
    const watcher = new Watcher(t, registry, 'math')
    await watcher.ports()
    const go = await GoEtcd.start(t, server.endpoint)
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

async function goCalls(go: GoEtcd, count: number): Promise<GoCalls> {
  return (await go.ask(`calls math ${count}`)).value as GoCalls
}

/** Makes calls one after the other, and counts who answered. */
async function callsOf(client: RpcClient, count: number): Promise<Record<string, number>> {
  const answers: Record<string, number> = {}
  for (let i = 0; i < count; i++) {
    const who = await client.call<string>('/math/who', 0)
    answers[who] = (answers[who] ?? 0) + 1
  }
  return answers
}

/** Resolves when the client knows so many nodes. */
function nodesOf({ selector, service }: RpcClient, count: number): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (selector.candidates(service).length !== count) return
      end()
      resolve()
    }
    const end = selector.onChange(check)
    check()
  })
}
