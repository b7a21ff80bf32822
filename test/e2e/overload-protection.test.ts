import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Endpoint, heartbeatPong, StatusError } from '../../src/index.ts'
import { frame } from '../support/frames.ts'
import { endpoint, once, onEachTransport, pair, recorder, status } from '../support/helpers.ts'
import { rawPeer } from '../support/raw-peer.ts'

/** One handler at a time, and one message waits. */
const narrow = { startConcurrency: 1, minConcurrency: 1, maxConcurrency: 1, maxQueued: 1, queueTimeout: 60_000 }

/** Handlers that wait until they are let go, in order. */
function gates() {
  const waiting: (() => void)[] = []
  const started: (() => void)[] = []
  let count = 0
  return {
    handler: () => {
      count++
      started.shift()?.()
      return new Promise<string>((resolve) => waiting.push(() => resolve('done')))
    },
    /** Once so many have begun. */
    async begun(n: number): Promise<void> {
      while (count < n) {
        const next = once()
        started.push(next.resolve)
        await next.promise
      }
    },
    open: () => waiting.shift()?.(),
    get count() {
      return count
    },
  }
}

async function refusal(promise: Promise<unknown>): Promise<StatusError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof StatusError) return error
    throw error
  }
  throw new Error('expected a refusal')
}

