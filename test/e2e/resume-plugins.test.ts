// Sessions that go on after a loss, together with what else looks at their messages: encryption, and authentication.

import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { describe, type TestContext, test } from 'node:test'
import {
  type AesGcm,
  type AesGcmOptions,
  aesGcm,
  authBearer,
  authChecker,
  type EndpointOptions,
  type Gap,
  type Plugin,
  type Session,
  StatusError,
  secureBody,
} from '../../src/index.ts'
import { engineOf } from '../../src/session/session.ts'
import { cutter } from '../support/cutter.ts'
import { frame } from '../support/frames.ts'
import { endpoint, type Kind, once, onEachTransport, recorder, status } from '../support/helpers.ts'
import { rawPeer } from '../support/raw-peer.ts'
import { named, redial, resumable } from '../support/resumable.ts'

type Made = Awaited<ReturnType<typeof resumable>>

const keys: AesGcmOptions = { keys: { 1: new Uint8Array(32).fill(7) }, current: 1 }
const ASKS = 1
const REPLIES = 2
const TELLS = 3
const LOGS_IN = 4

interface Sides {
  server?: EndpointOptions
  client?: EndpointOptions
}

/** As `resumable`, where all that either side sends goes through `filters`. */
async function filtered(t: TestContext, transport: Kind, options: Sides, filters: readonly string[]) {
  const server = endpoint(t, { transport, ...options.server })
  server.routeCall('/echo', (value: unknown) => value)
  const { url } = await server.listen('tcp://127.0.0.1:0')
  const proxy = await cutter(t, url)
  const accepted = event(server, 'session') as Promise<[Session]>
  const client = endpoint(t, { transport, redial, ...options.client })
  const session = await client.dial(proxy.url)
  const [peer] = await accepted
  for (let n = 0; n < 3; n++) await session.call('/echo', n, { filters })
  return { server, client, session, peer, proxy, filters }
}

/** What must come of a loss with calls and pushes of both sides under way, whatever else is done to messages. */
async function survives(made: Made & { filters?: readonly string[] }): Promise<void> {
  const { server, client, session, peer, proxy, filters = [] } = made
  const got: Record<'server' | 'client', number[]> = { server: [], client: [] }
  const last = { server: once(), client: once() }
  const gaps: Gap[] = []
  let losses = 0
  let runs = 0
  for (const each of [session, peer]) each.on('gap', (gap) => gaps.push(gap))
  session.on('redialing', () => losses++)
  for (const [name, side] of [
    ['server', server],
    ['client', client],
  ] as const)
    side.routePush('/n', (n: number) => {
      got[name].push(n)
      if (n === 29) last[name].resolve()
    })
  const push = (from: number): void => {
    for (let n = from; n < from + 10; n++) for (const each of [session, peer]) void each.push('/n', n, { filters })
  }
  const begun = once()
  const gate = once()
  server.routeCall('/kept', async (value: unknown) => {
    runs++
    begun.resolve()
    await gate.promise
    return value
  })
  const ran = once()
  server.routeCall('/lost', () => {
    ran.resolve()
    return ++runs
  })
  const kept = session.call('/kept', 'kept', { idempotent: true, filters })
  await begun.promise
  push(0)
  proxy.mute() // this reply will not come
  const lost = session.call('/lost', null, { idempotent: true, filters })
  await ran.promise
  const away = event(peer, 'disconnected')
  const back = Promise.all([event(peer, 'resumed'), event(session, 'redialed')])
  push(10)
  proxy.cut()
  await away
  push(20)
  await back
  gate.resolve()
  assert.equal(await kept, 'kept')
  assert.equal(await lost, 2)
  await Promise.all([last.server.promise, last.client.promise])
  const all = Array.from({ length: 30 }, (_, n) => n)
  assert.deepEqual(got, { server: all, client: all })
  assert.deepEqual(gaps, [])
  assert.equal(runs, 2)
  assert.equal(losses, 1)
}

