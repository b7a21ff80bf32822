import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { it } from 'node:test'
import { type Endpoint, heartbeatPing, heartbeatPong, type ReadContext, rpcName, type Session } from '../../src/index.ts'
import { frame } from '../support/frames.ts'
import { endpoint, once, onEachTransport, pair, recorder, status } from '../support/helpers.ts'
import { rawPeer } from '../support/raw-peer.ts'

const OK = ''

/** Has so many bytes read, then no more. */
function taken(socket: Socket, bytes: number): Promise<void> {
  let left = bytes
  return new Promise((resolve) => {
    const onData = (chunk: Buffer): void => {
      left -= chunk.length
      if (left > 0) return
      socket.off('data', onData)
      socket.pause()
      resolve()
    }
    socket.on('data', onData)
    socket.resume()
  })
}

/** Resolves to what listeners of `close` are told. */
function closing(session: Session): Promise<unknown> {
  return new Promise((resolve) => session.once('close', resolve))
}

function accepted(server: Endpoint): Promise<Session> {
  return new Promise((resolve) => server.once('session', resolve))
}

/** Keeps the loop busy. */
function stall(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

onEachTransport('heartbeats', (transport) => {
  for (const call of [true, false]) {
    it(`a ping sends Go's ${call ? 'CALL' : 'PUSH'}, whatever the mapper, and again`, async (t) => {
      const server = endpoint(t, { transport, extensions: false, mapper: rpcName, plugins: [heartbeatPing({ interval: 40, call })] })
      const { url } = await server.listen('tcp://127.0.0.1:0')
      const peer = await rawPeer(t, url)
      for (let count = 1; count <= 3; count++) {
        const beat = (await peer.received(count))[count - 1]
        const { type, method, meta, body } = beat
        assert.deepEqual([type, method, meta, body], [call ? 1 : 3, '/heartbeat', '{"hb_":"3"}', ''])
        if (call) peer.send(frame({ seq: beat.seq, type: 2, status: OK }))
      }
    })
  }

  it('the wire has whole seconds, rounded up; options change live', async (t) => {
    const ping = heartbeatPing({ interval: 40 })
    const seen: string[] = []
    let more = once()
    const note = ({ meta }: ReadContext): void => {
      seen.push(meta.hb_ ?? '')
      more.resolve()
    }
    const server = { plugins: [heartbeatPong(), { name: 'note', afterReadCallHeader: note, afterReadPushHeader: note }] }
    await pair(t, transport, { server, client: { plugins: [ping] } })
    await more.promise
    ping.setOptions({ interval: 4001, call: false })
    ping.setOptions({ interval: 30, call: false })
    more = once()
    await more.promise
    assert.deepEqual([seen[0], seen.at(-1)], ['3', '3'])
    assert.throws(() => heartbeatPing({ interval: 0 }), RangeError)
    assert.throws(() => heartbeatPing(null as never), TypeError)
    assert.throws(() => heartbeatPing({ call: 1 } as never), TypeError)
    assert.equal(heartbeatPing().name, 'heart-ping', '30 s by default')
    assert.throws(() => heartbeatPong({ maxSilence: -1 }), RangeError)
  })

  it('a peer that accepts and says nothing loses its session, and open calls fail with 102', async (t) => {
    const log = recorder()
    const server = endpoint(t, { transport, log, timeout: 0, plugins: [heartbeatPing({ interval: 60 })] })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const session = accepted(server)
    const peer = await rawPeer(t, url)
    const start = performance.now()
    const pending = status((await session).call('/never'))
    const [code, , cause] = await pending
    assert.equal(code, 102)
    assert.match(cause, /silent for two heartbeats of 60 ms/)
    assert.ok(performance.now() - start >= 80, 'not before two intervals, less two looks')
    await peer.closed
    assert.ok(log.lines.some(({ fields }) => /silent/.test(String(fields.reason))))
  })

  it('a peer that stops answering after a while is noticed', async (t) => {
    const server = endpoint(t, { transport, plugins: [heartbeatPing({ interval: 50 })] })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const peer = await rawPeer(t, url)
    for (let count = 1; count <= 3; count++) {
      const beat = (await peer.received(count))[count - 1]
      peer.send(frame({ seq: beat.seq, type: 2, status: OK }))
    }
    await peer.closed
    assert.ok(peer.frames.length >= 4)
  })

  it('an answer of 404 is an answer', async (t) => {
    const { session, peer } = await pair(t, transport, { client: { plugins: [heartbeatPing({ interval: 20 })] } })
    let ended = false
    session.once('close', () => {
      ended = true
    })
    while (session.lastSeq < 6) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(ended, false)
    assert.ok(peer.isOpen)
  })

  it('a loop that stood still kills nobody', async (t) => {
    const plugins = [heartbeatPing({ interval: 60 }), heartbeatPong({ maxSilence: 120 })]
    const { session, peer } = await pair(t, transport, { server: { plugins }, client: { plugins: [...plugins] } })
    while (session.lastSeq < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    for (let i = 0; i < 3; i++) {
      stall(400)
      const seq = session.lastSeq
      while (session.lastSeq < seq + 2 && session.isOpen) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    assert.ok(session.isOpen && peer.isOpen)
  })

  it('the bytes of a message that takes its time are life, and when they stop it is over', async (t) => {
    const interval = 80
    const server = endpoint(t, { transport, plugins: [heartbeatPing({ interval }), heartbeatPong({ maxSilence: 2 * interval })] })
    const pushed = once<string>()
    server.routePush('/large', (text: string) => pushed.resolve(text))
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const first = accepted(server)
    const peer = await rawPeer(t, url)
    const session = await first
    peer.send(frame({ method: '/heartbeat', type: 3, meta: '{"hb_":"3"}' }))
    const bytes = frame({ type: 3, method: '/large', body: JSON.stringify('x'.repeat(1000)) })
    const piece = Math.ceil(bytes.length / 40)
    for (let at = 0; at < bytes.length; at += piece) {
      assert.ok(session.isOpen, `closed at byte ${at}`)
      peer.send(bytes.subarray(at, at + piece))
      await new Promise((resolve) => setTimeout(resolve, interval / 4))
    }
    assert.equal((await pushed.promise).length, 1000)
    const closed = closing(session)
    peer.send(bytes.subarray(0, 100))
    assert.match(((await closed) as { cause: string }).cause, /silent/)
  })

  it('a peer that takes what waits for it lives, though it says nothing', async (t) => {
    const interval = 200
    const server = endpoint(t, {
      transport,
      limits: { writeTimeout: 20 * interval, frameTimeout: 40 },
      plugins: [heartbeatPing({ interval })],
    })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const first = accepted(server)
    const peer = await rawPeer(t, url)
    const session = await first
    const end = performance.now() + 10 * interval
    peer.socket.pause()
    while (performance.now() < end) {
      assert.ok(session.isOpen, 'closed though its peer reads')
      // Always more than the system's buffers take.
      for (let i = 0; i < 12; i++) void session.push('/much', Buffer.alloc(1 << 20), { codec: 'plain' })
      await new Promise((resolve) => setTimeout(resolve, interval / 5))
      await taken(peer.socket, 1 << 20)
    }
    const closed = closing(session)
    assert.match(((await closed) as { cause: string }).cause, /silent/)
  })

  it('a session that is not read is not blamed for it', async (t) => {
    const interval = 50
    const gate = once()
    const running = once()
    const slow = {
      name: 'slow',
      afterReadCallHeader: ({ serviceMethod }: ReadContext) => {
        if (serviceMethod !== '/slow') return undefined
        running.resolve()
        return gate.promise
      },
    }
    const server = { plugins: [heartbeatPing({ interval }), slow] }
    const both = await pair(t, transport, { server, client: { timeout: 0 } })
    both.server.routeCall('/slow', () => 'done')
    const call = both.session.call('/slow')
    await running.promise
    const seq = both.peer.lastSeq
    // Heartbeats go out all the while, and their answers lie unread.
    while (both.peer.isOpen && both.peer.lastSeq < seq + 5) await new Promise((resolve) => setTimeout(resolve, 5))
    gate.resolve()
    assert.equal(await call, 'done')
  })

  it('a pong closes who named a rate and then is silent, and only that', async (t) => {
    const server = endpoint(t, { transport, plugins: [heartbeatPong({ maxSilence: 80 })] })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const first = accepted(server)
    const quiet = await rawPeer(t, url)
    await first
    const session = accepted(server)
    const peer = await rawPeer(t, url)
    peer.send(frame({ method: '/heartbeat', meta: '{"hb_":"3"}' }))
    const [{ type, status: answer, body }] = await peer.received(1)
    assert.deepEqual([type, answer.code, body], [2, 0, ''])
    assert.match(String(await closing(await session)), /Connection Closed|closed/i)
    await peer.closed
    assert.equal(server.sessionCount, 1)
    quiet.send(frame({ method: '/heartbeat' }))
    assert.equal((await quiet.received(1))[0].status.code, 0)
  })

  it('one second is two', async (t) => {
    const server = endpoint(t, { transport, plugins: [heartbeatPong()] })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const peer = await rawPeer(t, url)
    peer.send(frame({ method: '/heartbeat', type: 3, meta: '{"hb_":1}' }))
    const start = performance.now()
    await peer.closed
    const took = performance.now() - start
    assert.ok(took >= 1900 && took < 5000, `${took}`)
  })

  it('traffic in either direction keeps a session alive', async (t) => {
    const { server, session, peer } = await pair(t, transport, { server: { plugins: [heartbeatPong({ maxSilence: 60 })] } })
    server.routeCall('/echo', (value: unknown) => value)
    await session.call('/heartbeat', undefined, { meta: { hb_: '3' } })
    const end = performance.now() + 200
    while (performance.now() < end) {
      await session.call('/echo', 1)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    while (performance.now() < end + 200) {
      await peer.push('/none')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    assert.ok(session.isOpen)
    await closing(session)
  })

  it('garbage rates are answered 400 before a good one, and nothing after', async (t) => {
    const { session } = await pair(t, transport, { server: { plugins: [heartbeatPong()] } })
    const beat = (rate: string): Promise<unknown> => session.call('/heartbeat', undefined, { meta: { hb_: rate } })
    const bad = ['x', '-1', '1.5', ' 3', '3s', '1e3', '9'.repeat(400), '9223372036854775808', '０', '+', '\u0000']
    for (const rate of bad) assert.deepEqual(await status(beat(rate)), [400, 'invalid heartbeat rate', rate])
    await beat('0')
    await beat('')
    await session.call('/heartbeat')
    assert.equal((await status(beat('x')))[0], 400)
    await beat('9223372036854775807')
    for (const rate of bad) await beat(rate)
  })

  for (const protocol of ['json', 'protobuf', 'http', 'jsonrpc']) {
    it(`goes through ${protocol}`, async (t) => {
      const rates: unknown[] = []
      const enough = once()
      const note = ({ serviceMethod, meta }: ReadContext): void => {
        if (rates.push([serviceMethod, meta.hb_]) === 4) enough.resolve()
      }
      const server = { protocol, plugins: [heartbeatPong({ maxSilence: 200 }), { name: 'note', afterReadCallHeader: note }] }
      const { session } = await pair(t, transport, { server, client: { protocol, plugins: [heartbeatPing({ interval: 30 })] } })
      await enough.promise
      assert.deepEqual(rates, Array(4).fill(['/heartbeat', '3']))
      assert.ok(session.isOpen)
    })
  }

  it('stops with its endpoint', async (t) => {
    const ping = heartbeatPing({ interval: 4 })
    const { client, session, server } = await pair(t, transport, { client: { plugins: [ping], extensions: false } })
    const gate = once()
    const running = once()
    server.routeCall('/wait', () => {
      running.resolve()
      return gate.promise
    })
    const call = session.call('/wait')
    await running.promise
    const closed = client.close({ timeout: 1000 })
    const seq = session.lastSeq
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(session.lastSeq, seq)
    gate.resolve()
    await call
    await closed
  })
})
