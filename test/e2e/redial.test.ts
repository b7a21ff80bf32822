import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { it } from 'node:test'
import { type Endpoint, type EndpointOptions, type Session, StatusError } from '../../src/index.ts'
import { ReconnectSchedule } from '../../src/session/reconnect-schedule.ts'
import { readRedial } from '../../src/session/redial.ts'
import { endpoint, type Kind, once, onEachTransport, status } from '../support/helpers.ts'

const quick = { minDelay: 1, maxDelay: 20 }

/** A server that can go and come back at the same port. */
async function lasting(
  transport: Kind,
  offer: (server: Endpoint) => void,
  t: Parameters<typeof endpoint>[0],
  options: EndpointOptions = {},
) {
  let server = endpoint(t, { transport, ...options })
  offer(server)
  let listener = await server.listen('tcp://127.0.0.1:0')
  const { url } = listener
  return {
    url,
    get server() {
      return server
    },
    /** Drops every session at once, when nobody can connect any more: a server that closes still serves who just came. */
    async stop() {
      const old = server
      await listener.close()
      for (const session of old.sessions()) session.destroy()
      await old.close({ timeout: 0 })
    },
    async start() {
      server = endpoint(t, { transport, ...options })
      offer(server)
      listener = await server.listen(url)
    },
  }
}

const echo = (server: Endpoint): void => {
  server.routeCall('/echo', (value: unknown) => value)
}

