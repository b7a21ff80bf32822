import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { type TestContext, test } from 'node:test'
import type { CallContext, Endpoint, Gap, ReadContext, Session } from '../../src/index.ts'
import { frame } from '../support/frames.ts'
import { endpoint, once, onEachTransport, status } from '../support/helpers.ts'
import { type RawPeer, rawPeer } from '../support/raw-peer.ts'
import { named, resumable } from '../support/resumable.ts'

const OK = '{"code":0,"msg":"","cause":""}'

/** Sends the CALL by which a peer names a session, or goes on with one; resolves to what it is told. */
async function ask(peer: RawPeer, body: object): Promise<{ token: string; received: number; from: number }> {
  const meta = '{"X-Dmicro":"1;hop=7"}'
  peer.send(frame({ seq: '7', type: 1, method: '/dmicro/resume', status: OK, meta, codec: 106, body: JSON.stringify(body) }))
  for (let count = 1; ; count++) {
    const reply = (await peer.received(count)).find(({ type }) => type === 2)
    if (reply !== undefined) return JSON.parse(reply.body)
  }
}

/** Time for what was sent to arrive. */
async function turns(): Promise<void> {
  for (let n = 0; n < 50; n++) await new Promise(setImmediate)
}

async function serving(t: TestContext, server: Endpoint): Promise<{ url: string; peer: RawPeer; session: Session; token: string }> {
  const accepted = event(server, 'session') as Promise<[Session]>
  const { url } = await server.listen('tcp://127.0.0.1:0')
  const peer = await rawPeer(t, url)
  const [session] = await accepted
  const { token } = await ask(peer, { sent: 0 })
  return { url, peer, session, token }
}

onEachTransport('sessions that are resumed in the wrong moment', (transport) => {
  test('over a connection that seems alive: the old one ends, and what it still sends is nobody’s', async (t) => {
    const server = endpoint(t, { transport })
    const seen: unknown[] = []
    server.routePush('/n', (n: number) => void seen.push(n))
    const { url, peer, session, token } = await serving(t, server)
    const { id } = session
    const back = event(session, 'resumed')
    const next = await rawPeer(t, url)
    const told = await ask(next, { token, received: 0, from: 1, settled: 1 })
    assert.equal(told.token, token)
    await back
    await peer.closed
    assert.equal(server.session(id), session)
    assert.equal(server.sessionCount, 1)
    next.send(frame({ seq: '1', type: 3, method: '/n', status: OK, meta: '{}', codec: 106, body: '1' }))
    next.send(frame({ seq: '2', type: 1, method: '/none', status: OK, meta: '{}', codec: 106 }))
    await next.received(3)
    assert.deepEqual(seen, [1])
  })

  test('what comes behind the wish in the same read is the resumed session’s, with hooks about it too', async (t) => {
    for (const plugin of [{ name: 'none' }, { name: 'slow', afterAccept: turns }]) {
      const server = endpoint(t, { transport, plugins: [plugin] })
      const seen: unknown[] = []
      server.routeCall('/who', (_: unknown, ctx: CallContext) => void seen.push(ctx.session))
      const { url, session, token } = await serving(t, server)
      const next = await rawPeer(t, url)
      const body = JSON.stringify({ token, received: 0, from: 1 })
      next.send(
        frame({ seq: '7', type: 1, method: '/dmicro/resume', status: OK, meta: '{"X-Dmicro":"1;hop=7"}', codec: 106, body }),
        frame({ seq: '1', type: 1, method: '/who', status: OK, meta: '{}', codec: 106 }),
        frame({ seq: '2', type: 1, method: '/who', status: OK, meta: '{}', codec: 106 }),
      )
      await next.received(4)
      assert.deepEqual(seen, [session, session])
    }
  })

  test('a listener of away closes it: its peer begins anew, and the old session does not return', async (t) => {
    const server = endpoint(t, { transport })
    const { url, session, token } = await serving(t, server)
    session.on('disconnected', () => session.destroy())
    const closed = event(session, 'close')
    const next = await rawPeer(t, url)
    const told = await ask(next, { token, received: 0, from: 1 })
    assert.notEqual(told.token, token)
    await closed
    assert.equal(session.state, 'closed')
    assert.equal(server.sessionCount, 1)
    await server.close()
  })

  test('two peers with one name: the last has the session', async (t) => {
    const server = endpoint(t, { transport })
    const { url, session, token, peer } = await serving(t, server)
    const two = [await rawPeer(t, url), await rawPeer(t, url)]
    const told = await Promise.race(two.map((each) => ask(each, { token, received: 0, from: 1 })))
    assert.equal(told.token, token)
    await Promise.race(two.map(({ closed }) => closed))
    await peer.closed
    assert.equal(session.state, 'open')
    assert.equal(server.sessionCount, 1)
  })

  test('a reply lost on its way does not hide how many pushes were lost', async (t) => {
    const server = endpoint(t, { transport })
    const { url, session, token } = await serving(t, server)
    const gaps: Gap[] = []
    session.on('gap', (gap) => gaps.push(gap))
    for (let n = 0; n < 2; n++) {
      const told = await ask(await rawPeer(t, url), { token, received: 0, from: 6 })
      assert.equal(told.received, 0)
    }
    assert.deepEqual(gaps, [{ sent: 0, received: 5 }])
  })

  test('a push that comes while the session closes is dropped, and not said to have come', async (t) => {
    const server = endpoint(t, { transport, closeTimeout: 10_000 })
    const goOn = once<void>()
    const begun = once()
    server.routeCall('/hold', () => {
      begun.resolve()
      return goOn.promise
    })
    server.routePush('/n', () => assert.fail('it ran'))
    const { peer, session } = await serving(t, server)
    peer.send(frame({ seq: '1', type: 1, method: '/hold', status: OK, meta: '{}', codec: 106 }))
    await begun.promise
    const closed = session.close()
    while (!peer.frames.some(({ method }) => method === '/dmicro/drain')) await peer.received(peer.frames.length + 1)
    peer.send(
      frame({ seq: '2', type: 3, method: '/n', status: OK, meta: '{}', codec: 106, body: '1' }),
      frame({ seq: '3', type: 3, method: '/dmicro/drain', status: OK, meta: '{}', codec: 106 }),
    )
    goOn.resolve()
    await closed
    const ack = peer.frames.filter(({ method }) => method === '/dmicro/ack').map(({ body }) => JSON.parse(body))
    assert.deepEqual(
      ack.map(({ received }) => received),
      [0],
    )
  })
})

