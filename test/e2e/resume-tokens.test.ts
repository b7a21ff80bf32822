import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { test } from 'node:test'
import type { Filter, Session } from '../../src/index.ts'
import { frame } from '../support/frames.ts'
import { endpoint, once, onEachTransport } from '../support/helpers.ts'
import { rawPeer } from '../support/raw-peer.ts'

// Connections that are lost before the peer has read the token by which it could resume its session.

const OK = '{"code":0,"msg":"","cause":""}'

/** A filter that keeps everything behind a large message waiting. */
const stuck: Filter = {
  id: 0x70,
  name: 'stuck',
  pack: (bytes) => Buffer.from(bytes),
  packAsync: () => new Promise(() => {}),
  unpack: (bytes) => bytes,
}

onEachTransport('sessions whose token was not read', (transport) => {
  for (const [when, greets, expected] of [
    ['goes after limits.resumeTimeout when the token was sent', false, ['disconnected', 'close']],
    ['goes at once when the token was not sent', true, ['close']],
  ] as const) {
    test(`a session whose connection is lost ${when}`, async (t) => {
      const server = endpoint(t, { transport, limits: { resumeTimeout: 20 }, filters: [stuck] })
      const came = once()
      server.routePush('/came', () => came.resolve())
      const { url } = await server.listen('tcp://127.0.0.1:0')
      const accepted = event(server, 'session') as Promise<[Session]>
      const peer = await rawPeer(t, url)
      const [session] = await accepted
      peer.socket.pause()
      const events: string[] = []
      for (const name of ['disconnected', 'close'] as const) session.on(name, () => events.push(name))
      const closed = event(session, 'close')
      if (greets) void session.push('/big', 'x'.repeat(100_000), { filters: ['stuck'] }).catch(() => {})
      const meta = '{"X-Dmicro":"1;hop=7"}'
      peer.send(frame({ seq: '7', type: 1, method: '/dmicro/resume', status: OK, meta, codec: 106, body: '{"sent":0}' }))
      peer.send(frame({ seq: '8', type: 3, method: '/came', status: OK, codec: 106, body: '1' }))
      await came.promise
      peer.socket.destroy()
      await closed
      assert.deepEqual(events, expected)
      assert.equal(server.sessionCount, 0)
    })
  }
})