onEachTransport('redial', (transport) => {
  it('a session comes back with its server, and what was called meanwhile is answered', async (t) => {
    const place = await lasting(transport, echo, t)
    const client = endpoint(t, { transport, redial: quick })
    const pushed = once<unknown>()
    const session = await client.dial(place.url)
    session.data.set('mine', 1)
    const lost = event(session, 'redialing')
    await place.stop()
    const [reason] = await lost
    assert.ok(reason instanceof StatusError && reason.code === 102)
    assert.equal(session.state, 'redialing')
    assert.equal(session.isOpen, false)
    const back = event(session, 'redialed')
    const calls = [1, 2, 3].map((n) => session.call('/echo', n))
    const push = session.push('/pushed', 'late')
    await place.start()
    place.server.routePush('/pushed', (value: unknown) => pushed.resolve(value))
    assert.deepEqual(await Promise.all(calls), [1, 2, 3])
    await push
    assert.equal(await pushed.promise, 'late')
    await back
    assert.equal(session.state, 'open')
    assert.equal(session.data.get('mine'), 1)
    assert.equal(client.session(session.id), session)
    assert.equal(client.sessionCount, 1)
  })

  it('calls that were open fail with 102, and a reply of the old connection answers nobody of the new one', async (t) => {
    const gates: (() => void)[] = []
    const place = await lasting(
      transport,
      (server) => server.routeCall('/wait', () => new Promise<string>((resolve) => gates.push(() => resolve('old')))),
      t,
    )
    const client = endpoint(t, { transport, redial: quick })
    client.routeCall('/slow', () => new Promise<string>((resolve) => gates.push(() => resolve('stale'))))
    const first = event(place.server, 'session')
    const session = await client.dial(place.url)
    const open = status(session.call('/wait'))
    const [peer] = (await first) as [Session]
    const theirs = status(peer.call('/slow'))
    while (gates.length < 2) await new Promise(setImmediate)
    const back = event(session, 'redialed')
    const second = event(place.server, 'session')
    peer.destroy()
    assert.equal((await open)[0], 102)
    assert.equal((await theirs)[0], 102)
    await back
    const [next] = (await second) as [Session]
    const answer = next.call('/slow')
    while (gates.length < 3) await new Promise(setImmediate)
    gates[0]()
    gates[1]() // of the connection that is gone, with the same sequence number
    await new Promise(setImmediate)
    gates[2]()
    assert.equal(await answer, 'stale')
    assert.equal(gates.length, 3)
  })

  it('a call waits within its deadline, its signal, or not at all', async (t) => {
    const place = await lasting(transport, echo, t)
    const session = await endpoint(t, { transport, redial: quick }).dial(place.url)
    const failing = await endpoint(t, { transport, redial: { ...quick, calls: 'fail' } }).dial(place.url)
    const lost = Promise.all([event(session, 'redialing'), event(failing, 'redialing')])
    await place.stop()
    await lost
    assert.equal((await status(session.call('/echo', 1, { timeout: 30 })))[0], 408)
    const abort = new AbortController()
    const call = status(session.call('/echo', 1, { signal: abort.signal }))
    abort.abort()
    assert.equal((await call)[0], 499)
    assert.equal((await status(failing.call('/echo', 1)))[0], 102)
    assert.equal((await status(failing.push('/echo', 1)))[0], 102)
  })

  it('gives up after as many attempts as it may make, and tells so', async (t) => {
    const place = await lasting(transport, echo, t)
    const notes: string[] = []
    const plugin = {
      name: 'notes',
      afterDialFail: (_: string, __: Error, again: boolean) => void notes.push(`fail ${again}`),
      afterDisconnect: () => void notes.push('gone'),
    }
    const client = endpoint(t, { transport, redial: { ...quick, times: 3 }, plugins: [plugin] })
    const session = await client.dial(place.url)
    const waits = event(session, 'redialing').then(() => status(session.call('/echo', 1)))
    const closed = event(session, 'close')
    await place.stop()
    assert.equal((await waits)[0], 102)
    const [reason] = await closed
    assert.match(reason.cause, /connection error/)
    assert.equal(session.state, 'closed')
    await new Promise(setImmediate)
    assert.deepEqual(notes, ['fail true', 'gone'])
    assert.equal(client.sessionCount, 0)
  })

  it('hooks authenticate each new connection; one that is refused is tried again', async (t) => {
    const place = await lasting(transport, echo, t)
    const seen: boolean[] = []
    const plugin = {
      name: 'auth',
      afterDial: async (_: unknown, again: boolean) => {
        seen.push(again)
        if (seen.length === 2) throw new StatusError(403)
      },
    }
    const accepted = event(place.server, 'session')
    const session = await endpoint(t, { transport, redial: quick, plugins: [plugin] }).dial(place.url)
    const back = event(session, 'redialed')
    const [peer] = (await accepted) as [Session]
    peer.destroy()
    await back
    assert.deepEqual(seen, [false, true, true])
    assert.equal(await session.call('/echo', 'x'), 'x')
  })

  it('the first connection is tried until the server is there', async (t) => {
    const place = await lasting(transport, echo, t)
    await place.stop()
    const client = endpoint(t, { transport })
    const dialled = client.dial(place.url, { redial: quick, timeout: 10_000 })
    await assert.rejects(client.dial(place.url), { code: 105 })
    await place.start()
    assert.equal(await (await dialled).call('/echo', 1), 1)
    await assert.rejects(client.dial('tcp://127.0.0.1:1', { redial: quick, timeout: 50 }), { code: 105 })
  })

  it('closing ends it at once, also while there is no connection', async (t) => {
    const place = await lasting(transport, echo, t)
    const client = endpoint(t, { transport, redial: { minDelay: 86_400_000, maxDelay: 86_400_000 } })
    const one = await client.dial(place.url)
    const two = await client.dial(place.url)
    const lost = Promise.all([event(one, 'redialing'), event(two, 'redialing')])
    await place.stop()
    await lost
    const call = status(two.call('/echo', 1))
    await one.close()
    await client.close()
    assert.equal((await call)[0], 102)
    assert.deepEqual([one.state, two.state], ['closed', 'closed'])
  })

  it('an error while writing is a loss like any other (S5)', { skip: typeof transport !== 'string' && 'real sockets' }, async (t) => {
    const server = createServer()
    let sockets: Socket[] = []
    server.on('connection', (socket) => sockets.push(socket.on('error', () => {}).pause()))
    t.after(() => server.close())
    server.listen(0, '127.0.0.1')
    await event(server, 'listening')
    const { port } = server.address() as AddressInfo
    const client = endpoint(t, { transport, redial: quick, timeout: 0 })
    const session = await client.dial(`tcp://127.0.0.1:${port}`)
    for (let i = 0; i < 5; i++) {
      while (sockets.length === 0) await new Promise(setImmediate)
      const lost = event(session, 'redialing')
      const back = event(session, 'redialed')
      const call = status(session.call('/never'))
      // More than the system takes of a peer that does not read: a write is under way when the reset comes.
      void session.push('/large', Buffer.alloc(12 << 20), { codec: 'plain' })
      const [socket] = sockets
      sockets = []
      await new Promise<void>((resolve) => {
        socket.once('readable', () => resolve())
        socket.read(0)
      })
      socket.resetAndDestroy()
      const [reason] = (await lost) as [StatusError]
      assert.equal((await call)[0], 102)
      assert.match(reason.cause, /^(connection error: (ECONNRESET|EPIPE)|the peer closed)/)
      await back
      assert.equal(client.sessionCount, 1)
    }
    for (const socket of sockets) socket.destroy()
  })

  it('where both sides drop it at once one session survives, and hooks fire once (S12)', async (t) => {
    const notes = { dialled: 0, accepted: 0, gone: 0, left: 0 }
    const theirs = { name: 'theirs', afterAccept: () => void notes.accepted++, afterDisconnect: () => void notes.gone++ }
    const ours = { name: 'ours', afterDial: () => void notes.dialled++, afterDisconnect: () => void notes.left++ }
    const place = await lasting(transport, echo, t, { plugins: [theirs] })
    const client = endpoint(t, { transport, redial: quick, plugins: [ours] })
    const session = await client.dial(place.url)
    const rounds = 20
    for (let i = 1; i <= rounds; i++) {
      while (place.server.sessionCount !== 1) await new Promise(setImmediate)
      const [peer] = place.server.sessions()
      const back = event(session, 'redialed')
      if (i % 2 === 0) peer.destroy()
      session.destroy('both at once')
      if (i % 2 === 1) void peer.close()
      await back
      assert.equal(await session.call('/echo', i), i)
    }
    while (place.server.sessionCount !== 1) await new Promise(setImmediate)
    assert.deepEqual(notes, { dialled: rounds + 1, accepted: rounds + 1, gone: rounds, left: 0 })
    assert.equal(client.sessionCount, 1)
    const [peer] = place.server.sessions()
    let closed = 0
    for (const one of [session, peer]) one.on('close', () => closed++)
    await Promise.all([session.close(), peer.close(), session.close()])
    await new Promise(setImmediate)
    assert.deepEqual([notes.gone, notes.left, closed], [rounds + 1, 1, 2])
    assert.deepEqual([client.sessionCount, place.server.sessionCount], [0, 0])
  })

  it('what this side closes is not dialled anew', async (t) => {
    const place = await lasting(transport, echo, t)
    const session = await endpoint(t, { transport, redial: quick }).dial(place.url)
    session.on('redialing', () => assert.fail('redialing'))
    const closed = event(session, 'close')
    session.destroy()
    await closed
    assert.equal(session.state, 'closed')
  })
})

