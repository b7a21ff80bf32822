import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CallContext, StatusError } from '../../src/index.ts'
import { frame } from '../support/frames.ts'
import { endpoint, once, onEachTransport, pair, status } from '../support/helpers.ts'
import { random } from '../support/random.ts'
import { rawPeer } from '../support/raw-peer.ts'

const long = process.env.DMICRO_CHAOS === '1'

onEachTransport('cancelling a call', (transport) => {
  test('before it is sent sends nothing', async (t) => {
    const { server, session } = await pair(t, transport)
    let ran = 0
    server.routeCall('/count', () => ++ran)
    assert.deepEqual(await status(session.call('/count', null, { signal: AbortSignal.abort('no') })), [499, 'Canceled', 'no'])
    assert.equal(await session.call('/count'), 1)
    assert.equal(session.pendingCalls, 0)
  })

  test('in the turn that sent it, and after its handler began, ends both sides once', async (t) => {
    const { server, session, peer } = await pair(t, transport)
    const begun = once<CallContext>()
    const ended = once<StatusError>()
    server.routeCall('/wait', (name: string, ctx: CallContext) => {
      if (name === 'begun') begun.resolve(ctx)
      return new Promise((_, reject) => {
        ctx.signal.addEventListener('abort', () => {
          reject(ctx.signal.reason)
          ended.resolve(ctx.signal.reason)
        })
      })
    })
    const [one, two] = [new AbortController(), new AbortController()]
    const outcomes: number[] = []
    const note = (call: Promise<unknown>) => status(call).then(([code]) => outcomes.push(code))
    const first = note(session.call('/wait', 'turn', { signal: one.signal }))
    one.abort()
    await first
    const second = note(session.call('/wait', 'begun', { signal: two.signal }))
    await begun.promise
    two.abort()
    two.abort()
    await second
    assert.equal((await ended.promise).code, 499)
    assert.deepEqual(outcomes, [499, 499])
    server.routeCall('/ping', () => 'pong')
    assert.equal(await session.call('/ping'), 'pong')
    assert.deepEqual([session.pendingCalls, peer.running], [0, 0])
  })

  test('after it is done changes nothing, and tells the peer nothing', async (t) => {
    const { server, session } = await pair(t, transport)
    const signals: AbortSignal[] = []
    server.routeCall('/echo', async (value: unknown, ctx: CallContext) => {
      signals.push(ctx.signal)
      return value
    })
    const abort = new AbortController()
    assert.equal(await session.call('/echo', 1, { signal: abort.signal }), 1)
    const { lastSeq } = session
    abort.abort()
    assert.equal(session.lastSeq, lastSeq, 'nothing was sent')
    assert.equal(await session.call('/echo', 2), 2)
    assert.ok(
      signals.every(({ aborted }) => !aborted),
      'no signal fired',
    )
  })

  test('before anybody looks at the signal is remembered, of the latest and no more than may run', async (t) => {
    const server = endpoint(t, { transport, limits: { maxRunning: 10 } })
    const begun = [once(), once()]
    const gate = once()
    const seen: (number | undefined)[] = []
    const looked = once()
    let calls = 0
    server.routeCall('/wait', async (_: unknown, ctx: CallContext) => {
      begun[calls++].resolve()
      await gate.promise
      seen[ctx.seq] = ctx.signal.aborted ? ctx.signal.reason.code : 0
      if (seen.length === 3 && seen[1] !== undefined) looked.resolve()
    })
    server.routeCall('/ping', () => 'pong')
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const peer = await rawPeer(t, url)
    const call = (seq: number, method: string, meta = '{}'): Buffer => frame({ seq, type: 1, method, meta, body: '1' })
    const cancel = (seq: number, code = 499): Buffer =>
      frame({ seq: 99, type: 3, method: '/dmicro/cancel', body: JSON.stringify({ seq, code }) })
    peer.send(call(1, '/wait', '{"X-Dmicro":"1;hop=1"}'), call(2, '/wait'))
    await Promise.all(begun.map(({ promise }) => promise))
    peer.send(cancel(1))
    for (let seq = 1000; seq < 51_000; seq += 50) peer.send(...Array.from({ length: 50 }, (_, n) => cancel(seq + n)))
    peer.send(cancel(2, 408), call(3, '/ping'))
    await peer.received(2) // the hello, and what was sent last
    gate.resolve()
    await looked.promise
    assert.deepEqual(seen.slice(1), [0, 408])
  })

  // Whatever comes first, the reply, the cancellation, the deadline or the end of the session: one outcome, and the handler's is one of its own.
  for (const seed of long ? Array.from({ length: 50 }, (_, n) => n + 1) : [1, 2, 3])
    test(`at any moment leaves each call one outcome (seed ${seed})`, async (t) => {
      const below = random(seed)
      const { server, session, peer } = await pair(t, transport, { client: { timeout: 10_000 } })
      const turns = async (n: number): Promise<void> => {
        for (; n > 0; n--) await new Promise(setImmediate)
      }
      let started = 0
      let fired = 0
      server.routeCall('/now', (value: unknown) => {
        started++
        return value
      })
      server.routeCall('/turns', async (value: number, ctx: CallContext) => {
        started++
        if (value % 3 === 0) ctx.signal.addEventListener('abort', () => fired++)
        await turns(value % 7)
        if (value % 3 === 1 && ctx.signal.aborted) fired++
        return value
      })
      const outcomes = new Map<number, string[]>()
      const calls: Promise<unknown>[] = []
      for (let n = 0; n < 600; n++) {
        const abort = new AbortController()
        const options = { signal: abort.signal, ...(below(4) === 0 ? { timeout: 1 + below(8) } : {}) }
        const seen: string[] = []
        outcomes.set(n, seen)
        calls.push(
          session.call(below(2) === 0 ? '/now' : '/turns', n, options).then(
            (value) => seen.push(value === n ? 'answer' : `a wrong answer ${value}`),
            (error) => seen.push(error instanceof StatusError ? String(error.code) : String(error)),
          ),
        )
        const when = below(10)
        if (when === 0) abort.abort()
        else if (when < 7) void turns(when).then(() => abort.abort())
        if (below(20) === 0) await turns(1 + below(3))
      }
      await Promise.all(calls)
      for (const [n, seen] of outcomes) {
        assert.equal(seen.length, 1, `call ${n} had ${seen}`)
        assert.ok(['answer', '499', '408'].includes(seen[0]), `call ${n}: ${seen}`)
      }
      const kinds = new Set([...outcomes.values()].flat())
      assert.ok(kinds.has('answer') && kinds.has('499'), `all had the same: ${[...kinds]}`)
      assert.ok(fired <= started, `${fired} of ${started} fired`)
      assert.equal(session.pendingCalls, 0)
      // Nothing is left on the other side either: the next call with any number begins uncancelled.
      while (peer.running > 0) await turns(1)
      let aborted = 0
      server.routeCall('/look', async (_: unknown, ctx: CallContext) => {
        await turns(1)
        if (ctx.signal.aborted) aborted++
      })
      await Promise.all(Array.from({ length: 300 }, () => session.call('/look')))
      assert.equal(aborted, 0)
    })

  test('that is called and cancelled over and over keeps to the limit, and to itself', { timeout: 120_000 }, async (t) => {
    const total = long ? 100_000 : 10_000
    const maxRunning = 50
    const { server, session, peer, listener } = await pair(t, transport, {
      server: { limits: { maxRunning } },
      client: { closeTimeout: 0 },
    })
    const other = await endpoint(t, { transport }).dial(listener.url)
    let running = 0
    let most = 0
    server.routeCall('/slow', async (_: unknown, ctx: CallContext) => {
      most = Math.max(most, ++running, peer.running)
      await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
      running--
    })
    server.routeCall('/echo', async (value: unknown) => value)
    const outcomes = new Map<number, number>()
    const late: number[] = []
    const probe = async (): Promise<number> => {
      const start = performance.now()
      await other.call('/echo', 1)
      return performance.now() - start
    }
    await session.call('/echo')
    for (let made = 0; made < total; ) {
      const burst: Promise<unknown>[] = []
      for (let n = 0; n < 200; n++, made++) {
        const abort = new AbortController()
        burst.push(
          status(session.call('/slow', null, { signal: abort.signal })).then(([code]) => outcomes.set(code, (outcomes.get(code) ?? 0) + 1)),
        )
        abort.abort()
      }
      late.push(await probe())
      await Promise.all(burst)
    }
    assert.deepEqual([...outcomes], [[499, total]])
    await session.call('/echo').catch(() => {}) // every cancellation came before it
    assert.ok(most <= maxRunning + 1, `${most} ran of ${maxRunning}`)
    while (running > 0) await new Promise(setImmediate)
    assert.equal(await session.call('/echo', 'alive'), 'alive')
    late.sort((a, b) => a - b)
    // No limit of time fails a test: what the other peer waited is told.
    t.diagnostic(
      `another peer waited p50 ${late[late.length >> 1].toFixed(2)} ms, p99 ${late[Math.floor(late.length * 0.99)].toFixed(2)} ms`,
    )
  })
})