onEachTransport('sessions that are closed while they are away', (transport) => {
  test('by who hears of it from the signal of a call', async (t) => {
    const { server, client, session, peer, proxy } = await resumable(t, transport)
    const begun = [once(), once()]
    for (const [n, side] of [server, client].entries())
      side.routeCall('/work', (_: unknown, ctx: CallContext) => {
        ctx.signal.addEventListener('abort', () => void ctx.session.close())
        begun[n].resolve()
        return new Promise(() => {})
      })
    const calls = [status(session.call('/work')), status(peer.call('/work'))]
    await Promise.all(begun.map(({ promise }) => promise))
    const closed = [event(session, 'close'), event(peer, 'close')]
    proxy.cut()
    await Promise.all([...closed, ...calls])
    assert.deepEqual([session.state, peer.state], ['closed', 'closed'])
    assert.equal(server.sessionCount, 0)
  })

  test('by their listeners: they are not waited for, nor dialled anew', async (t) => {
    const { client, server, session, peer, proxy } = await resumable(t, transport, { server: { limits: { maxAway: 1 } } })
    peer.on('disconnected', () => peer.destroy())
    session.on('redialing', () => void session.close())
    const closed = [event(session, 'close'), event(peer, 'close')]
    proxy.cut()
    await Promise.all(closed)
    assert.deepEqual([server.sessionCount, client.sessionCount], [0, 0])
    // The only place to wait is free.
    const other = await client.dial(proxy.url)
    await other.call('/echo')
    await named(other)
    const [next] = server.sessions()
    const back = event(next, 'resumed')
    proxy.cut()
    await back
  })

  test('listeners that throw change nothing', async (t) => {
    const { session, peer, proxy } = await resumable(t, transport)
    const fail = (): never => {
      throw new Error('a listener')
    }
    for (const name of ['redialing', 'redialed', 'gap'] as const) session.on(name, fail)
    for (const name of ['disconnected', 'resumed', 'gap'] as const) peer.on(name, fail)
    for (let n = 0; n < 3; n++) {
      // Before those that throw.
      const back = Promise.all([
        new Promise((resolve) => peer.prependOnceListener('resumed', () => resolve(true))),
        new Promise((resolve) => session.prependOnceListener('redialed', () => resolve(true))),
      ])
      proxy.cut()
      await back
      assert.equal(await session.call('/echo', n), n)
    }
  })
})

