import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { test } from 'node:test'
import { type CallContext, type Session, StatusError } from '../../src/index.ts'
import { frame } from '../support/frames.ts'
import { endpoint, once, onEachTransport, pair, status } from '../support/helpers.ts'
import { rawPeer } from '../support/raw-peer.ts'

const OK = '{"code":0,"msg":"","cause":""}'
const never = (): Promise<never> => new Promise(() => {})
const reasonOf = (signal: AbortSignal): Promise<StatusError> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason)
    signal.addEventListener('abort', () => resolve(signal.reason))
  })

for (const protocol of ['raw', 'json', 'protobuf']) {
  onEachTransport(`what two of our endpoints tell each other, ${protocol}`, (transport) => {
    const opened = (t: Parameters<typeof pair>[0], options: Parameters<typeof pair>[2] = {}) =>
      pair(t, transport, { server: { protocol, ...options.server }, client: { protocol, ...options.client } })

    test('a call tells the time it has, and nothing of that is in its meta', async (t) => {
      const { server, session } = await opened(t)
      const seen: [number | undefined, object][] = []
      server.routeCall('/left', (_: unknown, ctx: CallContext) => {
        seen.push([ctx.deadline === undefined ? undefined : ctx.deadline - performance.now(), { ...ctx.meta }])
      })
      await session.call('/left')
      await session.call('/left', null, { timeout: 5000, meta: { a: 'b' } })
      await session.call('/left', null, { timeout: 0 })
      assert.equal(seen[0][0], undefined)
      const left = seen[1][0] as number
      assert.ok(left > 3000 && left <= 5000, `${left} ms are left of 5000`)
      assert.equal(seen[2][0], undefined)
      assert.deepEqual(
        seen.map(([, meta]) => meta),
        [{}, { a: 'b' }, {}],
      )
    })

    test("an endpoint's own timeout is told once, and holds for all its calls", async (t) => {
      const { server, session } = await opened(t, { client: { timeout: 4000 } })
      const seen: (number | undefined)[] = []
      server.routeCall('/left', (_: unknown, ctx: CallContext) => {
        seen.push(ctx.deadline === undefined ? undefined : ctx.deadline - performance.now())
      })
      await session.call('/left')
      await session.call('/left')
      await session.call('/left', null, { timeout: 0 })
      assert.ok(
        seen.slice(0, 2).every((left) => left !== undefined && left > 3000 && left <= 4000),
        `left of 4000: ${seen}`,
      )
      assert.equal(seen[2], undefined)
    })

    test('a handler learns that its caller cancelled, be it the first call of a session', async (t) => {
      const { server, session } = await opened(t)
      const begun = once<AbortSignal>()
      server.routeCall('/wait', (_: unknown, ctx: CallContext) => {
        begun.resolve(ctx.signal)
        return never()
      })
      const controller = new AbortController()
      const failed = status(session.call('/wait', null, { signal: controller.signal }))
      const signal = await begun.promise
      controller.abort('enough')
      assert.equal((await failed)[0], 499)
      assert.equal((await reasonOf(signal)).code, 499)
    })

    test('a handler that looks at its signal after the cancellation sees it', async (t) => {
      const { server, session } = await opened(t)
      const begun = once()
      const goOn = once()
      const seen = once<StatusError>()
      server.routeCall('/wait', async (_: unknown, ctx: CallContext) => {
        begun.resolve()
        await goOn.promise
        reasonOf(ctx.signal).then(seen.resolve)
        return never()
      })
      server.routeCall('/ping', () => 'pong')
      const controller = new AbortController()
      const failed = status(session.call('/wait', null, { signal: controller.signal }))
      await begun.promise
      controller.abort()
      await failed
      await session.call('/ping') // the cancellation came before it
      goOn.resolve()
      assert.equal((await seen.promise).code, 499)
    })

    test('a handler learns of the deadline by itself, and from its caller', async (t) => {
      const { server, session } = await opened(t)
      const signals = [once<AbortSignal>(), once<AbortSignal>()]
      let calls = 0
      server.routeCall('/wait', (_: unknown, ctx: CallContext) => {
        signals[calls++].resolve(ctx.signal)
        return never()
      })
      for (const { promise } of signals) {
        const failed = status(session.call('/wait', null, { timeout: 30 }))
        const reason = await reasonOf(await promise)
        assert.equal(reason.code, 408)
        assert.equal((await failed)[0], 408)
      }
    })
  })
}

