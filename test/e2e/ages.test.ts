import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { test } from 'node:test'
import { type CallContext, type EarlySession, Endpoint, type PushContext, StatusError, type WriteContext } from '../../src/index.ts'
import { endpoint, once, onEachTransport, pair, recorder, status } from '../support/helpers.ts'

const passed = /^the session reached its age$/

onEachTransport('session age', (transport) => {
  test('a session is closed when its time is over, whatever passes on it, and both ends are told', async (t) => {
    const log = recorder()
    const { server, session, peer } = await pair(t, transport, { server: { sessionAge: 60, log } })
    server.routeCall('/echo', (value: unknown) => value)
    assert.equal(peer.age, 60)
    assert.equal(session.age, 0)
    const ends = Promise.all([event(session, 'close'), event(peer, 'close')])
    let last: [number, string, string] | undefined
    while (last === undefined) {
      last = await status(session.call('/echo', 1)).catch(() => undefined)
    }
    assert.ok([102, 503].includes(last[0]), `${last}`)
    const [, [reason]] = await ends
    assert.ok(reason instanceof StatusError && reason.code === 102, String(reason))
    assert.match(reason.cause, passed)
    assert.equal(server.sessionCount, 0)
    assert.deepEqual(log.lines, [])
  })

  test('what runs then is finished first', async (t) => {
    const { server, session, peer } = await pair(t, transport, { server: { closeTimeout: 60_000 } })
    const running = once<CallContext>()
    const gate = once()
    server.routeCall('/slow', async (_: unknown, ctx) => {
      running.resolve(ctx)
      await gate.promise
      return 'done'
    })
    const call = session.call('/slow')
    await running.promise
    const closed = event(session, 'close')
    peer.setAge(1)
    while (peer.state === 'open') await new Promise(setImmediate)
    assert.equal(peer.state, 'closing')
    gate.resolve()
    assert.equal(await call, 'done')
    await closed
  })

  test('it can be set anew, and taken back', async (t) => {
    const { session, peer } = await pair(t, transport)
    const order: string[] = []
    const first = event(peer, 'close').then(() => order.push('second'))
    session.setAge(20)
    session.setAge(0)
    assert.equal(session.age, 0)
    const other = await pair(t, transport)
    const closed = event(other.session, 'close').then(() => order.push('first'))
    other.session.setAge(40)
    await closed
    assert.equal(session.state, 'open')
    session.setAge(1)
    await first
    assert.deepEqual(order, ['first', 'second'])
  })

  test('a hook about a new connection may limit it, and one that never runs is closed too', async (t) => {
    const gate = once()
    t.after(() => gate.resolve())
    const never = {
      name: 'never',
      afterAccept: (session: EarlySession) => {
        session.setAge(20)
        return gate.promise
      },
    }
    const server = endpoint(t, { transport, plugins: [never] })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const session = await endpoint(t, { transport }).dial(url)
    await event(session, 'close')
    while (server.sessionCount > 0) await new Promise(setImmediate)
  })

  test('with redial another connection takes its place, and no call fails', async (t) => {
    const { server, client, session } = await pair(t, transport, {
      client: { sessionAge: 40, redial: { minDelay: 1, maxDelay: 5 }, closeTimeout: 60_000 },
    })
    let slow = 0
    server.routeCall('/slow', async (n: number) => {
      slow++
      for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate)
      return n
    })
    let connections = 0
    const third = once()
    server.on('session', () => {
      if (++connections === 3) third.resolve()
    })
    const reasons: string[] = []
    session.on('redialing', (reason) => reasons.push(reason.cause))
    let over = false
    void third.promise.then(() => (over = true))
    let n = 0
    const caller = async (): Promise<void> => {
      while (!over) {
        const mine = ++n
        assert.equal(await session.call('/slow', mine, { timeout: 30_000 }), mine)
      }
    }
    await Promise.all(Array.from({ length: 8 }, caller))
    assert.equal(slow, n, 'a call was made twice, or not at all')
    assert.ok(reasons.length >= 3 && reasons.every((reason) => passed.test(reason)), `${reasons}`)
    assert.equal(client.sessionCount, 1)
    session.setAge(0)
  })

  test('closing while another connection is on its way lets what runs finish', async (t) => {
    for (const how of ['close', 'destroy'] as const) {
      const { server, session } = await pair(t, transport, { client: { redial: { minDelay: 1, maxDelay: 5 }, closeTimeout: 60_000 } })
      const gate = once()
      const running = once()
      server.routeCall('/slow', async () => {
        running.resolve()
        await gate.promise
        return 'done'
      })
      const call = session.call('/slow').catch((error) => error.code)
      await running.promise
      const renewing = event(session, 'draining')
      session.setAge(1)
      await renewing
      const late = status(session.call('/slow'))
      const gone = event(session, 'close')
      if (how === 'destroy') session.destroy()
      else void session.close()
      assert.equal((await late)[0], 102)
      gate.resolve()
      assert.equal(await call, how === 'close' ? 'done' : 102)
      await gone
      assert.equal(session.state, 'closed')
    }
  })

  test('a connection that is lost while it is drained is dialled anew all the same', async (t) => {
    const { server, session, peer } = await pair(t, transport, { client: { redial: { minDelay: 1, maxDelay: 5 }, closeTimeout: 60_000 } })
    const running = once()
    server.routeCall('/never', () => {
      running.resolve()
      return new Promise(() => {})
    })
    server.routeCall('/echo', (value: unknown) => value)
    const open = status(session.call('/never'))
    await running.promise
    const renewing = event(session, 'draining')
    session.setAge(1)
    await renewing
    session.setAge(0)
    const back = event(session, 'redialed')
    peer.destroy()
    assert.equal((await open)[0], 102)
    await back
    assert.equal(await session.call('/echo', 2), 2)
  })
})