/** The clock's time of the next attempt. */
function next(one: ReconnectSchedule, now: number): number {
  // A step too small for the number would stand still.
  for (let left: number; (left = one.delay(now)) > 0; now += Math.max(left, 1e-7));
  return now
}

/** When sessions that lose one server within `spread` ms try again, of the milliseconds between `from` and `to`. */
function attempts(count: number, from: number, to: number, spread = 0): number[] {
  const redial = readRedial(true)!
  const all = Array.from({ length: count }, (_, i) => ({
    one: new ReconnectSchedule(redial, `tcp://herd-${count}-${from}`, (i / count) * spread),
    now: (i / count) * spread,
  }))
  const times: number[] = []
  for (const { one, now: since } of all)
    for (let now = since; (now = next(one, now)) < to; now += 1e-6) if (now >= from) times.push(now - from)
  for (const { one } of all) one.end()
  return times
}

it('over WebSocket the first window is a second wide by default, whatever the number of sessions of this process', () => {
  const redial = readRedial(true)!
  const first = Array.from({ length: 100 }, (_, n) => {
    const one = new ReconnectSchedule(redial, `ws${n % 2 ? 's' : ''}://proxy-${n}/rpc`, 0)
    const at = next(one, 0)
    one.end()
    return at
  })
  assert.ok(first.every((at) => at >= 0 && at < 1000))
  assert.ok(first.filter((at) => at > 500).length > 20 && first.filter((at) => at < 500).length > 20)
  const asked = new ReconnectSchedule(readRedial({ minDelay: 10 })!, 'ws://proxy/rpc', 0)
  assert.ok(next(asked, 0) < 10)
  asked.end()
})

it('one attempt lies in each of windows that double to their maximum, at the same place', () => {
  const one = new ReconnectSchedule(readRedial({ minDelay: 100, maxDelay: 1000 })!, 'tcp://one', 0)
  let now = next(one, 0)
  const place = now / 100
  assert.ok(place >= 0 && place < 1, `${place}`)
  for (const [start, width] of [
    [100, 200],
    [300, 400],
    [700, 800],
    [1500, 1000],
    [2500, 1000],
  ]) {
    now = next(one, now)
    assert.ok(Math.abs(now - (start + place * width)) < 1e-5, `${now}`)
  }
  // Late is not never, but what was missed by far is not made up for.
  const at = now + 1000
  assert.equal(one.delay(at + 499), 0)
  const soon = next(one, at + 500)
  assert.ok(Math.abs(soon - (at + 1000)) < 1e-5, `${soon}`)
  const later = next(one, at + 60_600)
  assert.ok(Math.abs(later - (at + 61_000)) < 1e-5, `${later}`)
  one.end()
})

for (const down of [100, 150, 300, 1000, 5000, 60_000]) {
  it(`5,000 sessions that lose their server within 100 ms, which is gone for ${down} ms, come back within 2 s, evenly (S4)`, () => {
    const max = readRedial(true)!.maxDelay
    const bins = Array(Math.ceil(max / 100)).fill(0)
    for (const time of attempts(5000, down, down + max, 100)) bins[Math.floor(time / 100)]++
    const sum = bins.reduce((a, b) => a + b)
    assert.ok(sum >= 5000, `${sum} of 5,000 tried`)
    // Twenty bins of 5 % are all of them: what is spread evenly over less than 2 s lies a little above.
    assert.ok(Math.max(...bins) <= 0.055 * 5000, bins.join(' '))
  })
}

it('a session that lost its server alone tries again soon', () => {
  for (let i = 0; i < 100; i++) assert.equal(attempts(1, 0, 100).length, 1)
})

it('options of redial that make no sense are refused', () => {
  assert.equal(readRedial(false), undefined)
  assert.throws(() => readRedial({ times: 0 }), /times/)
  assert.throws(() => readRedial({ minDelay: 10, maxDelay: 5 }), /maxDelay/)
  assert.throws(() => readRedial({ calls: 'x' as never }), /calls/)
})
