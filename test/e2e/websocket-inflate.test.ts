import assert from 'node:assert/strict'
import { once as eventOnce } from 'node:events'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { constants, deflateRawSync } from 'node:zlib'
import type { Session } from '../../src/index.ts'
import { frame } from '../support/frames.ts'
import { endpoint, type Kind, once, onEachTransport } from '../support/helpers.ts'
import { Stranger } from '../support/hostile.ts'
import { upgradeRequest, webSocketFrame } from '../support/web-socket.ts'

// Messages that are small when they are received and large when they are inflated (permessage-deflate).

const extension = 'Sec-WebSocket-Extensions: permessage-deflate'

function compressed(message: Buffer): Buffer {
  const bytes = deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH })
  return webSocketFrame(0xc2, bytes.subarray(0, -4))
}

const push = (n: number, size: number): Buffer =>
  compressed(frame({ seq: n, type: 3, method: '/tell', body: JSON.stringify([n, 'x'.repeat(size)]) }))

async function serve(t: TestContext, transport: Kind) {
  const server = endpoint(t, { transport })
  const { url } = await server.listen('ws://127.0.0.1:0/rpc', { websocket: { perMessageDeflate: true } })
  const accepted = eventOnce(server, 'session') as Promise<[Session]>
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), noDelay: true })
  t.after(() => socket.destroy())
  const peer = new Stranger(socket)
  peer.send(upgradeRequest('/rpc', [extension]))
  await peer.hears('permessage-deflate')
  await peer.hears('\r\n\r\n')
  return { server, peer, session: (await accepted)[0] }
}

onEachTransport('WebSocket, inflated messages', (transport) => {
  test('of several large messages in one read, one is inflated in each turn, in order, up to the end', { timeout: 30_000 }, async (t) => {
    const { server, peer, session } = await serve(t, transport)
    let turn = 0
    const count = (): void => {
      turn++
      counting = setImmediate(count)
    }
    let counting = setImmediate(count)
    t.after(() => clearImmediate(counting))
    const seen: number[] = []
    const turns: number[] = []
    server.routePush('/tell', ([n, text]: [number, string]) => {
      seen.push(n)
      if (text.length > 1_000_000) turns.push(turn)
    })
    const closed = eventOnce(session, 'close')
    const sizes = [2_000_000, 2_000_000, 10, 2_000_000, 10, 10, 2_000_000, 2_000_000]
    const end = webSocketFrame(0x88, Buffer.from([3, 0xe8]))
    peer.socket.end(Buffer.concat([...sizes.map((size, n) => push(n, size)), end]))
    await closed
    assert.deepEqual(
      seen,
      sizes.map((_, n) => n),
    )
    assert.equal(new Set(turns).size, 5, 'several large messages in one turn')
  })

  test('many small messages of one read are spread too', { timeout: 30_000 }, async (t) => {
    const { server, peer } = await serve(t, transport)
    const done = once()
    const seen: number[] = []
    server.routePush('/tell', ([n]: [number, string]) => {
      if (seen.push(n) === 2000) done.resolve()
    })
    peer.send(Buffer.concat(Array.from({ length: 2000 }, (_, n) => push(n, 1))))
    await done.promise
    assert.deepEqual(
      seen,
      Array.from({ length: 2000 }, (_, n) => n),
    )
  })

  test('a session that closes while messages wait to be inflated hears the answer to its close frame', { timeout: 30_000 }, async (t) => {
    const { server, peer, session } = await serve(t, transport)
    let count = 0
    server.routePush('/tell', () => {
      if (++count === 1) void session.close()
    })
    const closed = eventOnce(session, 'close')
    peer.send(Buffer.concat([0, 1, 2, 3].map((n) => push(n, 2_000_000))))
    await peer.hears('\x88\x02\x03\xe8')
    peer.send(webSocketFrame(0x88, Buffer.from([3, 0xe8])))
    await closed
    await peer.closed
    assert.ok(count < 4)
  })
})