onEachTransport('context age', (transport) => {
  test('a handler that takes too long is told, and its caller answered with 408', async (t) => {
    const replies: number[] = []
    const plugin = { name: 'replies', afterWriteReply: ({ status }: WriteContext) => void replies.push(status?.code ?? 0) }
    const { server, session, peer } = await pair(t, transport, { server: { handlerTimeout: 30, plugins: [plugin] } })
    assert.equal(peer.handlerTimeout, 30)
    const told = once<StatusError>()
    const gate = once()
    server.routeCall('/slow', (_: unknown, ctx) => {
      ctx.signal.addEventListener('abort', () => told.resolve(ctx.signal.reason))
      return gate.promise.then(() => 'late')
    })
    const expected = [408, 'Handle Timeout', 'the handler did not finish within 30 ms']
    assert.deepEqual(await status(session.call('/slow')), expected)
    const { code, message, cause } = await told.promise
    assert.deepEqual([code, message, cause], expected)
    assert.equal(peer.running, 1, 'it runs on, and counts')
    const other = session.call('/slow').catch((error) => error.code)
    gate.resolve()
    while (peer.running > 0) await new Promise(setImmediate)
    assert.equal(await other, 'late')
    assert.equal(session.pendingCalls, 0)
    assert.deepEqual(replies, [408, 0], 'a call was answered twice')
  })

  test('a signal that is looked at afterwards has fired', async (t) => {
    const { server, session } = await pair(t, transport, { server: { handlerTimeout: 10 } })
    const seen = once<CallContext>()
    server.routeCall('/slow', async (_: unknown, ctx) => {
      seen.resolve(ctx)
      await new Promise(() => {})
    })
    await status(session.call('/slow'))
    const { signal } = await seen.promise
    assert.equal(signal.aborted, true)
    assert.equal((signal.reason as StatusError).code, 408)
  })

  test('what the handler rejects with afterwards changes nothing', async (t) => {
    const log = recorder()
    const { server, session, peer } = await pair(t, transport, { server: { handlerTimeout: 10, log } })
    server.routeCall(
      '/slow',
      (_: unknown, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    assert.equal((await status(session.call('/slow')))[0], 408)
    while (peer.running > 0) await new Promise(setImmediate)
    server.routeCall('/ok', () => 'ok')
    assert.equal(await session.call('/ok'), 'ok')
    assert.deepEqual(log.lines, [])
  })

  test('the handler of a push is told too, and the log', async (t) => {
    const log = recorder()
    const { server, session } = await pair(t, transport, { server: { handlerTimeout: 10, log } })
    const told = once<PushContext>()
    server.routePush('/slow', (_: unknown, ctx) => {
      ctx.signal.addEventListener('abort', () => told.resolve(ctx))
      return new Promise(() => {})
    })
    await session.push('/slow')
    assert.equal((await told.promise).signal.reason.code, 408)
    assert.deepEqual(
      log.lines.map(({ level, text, fields }) => [level, text, fields.method]),
      [['warn', 'a push took too long', '/slow']],
    )
  })

  test('each session may have its own, and none', async (t) => {
    const { server, session, peer } = await pair(t, transport, { server: { handlerTimeout: 1 } })
    const gate = once<string>()
    const running = once()
    server.routeCall('/slow', () => {
      running.resolve()
      return gate.promise
    })
    peer.setHandlerTimeout(0)
    const call = session.call('/slow')
    await running.promise
    peer.setHandlerTimeout(1)
    assert.equal((await status(session.call('/slow')))[0], 408)
    gate.resolve('there')
    assert.equal(await call, 'there')
  })

  test('a handler in time is answered as ever, and its signal stays silent', async (t) => {
    const { server, session } = await pair(t, transport, { server: { handlerTimeout: 60_000 } })
    const signals: AbortSignal[] = []
    server.routeCall('/echo', async (value: unknown, ctx) => {
      signals.push(ctx.signal)
      return value
    })
    server.routeCall('/now', (value: unknown) => value)
    server.routeCall('/fail', async () => {
      throw new StatusError(1001)
    })
    assert.equal(await session.call('/echo', 1), 1)
    assert.equal(await session.call('/now', 2), 2)
    assert.equal((await status(session.call('/fail')))[0], 1001)
    assert.equal(signals[0].aborted, false)
  })

  test('bad ages are refused', async (t) => {
    const { session } = await pair(t, transport)
    for (const age of [-1, Number.NaN, 2 ** 31, '5', undefined, null]) {
      if (age !== undefined) {
        assert.throws(() => new Endpoint({ transport, sessionAge: age as never }), /option sessionAge must be 0 to/)
        assert.throws(() => new Endpoint({ transport, handlerTimeout: age as never }), /option handlerTimeout must be 0 to/)
      }
      assert.throws(() => session.setAge(age as never), RangeError)
      assert.throws(() => session.setHandlerTimeout(age as never), RangeError)
    }
    await session.close()
    session.setAge(1)
    session.setHandlerTimeout(1)
  })
})

onEachTransport('rawPush', (transport) => {
  test('passes by the hooks of pushes, before the session runs too', async (t) => {
    const hooked: string[] = []
    const plugin = {
      name: 'greeting',
      afterDial: (session: EarlySession) => session.rawPush('/note', 'early', { meta: { key: 'value' } }),
      beforeWritePush: ({ serviceMethod }: { serviceMethod: string }) => void hooked.push(serviceMethod),
      afterWritePush: ({ serviceMethod }: { serviceMethod: string }) => void hooked.push(serviceMethod),
    }
    const server = endpoint(t, { transport })
    const notes: unknown[] = []
    const done = once()
    server.routePush('/note', (text: string, ctx) => {
      notes.push([text, ctx.meta.key])
      if (notes.length === 3) done.resolve()
    })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const session = await endpoint(t, { transport, plugins: [plugin] }).dial(url)
    await session.rawPush('/note', 'raw')
    assert.deepEqual(hooked, [])
    await session.push('/note', 'plain')
    await done.promise
    assert.deepEqual(notes, [
      ['early', 'value'],
      ['raw', undefined],
      ['plain', undefined],
    ])
    assert.deepEqual(hooked, ['/note', '/note'])
    await session.close()
    assert.equal((await status(session.rawPush('/note', 'late')))[0], 102)
    assert.equal((await status(session.rawPush('/note', 'late')))[0], 102)
  })
})
