import assert from 'node:assert/strict'
import { test } from 'node:test'
import { once, onEachTransport, pair, status } from '../support/helpers.ts'

const never = (): Promise<never> => new Promise(() => {})

onEachTransport('deadlines and signals', (transport) => {
  test('a call without an answer fails with 408 at its deadline, not before', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/never', never)
    const start = performance.now()
    const [code, message] = await status(session.call('/never', null, { timeout: 30 }))
    assert.deepEqual([code, message], [408, 'Handle Timeout'])
    assert.ok(performance.now() - start >= 30)
    assert.equal(session.pendingCalls, 0)
  })

  test("the endpoint's timeout holds for calls that name none", async (t) => {
    const { server, session } = await pair(t, transport, { client: { timeout: 20 } })
    server.routeCall('/never', never)
    assert.equal((await status(session.call('/never')))[0], 408)
  })

  test('deadlines of many calls expire each at its own time', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/never', never)
    const order: number[] = []
    const timeouts = [50, 10, 30, 20, 40]
    await Promise.all(timeouts.map((timeout) => status(session.call('/never', null, { timeout })).then(() => order.push(timeout))))
    assert.deepEqual(order, [10, 20, 30, 40, 50])
  })

  test('so do they when the thread is held up after they were made', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/never', never)
    const order: number[] = []
    const timeouts = [50, 10, 30, 20, 40]
    const calls = timeouts.map((timeout) => status(session.call('/never', null, { timeout })).then(() => order.push(timeout)))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
    await Promise.all(calls)
    assert.deepEqual(order, [10, 20, 30, 40, 50])
  })

  test('an answer after the deadline is dropped and the session goes on', async (t) => {
    const { server, session } = await pair(t, transport)
    const gate = once()
    server.routeCall('/late', () => gate.promise.then(() => 'late'))
    server.routeCall('/ok', () => 'ok')
    assert.equal((await status(session.call('/late', null, { timeout: 10 })))[0], 408)
    gate.resolve()
    assert.equal(await session.call('/ok'), 'ok')
  })

  test('a signal cancels a call before it is sent, while it waits, and not after', async (t) => {
    const { server, session } = await pair(t, transport)
    const called = once()
    let calls = 0
    server.routeCall('/never', () => {
      calls++
      called.resolve()
      return never()
    })
    server.routeCall('/ok', () => 'ok')
    const early = AbortSignal.abort(new Error('too early'))
    assert.deepEqual(await status(session.call('/never', null, { signal: early })), [499, 'Canceled', 'too early'])
    assert.equal(calls, 0)
    const controller = new AbortController()
    const waiting = status(session.call('/never', null, { signal: controller.signal }))
    await called.promise
    controller.abort('enough')
    assert.deepEqual(await waiting, [499, 'Canceled', 'enough'])
    const after = new AbortController()
    assert.equal(await session.call('/ok', null, { signal: after.signal }), 'ok')
    after.abort()
    assert.equal(session.pendingCalls, 0)
  })

  test('a reason that cannot be printed cancels like any other', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/never', never)
    const controller = new AbortController()
    const waiting = status(session.call('/never', null, { signal: controller.signal }))
    controller.abort({
      toString() {
        throw new Error('no text')
      },
    })
    assert.deepEqual(await waiting, [499, 'Canceled', ''])
  })

  test('the deadline, the signal and the answer settle a call only once', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/ok', () => 'ok')
    for (let i = 0; i < 50; i++) {
      const controller = new AbortController()
      const call = session.call('/ok', null, { timeout: 1, signal: controller.signal })
      if (i % 2 === 0) controller.abort()
      await call.catch(() => {})
    }
    assert.equal(session.pendingCalls, 0)
    assert.equal(await session.call('/ok'), 'ok')
  })

  test('calls that expire leave nothing behind', async (t) => {
    const { server, session } = await pair(t, transport, { server: { limits: { maxRunning: 1_000_000 } } })
    server.routeCall('/never', never)
    const results = await Promise.all(Array.from({ length: 20_000 }, () => status(session.call('/never', null, { timeout: 40 }))))
    assert.ok(results.every(([code]) => code === 408))
    assert.equal(session.pendingCalls, 0)
  })

  test("a handler's signal fires when its session closes, and only made ones are kept", async (t) => {
    const { server, session } = await pair(t, transport)
    const aborted = once<unknown>()
    const running = once()
    server.routeCall('/wait', (_: unknown, ctx) => {
      ctx.signal.addEventListener('abort', () => aborted.resolve(ctx.signal.reason))
      running.resolve()
      return never()
    })
    server.routeCall('/quick', (_: unknown, ctx) => ctx.signal.aborted)
    assert.equal(await session.call('/quick'), false)
    const waiting = status(session.call('/wait'))
    await running.promise
    session.destroy()
    assert.equal(((await aborted.promise) as { code: number }).code, 102)
    assert.equal((await waiting)[0], 102)
  })
})