onEachTransport('what goes with a resumption', (transport) => {
  test('hooks see nothing of it', async (t) => {
    const seen: string[] = []
    const note = ({ serviceMethod }: ReadContext): void => void seen.push(serviceMethod)
    const plugin = {
      name: 'notes',
      afterReadReplyHeader: note,
      afterReadCallHeader: note,
      afterReadPushHeader: note,
    }
    const both = { plugins: [plugin] }
    const { session, peer, proxy } = await resumable(t, transport, { server: both, client: both })
    const back = event(peer, 'resumed')
    proxy.cut()
    await back
    await session.call('/echo')
    assert.deepEqual([...new Set(seen)], ['/echo'])
  })

  test('hooks that take their time: pushes and calls in them as the connection is lost come once, or their senders know', async (t) => {
    const gate = once()
    let waits = false
    const plugin = {
      name: 'slow',
      beforeWritePush: () => (waits ? gate.promise : undefined),
      beforeWriteCall: () => (waits ? gate.promise : undefined),
    }
    const { server, session, peer, proxy } = await resumable(t, transport, { client: { plugins: [plugin] } })
    const pushed: number[] = []
    const called: number[] = []
    server.routePush('/n', (n: number) => void pushed.push(n))
    server.routeCall('/n', (n: number) => called.push(n))
    waits = true
    const sent = [1, 2, 3].map((n) => session.push('/n', n))
    const calls = [1, 2, 3].map((n) => session.call('/n', n, { idempotent: true }))
    const back = Promise.all([event(peer, 'resumed'), event(session, 'redialed')])
    proxy.cut()
    await back
    gate.resolve()
    waits = false
    const told = await Promise.allSettled(sent)
    await Promise.all(calls)
    await session.call('/echo')
    assert.deepEqual(called, [1, 2, 3])
    assert.deepEqual(
      pushed,
      [1, 2, 3].filter((_, i) => told[i].status === 'fulfilled'),
    )
  })

  test('pushes that filters work on off the loop survive, in order', async (t) => {
    const limits = { maxUnconfirmed: 16 * 1024 * 1024 }
    const { server, session, peer, proxy } = await resumable(t, transport, { server: { limits }, client: { limits } })
    const seen: number[] = []
    const all = once()
    const total = 30
    server.routePush('/big', ({ n }: { n: number }) => {
      seen.push(n)
      if (n === total - 1) all.resolve()
    })
    for (const each of [session, peer]) each.on('gap', (gap) => assert.fail(`gap ${JSON.stringify(gap)}`))
    const sent: Promise<void>[] = []
    for (let n = 0; n < total; n++) {
      sent.push(session.push('/big', { n, text: String(n).repeat(50_000) }, { filters: ['gzip'] }))
      if (n % 7 === 3) {
        const redialed = event(session, 'redialed')
        await new Promise(setImmediate)
        proxy.cut()
        await redialed
      }
    }
    await Promise.all(sent)
    await all.promise
    assert.deepEqual(
      seen,
      Array.from({ length: total }, (_, n) => n),
    )
  })

  test('a server that greets with many pushes is resumed all the same', async (t) => {
    const greetings = 1000
    const { server, session, peer, proxy } = await resumable(t, transport)
    server.on('session', (each) => {
      for (let n = 0; n < greetings; n++) void each.push('/hello', n)
    })
    const back = Promise.all([event(peer, 'resumed'), event(session, 'redialed')])
    proxy.cut()
    await back
    assert.equal(await session.call('/echo', 1), 1)
  })

  test('who waits for its peer does not keep it out', async (t) => {
    const { server, session, peer, proxy } = await resumable(t, transport, { server: { limits: { maxSessions: 1 } } })
    const back = event(peer, 'resumed')
    proxy.cut()
    await back
    assert.equal(await session.call('/echo', 1), 1)
    assert.equal(server.sessionCount, 1)
  })

  test('a hundred resumptions lose no push and leave no session over', async (t) => {
    const { server, client, session, peer, proxy } = await resumable(t, transport)
    let count = 0
    server.routePush('/n', () => void count++)
    session.on('gap', (gap) => assert.fail(`gap ${JSON.stringify(gap)}`))
    const losses = 100
    for (let n = 0; n < losses; n++) {
      const back = Promise.all([event(peer, 'resumed'), event(session, 'redialed')])
      for (let i = 0; i < 10; i++) void session.push('/n', i)
      proxy.cut()
      await back
    }
    await session.call('/echo')
    assert.equal(count, losses * 10)
    assert.deepEqual([server.sessionCount, client.sessionCount], [1, 1])
    assert.equal([...server.sessions()][0], peer)
  })
})
