import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { Code, type Session, StatusError } from '../../src/index.ts'
import { staticRegistry } from '../../src/rpc/registry/static.ts'
import { RpcError } from '../../src/rpc/rpc-error.ts'
import type { RpcServer } from '../../src/rpc/server.ts'
import { endpoint, once, onEachTransport, status } from '../support/helpers.ts'
import { mathServer, over, ownRegistry, rpcClient, rpcServer } from '../support/rpc.ts'

/** An address that nobody listens on. */
const NOBODY = '127.0.0.1:1'

/** Resolves when the client's picture of the service has this many nodes. */
function nodes(client: ReturnType<typeof rpcClient>, count: number): Promise<void> {
  if (client.selector.candidates('math').length === count) return Promise.resolve()
  return new Promise((resolve) => {
    const end = client.selector.onChange(() => {
      if (client.selector.candidates('math').length !== count) return
      end()
      resolve()
    })
  })
}

/** Counts the sessions that a server got. */
function accepted(server: RpcServer): Session[] {
  const all: Session[] = []
  server.on('session', (session) => all.push(session))
  return all
}

onEachTransport('a client of a service', (transport) => {
  test('spreads its calls over all nodes, and dials each once however many callers wait', async (t) => {
    const registry = ownRegistry(t)
    const servers = await Promise.all([1, 2, 3].map(() => mathServer(t, transport, registry)))
    const sessions = servers.map(accepted)
    const client = rpcClient(t, transport, registry)
    const answers = await Promise.all(Array.from({ length: 100 }, () => client.call<string>('/math/who')))
    for (const { url } of servers) assert.ok(answers.includes(url))
    assert.deepEqual(
      sessions.map(({ length }) => length),
      [1, 1, 1],
    )
    assert.equal(client.sessionCount, 3)
  })

  test('shows users no internals, which its declaration leaves out', (t) => {
    const client = rpcClient(t, transport, ownRegistry(t))
    const fields = ['breakers', 'endpoint', 'fallback', 'hedge', 'retry', 'selector', 'service', 'stats']
    assert.deepEqual(Object.keys(client).sort(), fields)
    for (const name of ['clock', 'discover', 'isClosed', 'isConnected', 'sessionsOf', 'tracer']) assert.ok(!(name in client), name)
  })

  test('gives each node its turn, also one without a session yet', async (t) => {
    const registry = ownRegistry(t)
    const servers = await Promise.all([1, 2].map(() => mathServer(t, transport, registry)))
    const client = rpcClient(t, transport, registry, { strategy: 'roundRobin' })
    await client.selector.loaded('math')
    const answers: string[] = []
    for (let calls = 0; calls < 4; calls++) answers.push(await client.call('/math/who'))
    assert.equal(new Set(answers.slice(0, 2)).size, servers.length)
    assert.deepEqual(answers.slice(2), answers.slice(0, 2))
  })

  test('holds as many sessions with a node as it is told', async (t) => {
    const registry = ownRegistry(t)
    const server = await mathServer(t, transport, registry)
    const client = rpcClient(t, transport, registry, { sessionsPerNode: 3 })
    for (let calls = 0; server.sessionCount < 3; calls++) {
      assert.equal(await client.call('/math/add', [calls]), calls)
      assert.ok(calls < 1000)
    }
    for (let calls = 0; calls < 20; calls++) await client.call('/math/add', [1])
    assert.equal(server.sessionCount, 3)
    for (const session of server.sessions()) assert.ok(session.activity > 0)
  })

  test('takes the next node when one cannot be dialled, and never the same twice', async (t) => {
    const good = rpcServer(t, transport)
    good.routeCall('/math/add', ([a, b]: number[]) => a + b)
    await good.start()
    const dialled: string[] = []
    const plugin = { name: 'dials', beforeDial: (url: string) => void dialled.push(url) }
    const addresses = ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3', 'no address', 'quic://127.0.0.1:4', good.url]
    const client = rpcClient(t, transport, staticRegistry(addresses), { plugins: [plugin], retry: false, strategy: 'roundRobin' })
    for (let calls = 0; calls < 6; calls++) {
      dialled.length = 0
      assert.equal(await client.call('/math/add', [1, 2]), 3)
      assert.equal(new Set(dialled).size, dialled.length)
    }
  })

  test('says which service, node and attempt failed', async (t) => {
    const nowhere = rpcClient(t, transport, ownRegistry(t))
    const [code, message, cause] = await status(nowhere.call('/math/add'))
    assert.deepEqual([code, message], [503, 'Service Unavailable'])
    assert.match(cause, /no node of service math is registered/)
    const dead = rpcClient(t, transport, staticRegistry([NOBODY]), { retry: { attempts: 2, backoff: { base: 1, max: 1 } } })
    const error = await dead.call('/math/add').catch((failure) => failure)
    assert.ok(error instanceof RpcError && error instanceof StatusError)
    assert.deepEqual([error.code, error.service, error.node], [Code.DialFailed, 'math', NOBODY])
    assert.match(error.cause, /ECONNREFUSED.*\(math at 127\.0\.0\.1:1, attempt \d\)/)
    const server = rpcServer(t, transport)
    server.routeCall('/math/own', () => {
      throw new StatusError(1001, 'out of stock', 'since noon')
    })
    await server.start()
    const client = rpcClient(t, transport, staticRegistry([server.url]))
    assert.deepEqual(await status(client.call('/math/own')), [1001, 'out of stock', 'since noon'])
    const missing = (await client.call('/math/none').catch((failure) => failure)) as RpcError
    assert.deepEqual([missing.code, missing.node, missing.attempts], [404, server.url, 1])
    await assert.rejects(client.call('/math/own', 1, { timeout: -1 }), RangeError)
    await assert.rejects(client.call('/math/own', 1, { nope: 1 } as never), TypeError)
    await client.close()
    assert.deepEqual((await status(client.call('/math/own'))).slice(0, 2), [100, 'Wrong Connection'])
    assert.match((await status(client.push('/math/own')))[2], /the client is closed/)
  })

  test('runs a call twice only if it is idempotent', async (t) => {
    const registry = ownRegistry(t)
    let runs = 0
    const servers = await Promise.all(
      [1, 2].map(async () => {
        const server = rpcServer(t, transport, { registry })
        server.routeCall('/math/drop', (_: unknown, ctx) => {
          if (++runs % 2 === 1) ctx.session.destroy('a bad day')
          return server.url
        })
        await server.start()
        return server
      }),
    )
    const client = rpcClient(t, transport, registry)
    const error = (await client.call('/math/drop').catch((failure) => failure)) as RpcError
    assert.deepEqual([error.code, error.attempts, runs], [Code.ConnectionClosed, 1, 1])
    runs = 0
    assert.ok(servers.some(({ url }) => url.length > 0))
    assert.match(await client.call('/math/drop', undefined, { idempotent: true }), /^tcp:/)
    assert.equal(runs, 2)
  })

  test('waits for nodes that are not known yet, until its deadline or signal', async (t) => {
    const registry = ownRegistry(t)
    const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }
    const away = rpcClient(t, transport, over(registry, { watch: () => never }))
    const [code, , cause] = await status(away.call('/math/add', [], { timeout: 20 }))
    assert.equal(code, 408)
    assert.match(cause, /\(math, attempt 0\)/)
    const abort = new AbortController()
    const canceled = status(away.call('/math/add', [], { signal: abort.signal }))
    abort.abort(new Error('enough'))
    assert.deepEqual((await canceled)[0], 499)
  })

  test('drains the session of a node that has left, and redials one that is lost', async (t) => {
    const registry = ownRegistry(t)
    const [stays, leaves] = await Promise.all([1, 2].map(() => mathServer(t, transport, registry, { registry: false })))
    await registry.register(stays.service)
    await registry.register(leaves.service)
    const gate = once()
    for (const server of [stays, leaves]) server.routeCall('/math/wait', () => gate.promise.then(() => server.url))
    const client = rpcClient(t, transport, registry, { strategy: 'roundRobin' })
    const first = client.call<string>('/math/wait')
    const second = client.call<string>('/math/wait')
    while (stays.sessionCount + leaves.sessionCount < 2) await new Promise(setImmediate)
    const [peer] = leaves.sessions()
    while (peer.running === 0) await new Promise(setImmediate)
    const closed = event(peer, 'close')
    await registry.deregister(leaves.service)
    await nodes(client, 1)
    for (let calls = 0; calls < 10; calls++) assert.equal(await client.call('/math/who'), stays.url)
    gate.resolve()
    assert.deepEqual((await Promise.all([first, second])).sort(), [stays.url, leaves.url].sort())
    await closed
    assert.equal(leaves.sessionCount, 0)
    const [lost] = stays.sessions()
    const gone = event(lost, 'close')
    lost.destroy('pulled')
    await gone
    while (client.sessionCount > 0) await new Promise(setImmediate)
    assert.equal(await client.call('/math/who'), stays.url)
  })

  test('chooses by version, key and strategy of one call', async (t) => {
    const registry = ownRegistry(t)
    const old = await mathServer(t, transport, registry, { version: '1.4.0' })
    const others = await Promise.all([1, 2, 3].map(() => mathServer(t, transport, registry, { version: '2.0.1' })))
    const one = rpcClient(t, transport, registry, { version: '^1.2' })
    for (let calls = 0; calls < 10; calls++) assert.equal(await one.call('/math/who'), old.url)
    const two = rpcClient(t, transport, registry, { version: '2' })
    const keyed = new Set<string>()
    for (let calls = 0; calls < 10; calls++) keyed.add(await two.call('/math/who', 0, { key: 'user-7', strategy: 'consistentHash' }))
    assert.equal(keyed.size, 1)
    const all = new Set<string>()
    for (let calls = 0; calls < 9; calls++) all.add(await two.call('/math/who', 0, { strategy: 'roundRobin' }))
    assert.deepEqual(all, new Set(others.map(({ url }) => url)))
    await assert.rejects(two.call('/math/who', 0, { strategy: 'none' as never }), TypeError)
  })

  test('pushes to one node, and to another one when the first cannot be dialled', async (t) => {
    const server = rpcServer(t, transport)
    const got: unknown[] = []
    const all = once()
    server.routePush('/math/tell', (text: string) => {
      got.push(text)
      if (got.length === 4) all.resolve()
    })
    await server.start()
    const client = rpcClient(t, transport, staticRegistry([NOBODY, server.url]), { strategy: 'roundRobin' })
    for (const text of ['a', 'b', 'c', 'd']) await client.push('/math/tell', text)
    await all.promise
    assert.deepEqual(got, ['a', 'b', 'c', 'd'])
    const dead = rpcClient(t, transport, staticRegistry([NOBODY]))
    assert.equal((await status(dead.push('/math/tell', 'x')))[0], Code.DialFailed)
  })

  test('makes an idempotent call once more elsewhere when the first node is slow, and cancels the loser', async (t) => {
    const registry = ownRegistry(t)
    const canceled = once()
    let slow: string | undefined
    for (const _ of [1, 2]) {
      const server = rpcServer(t, transport, { registry })
      server.routeCall('/math/warm', () => {})
      server.routeCall('/math/who', (_arg: unknown, ctx) => {
        slow ??= server.url
        if (slow !== server.url) return server.url
        return new Promise((_resolve, reject) => {
          ctx.signal.addEventListener('abort', () => {
            canceled.resolve()
            reject(new Error('canceled'))
          })
        })
      })
      await server.start()
    }
    const client = rpcClient(t, transport, registry, { hedge: { delay: 5 } })
    while (client.sessionCount < 2) await client.call('/math/warm')
    assert.notEqual(await client.call('/math/who', 0, { idempotent: true }), slow)
    await canceled.promise
    assert.deepEqual(client.hedge?.stats, { hedges: 1, wins: 1, refused: 0 })
    slow = undefined
    assert.equal((await status(client.call('/math/who', 0, { timeout: 20 })))[0], 408)
    assert.equal(client.hedge?.stats.hedges, 1)
  })

  test('has time for another node when one does not answer, and closes the session of one that is frozen', async (t) => {
    const registry = ownRegistry(t)
    const gate = once()
    t.after(() => gate.resolve())
    const servers = await Promise.all([1, 2].map(() => mathServer(t, transport, registry)))
    servers[0].routeCall('/math/slow', () => gate.promise)
    servers[1].routeCall('/math/slow', () => 'here')
    const client = rpcClient(t, transport, registry, { attemptTimeout: 30, strategy: 'roundRobin' })
    for (let calls = 0; calls < 4; calls++) assert.equal(await client.call('/math/slow', 0, { idempotent: true }), 'here')
    assert.equal((await status(Promise.all([client.call('/math/slow'), client.call('/math/slow')])))[0], 408)
    // A peer that accepts and never says a word.
    const mute = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
    t.after(() => mute.close())
    await event(mute, 'listening')
    const address = `127.0.0.1:${(mute.address() as AddressInfo).port}`
    const frozen = rpcClient(t, transport, staticRegistry([address]), { heartbeat: { interval: 10 }, retry: false })
    const [code, , cause] = await status(frozen.call('/math/slow'))
    assert.equal(code, Code.ConnectionClosed)
    assert.match(cause, /silent for two heartbeats/)
  })

  test('gives the value of its fallback for a call that failed for good', async (t) => {
    const server = rpcServer(t, transport)
    server.routeCall('/math/own', () => {
      throw new StatusError(1001, 'out of stock')
    })
    await server.start()
    const addresses = [server.url]
    const client = rpcClient(t, transport, staticRegistry(addresses), { fallback: ({ method, arg }) => [method, arg], retry: false })
    assert.equal((await status(client.call('/math/own')))[0], 1001)
    await server.close()
    while (client.sessionCount > 0) await new Promise(setImmediate)
    assert.deepEqual(await client.call('/math/own', 7), ['/math/own', 7])
  })

  test('asks the breaker of a node and method before each attempt', async (t) => {
    const registry = ownRegistry(t)
    let failing = true
    const server = rpcServer(t, transport, { registry })
    let runs = 0
    server.routeCall('/math/bad', () => {
      runs++
      if (failing) throw new Error('broken')
      return 1
    })
    server.routeCall('/math/good', () => 2)
    await server.start()
    const breaker = { kind: 'classic', consecutive: 3, minVolume: 3, openFor: 10_000 } as const
    const client = rpcClient(t, transport, registry, { breaker, retry: false, health: false })
    for (let calls = 0; calls < 3; calls++) assert.equal((await status(client.call('/math/bad')))[0], 500)
    const [code, , cause] = await status(client.call('/math/bad'))
    assert.deepEqual([code, runs], [503, 3])
    assert.match(cause, /circuit breaker/)
    assert.equal(await client.call('/math/good'), 2)
    failing = false
    client.breakers?.get(server.url.slice(6), '/math/bad').close()
    assert.equal(await client.call('/math/bad'), 1)
  })

  test('passes its options on: TLS of nodes that say so, and of those that do not', async (t) => {
    const { certificates } = await import('../support/certificates.ts')
    const { authority, server: tls } = certificates()
    const registry = ownRegistry(t)
    const server = rpcServer(t, transport, { registry, listen: 'tls://127.0.0.1:0', tls })
    server.routeCall('/math/add', ([a, b]: number[]) => a + b)
    await server.start()
    assert.match(server.service.nodes[0].address, /^tls:\/\//)
    const client = rpcClient(t, transport, registry, { dial: { tls: { ca: authority.cert, servername: 'localhost' } } })
    assert.equal(await client.call('/math/add', [1, 2]), 3)
    // A server of Go does not say that it speaks TLS.
    const plain = staticRegistry([server.url.slice('tls://'.length)])
    const bare = rpcClient(t, transport, plain, { dial: { tls: { ca: authority.cert, servername: 'localhost' } } })
    assert.equal(await bare.call('/math/add', [1, 2]), 3)
  })

  test('is not closed by a registry that closes, and uses the nodes known last', async (t) => {
    const registry = ownRegistry(t)
    const server = await mathServer(t, transport, registry)
    const client = rpcClient(t, transport, registry)
    assert.equal(await client.call('/math/who'), server.url)
    await registry.close()
    for (let calls = 0; calls < 3; calls++) assert.equal(await client.call('/math/who'), server.url)
  })

  test('works against an endpoint that is no RpcServer', async (t) => {
    const server = endpoint(t, { transport })
    server.routeCall('/math/add', ([a, b]: number[]) => a + b)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const client = rpcClient(t, transport, staticRegistry({ math: [url] }))
    assert.equal(await client.call('/math/add', [1, 2]), 3)
  })
})
