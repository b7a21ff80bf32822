// One signal for many calls, and many listeners on one signal: node warns of a leak where there is none.
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { type TestContext, test } from 'node:test'
import { type CallContext, MultiClient } from '../../src/index.ts'
import { endpoint, once, onEachTransport, pair, status } from '../support/helpers.ts'

/** Fails the test for every warning that the process gives while it runs. */
function noWarnings(t: TestContext): () => Promise<void> {
  const warnings: string[] = []
  const note = (warning: Error): number => warnings.push(`${warning.name}: ${warning.message}`)
  process.on('warning', note)
  t.after(() => process.off('warning', note))
  return async () => {
    await new Promise(setImmediate) // they are given in a tick of their own
    assert.deepEqual(warnings, [])
  }
}

const MANY = 50

onEachTransport('signals', (transport) => {
  test('one signal for many calls: no warning, all are cancelled, and it is left as it was', async (t) => {
    const check = noWarnings(t)
    const { server, session } = await pair(t, transport)
    server.routeCall('/echo', (n: number) => n)
    server.routeCall('/never', () => new Promise(() => {}))
    const { signal, abort } = controller()
    const answers = await Promise.all(Array.from({ length: MANY }, (_, n) => session.call('/echo', n, { signal })))
    assert.deepEqual(
      answers,
      Array.from({ length: MANY }, (_, n) => n),
    )
    assert.equal(getEventListeners(signal, 'abort').length, 0)
    const open = Array.from({ length: MANY }, () => status(session.call('/never', 1, { signal })))
    abort(new Error('enough'))
    for (const got of await Promise.all(open)) assert.deepEqual(got, [499, 'Canceled', 'enough'])
    assert.equal(session.pendingCalls, 0)
    assert.equal(getEventListeners(signal, 'abort').length, 0)
    await check()
  })

  test('one signal for many dials, and for many calls that wait for a session', async (t) => {
    const check = noWarnings(t)
    const server = endpoint(t, { transport })
    server.routeCall('/echo', (n: number) => n)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const own = endpoint(t, { transport })
    const { signal } = controller()
    await Promise.all(Array.from({ length: MANY }, () => own.dial(url, { signal })))
    const client = new MultiClient(own, url, { min: MANY, max: MANY, callsPerSession: 1 })
    t.after(() => client.close({ timeout: 0 }))
    await Promise.all(Array.from({ length: 3 * MANY }, (_, n) => client.call('/echo', n, { signal })))
    assert.equal(getEventListeners(signal, 'abort').length, 0)
    await check()
  })

  test('a handler may hand its signal to many, and make many calls that inherit it', async (t) => {
    const check = noWarnings(t)
    const { server, client, session } = await pair(t, transport)
    client.routeCall('/back', (n: number) => n)
    const fired = once()
    let count = 0
    server.routeCall('/listen', async (_: unknown, { signal }: CallContext) => {
      for (let i = 0; i < MANY; i++) signal.addEventListener('abort', () => ++count === MANY && fired.resolve())
      await fired.promise
    })
    server.routeCall('/fan', async (_: unknown, ctx: CallContext) => {
      assert.equal(ctx.signal.aborted, false)
      const answers = await Promise.all(Array.from({ length: MANY }, (_, n) => ctx.session.call<number>('/back', n)))
      return answers.length
    })
    assert.equal(await session.call('/fan', 1, { timeout: 60_000 }), MANY)
    const { signal, abort } = controller()
    const listening = status(session.call('/listen', 1, { signal }))
    abort(new Error('enough'))
    assert.equal((await listening)[0], 499)
    await fired.promise
    await check()
  })

  test('a call that is cancelled while another one of its signal is told goes its own way', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/never', () => new Promise(() => {}))
    const { signal, abort } = controller()
    const first = session.call('/never', 1, { signal })
    const second = session.call('/never', 1, { signal })
    const third = first.catch(() => status(session.call('/never', 1, { signal })))
    abort(new Error('enough'))
    assert.equal((await status(second))[0], 499)
    assert.deepEqual(await third, [499, 'Canceled', 'enough'])
    assert.equal(session.pendingCalls, 0)
  })
})

function controller(): { signal: AbortSignal; abort: (reason: Error) => void } {
  const made = new AbortController()
  return { signal: made.signal, abort: (reason) => made.abort(reason) }
}
