import assert from 'node:assert/strict'
import { once as eventOnce } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { WebSocket, WebSocketServer } from 'ws'
import type { Session } from '../../src/index.ts'
import { frame, parse } from '../support/frames.ts'
import { endpoint, onEachTransport } from '../support/helpers.ts'

// Another implementation of WebSocket, ws, at the other end; and permessage-deflate, which it speaks too.

const call = (body: string): Buffer => frame({ seq: 'a', method: '/echo', body: JSON.stringify(body) })

async function connected(url: string, options = {}): Promise<WebSocket> {
  const socket = new WebSocket(url, options)
  socket.binaryType = 'nodebuffer'
  await eventOnce(socket, 'open')
  return socket
}

async function next(socket: WebSocket): Promise<Buffer> {
  const [data] = (await eventOnce(socket, 'message')) as [Buffer]
  return data
}

async function serverOfWs(t: TestContext, options = {}): Promise<{ url: string; server: WebSocketServer }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options })
  await eventOnce(server, 'listening')
  t.after(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  return { server, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/any/path` }
}

onEachTransport('WebSocket and ws', (transport) => {
  test('a client of ws calls: each message is one frame, and pings, fragments and codes are understood', { timeout: 20_000 }, async (t) => {
    const server = endpoint(t, { transport })
    server.routeCall('/echo', (value: unknown) => value)
    const { url } = await server.listen('ws://127.0.0.1:0/rpc')
    const accepted = eventOnce(server, 'session') as Promise<[Session]>
    const socket = await connected(url, { perMessageDeflate: false })
    const [session] = await accepted
    for (const size of [1, 100, 126, 65_535, 65_536, 1_000_000]) {
      socket.send(call('x'.repeat(size)))
      const { frames, rest } = parse(await next(socket))
      assert.equal(frames.length, 1)
      assert.equal(rest.length, 0)
      assert.equal(frames[0].body.length, size + 2)
    }
    socket.send(call('part').subarray(0, 9), { fin: false })
    socket.ping('are you there')
    const [pong] = await eventOnce(socket, 'pong')
    assert.equal(String(pong), 'are you there')
    socket.send(call('part').subarray(9), { fin: true })
    assert.equal(parse(await next(socket)).frames[0].body.toString(), '"part"')
    const closed = eventOnce(socket, 'close')
    await session.close()
    assert.equal((await closed)[0], 1000)
  })

  test('the code that a peer closes with is in the cause of what it did not answer', { timeout: 20_000 }, async (t) => {
    const { url, server } = await serverOfWs(t)
    server.on('connection', (socket) => socket.on('message', () => socket.close(1012, 'restarting')))
    const session = await endpoint(t, { transport }).dial(url)
    await assert.rejects(session.call('/a'), { code: 102, cause: 'closed by the peer: WebSocket close 1012' })
  })

  test('a server of ws is called, and closed with 1000', { timeout: 20_000 }, async (t) => {
    const { url, server } = await serverOfWs(t)
    const codes: Promise<unknown[]>[] = []
    server.on('connection', (socket) => {
      codes.push(eventOnce(socket, 'close'))
      socket.on('message', (data: Buffer) => {
        const [{ seq, body }] = parse(data).frames
        socket.send(frame({ seq, type: 2, body: body.toString() }))
      })
    })
    const session = await endpoint(t, { transport }).dial(url, { websocket: { subprotocol: '' } })
    for (const size of [0, 200, 70_000, 500_000]) assert.equal(await session.call('/echo', 'y'.repeat(size)), 'y'.repeat(size))
    await session.close()
    assert.equal((await codes[0])[0], 1000)
  })

  test('a server that never answers the close frame costs two seconds at most', { timeout: 20_000 }, async (t) => {
    const { url, server } = await serverOfWs(t)
    server.on('connection', (socket) => socket.pause())
    const session = await endpoint(t, { transport, closeTimeout: 50 }).dial(url)
    const before = performance.now()
    const closed = eventOnce(session, 'close')
    void session.close()
    await closed
    assert.ok(performance.now() - before < 5000)
  })
})

onEachTransport('permessage-deflate', (transport) => {
  const websocket = { perMessageDeflate: true }

  test('ours compress for each other and for ws, whole and in fragments', { timeout: 30_000 }, async (t) => {
    const server = endpoint(t, { transport })
    server.routeCall('/echo', (value: unknown) => value)
    const { url } = await server.listen('ws://127.0.0.1:0/rpc', { websocket })
    const session = await endpoint(t, { transport }).dial(url, { websocket })
    for (const size of [0, 10, 5000, 200_000]) assert.equal(await session.call('/echo', 'é'.repeat(size)), 'é'.repeat(size))
    const json = await endpoint(t, { transport }).dial((await server.listen('ws://127.0.0.1:0/', { websocket, protocols: ['json'] })).url, {
      protocol: 'json',
      websocket,
    })
    assert.equal(await json.call('/echo', 'z'.repeat(50_000)), 'z'.repeat(50_000))
    const socket = await connected(url, { perMessageDeflate: { threshold: 0 } })
    assert.equal(socket.extensions, 'permessage-deflate')
    // Autobahn 12.* and 13.*: sizes, text and bytes.
    for (const size of [0, 16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072]) {
      socket.send(call('ab'.repeat(size / 2)))
      assert.equal(parse(await next(socket)).frames[0].body.length, size + 2)
    }
    socket.send(call('two parts').subarray(0, 20), { fin: false })
    socket.send(call('two parts').subarray(20), { fin: true })
    assert.equal(parse(await next(socket)).frames[0].body.toString(), '"two parts"')
    const other = await serverOfWs(t, { perMessageDeflate: true })
    other.server.on('connection', (peer) =>
      peer.on('message', (data: Buffer) => {
        const [{ seq, body }] = parse(data).frames
        peer.send(frame({ seq, type: 2, body: body.toString() }))
      }),
    )
    const dialled = await endpoint(t, { transport }).dial(other.url, { websocket: { ...websocket, subprotocol: '' } })
    assert.equal(await dialled.call('/echo', 'w'.repeat(90_000)), 'w'.repeat(90_000))
    socket.terminate()
  })

  test('a bomb is refused at the limit, and what cannot be inflated too', { timeout: 20_000 }, async (t) => {
    const server = endpoint(t, { transport, limits: { maxMessage: 100_000 } })
    server.routeCall('/echo', (value: unknown) => value)
    const { url } = await server.listen('ws://127.0.0.1:0/rpc', { websocket })
    const session = await endpoint(t, { transport }).dial(url)
    const bomb = deflateRawSync(Buffer.alloc(200_000_000), { level: 9 })
    assert.ok(bomb.length > 100_000 && inflateRawSync(deflateRawSync(Buffer.alloc(10))).length === 10)
    for (const [what, payload, code] of [
      ['a bomb', deflateRawSync(Buffer.alloc(50_000_000), { level: 9 }), 1009],
      ['a bomb over the limit', bomb, 1009],
      ['what is not deflated', Buffer.from('ffffffff', 'hex'), 1007],
    ] as const) {
      const before = process.memoryUsage().rss
      const socket = await connected(url, {
        perMessageDeflate: { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true },
      })
      const sender = (socket as unknown as { _sender: { _socket: { write(bytes: Buffer): void } } })._sender
      const closed = eventOnce(socket, 'close')
      const head = Buffer.alloc(14)
      head[0] = 0xc2
      head[1] = 0x80 | 127
      head.writeBigUInt64BE(BigInt(payload.length), 2)
      sender._socket.write(Buffer.concat([head, payload]))
      assert.equal((await closed)[0], code, what)
      assert.ok(process.memoryUsage().rss - before < 100_000_000)
    }
    assert.equal(await session.call('/echo', 'well'), 'well')
  })
})
