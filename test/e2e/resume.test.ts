import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { test } from 'node:test'
import type { CallContext, Gap, PushContext, Session } from '../../src/index.ts'
import { cutter } from '../support/cutter.ts'
import { frame } from '../support/frames.ts'
import { endpoint, once, onEachTransport, overQuic, status } from '../support/helpers.ts'
import { random as generator } from '../support/random.ts'
import { rawPeer } from '../support/raw-peer.ts'
import { named, redial, resumable } from '../support/resumable.ts'

const OK = '{"code":0,"msg":"","cause":""}'
// Each cut of QUIC costs its idle timeout.
for (const protocol of overQuic ? ['raw'] : ['raw', 'json', 'protobuf']) {
  onEachTransport(`resumed sessions, ${protocol}`, (transport) => {
    const both = { server: { protocol }, client: { protocol } }

    test('the accepting side keeps the same session: its id, its swap, its place', async (t) => {
      const { server, session, peer, proxy } = await resumable(t, transport, both)
      peer.data.set('name', 'Ada')
      const { id } = peer
      const away = event(peer, 'disconnected')
      const back = event(peer, 'resumed')
      const redialed = event(session, 'redialed')
      proxy.cut()
      await away
      await Promise.all([back, redialed])
      assert.equal(peer.state, 'open')
      assert.equal(server.session(id), peer)
      server.routeCall('/name', (_: unknown, ctx: CallContext) => ctx.session.data.get('name'))
      assert.equal(await session.call('/name'), 'Ada')
      assert.deepEqual([...server.sessions()], [peer])
    })

    test('an idempotent call that runs while the connection is lost runs once and is answered once', async (t) => {
      const { server, session, peer, proxy } = await resumable(t, transport, both)
      const begun = once()
      const goOn = once()
      let runs = 0
      let aborted = false
      server.routeCall('/work', async (value: unknown, ctx: CallContext) => {
        ctx.signal.addEventListener('abort', () => {
          aborted = true
        })
        runs++
        begun.resolve()
        await goOn.promise
        return value
      })
      const answer = session.call('/work', 7, { idempotent: true })
      const other = status(session.call('/work', 8))
      await begun.promise
      const back = event(peer, 'resumed')
      proxy.cut()
      assert.equal((await other)[0], 102)
      await back
      goOn.resolve()
      assert.equal(await answer, 7)
      assert.equal(runs, 2)
      assert.equal(aborted, true) // the other's
      assert.equal(session.pendingCalls, 0)
    })

    test('the reply of an idempotent call that was lost on its way comes again, also one of failure', async (t) => {
      const { server, session, proxy } = await resumable(t, transport, both)
      let runs = 0
      const ran = once()
      server.routeCall('/work', () => `run ${++runs}`)
      server.routeCall('/fail', () => {
        ran.resolve()
        throw new Error(`run ${++runs}`)
      })
      proxy.mute()
      const answer = session.call('/work', null, { idempotent: true })
      const failure = status(session.call('/fail', null, { idempotent: true }))
      await ran.promise
      proxy.cut()
      assert.equal(await answer, 'run 1')
      assert.equal((await failure)[0], 500)
      assert.equal(runs, 2)
    })

    test('what the accepting side asks on a new connection before it knows whose it is fails, and no answer to it is taken for another', async (t) => {
      const { server, client, peer, proxy } = await resumable(t, transport, both)
      const gates: Record<string, { promise: Promise<void>; resolve(): void }> = { stranger: once(), known: once() }
      client.routeCall('/who', async (who: string) => {
        await gates[who].promise
        return who
      })
      const asked: Promise<unknown>[] = []
      server.once('session', (stranger) => {
        for (let i = 0; i < 40; i++) asked.push(status(stranger.call('/who', 'stranger', { timeout: 0 })))
      })
      const back = event(peer, 'resumed')
      proxy.cut()
      await back
      assert.equal(asked.length, 40)
      for (const told of await Promise.all(asked)) assert.equal((told as unknown[])[0], 102)
      const known = Array.from({ length: 40 }, () => peer.call('/who', 'known', { timeout: 0 }))
      gates.stranger.resolve()
      await peer.call('/echo').catch(() => {}) // their answers were sent before its own
      gates.known.resolve()
      assert.deepEqual(await Promise.all(known), Array(40).fill('known'))
      assert.equal(peer.pendingCalls, 0)
    })

    test('pushes of both sides survive losses: none is lost, repeated or out of order', async (t) => {
      const { server, client, session, peer, proxy } = await resumable(t, transport, both)
      const total = 300
      const got: Record<string, number[]> = { server: [], client: [] }
      const all = once()
      const note = (side: string) => (value: number) => {
        got[side].push(value)
        if (got.server.length >= total && got.client.length >= total) all.resolve()
      }
      const gaps: Gap[] = []
      for (const each of [session, peer]) each.on('gap', (gap) => gaps.push(gap))
      server.routePush('/n', note('server'))
      client.routePush('/n', note('client'))
      const random = generator(11)
      for (let n = 0; n < total; n++) {
        void session.push('/n', n)
        void peer.push('/n', n)
        if (random(100) < 3) {
          const redialed = event(session, 'redialed')
          if (random(2) === 0) proxy.mute()
          if (random(2) === 0) proxy.deafen()
          await new Promise(setImmediate)
          proxy.cut()
          if (random(10) < 7) await redialed
        } else if (random(10) < 3) {
          await new Promise(setImmediate)
        }
      }
      await all.promise
      const expected = Array.from({ length: total }, (_, n) => n)
      assert.deepEqual(got, { server: expected, client: expected })
      assert.deepEqual(gaps, [])
    })
  })
}

