// A peer that resumes sessions, in whose place another one is after a loss that knows nothing of all this: Go's DMicro, or ours with `extensions: false`,
// which is the same on the wire.

import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { type TestContext, test } from 'node:test'
import { type Endpoint, type Gap, type Session, StatusError } from '../../src/index.ts'
import { engineOf } from '../../src/session/session.ts'
import { endpoint, type Kind, once, onEachTransport, status } from '../support/helpers.ts'
import { redial, resumable } from '../support/resumable.ts'

interface Stranger {
  readonly server: Endpoint
  readonly url: string
  /** Service methods in the order they came, reserved ones too. */
  readonly came: string[]
  /** Values of pushes to `/n`. */
  readonly pushed: unknown[]
}

async function stranger(t: TestContext, transport: Kind): Promise<Stranger> {
  const server = endpoint(t, { transport, extensions: false })
  const came: string[] = []
  const pushed: unknown[] = []
  server.setUnknownCall((_, ctx) => {
    came.push(ctx.serviceMethod)
    throw new StatusError(404, 'Not Found')
  })
  server.setUnknownPush((_, ctx) => void came.push(ctx.serviceMethod))
  server.routeCall('/echo', (value: unknown, ctx) => {
    came.push(ctx.serviceMethod)
    return value
  })
  server.routePush('/n', (value: unknown, ctx) => {
    came.push(ctx.serviceMethod)
    pushed.push(value)
  })
  const { url } = await server.listen('tcp://127.0.0.1:0')
  return { server, url, came, pushed }
}

const reserved = (methods: string[]): string[] => methods.filter((method) => method.startsWith('/dmicro/'))

onEachTransport('a stranger in place of a peer that resumes', (transport) => {
  test('it is asked once whether it knows the session, and nothing of ours follows; gap tells what may be lost', async (t) => {
    const { server, session, proxy } = await resumable(t, transport, { client: { plugins: [] } })
    const other = await stranger(t, transport)
    const gaps: Gap[] = []
    session.on('gap', (gap) => gaps.push(gap))
    let runs = 0
    const begun = once()
    server.routeCall('/once', () => {
      runs++
      begun.resolve()
      return new Promise(() => {})
    })
    other.server.routeCall('/once', (value: unknown, ctx) => {
      other.came.push(ctx.serviceMethod)
      runs++
      return value
    })
    const plain = status(session.call('/once', 'plain'))
    await begun.promise
    proxy.deafen()
    await session.push('/n', 'unconfirmed')
    const kept = session.call('/once', 'kept', { idempotent: true })
    const redialed = event(session, 'redialed')
    proxy.target = other.url
    session.once('redialing', () => {
      void session.push('/n', 'meanwhile')
      void session.call('/echo', 'meanwhile')
    })
    proxy.cut()
    await redialed
    // One call of either side that is cancelled, one that runs out of time, and pushes that would be acknowledged.
    assert.equal((await plain)[0], 102)
    assert.equal(await kept, 'kept', 'an idempotent call is made again')
    other.server.routeCall('/hang', () => new Promise(() => {}))
    const abort = new AbortController()
    const canceled = status(session.call('/hang', null, { signal: abort.signal }))
    abort.abort()
    assert.equal((await canceled)[0], 499)
    assert.equal((await status(session.call('/hang', null, { timeout: 20 })))[0], 408)
    const [theirs] = [...other.server.sessions()]
    for (let n = 0; n < 200; n++) {
      void session.push('/n', n)
      void theirs.push('/note', n)
    }
    assert.equal(await session.call('/echo', 1, { idempotent: true }), 1)
    assert.deepEqual(other.pushed, ['meanwhile', ...Array(200).keys()])
    assert.deepEqual(gaps, [{ sent: 1, received: undefined }])
    const redialedAgain = event(session, 'redialed')
    const again = session.call('/hang', null, { idempotent: true, timeout: 0 })
    again.catch(() => {})
    proxy.cut()
    await redialedAgain
    assert.equal(await session.call('/echo', 2), 2)
    assert.deepEqual(gaps, [{ sent: 1, received: undefined }], 'nothing is kept for a stranger, so nothing is missed')
    assert.deepEqual(reserved(other.came), ['/dmicro/resume'], 'the question, on the first connection only')
    assert.equal(other.came[0], '/dmicro/resume')
    const closed = event([...other.server.sessions()][0], 'close')
    await session.close({ timeout: 50 })
    await closed
    assert.deepEqual(reserved(other.came), ['/dmicro/resume'], 'no notice, no acknowledgment')
    assert.equal(runs, 2)
  })

  test('when a peer that resumes is there again, a new session begins that goes on after losses', async (t) => {
    const { server, session, peer, proxy } = await resumable(t, transport)
    const other = await stranger(t, transport)
    const old = proxy.target
    let redialed = event(session, 'redialed')
    proxy.target = other.url
    proxy.cut()
    await redialed
    assert.equal(await session.call('/echo', 'stranger'), 'stranger')
    redialed = event(session, 'redialed')
    const accepted = event(server, 'session') as Promise<[Session]>
    proxy.target = old
    proxy.cut()
    await redialed
    const [fresh] = await accepted
    assert.equal(peer.state, 'disconnected', 'the old one is nobody’s: its limit ends it')
    for (let n = 0; n < 3; n++) await session.call('/echo', n)
    const got: unknown[] = []
    const last = once()
    server.routePush('/n', (n: number) => {
      got.push(n)
      if (n === 2) last.resolve()
    })
    const gaps: Gap[] = []
    session.on('gap', (gap) => gaps.push(gap))
    proxy.deafen()
    for (let n = 0; n < 3; n++) void session.push('/n', n)
    const back = event(fresh, 'resumed')
    proxy.cut()
    await back
    await last.promise
    assert.deepEqual(got, [0, 1, 2])
    assert.deepEqual(gaps, [])
  })

  test('a stranger that comes while a session is away has its own, and what waits is not for it', async (t) => {
    const { server, peer, session, proxy } = await resumable(t, transport, { server: { limits: { resumeTimeout: 200 } } })
    const away = event(peer, 'disconnected')
    const closed = event(peer, 'close')
    session.destroy() // without notice, so that it is waited for, and does not come back
    await away
    const waiting = status(peer.call('/whoami', null, { idempotent: true }))
    void peer.push('/n', 'for the peer')
    const client = endpoint(t, { transport, extensions: false, redial })
    const came: string[] = []
    client.setUnknownCall((_, ctx) => void came.push(ctx.serviceMethod))
    client.setUnknownPush((_, ctx) => void came.push(ctx.serviceMethod))
    const accepted = event(server, 'session') as Promise<[Session]>
    const theirs = await client.dial(proxy.target)
    const [own] = await accepted
    assert.notEqual(own, peer)
    assert.equal((await status(theirs.call('/dmicro/resume', { token: engineOf(peer).token, received: 0, from: 1, settled: 1 })))[0], 404)
    assert.equal(peer.state, 'disconnected')
    for (let n = 0; n < 200; n++) void theirs.push('/none', n)
    assert.equal(await theirs.call('/echo', 1), 1)
    const lost = event(own, 'close') // it cannot come back, so that nothing waits for it
    const redialed = event(theirs, 'redialed')
    own.destroy('a test')
    await Promise.all([lost, redialed])
    assert.equal(await theirs.call('/echo', 2), 2)
    await closed
    assert.equal((await waiting)[0], 102)
    assert.deepEqual(came, [])
  })
})
