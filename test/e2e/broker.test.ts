import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Codec, StatusError } from '../../src/index.ts'
import { bulkhead } from '../../src/rpc/broker/bulkhead.ts'
import { rateLimit } from '../../src/rpc/broker/rate-limit.ts'
import { once, onEachTransport, pair, recorder } from '../support/helpers.ts'
import { testClock } from '../support/test-clock.ts'

/** A JSON codec that counts the bodies that it decodes. */
function counting(): Codec & { decoded: number } {
  return {
    id: 200,
    name: 'counting',
    decoded: 0,
    encode: (value) => JSON.stringify(value),
    decode(buffer, start, end) {
      this.decoded++
      return JSON.parse(buffer.toString('utf8', start, end))
    },
  }
}

async function failure(call: Promise<unknown>): Promise<StatusError> {
  try {
    await call
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error))
    return error
  }
  throw new Error('expected a failure')
}

/** Resolves when `check` holds, which is asked after each turn of the loop. */
async function until(check: () => boolean): Promise<void> {
  while (!check()) await new Promise(setImmediate)
}

onEachTransport('limits of the broker', (transport) => {
  it('a call over the rate gets 429 and retryAfter, and its body is not decoded', async (t) => {
    const codec = counting()
    const clock = testClock()
    const limit = rateLimit({ rate: 2 }, clock)
    const { server, session } = await pair(t, transport, {
      server: { plugins: [limit], codecs: [codec] },
      client: { codecs: [counting()], codec: 'counting' },
    })
    let handled = 0
    server.routeCall('/a', () => ++handled)
    assert.deepEqual([await session.call('/a', 1), await session.call('/a', 1)], [1, 2])
    for (let n = 0; n < 10; n++) {
      const { code, retryAfter, cause, unsent } = await failure(session.call('/a', 1))
      assert.deepEqual([code, retryAfter, cause, unsent], [429, 500, 'over the limit rate-limit', undefined])
    }
    assert.deepEqual([handled, codec.decoded, limit.stats.refused], [2, 2, 10])
    clock.advance(500)
    assert.equal(await session.call('/a', 1), 3)
  })

  it('a push over the rate is dropped before its body is decoded, logged once, and harms no call', async (t) => {
    const codec = counting()
    const log = recorder()
    const limit = rateLimit({ rate: 5, kind: 'push' }, testClock())
    const { server, session } = await pair(t, transport, {
      server: { plugins: [limit], codecs: [codec], log },
      client: { codecs: [counting()], codec: 'counting' },
    })
    let handled = 0
    server.routePush('/p', () => void handled++)
    server.routeCall('/a', () => handled)
    for (let n = 0; n < 200; n++) await session.push('/p', n)
    assert.equal(await session.call('/a', 0), 5)
    assert.deepEqual([codec.decoded, limit.stats.refused], [6, 195])
    assert.equal(log.lines.filter(({ text }) => text === 'a push was dropped').length, 1)
  })

  it('a limit works in a group and a route, and for names without a route', async (t) => {
    const clock = testClock()
    const ofGroup = rateLimit({ rate: 1, by: 'endpoint', name: 'group' }, clock)
    const ofRoute = rateLimit({ rate: 2, by: 'route', name: 'route' }, clock)
    const ofAll = rateLimit({ rate: 4, by: 'route', kind: 'call' }, clock)
    const { server, session } = await pair(t, transport, { server: { plugins: [ofAll] } })
    server.group('g', ofGroup).routeCall('/a', () => 'a')
    server.routeCall('/b', () => 'b', { plugins: [ofRoute] })
    server.setUnknownCall(() => 'c')
    const codes = async (name: string): Promise<number[]> => {
      const all = [1, 2, 3, 4, 5].map(() =>
        session.call(name).then(
          () => 0,
          ({ code }: StatusError) => code,
        ),
      )
      return Promise.all(all)
    }
    assert.deepEqual(await codes('/g/a'), [0, 503, 503, 503, 503])
    assert.deepEqual(await codes('/b'), [0, 0, 503, 503, 503])
    assert.deepEqual(await codes('/c'), [0, 0, 0, 0, 503])
  })

  it('a client’s own limit fails calls before they are sent', async (t) => {
    const limit = rateLimit({ rate: 1, direction: 'out' }, testClock())
    const { server, session } = await pair(t, transport, { client: { plugins: [limit] } })
    let handled = 0
    server.routeCall('/a', () => ++handled)
    assert.equal(await session.call('/a'), 1)
    const { code, unsent, retryAfter } = await failure(session.call('/a'))
    assert.deepEqual([code, unsent, retryAfter, handled], [429, true, 1000, 1])
  })

  it('a store that must be asked delays calls in their order, and a store that hangs delays them once', async (t) => {
    const clock = testClock()
    const held = once()
    const store = {
      take: (_key: string, _rate: number, _burst: number, count: number) => held.promise.then(() => ({ granted: count, wait: 0 })),
    }
    const limit = rateLimit({ rate: 100, by: 'endpoint', store, storeTimeout: 1000 }, clock)
    const { server, session } = await pair(t, transport, { server: { plugins: [limit] } })
    const order: unknown[] = []
    server.routeCall('/a', (n) => order.push(n))
    const calls = [1, 2, 3].map((n) => session.call('/a', n))
    held.resolve()
    await Promise.all(calls)
    assert.deepEqual([order, limit.stats.allowed], [[1, 2, 3], 3])

    const hanging = rateLimit({ rate: 100, by: 'endpoint', store: { take: () => new Promise(() => {}) }, storeTimeout: 20 })
    const other = await pair(t, transport, { server: { plugins: [hanging] } })
    other.server.routeCall('/a', (n) => n)
    assert.deepEqual(await Promise.all([1, 2, 3].map((n) => other.session.call('/a', n))), [1, 2, 3])
    assert.deepEqual([hanging.stats.local, hanging.stats.storeFailures], [3, 1])
  })

  it('a bulkhead lets so many run, has others wait, and refuses the rest before their bodies are decoded', async (t) => {
    const codec = counting()
    const limit = bulkhead({ max: 2, maxQueued: 3, queueTimeout: 60_000 })
    const { server, session } = await pair(t, transport, {
      server: { plugins: [limit], codecs: [codec] },
      client: { codecs: [counting()], codec: 'counting' },
    })
    const gate = once()
    let running = 0
    let most = 0
    server.routeCall('/slow', async (n) => {
      most = Math.max(most, ++running)
      await gate.promise
      running--
      return n
    })
    server.routeCall('/other', () => 'free')
    const calls = Array.from({ length: 10 }, (_, n) =>
      session.call('/slow', n).then(
        (value) => value,
        ({ code, retryAfter }: StatusError) => [code, retryAfter],
      ),
    )
    await until(() => limit.stats.refused === 5)
    assert.deepEqual([limit.running, limit.queued, codec.decoded], [2, 3, 5])
    assert.equal(await session.call('/other', 0), 'free', 'those that wait delay nobody')
    gate.resolve()
    assert.deepEqual(await Promise.all(calls), [0, 1, 2, 3, 4, ...Array(5).fill([503, 1000])])
    assert.deepEqual([most, limit.running, limit.queued], [2, 0, 0])
  })

  it('a bulkhead counts handlers until they settle, whatever becomes of their callers', async (t) => {
    const limit = bulkhead({ max: 3, maxQueued: 2, queueTimeout: 60_000 })
    const { server, client, session } = await pair(t, transport, { server: { plugins: [limit] } })
    const gate = once()
    server.routeCall('/slow', () => gate.promise)
    server.routePush('/push', () => gate.promise)
    server.routeCall('/fails', () => {
      throw new StatusError(1001, 'no')
    })
    server.routeCall('/rejects', () => Promise.reject(new StatusError(1001, 'no')))
    server.routeCall('/typed', () => 0, {
      arg: { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'no' }] }) } } as never,
    })
    for (const name of ['/fails', '/rejects', '/typed']) await failure(session.call(name, 1))
    await session.push('/push')
    const abort = new AbortController()
    const canceled = failure(session.call('/slow', 0, { signal: abort.signal }))
    const late = failure(session.call('/slow', 0, { timeout: 30 }))
    const lost = [1, 2, 3].map(() => failure(session.call('/slow')))
    await until(() => limit.running === 4 && limit.queued === 2)
    abort.abort()
    assert.deepEqual([(await canceled).code, (await late).code], [499, 408])
    session.destroy()
    assert.deepEqual(
      (await Promise.all(lost)).map(({ code }) => code),
      [102, 102, 102],
    )
    assert.equal(limit.running, 4)
    gate.resolve()
    await until(() => limit.running === 0 && limit.queued === 0)
    await client.close()
  })

  it('a call that waits and whose caller does not want it any more gives up its place', async (t) => {
    const limit = bulkhead({ max: 1, maxQueued: 1, queueTimeout: 60_000 })
    const { server, session } = await pair(t, transport, { server: { plugins: [limit] } })
    const gate = once()
    const names: unknown[] = []
    server.routeCall('/slow', (name) => {
      names.push(name)
      return gate.promise
    })
    const first = session.call('/slow', 'first')
    await until(() => limit.running === 1)
    const late = failure(session.call('/slow', 'late', { timeout: 20 }))
    await until(() => limit.queued === 1)
    assert.equal((await late).code, 408)
    gate.resolve()
    await first
    await until(() => limit.running === 0 && limit.queued === 0)
    assert.deepEqual(names, ['first'])
  })

  it('a call that waits and whose session is lost is not run, a push is', async (t) => {
    const limit = bulkhead({ max: 1, by: 'endpoint', queueTimeout: 60_000 })
    const { server, session, peer } = await pair(t, transport, { server: { plugins: [limit] } })
    const gate = once()
    const run: unknown[] = []
    server.routeCall('/a', (name) => {
      run.push(name)
      return gate.promise
    })
    server.routePush('/p', (name) => void run.push(name))
    const lost = [failure(session.call('/a', 'first'))]
    await until(() => limit.running === 1)
    lost.push(failure(session.call('/a', 'second')))
    await session.push('/p', 'push')
    await until(() => limit.queued === 2)
    const closed = once()
    peer.once('close', () => closed.resolve())
    session.destroy()
    await Promise.all([closed.promise, ...lost])
    gate.resolve()
    await until(() => limit.running === 0 && limit.queued === 0)
    assert.deepEqual(run, ['first', 'push'])
  })

  it('the class in the meta decides who is served first', async (t) => {
    const limit = bulkhead({ max: 1, queueTimeout: 60_000 })
    const { server, session } = await pair(t, transport, { server: { plugins: [limit] } })
    const gate = once()
    const order: unknown[] = []
    server.routeCall('/a', (name) => {
      order.push(name)
      return gate.promise
    })
    const calls = [session.call('/a', 'first')]
    await until(() => limit.running === 1)
    for (const name of ['sheddable', 'default', 'critical']) calls.push(session.call('/a', name, { meta: { 'X-Criticality': name } }))
    await until(() => limit.queued === 3)
    gate.resolve()
    await Promise.all(calls)
    assert.deepEqual(order, ['first', 'critical', 'default', 'sheddable'])
  })
})
