import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { test } from 'node:test'
import { silentLogger } from '../../src/base/log.ts'
import { type Clock, realClock } from '../../src/base/time/clock.ts'
import { heartbeatPing, heartbeatPong, type Plugin, type Session } from '../../src/index.ts'
import { chooseTransport } from '../../src/transports/choose.ts'
import { announcing, methods, push, request } from '../support/drain-frames.ts'
import type { Parsed } from '../support/frames.ts'
import { endpoint, once, onEachTransport, pair, status } from '../support/helpers.ts'
import { rawPeer } from '../support/raw-peer.ts'

const quick = { minDelay: 1, maxDelay: 10 }

onEachTransport('a session that drains', (transport) => {
  test('gives notice with its limit before it refuses anything, and takes pushes until the peer has answered', async (t) => {
    const server = endpoint(t, { transport, closeTimeout: 5000 })
    const gate = once()
    const begun = once()
    const noted: unknown[] = []
    server.routeCall('/wait', () => {
      begun.resolve()
      return gate.promise
    })
    server.routeCall('/close', (_: unknown, ctx) => {
      void ctx.session.close()
    })
    server.routePush('/note', (value: unknown) => void noted.push(value))
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const peer = await rawPeer(t, url)
    // In one turn: a call of it closes the session, others come right behind.
    peer.send(announcing('/wait'), request('4', '/close'), request('5', '/wait'), push('/note', '7'))
    await begun.promise
    const before = methods(await peer.received(3))
    assert.deepEqual(before.slice(0, 1), ['3/dmicro/hello'])
    assert.ok(before.includes('3/dmicro/drain'), String(before))
    const drain = peer.frames.find(({ method }) => method === '/dmicro/drain')
    assert.equal(drain?.body, '5000')
    peer.send(request('6', '/wait'), push('/note', '8'))
    const all = await peer.received(4)
    const refused = all.findIndex(({ seq, type }) => type === 2 && seq === '6')
    assert.equal(all[refused].status.code, 503)
    assert.match(all[refused].meta, /"X-Retry-After":"[0-9]+"/)
    assert.ok(refused > all.indexOf(drain as Parsed), 'refused after the notice')
    peer.send(push('/dmicro/drain'), push('/note', '9'), request('8', '/wait'))
    await peer.received(5)
    assert.deepEqual(noted, [7, 8], 'what crossed the notice is taken, what comes after its answer is not')
    gate.resolve()
    await peer.closed
  })

  test('ends at its time limit when the peer never answers the notice', async (t) => {
    const server = endpoint(t, { transport })
    server.routeCall('/echo', (value: unknown) => value)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const accepted = event(server, 'session')
    const peer = await rawPeer(t, url)
    const [session] = (await accepted) as [Session]
    peer.send(announcing('/echo'))
    await peer.received(2)
    const start = performance.now()
    await session.close({ timeout: 60 })
    const took = performance.now() - start
    assert.ok(took >= 55 && took < 2000, `closing took ${took} ms`)
    assert.deepEqual(methods(await peer.received(3)), ['3/dmicro/hello', '2', '3/dmicro/drain'])
  })

  test('waits for no answer of a stranger, and tells him nothing', async (t) => {
    for (const extensions of [true, false]) {
      const server = endpoint(t, { transport, extensions })
      server.routeCall('/echo', (value: unknown) => value)
      const { url } = await server.listen('tcp://127.0.0.1:0')
      const accepted = event(server, 'session')
      const peer = await rawPeer(t, url)
      const [session] = (await accepted) as [Session]
      peer.send(request('1', '/echo', extensions ? {} : { meta: '{"X-Dmicro":"1;hop=1"}' }))
      await peer.received(1)
      await session.close({ timeout: 60_000 })
      await peer.closed
      assert.equal(peer.frames.length, 1)
    }
  })

  test('a peer that gives notice and does not close loses its connection', async (t) => {
    let passed = 0
    const timers: (() => void)[] = []
    const chosen = chooseTransport(transport, 0, silentLogger).transport
    const { kind } = chosen
    const clock: Clock = {
      ...(chosen.clock ?? realClock),
      now: () => realClock.now() + passed,
      setTimeout: (run, ms) => {
        timers.push(run)
        return realClock.setTimeout(run, ms)
      },
    }
    const server = endpoint(t, {
      transport: { kind, clock, resolves: true, listen: chosen.listen.bind(chosen), dial: chosen.dial.bind(chosen) },
    })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const accepted = event(server, 'session')
    const peer = await rawPeer(t, url)
    const [session] = (await accepted) as [Session]
    const draining = event(session, 'draining')
    const closed = event(session, 'close')
    peer.send(announcing('/none'), push('/dmicro/drain', '10'))
    await draining
    // The limit and five seconds more; no answer is waited for that long in a test.
    passed = 6000
    for (const run of timers) run()
    const [reason] = await closed
    assert.match(reason.cause, /said that it would close/)
    await peer.closed
  })

  test('both sides may close at once', async (t) => {
    const { server, client, session, peer } = await pair(t, transport, {
      server: { closeTimeout: 60_000 },
      client: { closeTimeout: 60_000 },
    })
    const gate = once()
    const begun = [once(), once()]
    for (const [index, side] of [server, client].entries())
      side.routeCall('/wait', async (value: unknown) => {
        begun[index].resolve()
        await gate.promise
        return value
      })
    const calls = Promise.all([session.call('/wait', 1), peer.call('/wait', 2)])
    await Promise.all(begun.map(({ promise }) => promise))
    const closed = Promise.all([session.close(), peer.close()])
    gate.resolve()
    assert.deepEqual(await calls, [1, 2])
    await closed
  })

  test('its handlers that still run may call and push the peer', async (t) => {
    const { server, client, session, peer } = await pair(t, transport, { server: { closeTimeout: 60_000 } })
    const gate = once()
    const begun = once()
    const pushed = once<unknown>()
    client.routeCall('/answer', async (value: number) => value * 2)
    client.routePush('/note', pushed.resolve)
    server.routeCall('/ask', async (value: number, ctx) => {
      begun.resolve()
      await gate.promise
      await ctx.session.push('/note', value)
      return ctx.session.call('/answer', value)
    })
    const call = session.call('/ask', 21)
    await begun.promise
    const draining = event(session, 'draining')
    const closed = peer.close()
    await draining
    gate.resolve()
    assert.equal(await call, 42)
    assert.equal(await pushed.promise, 21)
    await closed
  })

  test('what hooks keep from being written when the notice comes arrives before its answer', async (t) => {
    const gate = once()
    const held = once()
    let hold = false
    const slow: Plugin = {
      name: 'slow',
      beforeWriteCall: () => {
        if (hold) held.resolve()
        return hold ? gate.promise : undefined
      },
      beforeWritePush: () => (hold ? gate.promise : undefined),
    }
    const noted = once<unknown>()
    const { server, session, peer } = await pair(t, transport, { server: { closeTimeout: 60_000 }, client: { plugins: [slow] } })
    server.routeCall('/echo', (value: unknown) => value)
    server.routePush('/note', noted.resolve)
    await session.call('/echo')
    hold = true
    const pushing = session.push('/note', 'held')
    const refused = status(session.call('/echo', 1))
    await held.promise
    const draining = event(session, 'draining')
    const closed = peer.close()
    await draining
    gate.resolve()
    await pushing
    assert.equal(await noted.promise, 'held')
    assert.equal((await refused)[0], 503, 'it was refused, not lost')
    await closed
  })

  test('a notice whose connection was lost before its answer is not answered on the next one', async (t) => {
    const gate = once()
    const plugin: Plugin = { name: 'slow', beforeWriteCall: ({ serviceMethod }) => (serviceMethod === '/held' ? gate.promise : undefined) }
    const server = endpoint(t, { transport })
    server.routeCall('/echo', (value: unknown) => value)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const accepted = event(server, 'session')
    const session = await endpoint(t, { transport, redial: quick, plugins: [plugin] }).dial(url)
    const [first] = (await accepted) as [Session]
    await session.call('/echo', 1)
    const held = status(session.call('/held'))
    const redialed = event(session, 'redialed')
    await first.close({ timeout: 20 })
    await redialed
    await session.call('/echo', 2)
    gate.resolve()
    assert.equal((await held)[0], 102)
    for (const value of [3, 4]) assert.equal(await session.call('/echo', value), value)
    assert.deepEqual(
      [...server.sessions()].map(({ state }) => state),
      ['open'],
    )
  })

  test('a push that hooks still keep is written before the session closes', async (t) => {
    const gate = once()
    const plugin: Plugin = { name: 'slow', beforeWritePush: () => gate.promise }
    const { server, session } = await pair(t, transport, { client: { plugins: [plugin], closeTimeout: 60_000 } })
    const noted = once<unknown>()
    server.routePush('/note', noted.resolve)
    const pushed = session.push('/note', 'bye')
    const closed = session.close()
    gate.resolve()
    await Promise.all([pushed, closed])
    assert.equal(await noted.promise, 'bye')
  })

  test('calls of a handler that wait for another connection keep the deadline of the call they serve', async (t) => {
    const { server, client, session, peer } = await pair(t, transport, {
      server: { closeTimeout: 60_000 },
      client: { redial: { minDelay: 86_400_000, maxDelay: 86_400_000 } },
    })
    const gate = once()
    const begun = once()
    const inner = once<[number, string, string]>()
    client.routeCall('/work', async (_: unknown, ctx) => {
      begun.resolve()
      await gate.promise
      inner.resolve(await status(ctx.session.call('/more', null, { timeout: 60_000 })))
    })
    server.routeCall('/echo', (value: unknown) => value)
    await session.call('/echo')
    const outer = status(peer.call('/work', null, { timeout: 300 }))
    await begun.promise
    const draining = event(session, 'draining')
    void peer.close()
    await draining
    gate.resolve()
    assert.ok([408, 499].includes((await inner.promise)[0]), 'it ends with the call it serves')
    assert.equal((await outer)[0], 408)
  })

  for (const [what, redial] of [
    ['without redial', undefined],
    ['that does not let calls wait', { ...quick, calls: 'fail' }],
  ] as const)
    test(`a handler that calls the very peer that drains, on a session ${what}: it is refused at once, and the close ends`, async (t) => {
      const { server, client, session, peer } = await pair(t, transport, { server: { closeTimeout: 60_000 }, client: { redial } })
      const gate = once()
      const begun = once()
      client.routeCall('/work', async (_: unknown, ctx) => {
        begun.resolve()
        await gate.promise
        return ctx.session.call('/more').catch((error) => [error.code, error.retryAfter > 0])
      })
      server.routeCall('/echo', (value: unknown) => value)
      await session.call('/echo')
      const answer = peer.call('/work')
      await begun.promise
      const draining = event(session, 'draining')
      const closed = peer.close()
      await draining
      gate.resolve()
      assert.deepEqual(await answer, [503, true])
      await closed
    })

  test('a handler that calls the very peer that drains waits for the next connection, and so the close ends at its limit', async (t) => {
    const server = endpoint(t, { transport })
    const client = endpoint(t, { transport, redial: quick })
    const gate = once()
    const begun = once()
    const more = once<unknown>()
    client.routeCall('/work', async (_: unknown, ctx) => {
      begun.resolve()
      await gate.promise
      more.resolve(await ctx.session.call('/more'))
    })
    server.routeCall('/more', () => 'more')
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const accepted = event(server, 'session')
    const session = await client.dial(url)
    const [peer] = await accepted
    await session.call('/more')
    const answer = status(peer.call('/work', null, { timeout: 0 }))
    await begun.promise
    const draining = event(session, 'draining')
    const closed = peer.close({ timeout: 100 })
    await draining
    gate.resolve()
    await closed
    assert.equal((await answer)[0], 102)
    assert.equal(await more.promise, 'more', 'it is not lost')
  })

  test('heartbeats do not end a call that both ends still want', async (t) => {
    const plugins = (): Plugin[] => [heartbeatPing({ interval: 10 }), heartbeatPong({ maxSilence: 40 })]
    const { server, session, peer } = await pair(t, transport, {
      server: { plugins: plugins(), closeTimeout: 60_000 },
      client: { plugins: plugins() },
    })
    const gate = once()
    const begun = once()
    let beats = 0
    const enough = once()
    const seen = session.on.bind(session)
    seen('close', () => enough.resolve())
    server.routeCall('/slow', () => {
      begun.resolve()
      return gate.promise.then(() => 'done')
    })
    const call = session.call('/slow')
    await begun.promise
    const draining = event(session, 'draining')
    const closed = peer.close()
    await draining
    // Ten times what either heartbeat allows.
    const timer = setInterval(() => ++beats === 40 && enough.resolve(), 10)
    t.after(() => clearInterval(timer))
    await enough.promise
    gate.resolve()
    assert.equal(await call, 'done')
    await closed
  })
})