onEachTransport('calls made by handlers', (transport) => {
  test('have no more time than the call they serve, and go with it', async (t) => {
    const back = endpoint(t, { transport })
    const seen = once<[number | undefined, AbortSignal]>()
    back.routeCall('/work', (_: unknown, ctx: CallContext) => {
      seen.resolve([ctx.deadline === undefined ? undefined : ctx.deadline - performance.now(), ctx.signal])
      return never()
    })
    const { url } = await back.listen('tcp://127.0.0.1:0')
    const { server, session } = await pair(t, transport)
    const upstream = await server.dial(url)
    const inner = once<[number, string, string]>()
    server.routeCall('/front', async () => {
      await undefined
      inner.resolve(await status(upstream.call('/work')))
    })
    const controller = new AbortController()
    const outer = status(session.call('/front', null, { timeout: 3000, signal: controller.signal }))
    const [left, signal] = await seen.promise
    assert.ok(left !== undefined && left <= 3000, `${left} ms are left of 3000`)
    controller.abort()
    assert.equal((await outer)[0], 499)
    assert.equal((await inner.promise)[0], 499)
    assert.equal((await reasonOf(signal)).code, 499)
  })

  test('inherit nothing once it is answered, nor from a call that named no time', async (t) => {
    const back = endpoint(t, { transport })
    back.routeCall('/left', (_: unknown, ctx: CallContext) => ctx.deadline === undefined)
    const { url } = await back.listen('tcp://127.0.0.1:0')
    const { server, session } = await pair(t, transport)
    const upstream = await server.dial(url)
    const goOn = once()
    const later = once<unknown>()
    server.routeCall('/answered', () => {
      goOn.promise.then(() => upstream.call('/left')).then(later.resolve, later.reject)
    })
    server.routeCall('/free', () => upstream.call('/left'))
    await session.call('/answered', null, { timeout: 2000 })
    goOn.resolve()
    assert.equal(await later.promise, true)
    assert.equal(await session.call('/free'), true)
  })
})

onEachTransport('requests on a connection that a handler made', (transport) => {
  test('inherit nothing from it', async (t) => {
    const back = endpoint(t, { transport })
    back.routeCall('/free', (_: unknown, ctx: CallContext) => ctx.deadline === undefined)
    const { url } = await back.listen('tcp://127.0.0.1:0')
    const accepted = event(back, 'session')
    const { server, session } = await pair(t, transport)
    const goOn = once()
    server.routeCall('/front', async () => {
      await server.dial(url)
      await goOn.promise
    })
    server.routeCall('/probe', async (_: unknown, ctx: CallContext) => {
      await undefined
      return ctx.session.call('/free')
    })
    const front = session.call('/front', null, { timeout: 5000 })
    const [other] = (await accepted) as [Session]
    assert.equal(await other.call('/probe'), true)
    goOn.resolve()
    await front
  })
})