onEachTransport('what cannot be resumed', (transport) => {
  test('a gap is told on both sides where more was lost than is kept', async (t) => {
    const small = { limits: { maxUnconfirmed: 2000 } }
    const { server, session, peer, proxy } = await resumable(t, transport, { server: small, client: small })
    const seen: number[] = []
    const last = once()
    server.routePush('/n', (n: number) => {
      seen.push(n)
      if (n === 99) last.resolve()
    })
    const ours = event(session, 'gap') as Promise<[Gap]>
    const theirs = event(peer, 'gap') as Promise<[Gap]>
    proxy.deafen()
    for (let n = 0; n < 100; n++) await session.push('/n', n)
    proxy.cut()
    await last.promise
    const lost = 100 - seen.length
    assert.ok(lost > 0 && lost < 100, `${lost} of 100 lost`)
    assert.deepEqual(
      seen,
      Array.from({ length: seen.length }, (_, n) => lost + n),
    )
    assert.deepEqual((await ours)[0], { sent: lost, received: 0 })
    assert.deepEqual((await theirs)[0], { sent: 0, received: lost })
  })

  test('a server that forgot the session: idempotent calls run there, the gap is told', async (t) => {
    const gone = once()
    const waits = { name: 'waits', beforeDial: (_: string, again: boolean) => (again ? gone.promise : undefined) }
    const both = { server: { limits: { resumeTimeout: 1 } }, client: { plugins: [waits] } }
    const { server, session, proxy } = await resumable(t, transport, both)
    const begun = once()
    let runs = 0
    server.routeCall('/work', () => {
      runs++
      begun.resolve()
      return new Promise((resolve) => {
        if (runs > 1) resolve(runs)
      })
    })
    const gap = event(session, 'gap') as Promise<[Gap]>
    const [peer] = server.sessions()
    const closed = event(peer, 'close')
    const answer = session.call('/work', null, { idempotent: true })
    await begun.promise
    proxy.deafen()
    await session.push('/n', 1)
    peer.destroy('a test') // the client comes back when it is gone for good
    await closed.catch(() => {})
    gone.resolve()
    assert.equal(await answer, 2)
    const [{ sent }] = await gap
    assert.equal(sent, 1)
    proxy.cut()
  })

  test('a session that nobody resumes closes in time, and too many of them earlier', async (t) => {
    const { server, peer, proxy, session } = await resumable(t, transport, { server: { limits: { resumeTimeout: 20 } } })
    const closed = event(peer, 'close')
    await session.push('/n')
    proxy.mute()
    proxy.deafen()
    const away = event(peer, 'disconnected')
    session.removeAllListeners()
    const gone = event(session, 'close')
    session.destroy()
    proxy.cut()
    await Promise.all([away, gone])
    const waiting = status(peer.call('/echo'))
    await closed
    assert.equal((await waiting)[0], 102)
    assert.equal(server.sessionCount, 0)
  })

  test('no more than limits.maxAway wait', async (t) => {
    const server = endpoint(t, { transport, limits: { maxAway: 2 } })
    server.routeCall('/echo', (value: unknown) => value)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const client = endpoint(t, { transport, redial })
    const peers: Session[] = []
    server.on('session', (session) => peers.push(session))
    const sessions: Session[] = []
    for (let n = 0; n < 3; n++) {
      const session = await client.dial(url)
      await session.call('/echo')
      await named(session)
      sessions.push(session)
    }
    const closed = event(peers[0], 'close')
    for (const [n, session] of sessions.entries()) {
      const away = event(peers[n], 'disconnected')
      session.destroy()
      await away
    }
    await closed
    assert.deepEqual(
      peers.map(({ state }) => state),
      ['closed', 'disconnected', 'disconnected'],
    )
    await server.close()
    assert.equal(server.sessionCount, 0)
  })

  test('a peer that closes gracefully is not waited for', async (t) => {
    const { peer, session } = await resumable(t, transport)
    const closed = event(peer, 'close')
    peer.on('disconnected', () => assert.fail('it is waited for'))
    await session.close()
    await closed
  })

  test('pushes confirmed before a graceful restart leave no gap', async (t) => {
    const { server, session, proxy } = await resumable(t, transport)
    const seen = once()
    server.routePush('/n', () => seen.resolve())
    await session.push('/n')
    await seen.promise
    session.on('gap', (gap) => assert.fail(`gap ${JSON.stringify(gap)}`))
    const redialing = event(session, 'redialing')
    const redialed = event(session, 'redialed')
    await server.close()
    await redialing
    const again = endpoint(t, { transport })
    again.routeCall('/echo', (value: unknown) => value)
    await again.listen(proxy.target)
    await redialed
    assert.equal(await session.call('/echo', 3), 3)
  })

  test('names that are wrong, of another protocol, or no names begin a session of their own', async (t) => {
    const server = endpoint(t, { transport })
    server.routeCall('/echo', (value: unknown) => value)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const tokens = new Set<string>()
    for (const body of ['', '{', 'null', '{}', '{"token":7}', '{"token":"x","received":-1,"from":1e300}', '{"sent":"x"}', '{"sent":-5}']) {
      const peer = await rawPeer(t, url)
      for (const seq of ['1', '2']) {
        const meta = `{"X-Dmicro":"1;hop=${seq}"}`
        peer.send(frame({ seq, type: 1, method: '/dmicro/resume', status: OK, meta, codec: 106, body }))
      }
      const frames = await peer.received(3)
      const replies = frames.filter(({ type }) => type === 2).map((reply) => JSON.parse(reply.body))
      assert.equal(replies.length, 2, body)
      assert.equal(replies[0].token, replies[1].token)
      assert.match(replies[0].token, /^[\w-]{22}$/)
      tokens.add(replies[0].token)
    }
    assert.equal(tokens.size, 8)
  })

  test('keys of idempotent calls that make no sense are ignored', async (t) => {
    const server = endpoint(t, { transport })
    let runs = 0
    server.routeCall('/run', () => ++runs)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const peer = await rawPeer(t, url)
    peer.send(frame({ seq: '1', type: 1, method: '/dmicro/resume', status: OK, meta: '{"X-Dmicro":"1;hop=1"}', codec: 106, body: '{}' }))
    await peer.received(2)
    const keys = ['', '.', '1', '1.1', '1.1', 'x.y.z', '-1.1', 'zzzzzzzzzzz.1', '2.zzzzzzzzzz', '2.1']
    for (const [n, key] of keys.entries())
      peer.send(frame({ seq: String(n), type: 1, method: '/run', status: OK, meta: `{"X-Dmicro-Once":"${key}"}`, codec: 106 }))
    const frames = await peer.received(2 + keys.length)
    assert.deepEqual(
      frames.slice(2).map(({ body }) => Number(body)),
      [1, 2, 3, 4, 4, 5, 6, 7, 8, 8],
    )
  })

  test('with redial.resume false nothing is asked, idempotent calls are made again all the same', async (t) => {
    const server = endpoint(t, { transport })
    const asked: string[] = []
    const begun = once()
    let runs = 0
    server.routeCall('/work', (_: unknown, ctx: CallContext) => {
      asked.push(...Object.keys(ctx.meta))
      begun.resolve()
      return ++runs > 1 ? runs : new Promise(() => {})
    })
    server.routePush('/n', (_: unknown, ctx: PushContext) => asked.push(...Object.keys(ctx.meta)))
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const proxy = await cutter(t, url)
    const session = await endpoint(t, { transport, redial: { ...redial, resume: false } }).dial(proxy.url)
    const answer = session.call('/work', null, { idempotent: true })
    await begun.promise
    proxy.cut()
    assert.equal(await answer, 2)
    assert.deepEqual(asked, [])
  })
})