onEachTransport('resumed sessions with', (transport) => {
  describe('encryption', () => {
    for (const who of ['both', 'server', 'client']) {
      test(`aes-gcm, required by ${who}: they go on, and so does the requirement`, async (t) => {
        const log = recorder()
        const options = (side: string): EndpointOptions => ({
          log,
          filters: [aesGcm(keys)],
          requireFilters: who === 'both' || who === side ? ['aes-gcm'] : [],
        })
        const made = await filtered(t, transport, { server: options('server'), client: options('client') }, ['aes-gcm'])
        await survives(made)
        assert.deepEqual(log.lines, [])
        if (who === 'client') return
        const lost = event(made.session, 'redialing')
        await made.session.push('/n', 'in the open') // on the connection it was resumed on
        await lost
        assert.match(JSON.stringify(log.lines), /filter/)
      })
    }

    test('the plugin that seals bodies: they go on, and bodies that come again open', async (t) => {
      const both = (): EndpointOptions => ({ plugins: [secureBody({ ...keys, require: true })] })
      await survives(await resumable(t, transport, { server: both(), client: both() }))
    })

    test('a key that changes while the peer is away: what was kept is sealed as it was, or anew by a filter', async (t) => {
      // The plugin's work is done when a push is kept, the filter's when it is sent.
      const filter = (): AesGcm => aesGcm({ keys: { 1: keys.keys[1], 2: new Uint8Array(32).fill(9) }, current: 1 })
      const [ours, theirs] = [filter(), filter()]
      const made = await filtered(
        t,
        transport,
        { server: { filters: [theirs], requireFilters: ['aes-gcm'] }, client: { filters: [ours] } },
        ['aes-gcm'],
      )
      const { server, session, peer, proxy } = made
      const got: unknown[] = []
      const all = once()
      server.routePush('/n', (value: number) => got.push(value) === 3 && all.resolve())
      proxy.deafen()
      for (let n = 0; n < 3; n++) void session.push('/n', n, { filters: ['aes-gcm'] })
      const only2 = { keys: { 2: new Uint8Array(32).fill(9) }, current: 2 }
      session.once('redialing', () => {
        for (const each of [ours, theirs]) each.setKeys(only2)
      })
      const back = event(peer, 'resumed')
      proxy.cut()
      await back
      await all.promise
      assert.deepEqual(got, [0, 1, 2])
    })
  })

  describe('authentication', () => {
    /** Lets in who names itself and is known; tells who came. */
    const checker = (came: string[], known = ['ada', 'bob']): Plugin =>
      authChecker(
        async (session, receiveOnce) => {
          const who = String(await receiveOnce())
          came.push(who)
          if (!known.includes(who)) throw new StatusError(403, 'auth fail')
          session.data.set('who', who)
          return 'pass'
        },
        { codec: 'plain' },
      )
    const bearer = (who: () => string): Plugin => authBearer((_, sendOnce) => sendOnce(who()), { codec: 'plain' })

    test('they go on once the new connection said who it is', async (t) => {
      const came: string[] = []
      const made = await resumable(t, transport, { server: { plugins: [checker(came)] }, client: { plugins: [bearer(() => 'ada')] } })
      await survives(made)
      assert.deepEqual(came, ['ada', 'ada'])
      assert.equal(made.peer.data.get('who'), 'ada')
    })

    test('a new connection that is not let in takes nothing over: the session waits for one that is', async (t) => {
      const came: string[] = []
      const who = ['ada', 'mallory', 'mallory', 'ada']
      const { server, session, peer, proxy } = await resumable(t, transport, {
        server: { plugins: [checker(came)] },
        client: { plugins: [bearer(() => who.shift() ?? 'ada')] },
      })
      let runs = 0
      const begun = once()
      const gate = once()
      server.routeCall('/work', async () => {
        runs++
        begun.resolve()
        await gate.promise
        return 'done'
      })
      const answer = session.call('/work', null, { idempotent: true })
      await begun.promise
      const states: string[] = []
      server.on('session', () => states.push(peer.state))
      const back = event(peer, 'resumed')
      proxy.cut()
      await back
      gate.resolve()
      assert.equal(await answer, 'done')
      assert.deepEqual(came, ['ada', 'mallory', 'mallory', 'ada'])
      assert.deepEqual([runs, states], [1, ['disconnected']]) // who is refused is never announced
    })

    test('who knows the name of a session but is nobody gets nothing, however it is sent', async (t) => {
      const came: string[] = []
      const { session, peer, proxy } = await resumable(t, transport, {
        server: { plugins: [checker(came)], limits: { frameTimeout: 500 } },
        client: { plugins: [bearer(() => 'ada')] },
      })
      const token = engineOf(peer).token as string
      assert.equal(token.length, 22)
      const ask = (seq: number): Buffer =>
        frame({
          type: ASKS,
          seq,
          method: '/dmicro/resume',
          meta: JSON.stringify({ 'X-Dmicro': `1;hop=${seq.toString(36)}` }),
          body: JSON.stringify({ token, received: 0, from: 1, settled: 1 }),
        })
      const logsIn = (who: string): Buffer => frame({ type: LOGS_IN, seq: 1, meta: '', status: '', codec: 115, body: who })
      const changes: string[] = []
      for (const name of ['disconnected', 'resumed', 'close'] as const) peer.on(name, () => changes.push(name))
      for (const parts of [
        [ask(1)], // in place of authentication
        [ask(1), logsIn('ada')], // before it
        [logsIn('mallory'), ask(2)], // after it failed
        [Buffer.concat([logsIn('mallory'), ask(2)])],
        [frame({ type: TELLS, seq: 1, method: '/dmicro/hello', body: '"1;hop=1"' }), ask(2)],
      ]) {
        const stranger = await rawPeer(t, proxy.target)
        stranger.send(...parts)
        await stranger.closed
        assert.ok(!stranger.frames.some(({ body }) => body.includes('token')), 'nothing of the session is told')
        assert.ok(!stranger.frames.some(({ type, status }) => type === REPLIES && status.code === 0), 'nothing is granted')
      }
      assert.deepEqual(changes, [])
      assert.equal(peer.state, 'open')
      assert.equal(await session.call('/echo', 1), 1)
    })

    test('who is somebody else comes back to a session of its own', async (t) => {
      const came: string[] = []
      const { server, session, peer, proxy } = await resumable(t, transport, {
        server: { plugins: [checker(came)] },
        client: { plugins: [bearer(() => 'ada')] },
      })
      const bob = endpoint(t, { transport, redial, plugins: [bearer(() => 'bob')] })
      const accepted = event(server, 'session') as Promise<[Session]>
      const other = await bob.dial(proxy.url)
      const [otherPeer] = await accepted
      await named(other)
      assert.notEqual(engineOf(otherPeer).token, engineOf(peer).token)
      server.routeCall('/who', (_: unknown, ctx) => ctx.session.data.get('who'))
      const back = Promise.all([event(peer, 'resumed'), event(otherPeer, 'resumed')])
      proxy.cut() // both lose their connection, each comes back to its own
      await back
      assert.deepEqual(await Promise.all([session.call('/who'), other.call('/who')]), ['ada', 'bob'])
      assert.deepEqual(came.toSorted(), ['ada', 'ada', 'bob', 'bob'])
    })

    test('nothing waits for ever for a peer that does not authenticate any more', async (t) => {
      const came: string[] = []
      const who = ['ada']
      const { peer, session, proxy } = await resumable(t, transport, {
        server: { plugins: [checker(came)], limits: { resumeTimeout: 100 } },
        client: { plugins: [bearer(() => who.shift() ?? 'mallory')], redial: { minDelay: 1, maxDelay: 10, times: 5 } },
      })
      const closed = Promise.all([event(peer, 'close'), event(session, 'close')])
      const redialing = event(session, 'redialing')
      proxy.cut()
      await redialing
      const waiting = status(session.call('/echo', 2, { idempotent: true }))
      await closed
      assert.equal((await waiting)[0], 102)
      assert.equal(peer.state, 'closed')
    })
  })
})