onEachTransport('peers that are not ours, or lie', (transport) => {
  test('a Go peer sees one more key in the meta of the first message, and no message more', async (t) => {
    const server = endpoint(t, { transport })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const accepted = event(server, 'session')
    const peer = await rawPeer(t, url)
    const [session] = await accepted
    const failed = status(session.call('/first', 1, { timeout: 20 }))
    await failed
    await session.push('/second', 2)
    const [first, second] = await peer.received(2)
    assert.match(first.meta, /^\{"X-Dmicro":"1;hop=[0-9a-z]{6}","X-Dmicro-Timeout":"20"\}$/)
    assert.deepEqual([second.method, second.meta], ['/second', '{}'])
    assert.equal(peer.frames.length, 2)
  })

  test('an announcement that a proxy passed on under another number announces nothing', async (t) => {
    const server = endpoint(t, { transport })
    server.routeCall('/echo', (value: unknown) => value)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const peer = await rawPeer(t, url)
    peer.send(frame({ seq: '7', type: 1, method: '/echo', status: OK, meta: '{"X-Dmicro":"1;hop=kzzzzz"}', codec: 106, body: '1' }))
    peer.send(frame({ seq: '8', type: 1, method: '/echo', status: OK, codec: 106, body: '2' }))
    const frames = await peer.received(2)
    assert.deepEqual(
      frames.map(({ type, seq }) => [type, seq]),
      [
        [2, '7'],
        [2, '8'],
      ],
    )
  })

  test('our routes are unknown to whom has not announced himself, and nonsense on them changes nothing', async (t) => {
    const server = endpoint(t, { transport })
    server.routeCall('/echo', (value: unknown) => value)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const peer = await rawPeer(t, url)
    peer.send(frame({ seq: '1', type: 1, method: '/dmicro/resume', status: OK, codec: 106, body: '{}' }))
    assert.equal((await peer.received(1))[0].status.code, 404)
    peer.send(frame({ seq: '2', type: 1, method: '/echo', status: OK, meta: '{"X-Dmicro":"1;hop=2;timeout=99"}', codec: 106, body: '1' }))
    const [, hello, reply] = await peer.received(3)
    assert.deepEqual([hello.type, hello.method, hello.body], [3, '/dmicro/hello', '"1;hop=2"'])
    assert.equal(reply.type, 2)
    const nonsense = ['', '{', 'null', '7', '{"seq":1.5}', '{"seq":"1"}', '{"seq":1e99,"code":"x"}', '[]', 'x'.repeat(5000)]
    for (const method of ['/dmicro/hello', '/dmicro/cancel', '/dmicro/ack'])
      for (const body of nonsense) peer.send(frame({ seq: '3', type: 3, method, status: OK, codec: 106, body }))
    peer.send(frame({ seq: '4', type: 1, method: '/echo', status: OK, codec: 106, body: '"alive"' }))
    assert.equal((await peer.received(4))[3].body, '"alive"')
    for (const timeout of ['-1', '1e3', '', 'abc', '99999999999999999999'])
      peer.send(frame({ seq: '5', type: 1, method: '/echo', status: OK, meta: `{"X-Dmicro-Timeout":"${timeout}"}`, codec: 106, body: '5' }))
    assert.equal((await peer.received(9))[8].body, '5')
  })

  test('announcements that cannot be read announce nothing', async (t) => {
    const server = endpoint(t, { transport })
    server.routeCall('/echo', (value: unknown) => value)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    for (const text of ['', '2;hop=1', '1', '1;hop=', '1;hop=1;timeout=x', '1;hop=1;filters=%', `1;hop=1;x=${'y'.repeat(2000)}`]) {
      const peer = await rawPeer(t, url)
      const meta = JSON.stringify({ 'X-Dmicro': text })
      peer.send(frame({ seq: '1', type: 1, method: '/echo', status: OK, meta, codec: 106, body: '1' }))
      assert.equal((await peer.received(1))[0].type, 2, text)
    }
  })

  test('with extensions off nothing is added', async (t) => {
    const server = endpoint(t, { transport, extensions: false })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const accepted = event(server, 'session')
    const peer = await rawPeer(t, url)
    const [session] = await accepted
    await session.push('/first', 1)
    await session.push('/second', 2, { meta: { a: 'b' } })
    assert.deepEqual(
      (await peer.received(2)).map(({ meta, seq }) => [meta, seq]),
      [
        ['{}', '1'],
        ['{"a":"b"}', '2'],
      ],
    )
  })
})

onEachTransport('notice before closing', (transport) => {
  test('a session with redial loses no call while its server is replaced', async (t) => {
    const make = () => {
      const server = endpoint(t, { transport })
      server.routeCall('/echo', async (value: unknown) => value)
      return server
    }
    let server = make()
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const client = endpoint(t, { transport, redial: { minDelay: 1, maxDelay: 10 } })
    const session = await client.dial(url)
    await session.call('/echo', 'hello')
    let stop = false
    let failures = 0
    let answered = 0
    const caller = async (): Promise<void> => {
      for (let n = 0; !stop; n++) {
        const value = await session.call('/echo', n).catch((error) => {
          failures++
          return error
        })
        if (value === n) answered++
      }
    }
    const callers = Array.from({ length: 20 }, caller)
    for (let round = 0; round < 3; round++) {
      const redialed = event(session, 'redialed')
      await server.close()
      server = make()
      await server.listen(url)
      await redialed
      await session.call('/echo', round) // a server can give notice to whom it has heard of
    }
    stop = true
    await Promise.all(callers)
    assert.equal(failures, 0)
    assert.ok(answered > 0, 'nothing was called')
  })

  test('without redial new calls fail with 503 that tells when to try again, running ones finish', async (t) => {
    const { server, session } = await pair(t, transport)
    const begun = once()
    const goOn = once()
    server.routeCall('/slow', async () => {
      begun.resolve()
      await goOn.promise
      return 'done'
    })
    const slow = session.call('/slow')
    await begun.promise
    const draining = event(session, 'draining')
    const closed = server.close()
    await draining
    assert.equal(session.state, 'draining')
    assert.equal(session.isOpen, false)
    const refused: unknown = await session.call('/slow').catch((error) => error)
    assert.ok(refused instanceof StatusError && refused.code === 503 && (refused.retryAfter as number) > 0, String(refused))
    assert.equal((await status(session.push('/slow')))[0], 503)
    goOn.resolve()
    assert.equal(await slow, 'done')
    await closed
  })
})
