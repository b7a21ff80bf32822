import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { test } from 'node:test'
import { turn } from '../../src/base/time/clock.ts'
import { type Plugin, type Session, StatusError } from '../../src/index.ts'
import { engineOf } from '../../src/session/session.ts'
import { announcing, methods, push } from '../support/drain-frames.ts'
import { frame } from '../support/frames.ts'
import { endpoint, once, onEachTransport } from '../support/helpers.ts'
import { rawPeer } from '../support/raw-peer.ts'

const quick = { minDelay: 1, maxDelay: 10 }

/** Resolves when the session has handled its peer's first word. Its activity changes before, where IO threads read. */
async function firstWordOf(session: Session): Promise<void> {
  while (!engineOf(session).link.hasFirstWord) await turn()
}

onEachTransport('an endpoint that closes', (transport) => {
  test('hears who connected a moment ago, and loses nothing of what he sent', async (t) => {
    const noted = once<unknown>()
    const server = endpoint(t, { transport, closeTimeout: 60_000 })
    server.routeCall('/echo', async (value: unknown) => value)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const accepted = event(server, 'session')
    const peer = await rawPeer(t, url)
    await accepted
    const closed = server.close()
    server.routePush('/note', noted.resolve)
    peer.send(announcing('/echo'), push('/note', '5'))
    const frames = await peer.received(3)
    assert.deepEqual(methods(frames), ['3/dmicro/hello', '3/dmicro/drain', '2503'])
    assert.match(frames[2].meta, /X-Retry-After/)
    assert.equal(await noted.promise, 5)
    peer.send(push('/dmicro/drain'))
    await closed
    await peer.closed
  })

  test('asks a peer that has sent a first word alone to announce itself, and notifies it before it closes', async (t) => {
    const server = endpoint(t, { transport, closeTimeout: 60_000 })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const accepted = event(server, 'session')
    const peer = await rawPeer(t, url)
    const [session] = (await accepted) as [Session]
    peer.send(frame({ seq: '0', type: 2, method: '', status: '', codec: 0, body: '' }))
    await firstWordOf(session)
    const closed = server.close()
    const [hello] = await peer.received(1)
    assert.equal(hello.method, '/dmicro/hello')
    const hop = parseInt(hello.seq, 36)
    assert.equal(JSON.parse(hello.body), `1;hop=${hop.toString(36)}`)
    peer.send(push('/dmicro/hello', hello.body))
    assert.deepEqual(methods(await peer.received(2)), ['3/dmicro/hello', '3/dmicro/drain'])
    peer.send(push('/dmicro/drain'))
    await closed
    await peer.closed
  })

  test('is no surprise to a client that was silent so far: it drains, and its next call is served, by the next server at the latest', async (t) => {
    const server = endpoint(t, { transport, closeTimeout: 60_000 })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const accepted = event(server, 'session')
    server.routeCall('/echo', (value: unknown) => value) // IO threads may accept for a moment yet
    const session = await endpoint(t, { transport, redial: quick }).dial(url)
    const [peer] = (await accepted) as [Session]
    await firstWordOf(peer)
    const first = Promise.race(['draining', 'redialing'].map((name) => event(session, name).then(() => name)))
    const closed = server.close()
    assert.equal(await first, 'draining')
    const call = session.call('/echo', 1)
    await closed
    const next = endpoint(t, { transport })
    next.routeCall('/echo', (value: unknown) => value)
    await next.listen(url)
    assert.equal(await call, 1)
  })

  test('lets hooks about new connections finish, and answers who waited behind them', async (t) => {
    const gate = once()
    const begun = once()
    const plugin: Plugin = {
      name: 'slow',
      afterAccept: () => {
        begun.resolve()
        return gate.promise
      },
    }
    const server = endpoint(t, { transport, plugins: [plugin], closeTimeout: 60_000 })
    server.routeCall('/echo', async (value: unknown) => value)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const session = await endpoint(t, { transport }).dial(url)
    const call = session.call('/echo', 1)
    await begun.promise
    const closed = server.close()
    gate.resolve()
    assert.equal(await call, 1)
    await closed
  })

  test('does not wait for peers that say nothing, nor beyond its time', async (t) => {
    let met = once()
    const greet: Plugin = { name: 'greet', afterAccept: () => met.resolve() }
    const plugin: Plugin = { name: 'never', afterAccept: () => new Promise(() => {}) }
    for (const [options, timeout, least, most] of [
      [{}, 60_000, 0, 1000],
      [{ plugins: [plugin] }, 30, 25, 900],
      [{ extensions: false }, 60_000, 0, 1000],
    ] as const) {
      met = once()
      const more = 'plugins' in options ? options.plugins : []
      const server = endpoint(t, { transport, ...options, plugins: [greet, ...more] })
      const { url } = await server.listen('tcp://127.0.0.1:0')
      const peer = await rawPeer(t, url)
      await met.promise
      const start = performance.now()
      await server.close({ timeout })
      const took = performance.now() - start
      assert.ok(took >= least && took < most, `closing took ${took} ms`)
      await peer.closed
    }
  })

  test('takes who has connected and was not looked at yet', async (t) => {
    const server = endpoint(t, { transport, closeTimeout: 60_000 })
    server.routeCall('/echo', (value: unknown) => value)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const peer = await rawPeer(t, url) // the system took the connection: the server may not have
    peer.send(announcing('/echo'))
    const closed = server.close()
    const frames = await peer.received(3)
    peer.send(push('/dmicro/drain'))
    assert.match(methods(frames).sort().join(' '), /^2(503)? 3\/dmicro\/drain 3\/dmicro\/hello$/)
    await closed
  })

  test('a refused call that finds no room to wait in fails, and nothing else does', async (t) => {
    const server = endpoint(t, { transport, closeTimeout: 60_000 })
    const gate = once()
    const begun = once()
    server.routeCall('/slow', () => {
      begun.resolve()
      return gate.promise
    })
    server.routeCall('/close', (_: unknown, ctx) => void ctx.session.close())
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const client = endpoint(t, { transport, redial: quick, limits: { maxRunning: 1 } })
    const session = await client.dial(url)
    const slow = session.call('/slow')
    await begun.promise
    await session.call('/close')
    const all = await Promise.all(['/slow', '/slow', '/slow'].map((method) => session.call(method, null, { timeout: 100 }).catch((e) => e)))
    assert.deepEqual(
      all.map((error: unknown) => error instanceof StatusError && [102, 408].includes(error.code)),
      [true, true, true],
    )
    gate.resolve()
    await slow
  })
})
