import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { once as event } from 'node:events'
import { type TestContext, test } from 'node:test'
import { type Endpoint, type EndpointOptions, MultiClient, type MultiClientOptions, Session, StatusError } from '../../src/index.ts'
import { endpoint, type Kind, type Once, once, onEachTransport, status } from '../support/helpers.ts'

const quick = { minDelay: 1, maxDelay: 5 }

/** A server whose calls of `/wait` are answered when the test says so, and a client of many sessions. */
async function place(t: TestContext, transport: Kind, options: MultiClientOptions = {}, more: EndpointOptions = {}) {
  const server = endpoint(t, { transport })
  const waits = offer(server)
  const listener = await server.listen('tcp://127.0.0.1:0')
  const { url } = listener
  const own = endpoint(t, { transport, ...more })
  const client = new MultiClient(own, url, options)
  t.after(() => client.close({ timeout: 0 }))
  return { server, listener, url, own, client, waits }
}

interface Waits {
  /** Calls of `/wait` that have not been answered, by the number they gave. */
  open: Map<number, Once<number>>
  /** Resolves when so many are open. */
  reach(count: number): Promise<void>
}

function offer(server: Endpoint): Waits {
  const open = new Map<number, Once<number>>()
  const reached = new Map<number, Once<void>>()
  server.routeCall('/echo', (value: unknown) => value)
  server.routeCall('/wait', async (n: number) => {
    const gate = once<number>()
    open.set(n, gate)
    reached.get(open.size)?.resolve()
    try {
      return await gate.promise
    } finally {
      open.delete(n)
    }
  })
  return {
    open,
    async reach(count) {
      if (open.size === count) return
      const wanted = once()
      reached.set(count, wanted)
      await wanted.promise
    },
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

onEachTransport('a client of many sessions', (transport) => {
  test('dials as many as its calls need, and none takes more than its share', async (t) => {
    const { server, client, waits } = await place(t, transport, { max: 3, callsPerSession: 2 })
    assert.equal(client.size, 0)
    const calls = Array.from({ length: 5 }, (_, n) => client.call<number>('/wait', n))
    await waits.reach(5)
    assert.equal(client.size, 3)
    assert.deepEqual([...server.sessions()].map(({ running }) => running).sort(), [1, 2, 2])
    assert.equal(client.pendingCalls, 5)
    for (const [n, gate] of waits.open) gate.resolve(n * 2)
    assert.deepEqual(await Promise.all(calls), [0, 2, 4, 6, 8])
    assert.equal(client.pendingCalls, 0)
    const reply = await client.callReply<string>('/echo', 'x')
    assert.equal(reply.body, 'x')
  })

  test('one after the other need one session', async (t) => {
    const { client } = await place(t, transport, { max: 8 })
    for (let n = 0; n < 50; n++) assert.equal(await client.call('/echo', n), n)
    assert.equal(client.size, 1)
  })

  test('calls beyond all shares wait in order, within deadline and signal, and only so many', async (t) => {
    const { client, waits } = await place(t, transport, { max: 2, callsPerSession: 1, maxWaiting: 4 })
    const running = [0, 1].map((n) => client.call<number>('/wait', n))
    await waits.reach(2)
    const order: number[] = []
    const later = [2, 3].map((n) => client.call<number>('/echo', n).then((value) => order.push(value)))
    const short = status(client.call('/echo', 9, { timeout: 20 }))
    const abort = new AbortController()
    const canceled = status(client.call('/echo', 9, { signal: abort.signal }))
    assert.equal(client.waiting, 4)
    assert.equal((await status(client.call('/echo', 9)))[0], 102)
    abort.abort()
    assert.equal((await canceled)[0], 499)
    assert.equal((await status(client.call('/echo', 9, { signal: abort.signal })))[0], 499)
    assert.equal((await short)[0], 408)
    assert.deepEqual(order, [])
    assert.equal(client.waiting, 2)
    waits.open.get(1)?.resolve(1)
    await Promise.all(later)
    assert.deepEqual(order, [2, 3])
    waits.open.get(0)?.resolve(0)
    assert.deepEqual(await Promise.all(running), [0, 1])
    assert.equal(client.size, 2)
  })

  test('the deadline of a call counts from its beginning', async (t) => {
    const { client, waits } = await place(t, transport, { max: 1, callsPerSession: 1 })
    const first = client.call<number>('/wait', 1)
    await waits.reach(1)
    const began = performance.now()
    const second = status(client.call('/wait', 2, { timeout: 150 }))
    waits.open.get(1)?.resolve(1)
    await first
    await waits.reach(1)
    assert.equal((await second)[0], 408)
    assert.ok(performance.now() - began >= 149, 'before its deadline')
  })

  test('a session that died is not given another call', async (t) => {
    const { server, client, waits } = await place(t, transport, { max: 2, callsPerSession: 1 })
    const open = [0, 1].map((n) => status(client.call('/wait', n)))
    await waits.reach(2)
    const waiting = [2, 3].map((n) => client.call<number>('/echo', n))
    for (const session of server.sessions()) session.destroy()
    for (const [code] of await Promise.all(open)) assert.equal(code, 102)
    assert.deepEqual(await Promise.all(waiting), [2, 3])
    for (let n = 0; n < 20; n++) {
      for (const session of server.sessions()) session.destroy()
      while (client.size > 0) await turn()
      assert.equal(await client.call('/echo', n), n)
    }
  })

  test('one that is being closed is not either, and does not hold a place', async (t) => {
    const { own, client, waits } = await place(t, transport, { max: 1, callsPerSession: 2 })
    const slow = client.call<number>('/wait', 1)
    await waits.reach(1)
    const [session] = own.sessions()
    void session.close({ timeout: 60_000 })
    assert.equal(await client.call('/echo', 2), 2)
    assert.equal(own.sessionCount, 2)
    waits.open.get(1)?.resolve(1)
    assert.equal(await slow, 1)
  })

  test('without a server calls fail with 100 and the reason, and it is not asked more often for that', async (t) => {
    let dials = 0
    const plugin = { name: 'count', beforeDial: () => void dials++ }
    const server = endpoint(t, { transport })
    const listener = await server.listen('tcp://127.0.0.1:0')
    await listener.close()
    const client = new MultiClient(endpoint(t, { transport, plugins: [plugin] }), listener.url, { max: 4, callsPerSession: 1 })
    const [code, message, cause] = await status(client.call('/echo', 1))
    assert.deepEqual([code, message], [100, 'Wrong Connection'])
    assert.match(cause, /ECONNREFUSED/)
    const first = dials
    const calls = Array.from({ length: 500 }, () => status(client.call('/echo', 1)))
    for (const result of await Promise.all(calls)) assert.equal(result[0], 100)
    assert.ok(dials - first <= 4, `${dials - first} dials`)
    offer(server)
    await server.listen(listener.url)
    let answer: unknown
    while (answer === undefined) answer = await client.call('/echo', 2).catch(() => undefined)
    assert.equal(answer, 2)
    await client.close()
  })

  test('dials that fail lie further and further apart', async (t) => {
    t.mock.method(Math, 'random', () => 0.38) // the places of the first one in its windows are their ends
    const server = endpoint(t, { transport })
    const listener = await server.listen('tcp://127.0.0.1:0')
    await listener.close()
    const client = new MultiClient(endpoint(t, { transport }), listener.url)
    const began = performance.now()
    for (let n = 0; n < 3; n++) assert.equal((await status(client.call('/echo', 1)))[0], 100)
    assert.ok(performance.now() - began >= 299, 'no pause of 100 ms, then of 200')
    await client.close()
  })

  test('a plugin that refuses the connection gives calls its status', async (t) => {
    const plugin = {
      name: 'no',
      afterDial: () => {
        throw new StatusError(403)
      },
    }
    const { client } = await place(t, transport, {}, { plugins: [plugin] })
    assert.equal((await status(client.call('/echo', 1)))[0], 403)
  })

  test('keeps its least number open from the beginning, and after losses', async (t) => {
    const { server, own, client } = await place(t, transport, { min: 3, max: 5 })
    while (client.size < 3 || server.sessionCount < 3) await turn()
    const lost = [...server.sessions()]
    const gone = Promise.all([...own.sessions()].map((session) => event(session, 'close')))
    for (const session of lost) session.destroy()
    await gone
    while (client.size < 3 || server.sessionCount < 3) await turn()
    assert.equal(await client.call('/echo', 1), 1)
    assert.ok(
      [...server.sessions()].every((session) => !lost.includes(session)),
      'a session that was lost',
    )
  })

  test('closes what was idle, but for its least number', async (t) => {
    const { own, client, waits, url } = await place(t, transport, { min: 2, max: 4, callsPerSession: 1, idle: 30 })
    const calls = Array.from({ length: 4 }, (_, n) => client.call<number>('/wait', n))
    await waits.reach(4)
    for (const [n, gate] of waits.open) if (n < 3) gate.resolve(n)
    while (own.sessionCount > 2) await turn()
    // Another one that keeps none tells when the same time has passed once more.
    const clock = new MultiClient(own, url, { idle: 60 })
    await clock.call('/echo', 1)
    while (clock.size > 0) await turn()
    assert.equal(client.size, 2)
    assert.equal(own.stats.dialled, 5, 'closed one too many, and dialled it again')
    assert.equal(waits.open.size, 1, 'the session of an open call was closed')
    waits.open.get(3)?.resolve(3)
    assert.deepEqual(await Promise.all(calls), [0, 1, 2, 3])
    assert.equal(await client.call('/echo', 1), 1)
    assert.equal(client.size, 2)
  })

  test('closes all of them when it need keep none, and dials again', async (t) => {
    const { own, client } = await place(t, transport, { idle: 10 })
    for (let n = 0; n < 3; n++) {
      assert.equal(await client.call('/echo', n), n)
      while (own.sessionCount > 0) await turn()
    }
  })

  test('with redial its sessions outlive the server, and calls made meanwhile are answered', async (t) => {
    const { server, listener, url, own, client } = await place(t, transport, { min: 2, max: 2, dial: { redial: quick } })
    while (server.sessionCount < 2 || own.sessionCount < 2) await turn()
    const sessions = [...own.sessions()]
    const lost = Promise.all(sessions.map((session) => event(session, 'redialing')))
    await listener.close() // a server that closes still accepts, and a call over such a connection would be lost with it
    await server.close({ timeout: 0 })
    await lost
    const calls = [1, 2, 3].map((n) => client.call<number>('/echo', n))
    const push = client.push('/none', 1)
    assert.equal((await status(client.call('/echo', 4, { timeout: 20 })))[0], 408)
    const next = endpoint(t, { transport })
    offer(next)
    await next.listen(url)
    assert.deepEqual(await Promise.all(calls), [1, 2, 3])
    await push
    assert.deepEqual(new Set(own.sessions()), new Set(sessions))
  })

  test('pushes go to a session that is there, however busy, and wait for the first one', async (t) => {
    const { server, client, waits } = await place(t, transport, { max: 1, callsPerSession: 1 })
    const seen: number[] = []
    const all = once()
    server.routePush('/note', (n: number) => {
      if (seen.push(n) === 2) all.resolve()
    })
    await client.push('/note', 1)
    const call = client.call<number>('/wait', 1)
    await waits.reach(1)
    await client.push('/note', 2)
    await all.promise
    assert.deepEqual(seen, [1, 2])
    waits.open.get(1)?.resolve(1)
    await call
  })

  test('a call that waited is made in the async context of its caller', async (t) => {
    const store = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    const plugin = { name: 'context', beforeWriteCall: () => void seen.push(store.getStore()) }
    const { client, waits } = await place(t, transport, { max: 1, callsPerSession: 1 }, { plugins: [plugin] })
    const first = store.run('first', () => client.call<number>('/wait', 1))
    await waits.reach(1)
    const second = store.run('second', () => client.call<number>('/echo', 2))
    waits.open.get(1)?.resolve(1)
    await Promise.all([first, second])
    assert.deepEqual(seen, ['first', 'second'])
  })

  test('closing fails what waits, finishes what runs, and takes no more', async (t) => {
    const { own, client, waits } = await place(t, transport, { max: 1, callsPerSession: 1 })
    const running = client.call<number>('/wait', 1)
    await waits.reach(1)
    const waiting = status(client.call('/echo', 2))
    const closing = client.close({ timeout: 60_000 })
    assert.equal(client.close(), closing)
    assert.deepEqual(await waiting, [102, 'Connection Closed', 'the client was closed'])
    waits.open.get(1)?.resolve(1)
    assert.equal(await running, 1)
    await closing
    assert.equal(own.sessionCount, 0)
    assert.equal((await status(client.call('/echo', 3)))[0], 102)
    assert.equal((await status(client.push('/echo', 3)))[0], 102)
  })

  test('closing ends dials that are on their way', async (t) => {
    const gate = once()
    const plugin = { name: 'slow', afterDial: () => gate.promise }
    const { own, client } = await place(t, transport, { min: 2 }, { plugins: [plugin] })
    const call = status(client.call('/echo', 1))
    while (own.sessionCount < 2) await turn()
    const closing = client.close()
    assert.equal((await call)[0], 102)
    gate.resolve()
    await closing
    while (own.sessionCount > 0) await turn()
  })

  test('ends with its endpoint', async (t) => {
    const { own, client, waits } = await place(t, transport, { min: 1, max: 1, callsPerSession: 1 })
    const open = status(client.call('/wait', 1))
    await waits.reach(1)
    const waiting = status(client.call('/echo', 1))
    await own.close({ timeout: 0 })
    assert.equal((await open)[0], 102)
    assert.equal((await waiting)[0], 102)
    assert.equal((await status(client.call('/echo', 1)))[0], 102)
    assert.equal(client.size, 0)
  })

  test('bad options are refused and named', async (t) => {
    const own = endpoint(t, { transport })
    const wrong: [MultiClientOptions, RegExp][] = [
      [{ max: 0 }, /option max must be a whole number from 1/],
      [{ min: 9 }, /option min must be a whole number from 0 to 8/],
      [{ callsPerSession: 0.5 }, /callsPerSession/],
      [{ maxWaiting: -1 }, /maxWaiting/],
      [{ idle: -1 }, /idle/],
      [{ idel: 1 } as MultiClientOptions, /unknown option "idel"/],
      [{ dial: { redial: { times: 0 } } }, /redial.times/],
      [{ dial: { protocol: 'none' } }, /none/],
      [{ dial: { timeout: 0 } }, /timeout/],
      [{ dial: { socket: { noDelay: 1 as never } } }, /socket.noDelay/],
    ]
    for (const [options, text] of wrong) assert.throws(() => new MultiClient(own, 'tcp://127.0.0.1:1', options), text)
    assert.throws(() => new MultiClient(own, 'nowhere'), TypeError)
    const client = new MultiClient(own, 'tcp://127.0.0.1:1')
    await assert.rejects(client.call('/echo', 1, { timeout: -1 }), RangeError)
  })

  test('10,000 calls from 200 callers find their own answers', async (t) => {
    const { client } = await place(t, transport, { max: 4, callsPerSession: 16 })
    let n = 0
    const caller = async (): Promise<void> => {
      while (n < 10_000) {
        const mine = ++n
        assert.equal(await client.call('/echo', mine), mine)
      }
    }
    await Promise.all(Array.from({ length: 200 }, caller))
    assert.deepEqual([client.size, client.waiting, client.pendingCalls], [4, 0, 0])
  })

  test('a call looks at a few sessions, however many there are and whether it waits or not', async (t) => {
    const sessions = 100
    const { client, waits } = await place(t, transport, { max: sessions, callsPerSession: 1 })
    const held = Array.from({ length: sessions }, (_, n) => client.call('/wait', n))
    await waits.reach(sessions)
    let looks = 0
    for (const name of ['isOpen', 'state'] as const) {
      const { get } = Object.getOwnPropertyDescriptor(Session.prototype, name) as { get: (this: Session) => unknown }
      const spy = t.mock.getter(Session.prototype, name, function (this: Session) {
        looks++
        return get.call(this) as never
      })
      t.after(() => spy.mock.restore())
    }
    const waiting = Array.from({ length: sessions }, (_, n) => client.call('/echo', n))
    assert.equal(client.waiting, sessions)
    for (const gate of [...waits.open.values()]) gate.resolve(0)
    await Promise.all([...held, ...waiting])
    for (let n = 0; n < sessions; n++) await client.call('/echo', n)
    const calls = 2 * sessions
    assert.ok(looks < 20 * calls, `${looks} looks for ${calls} calls`)
  })
})
