import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { StatusError } from '../../src/index.ts'
import type { RpcClient } from '../../src/rpc/client.ts'
import { staticRegistry } from '../../src/rpc/registry/static.ts'
import { once, onEachTransport, status } from '../support/helpers.ts'
import { over, ownRegistry, rpcClient, rpcServer } from '../support/rpc.ts'

/** An address that nobody listens on. */
const NOBODY = '127.0.0.1:1'
/** Milliseconds, longer than any of these tests may take. */
const LONG = 120_000

/** A node that accepts connections, and never says a word of the WebSocket that it is asked for. */
async function silentNode(t: TestContext): Promise<{ address: string; dialled: Promise<unknown> }> {
  const server = createServer((socket) => t.after(() => socket.destroy()))
  server.listen(0, '127.0.0.1')
  await event(server, 'listening')
  t.after(() => server.close())
  return { address: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/rpc`, dialled: event(server, 'connection') }
}

onEachTransport('a call in each of its stages', (transport) => {
  /** A client whose calls wait: how to make one, and when it waits. */
  const stages: Record<string, (t: TestContext) => Promise<{ client: RpcClient; waits: () => Promise<unknown> }>> = {
    'while nodes are looked for': async (t) => {
      const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }
      return { client: rpcClient(t, transport, over(ownRegistry(t), { watch: () => never })), waits: () => Promise.resolve() }
    },
    'while its node is dialled': async (t) => {
      const { address, dialled } = await silentNode(t)
      return { client: rpcClient(t, transport, staticRegistry([address])), waits: () => dialled }
    },
    'while it waits for its next attempt': async (t) => {
      const server = rpcServer(t, transport)
      server.routeCall('/math/add', () => {
        throw new StatusError(503, undefined, 'busy', { retryAfter: LONG / 2 })
      })
      await server.start()
      const client = rpcClient(t, transport, staticRegistry([server.url]))
      const waiting = new Promise((resolve) => client.retry?.on('retry', resolve))
      return { client, waits: () => waiting }
    },
  }
  for (const [when, begin] of Object.entries(stages)) {
    test(`ends at once when the client is closed ${when}`, async (t) => {
      const { client, waits } = await begin(t)
      const call = status(client.call('/math/add', [], { timeout: LONG }))
      await waits()
      await client.close()
      const [code, , cause] = await call
      assert.equal(code, 100)
      assert.match(cause, /the client is closed \(math/)
    })

    test(`ends at once when its signal fires ${when}`, async (t) => {
      const { client, waits } = await begin(t)
      const abort = new AbortController()
      const call = status(client.call('/math/add', [], { timeout: LONG, signal: abort.signal }))
      await waits()
      abort.abort(new Error('enough'))
      assert.equal((await call)[0], 499)
    })

    test(`ends at its deadline ${when}`, async (t) => {
      const { client } = await begin(t)
      const [code] = await status(client.call('/math/add', [], { timeout: 60 }))
      // There is no time for a next attempt, so what the node said is all there is to say.
      assert.equal(code, when.includes('next attempt') ? 503 : 408)
    })
  }

  test('that ends while it waits for its next attempt leaves no timer, which would keep the process alive', async (t) => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const { client, waits } = await stages['while it waits for its next attempt'](t)
    const before = timers()
    const call = status(client.call('/math/add', [], { timeout: LONG }))
    await waits()
    assert.ok(timers() > before)
    await client.close()
    await call
    assert.ok(timers() <= before, `${timers()} timers, ${before} before`)
  })

  test('is hedged: ends at once when the client is closed, and when its signal fires', async (t) => {
    const { address, dialled } = await silentNode(t)
    const other = await silentNode(t)
    const client = rpcClient(t, transport, staticRegistry([address, other.address]), { hedge: { delay: 0 } })
    const abort = new AbortController()
    const canceled = status(client.call('/math/add', [], { idempotent: true, timeout: LONG, signal: abort.signal }))
    const closed = status(client.call('/math/add', [], { idempotent: true, timeout: LONG }))
    await Promise.all([dialled, other.dialled])
    abort.abort(new Error('enough'))
    assert.equal((await canceled)[0], 499)
    await client.close()
    assert.equal((await closed)[0], 100)
  })

  test('of a push: ends when the client is closed, and waits for a registry no longer than a call', async (t) => {
    const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }
    const registry = over(ownRegistry(t), { watch: () => never })
    assert.equal((await status(rpcClient(t, transport, registry, { timeout: 50 }).push('/math/note')))[0], 408)
    const client = rpcClient(t, transport, registry, { timeout: 0 })
    const push = status(client.push('/math/note'))
    await client.close()
    assert.equal((await push)[0], 100)
  })

  test('that is given up while its node is dialled keeps no probe of a breaker', async (t) => {
    const { address } = await silentNode(t)
    const breaker = { kind: 'classic', consecutive: 1, openFor: 60_000 } as const
    const client = rpcClient(t, transport, staticRegistry([address]), { breaker })
    const abort = new AbortController()
    const canceled = status(client.call('/math/add', [], { signal: abort.signal }))
    abort.abort(new Error('enough'))
    assert.equal((await canceled)[0], 499)
    assert.equal(client.breakers?.stats.failures, 0)
    assert.equal((await status(client.call('/math/add', [], { timeout: 20 })))[0], 408)
    assert.deepEqual([client.breakers?.stats.failures, client.breakers?.stats.opened], [1, 1])
  })

  test('whose hedge finds no other node fails with what its node says, and pays for no hedge', async (t) => {
    const asked = once()
    const answer = once()
    const server = rpcServer(t, transport)
    server.routeCall('/math/add', async () => {
      asked.resolve()
      await answer.promise
      throw new StatusError(1234, 'mine')
    })
    await server.start()
    const client = rpcClient(t, transport, staticRegistry([server.url]), { hedge: { delay: 0 } })
    const call = status(client.call('/math/add', [], { idempotent: true }))
    await asked.promise
    await new Promise(setImmediate)
    answer.resolve()
    assert.deepEqual((await call).slice(0, 2), [1234, 'mine'])
    assert.deepEqual(client.hedge?.stats, { hedges: 0, wins: 0, refused: 0 })
    assert.equal(client.stats.unavailable, 0)
  })

  test('of nodes that are all dead is over after as many rounds as it may have attempts, whatever the budget allows', async (t) => {
    const dials: string[] = []
    const plugin = { name: 'dials', beforeDial: (url: string) => void dials.push(url) }
    const retry = { attempts: 3, backoff: { base: 1, max: 1 }, budget: { minPerSecond: 1_000_000 } }
    const client = rpcClient(t, transport, staticRegistry([NOBODY, '127.0.0.1:2']), { plugins: [plugin], retry, timeout: 0 })
    assert.equal((await status(client.call('/math/add')))[0], 105)
    assert.equal(client.retry?.stats.retries, 2)
    assert.ok(dials.length <= 6, `${dials.length} dials`)
  })
})