onEachTransport('overload protection', (transport) => {
  it('what cannot run waits its turn, what cannot wait is refused with a hint, undecoded', async (t) => {
    const { server, session, peer, listener } = await pair(t, transport, { server: { overload: narrow } })
    const gate = gates()
    server.routeCall('/work', gate.handler)
    assert.equal(server.load?.concurrency, 1)
    const first = session.call('/work')
    await gate.begun(1)
    const second = session.call('/work')
    const stranger = await rawPeer(t, listener.url)
    stranger.send(frame({ seq: '5', method: '/work', body: 'no JSON at all' }))
    const [refused] = await stranger.received(1)
    assert.equal(refused.status.code, 503)
    assert.match(refused.meta, /^\{"X-Retry-After":"[1-9][0-9]*"\}$/)
    const error = await refusal(session.call('/work'))
    assert.ok(error.code === 503 || error.code === 429, `${error.code}`)
    assert.ok((error.retryAfter ?? 0) >= 1, `${error.retryAfter}`)
    assert.deepEqual([server.stats.refusedCalls, server.stats.queued, server.load?.queued, server.load?.running], [2, 1, 1, 1])
    assert.equal(peer.running, 2, 'what waits counts, so that a close waits for it')
    gate.open()
    assert.equal(await first, 'done')
    await gate.begun(2)
    gate.open()
    assert.equal(await second, 'done')
    assert.deepEqual([server.load?.queued, server.load?.running, peer.running], [0, 0, 0])
  })

  it('pushes wait and are dropped in the same way, and calls stay in order with them', async (t) => {
    const log = recorder()
    const { server, session } = await pair(t, transport, { server: { overload: { ...narrow, maxQueued: 40 }, log } })
    const gate = gates()
    const order: unknown[] = []
    server.routeCall('/work', gate.handler)
    server.routePush('/note', (n: number) => void order.push(n))
    server.routeCall('/ask', (n: number) => void order.push(n))
    const first = session.call('/work')
    await gate.begun(1)
    const asked: Promise<unknown>[] = []
    for (let n = 0; n < 20; n++) {
      if (n % 2 === 0) await session.push('/note', n)
      else asked.push(session.call('/ask', n))
    }
    for (let n = 0; n < 30; n++) await session.push('/note', 'too many')
    while (server.stats.droppedPushes < 10) await status(session.call('/ask'))
    const dropped = server.stats.droppedPushes
    gate.open()
    await first
    await Promise.allSettled(asked)
    assert.deepEqual(order.slice(0, 20), [...Array(20).keys()])
    assert.ok(dropped >= 10, `${dropped}`)
    assert.ok(log.lines.filter(({ text }) => text === 'a push was dropped').length < 5, 'not a line for each')
  })

  it('a close waits for what was let wait, and refuses the rest with a hint', async (t) => {
    const { server, session, peer } = await pair(t, transport, { server: { overload: narrow } })
    const gate = gates()
    server.routeCall('/work', gate.handler)
    const first = session.call('/work')
    await gate.begun(1)
    const second = session.call('/work')
    while (server.load?.queued === 0) await new Promise((resolve) => setImmediate(resolve))
    const closed = peer.close({ timeout: 10_000 })
    const error = await refusal(session.call('/work'))
    assert.deepEqual([error.code, error.cause], [503, 'shutting down'])
    assert.ok((error.retryAfter ?? 0) > 0, 'with a hint')
    gate.open()
    await gate.begun(2)
    gate.open()
    assert.deepEqual(await Promise.all([first, second]), ['done', 'done'])
    await closed
  })

  it('what waits goes with its session, and its place is free', async (t) => {
    const { server, client, listener, session, peer } = await pair(t, transport, { server: { overload: narrow } })
    const gate = gates()
    server.routeCall('/work', gate.handler)
    const other = await client.dial(listener.url)
    const first = other.call('/work')
    await gate.begun(1)
    const waiting = status(session.call('/work'))
    while (server.load?.queued === 0) await new Promise((resolve) => setImmediate(resolve))
    const gone = once()
    peer.on('close', () => gone.resolve())
    session.destroy()
    assert.equal((await waiting)[0], 102)
    await gone.promise
    assert.equal(server.load?.queued, 0)
    const second = other.call('/work')
    gate.open()
    assert.equal(await first, 'done')
    await gate.begun(2)
    gate.open()
    assert.equal(await second, 'done')
    assert.equal(gate.count, 2)
  })

  it('heartbeats and exempt routes are answered whatever waits', async (t) => {
    const overload = { ...narrow, exempt: ['/health'] }
    const { server, session } = await pair(t, transport, { server: { overload, plugins: [heartbeatPong()] } })
    const gate = gates()
    server.routeCall('/work', gate.handler)
    server.routeCall('/health', () => 'well')
    server.routeCall('/late', async () => 'late')
    const open = [session.call('/work'), session.call('/work')]
    await gate.begun(1)
    while (server.load?.queued === 0) await new Promise((resolve) => setImmediate(resolve))
    assert.equal((await refusal(session.call('/late'))).retryAfter !== undefined, true)
    assert.equal(await session.call('/health'), 'well')
    await session.call('/heartbeat', undefined, { meta: { hb_: '5' } })
    gate.open()
    await gate.begun(2)
    gate.open()
    await Promise.all(open)
  })

  it('thousands of calls at once, of handlers that hold the thread, are all answered or refused', async (t) => {
    const { server, client, listener } = await pair(t, transport, { server: { overload: true } })
    server.routeCall('/burn', (value: number) => {
      const end = performance.now() + 0.2
      while (performance.now() < end);
      return value
    })
    const sessions = await Promise.all(Array.from({ length: 5 }, () => client.dial(listener.url)))
    const outcomes = await Promise.allSettled(Array.from({ length: 3000 }, (_, n) => sessions[n % 5].call<number>('/burn', n)))
    let ok = 0
    outcomes.forEach((outcome, n) => {
      if (outcome.status === 'fulfilled') {
        ok++
        assert.equal(outcome.value, n)
      } else {
        assert.ok(outcome.reason.code === 503 || outcome.reason.code === 429, String(outcome.reason))
        assert.ok(outcome.reason.retryAfter > 0, 'with a hint')
      }
    })
    assert.ok(ok > 0 && ok < 3000, `${ok} answered`)
    assert.equal(server.stats.refusedCalls, 3000 - ok)
    assert.deepEqual(server.load, { running: 0, concurrency: 100, queued: 0, wait: 0 })
    assert.equal(await sessions[0].call('/burn', 7), 7)
  })

  it('without the option nothing waits and there is no load to tell', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/n', (n: number) => n)
    const answers = await Promise.all(Array.from({ length: 2000 }, (_, n) => session.call('/n', n)))
    assert.equal(answers.length, 2000)
    assert.equal(server.load, undefined)
    assert.deepEqual([server.stats.queued, server.stats.refusedCalls], [0, 0])
  })

  it('a handler may tell when to try again, and so does an error passed on', async (t) => {
    const { server, client, session } = await pair(t, transport)
    server.routeCall('/busy', (_: unknown, ctx) => {
      ctx.setMeta('mine', '1')
      throw new StatusError(503, 'later', '', { retryAfter: 41.2 })
    })
    server.routeCall('/fails', () => {
      throw new StatusError(1001, 'no')
    })
    const error = await refusal(session.call('/busy'))
    assert.deepEqual([error.code, error.message, error.retryAfter], [503, 'later', 42])
    assert.equal((await refusal(session.callReply('/busy'))).retryAfter, 42)
    assert.equal((await refusal(session.call('/fails'))).retryAfter, undefined)
    client.routeCall('/forward', () => session.call('/busy'))
    const back = [...server.sessions()][0]
    assert.equal((await refusal(back.call('/forward'))).retryAfter, 42)
  })

  it('a hint that is no number is ignored', async (t) => {
    const { server, listener } = await pair(t, transport)
    const accepted = once<import('../../src/index.ts').Session>()
    server.once('session', accepted.resolve)
    const stranger = await rawPeer(t, listener.url)
    const session = await accepted.promise
    for (const hint of ['soon', '', '-5', '1e3']) {
      const asked = refusal(session.call('/x'))
      const count = stranger.frames.length + 1
      const call = (await stranger.received(count)).at(-1)
      const meta = JSON.stringify({ 'X-Retry-After': hint })
      stranger.send(frame({ seq: call?.seq, type: 2, status: '{"code":503,"msg":"busy","cause":""}', meta }))
      const error = await asked
      assert.deepEqual([error.code, error.retryAfter], [503, undefined], hint)
    }
  })

  it('handlers of all sessions together are limited, also of those that are gone (M2)', async (t) => {
    const { server, client, listener, session } = await pair(t, transport, {
      server: { limits: { maxEndpointRunning: 10, maxRunning: 4 } },
    })
    const gate = gates()
    server.routeCall('/work', gate.handler)
    server.routeCall('/ok', () => 'ok')
    // Each asks for more than it may, and resets; what it began goes on.
    for (let n = 0; n < 3; n++) {
      const rapid = await client.dial(listener.url)
      const calls = Array.from({ length: 6 }, () => status(rapid.call('/work')))
      await gate.begun(Math.min(10, (n + 1) * 4))
      await status(rapid.call('/none')).then(([code]) => assert.ok([404, 429, 503].includes(code), String(code)))
      rapid.destroy()
      await Promise.all(calls)
    }
    assert.equal(gate.count, 10)
    const error = await refusal(session.call('/work'))
    assert.deepEqual([error.code, error.cause], [503, 'too many calls are running'])
    assert.ok((error.retryAfter ?? 0) > 0, 'with a hint')
    assert.equal(gate.count, 10)
    for (let n = 0; n < 10; n++) gate.open()
    while ((await status(session.call('/ok')).catch(() => [0]))[0] !== 0);
    assert.equal(await session.call('/ok'), 'ok')
  })

  it('a flood of calls by one peer runs no more handlers than it may, and the others are served (M2)', async (t) => {
    const { server, session, listener } = await pair(t, transport, { server: { limits: { maxRunning: 50 } } })
    let running = 0
    let most = 0
    const held = once()
    server.routeCall('/work', async () => {
      most = Math.max(most, ++running)
      await held.promise
      running--
    })
    server.routeCall('/ok', () => 'ok')
    const stranger = await rawPeer(t, listener.url)
    const flood = Buffer.concat(Array.from({ length: 1000 }, (_, n) => frame({ seq: n.toString(36), method: '/work' })))
    for (let n = 0; n < 100; n++) {
      stranger.send(flood)
      assert.equal(await session.call('/ok'), 'ok')
    }
    await stranger.received(100_000 - 50)
    assert.equal(most, 50)
    assert.equal(server.stats.refusedCalls, 100_000 - 50)
    assert.ok(
      stranger.frames.every(({ status: { code } }) => code === 429),
      'all were told',
    )
    held.resolve()
    await stranger.received(100_000)
  })

  it('a peer over its rate is read no faster, whatever it sends, and the others are served (M3, M7)', async (t) => {
    const rate = 2000
    const log = recorder()
    const { server, session, listener } = await pair(t, transport, { server: { limits: { maxMessageRate: rate }, log } })
    let pushes = 0
    const all = once()
    server.routePush('/p', () => {
      if (++pushes === rate + 200) all.resolve()
    })
    server.routeCall('/ok', () => 'ok')
    const stranger = await rawPeer(t, listener.url)
    const began = performance.now()
    stranger.send(...Array.from({ length: 20_000 }, (_, n) => frame({ seq: n.toString(36), type: 3, method: '/p' })))
    while (server.stats.throttled === 0) assert.equal(await session.call('/ok'), 'ok')
    const first = performance.now() - began
    assert.ok(pushes <= rate + rate * (first / 1000 + 0.1), `${pushes} in ${first} ms`)
    await all.promise
    const seconds = (performance.now() - began) / 1000
    assert.ok(pushes <= rate + rate * (seconds + 0.1), `${pushes} in ${seconds} s`)
    assert.equal(await session.call('/ok'), 'ok')
    assert.equal(log.lines.filter(({ text }) => text === 'session throttled').length, 1)
    assert.ok(server.stats.violations === 0, 'it is not closed')
  })

  it('replies that nobody asked for count as well, answers to our calls do not (M3)', async (t) => {
    const { server, session, listener, peer } = await pair(t, transport, { server: { limits: { maxMessageRate: 100 } } })
    const client = session
    assert.ok(client.isOpen, 'open')
    server.routeCall('/ok', () => 'ok')
    for (let n = 0; n < 300; n++) assert.equal((await status(peer.call('/none')))[0], 404)
    assert.equal(server.stats.throttled, 0)
    const stranger = await rawPeer(t, listener.url)
    stranger.send(...Array.from({ length: 1000 }, (_, n) => frame({ seq: n.toString(36), type: 2 })))
    while (server.stats.throttled === 0) await new Promise((resolve) => setImmediate(resolve))
  })

  it('an address has so many sessions; when one ends another may come (M4)', async (t) => {
    const log = recorder()
    const server = endpoint(t, { transport, log, limits: { maxAddressSessions: 2 } })
    server.routeCall('/ok', () => 'ok')
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const client = endpoint(t, { transport })
    const first = await client.dial(url)
    const second = await client.dial(url)
    assert.deepEqual([await first.call('/ok'), await second.call('/ok')], ['ok', 'ok'])
    const stranger = await rawPeer(t, url)
    await stranger.closed
    assert.equal(server.stats.refused, 1)
    assert.equal(log.lines[0].fields.reason, 'too many sessions of this address')
    await second.close()
    while (server.sessionCount === 2) await first.call('/ok')
    assert.equal(await (await client.dial(url)).call('/ok'), 'ok')
  })

  it('an address connects so often; connections that never say a protocol count, and leave (M4)', async (t) => {
    const server = endpoint(t, { transport, limits: { maxConnectRate: 5, maxAddressSessions: 3, frameTimeout: 50 } })
    const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'http'] })
    const silent = await Promise.all(Array.from({ length: 3 }, () => rawPeer(t, url)))
    const fourth = await rawPeer(t, url)
    await fourth.closed
    await Promise.all(silent.map(({ closed }) => closed))
    while (server.stats.violations < 3) await new Promise((resolve) => setImmediate(resolve))
    const more = await Promise.all(Array.from({ length: 8 }, () => rawPeer(t, url)))
    await Promise.all(more.map(({ closed }) => closed))
    assert.ok(server.stats.refused >= 6, `${server.stats.refused} refused`)
  })

  it('peers that connect and never authenticate are let go in time, and their places are free (M4)', async (t) => {
    let guests = 0
    const { server, session, listener } = await pair(t, transport, {
      server: {
        limits: { frameTimeout: 100, maxSessions: 301 },
        plugins: [
          {
            name: 'wants a word',
            async afterAccept(accepted) {
              if (guests++ > 0) await accepted.earlyReceive()
            },
          },
        ],
      },
    })
    server.routeCall('/ok', () => 'ok')
    const silent = await Promise.all(Array.from({ length: 320 }, () => rawPeer(t, listener.url)))
    await Promise.all(silent.map(({ closed }) => closed))
    while (server.sessionCount > 1) assert.equal(await session.call('/ok'), 'ok')
    assert.equal(server.stats.accepted + server.stats.refused, 321)
  })

  it('hundreds of peers that send a byte now and then are closed in time, and cost nobody else anything (M5)', async (t) => {
    const { server, session, listener } = await pair(t, transport, { server: { limits: { frameTimeout: 150 } } })
    server.routeCall('/ok', () => 'ok')
    const slow = await Promise.all(Array.from({ length: 300 }, () => rawPeer(t, listener.url)))
    const bytes = frame({ method: '/ok' })
    let at = 0
    const drip = setInterval(() => {
      for (const { socket } of slow) if (!socket.destroyed) socket.write(bytes.subarray(at, at + 1))
      at++
    }, 40)
    t.after(() => clearInterval(drip))
    let over = false
    const closed = Promise.all(slow.map((peer) => peer.closed)).then(() => (over = true))
    while (!over) assert.equal(await session.call('/ok'), 'ok')
    await closed
    while (server.stats.violations < 300) await session.call('/ok')
    assert.equal(server.sessionCount, 1)
  })
})

it('limits and options that make no sense are refused', () => {
  assert.throws(() => new Endpoint({ overload: { queueTimeout: -1 } }), /overload.queueTimeout/)
  assert.throws(() => new Endpoint({ limits: { maxMessageRate: 0 } }), /limits.maxMessageRate/)
  assert.throws(() => new Endpoint({ limits: { maxAddressSessions: 1.5 } }), /limits.maxAddressSessions/)
  assert.throws(() => new Endpoint({ limits: { maxConnectRate: -1 } }), /limits.maxConnectRate/)
  assert.throws(() => new Endpoint({ limits: { maxEndpointRunning: 0 } }), /limits.maxEndpointRunning/)
})
