import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { StatusError } from '../../src/index.ts'
import { frame } from '../support/frames.ts'
import { endpoint, once, onEachTransport, pair, status } from '../support/helpers.ts'
import { rawPeer } from '../support/raw-peer.ts'

const never = (): Promise<never> => new Promise(() => {})

onEachTransport('closing', (transport) => {
  test('a session whose peer sent more than one turn takes closes as fast as any other', async (t) => {
    const { server, listener } = await pair(t, transport)
    const closed = once()
    let seen = 0
    server.routePush('/n', (_: number, ctx) => {
      // With the 4096th its turn ends: the rest waits unread while we close.
      if (++seen === 4096) setImmediate(() => void ctx.session.close().then(closed.resolve))
    })
    const stranger = await rawPeer(t, listener.url)
    const start = performance.now()
    stranger.send(...Array.from({ length: 10_000 }, () => frame({ type: 3, method: '/n', body: '1' })))
    await closed.promise
    await stranger.closed
    assert.ok(performance.now() - start < 1500, 'it did not linger')
  })

  test('both ends learn of a close, the closing one without an error', async (t) => {
    const { session, peer } = await pair(t, transport)
    const here = once<StatusError | undefined>()
    const there = once<StatusError | undefined>()
    session.on('close', here.resolve)
    peer.on('close', there.resolve)
    await session.close()
    assert.equal(await here.promise, undefined)
    const reason = await there.promise
    assert.ok(reason instanceof StatusError)
    assert.deepEqual([reason.code, reason.cause], [102, 'closed by the peer'])
    assert.ok(!session.isOpen && !peer.isOpen)
  })

  test('close waits for open calls and running handlers', async (t) => {
    const { server, session, peer } = await pair(t, transport, { client: { closeTimeout: 5000 } })
    const gate = once()
    const running = once()
    server.routeCall('/slow', async () => {
      running.resolve()
      await gate.promise
      return 'done'
    })
    const call = session.call('/slow')
    await running.promise
    const closing = session.close()
    assert.equal((await status(session.call('/slow')))[0], 102, 'no new call while closing')
    gate.resolve()
    assert.equal(await call, 'done')
    await closing
    assert.equal(peer.running, 0)
  })

  test('close refuses calls of the peer with 503 and still answers those that run', async (t) => {
    const { server, session, peer } = await pair(t, transport)
    const gate = once()
    const running = once()
    server.routeCall('/slow', async () => {
      running.resolve()
      await gate.promise
      return 'done'
    })
    const call = session.call('/slow')
    await running.promise
    const closing = peer.close({ timeout: 5000 })
    assert.deepEqual(await status(session.call('/slow')), [503, 'Service Unavailable', 'shutting down'])
    gate.resolve()
    assert.equal(await call, 'done')
    await closing
  })

  test('close gives up waiting after its time limit', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/never', never)
    const call = status(session.call('/never'))
    await session.close({ timeout: 20 })
    assert.deepEqual(await call, [102, 'Connection Closed', 'closed by this side'])
  })

  test('a handler may close its own session', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/bye', (_: unknown, ctx) => {
      void ctx.session.close()
      return 'bye'
    })
    const closed = once()
    session.on('close', () => closed.resolve())
    assert.equal(await session.call('/bye'), 'bye')
    await closed.promise
  })

  test('what was sent before close arrives, however much', async (t) => {
    const { server, session } = await pair(t, transport)
    const count = 2000
    let seen = 0
    const all = once()
    server.routePush('/n', (text: string) => {
      seen += text.length
      if (seen === count * 3000) all.resolve()
    })
    for (let i = 0; i < count; i++) void session.push('/n', 'x'.repeat(3000))
    await session.close()
    await all.promise
  })

  test('calls, pushes and closes after the end fail or do nothing', async (t) => {
    const { session } = await pair(t, transport)
    await Promise.all([session.close(), session.close()])
    await session.close()
    session.destroy()
    assert.deepEqual(await status(session.call('/x')), [102, 'Connection Closed', ''])
    assert.equal((await status(session.push('/x')))[0], 102)
    void session.push('/x') // nobody looks: must not become an unhandled rejection
    session.setId('other')
  })

  test('open calls fail with 102 when the peer vanishes', async (t) => {
    const { server, session, peer } = await pair(t, transport)
    const running = once()
    server.routeCall('/never', () => {
      running.resolve()
      return never()
    })
    const calls = Array.from({ length: 100 }, () => status(session.call('/never')))
    await running.promise
    peer.destroy()
    for (const [code] of await Promise.all(calls)) assert.equal(code, 102)
    assert.equal(session.pendingCalls, 0)
  })

  // With busyPoll the native transport reads between the turns of the loop, and may meet the reset there.
  for (const busyPoll of [0, 100])
    test(`a reset by the peer is an ordinary end, busyPoll ${busyPoll}`, async (t) => {
      const { server, listener } = await pair(t, transport, { server: { busyPoll } })
      const stranger = await rawPeer(t, listener.url)
      for (let i = 0; i < 20; i++) stranger.send(frame({ method: '/x' }))
      await stranger.received(20)
      const [, second] = [...server.sessions()]
      const closed = once<StatusError | undefined>()
      second.on('close', closed.resolve)
      stranger.socket.resetAndDestroy()
      assert.match((await closed.promise)?.cause ?? '', /ECONNRESET/)
      assert.equal(server.stats.violations, 0)
    })

  test('endpoint.close stops listening, closes all sessions and is idempotent', async (t) => {
    const { server, client, listener, session } = await pair(t, transport)
    const closed = once()
    session.on('close', () => closed.resolve())
    await Promise.all([server.close(), server.close()])
    await closed.promise
    assert.equal(server.sessionCount, 0)
    assert.equal((await status(client.dial(listener.url)))[0], 105)
    assert.equal((await status(server.dial(listener.url)))[0], 102)
    await assert.rejects(server.listen('tcp://127.0.0.1:0'), StatusError)
  })

  test('closing a listener keeps its sessions', async (t) => {
    const { server, client, listener, session } = await pair(t, transport)
    server.routeCall('/ok', () => 'ok')
    await listener.close()
    assert.equal((await status(client.dial(listener.url)))[0], 105)
    assert.equal(await session.call('/ok'), 'ok')
  })

  test('a close listener that throws neither hides the close nor stops others', async (t) => {
    const { session, server } = await pair(t, transport)
    session.on('close', () => {
      throw new Error('listener')
    })
    await session.close()
    assert.ok(!session.isOpen)
    assert.equal(server.stats.violations, 0)
  })

  test('dialling nothing, a name without address and a bad url fail with one clear error', async (t) => {
    const client = endpoint(t, { transport })
    const free = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => free.once('listening', resolve))
    const { port } = free.address() as { port: number }
    await new Promise((resolve) => free.close(resolve))
    const [code, message, cause] = await status(client.dial(`tcp://127.0.0.1:${port}`))
    assert.deepEqual([code, message], [105, 'Dial Failed'])
    assert.match(cause, /ECONNREFUSED/)
    assert.match((await status(client.dial('unix:///nowhere/at/all')))[2], /ENOENT/)
    for (const url of ['', 'tcp://', 'http://x:1', 'tcp://x:99999', 'quic://', 'sctp://x:1'])
      await assert.rejects(client.dial(url), TypeError, url)
    assert.equal((await status(client.dial(`tcp://127.0.0.1:${port}`, { signal: AbortSignal.abort() })))[0], 499)
  })

  test('a peer that accepts nothing is given up after the dial timeout', async (t) => {
    const client = endpoint(t, { transport })
    // A backlog of one that nobody empties: the next connections hang.
    const full = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 })
    await new Promise((resolve) => full.once('listening', resolve))
    t.after(() => full.close())
    const blackhole = 'tcp://127.0.0.1:1'
    const abort = new AbortController()
    const dial = status(client.dial(blackhole, { signal: abort.signal, timeout: 5000 }))
    abort.abort()
    assert.ok([499, 105].includes((await dial)[0]))
    assert.equal(client.sessionCount, 0)
  })

  test('listening twice on a port fails with EADDRINUSE; a stale socket file does not stop a listener', async (t) => {
    const { server, listener } = await pair(t, transport)
    await assert.rejects(server.listen(listener.url), { code: 'EADDRINUSE' })
    const folder = mkdtempSync(join(tmpdir(), 'dmicro-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 's.sock')
    const stale = createServer().listen(path)
    await new Promise((resolve) => stale.once('listening', resolve))
    await assert.rejects(server.listen(`unix://${path}`), { code: 'EADDRINUSE' }, 'somebody answers there')
    renameSync(path, `${path}.old`)
    await new Promise((resolve) => stale.close(resolve))
    await server.listen(`unix://${path}.old`) // its process is gone
    writeFileSync(path, 'a file, not a socket')
    await assert.rejects(server.listen(`unix://${path}`), { code: 'EADDRINUSE' }, 'a file that is no socket is not ours to remove')
  })
})
