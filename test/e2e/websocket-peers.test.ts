import assert from 'node:assert/strict'
import { once as eventOnce } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { frame } from '../support/frames.ts'
import { endpoint, type Kind, once, onEachTransport } from '../support/helpers.ts'
import { Stranger } from '../support/hostile.ts'
import { rawPeer } from '../support/raw-peer.ts'
import { upgrade, upgradeRequest, webSocketFrame } from '../support/web-socket.ts'

/** A server with a WebSocket at /rpc. */
async function serve(t: TestContext, transport: Kind, options = {}, listening = {}) {
  const server = endpoint(t, { transport, ...options })
  server.routeCall('/echo', (value: unknown) => value)
  const listener = await server.listen('ws://127.0.0.1:0/rpc', listening)
  return { server, url: listener.url, port: Number(new URL(listener.url).port) }
}

async function stranger(t: TestContext, port: number): Promise<Stranger> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  t.after(() => socket.destroy())
  await eventOnce(socket, 'connect')
  return new Stranger(socket)
}

/** A peer whose handshake is done. */
async function upgraded(t: TestContext, port: number): Promise<Stranger> {
  const peer = await stranger(t, port)
  peer.send(upgradeRequest('/rpc'))
  await peer.hears('\r\n\r\n')
  peer.received = ''
  return peer
}

const call = frame({ seq: 'a', method: '/echo', body: '"hi"' })
const CLOSE = (code: number): string => Buffer.from([0x88, 2, code >> 8, code & 0xff]).toString('latin1')

onEachTransport('WebSocket handshakes', (transport) => {
  const cases: [what: string, request: string, says: RegExp][] = [
    ['without more', upgradeRequest('/rpc'), /^HTTP\/1\.1 101 .*Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n\r\n$/s],
    ['with a query', upgradeRequest('/rpc?a=b'), /^HTTP\/1\.1 101 /],
    [
      'as HAProxy writes it',
      upgradeRequest('/rpc', ['connection: Upgrade', 'upgrade: websocket'], ['Connection', 'Upgrade']),
      /^HTTP\/1\.1 101 /,
    ],
    ['with several connection options', upgradeRequest('/rpc', ['Connection: keep-alive, UPGRADE'], ['Connection']), /^HTTP\/1\.1 101 /],
    ['of a program with an origin of its own', upgradeRequest('/rpc', ['Origin: ws://127.0.0.1:5/rpc']), /^HTTP\/1\.1 101 /],
    [
      'that offers compression',
      upgradeRequest('/rpc', ['Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits']),
      /^HTTP\/1\.1 101 (?!.*Extensions)/s,
    ],
    [
      'for a protocol of ours',
      upgradeRequest('/rpc', ['Sec-WebSocket-Protocol: other, dmicro.raw']),
      /^HTTP\/1\.1 101 .*Sec-WebSocket-Protocol: dmicro\.raw\r\n/s,
    ],
    ['for a protocol that is not here', upgradeRequest('/rpc', ['Sec-WebSocket-Protocol: dmicro.json']), /^HTTP\/1\.1 400 .*dmicro\.raw/s],
    ['for an unknown sub-protocol', upgradeRequest('/rpc', ['Sec-WebSocket-Protocol: mqtt']), /^HTTP\/1\.1 101 (?!.*Protocol:)/s],
    ['of a page elsewhere', upgradeRequest('/rpc', ['Origin: http://evil.example']), /^HTTP\/1\.1 403 /],
    ['of a page of the same host', upgradeRequest('/rpc', ['Origin: http://127.0.0.1']), /^HTTP\/1\.1 403 /],
    ['of a sandboxed page', upgradeRequest('/rpc', ['Origin: null']), /^HTTP\/1\.1 403 /],
    ['for another path', upgradeRequest('/rpc/'), /^HTTP\/1\.1 404 /],
    ['with two hosts', upgradeRequest('/rpc', ['Host: other']), /^HTTP\/1\.1 400 /],
    ['without host', upgradeRequest('/rpc', [], ['Host']), /^HTTP\/1\.1 400 /],
    ['with two keys', upgradeRequest('/rpc', ['Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==']), /^HTTP\/1\.1 400 /],
    ['with a short key', upgradeRequest('/rpc', ['Sec-WebSocket-Key: AAAA'], ['Sec-WebSocket-Key']), /^HTTP\/1\.1 400 /],
    [
      'of another version',
      upgradeRequest('/rpc', ['Sec-WebSocket-Version: 8'], ['Sec-WebSocket-Version']),
      /^HTTP\/1\.1 400 .*Sec-WebSocket-Version: 13/s,
    ],
    ['with a body', upgradeRequest('/rpc', ['Content-Length: 3']), /^HTTP\/1\.1 400 /],
    ['that is an ordinary one', 'GET /rpc HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 426 .*Upgrade: websocket/s],
    ['that posts', upgradeRequest('/rpc').replace('GET', 'POST'), /^HTTP\/1\.1 405 /],
    [
      'with 64 KiB of headers',
      upgradeRequest(
        '/rpc',
        Array.from({ length: 64 }, (_, n) => `X-${n}: ${'x'.repeat(1000)}`),
      ),
      /^HTTP\/1\.1 431 /,
    ],
    [
      'with a thousand fields',
      upgradeRequest(
        '/rpc',
        Array.from({ length: 1100 }, (_, n) => `X-${n}: `),
      ),
      /^HTTP\/1\.1 431 /,
    ],
    ['that is no HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['that smuggles', upgradeRequest('/rpc', ['X: a\nUpgrade: other']), /^HTTP\/1\.1 400 /],
  ]
  for (const [what, request, says] of cases) {
    test(`a request ${what} is answered right, whole and byte by byte`, { timeout: 20_000 }, async (t) => {
      const { port } = await serve(t, transport)
      const whole = await stranger(t, port)
      whole.send(request)
      await whole.until((text) => says.test(text))
      if (!says.source.includes(' 101')) await whole.closed
      if (request.length > 2000) return
      const slow = await stranger(t, port)
      for (const byte of Buffer.from(request, 'latin1')) {
        slow.send(Buffer.from([byte]))
        await new Promise(setImmediate)
      }
      await slow.until((text) => says.test(text))
      assert.ok(slow.received.split('\r\n\r\n')[0].length < 3072, 'proxies refuse larger heads of responses')
    })
  }

  test('pages whose origins are allowed connect', { timeout: 20_000 }, async (t) => {
    const { port } = await serve(t, transport, {}, { websocket: { origins: ['https://a.example'] } })
    const good = await stranger(t, port)
    good.send(upgradeRequest('/rpc', ['Origin: https://a.example']))
    await good.hears('HTTP/1.1 101 ')
    const bad = await stranger(t, port)
    bad.send(upgradeRequest('/rpc', ['Origin: https://b.example']))
    await bad.hears('HTTP/1.1 403 ')
    await bad.closed
  })

  test('a request that does not end is cut off in time', { timeout: 20_000 }, async (t) => {
    const { port } = await serve(t, transport, { limits: { frameTimeout: 100 } })
    const slow = await stranger(t, port)
    slow.send('GET /rpc HTTP/1.1\r\nHost: x\r\n')
    await slow.closed
  })

  test('frames sent with the request are served', { timeout: 20_000 }, async (t) => {
    const { port } = await serve(t, transport)
    const eager = await stranger(t, port)
    eager.send(
      Buffer.concat([
        Buffer.from(upgradeRequest('/rpc')),
        webSocketFrame(0x82, call),
        webSocketFrame(0x89, 'x'),
        webSocketFrame(0x82, call),
      ]),
    )
    await eager.until((text) => text.split('"hi"').length === 3 && text.includes('\x8a\x01x'))
  })

  test('a client refuses answers that are none', { timeout: 20_000 }, async (t) => {
    const answers: [string, RegExp][] = [
      ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', /the server answered 200 in place of 101/],
      [
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n',
        /Sec-WebSocket-Accept/,
      ],
      ['HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n', /Upgrade or Connection/],
      ['SSH-2.0-x\r\n\r\n', /no HTTP\/1\.1 response/],
      ['', /closed by the peer/],
    ]
    const client = endpoint(t, { transport })
    for (const [answer, cause] of answers) {
      const server = (await import('node:net')).createServer((socket) => socket.on('data', () => socket.end(answer)).on('error', () => {}))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      t.after(() => server.close())
      await assert.rejects(
        client.dial(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`),
        (error: { code: number; cause: string }) => {
          assert.equal(error.code, 105)
          assert.match(error.cause, cause)
          return true
        },
      )
    }
  })

  test('a server that answers nothing costs no longer than the dial may take', { timeout: 20_000 }, async (t) => {
    const server = (await import('node:net')).createServer(() => {})
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.close())
    const client = endpoint(t, { transport })
    await assert.rejects(client.dial(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, { timeout: 50 }), { code: 105 })
    assert.equal(client.sessionCount, 0)
  })
})

onEachTransport('WebSocket frames of strangers', (transport) => {
  test('messages in any fragments, as text or bytes, with pings between them, are put together', { timeout: 20_000 }, async (t) => {
    const { port } = await serve(t, transport)
    const peer = await upgraded(t, port)
    peer.send(
      Buffer.concat(
        [...call].map((byte, i) => webSocketFrame((i === 0 ? 2 : 0) | (i === call.length - 1 ? 0x80 : 0), Buffer.from([byte]))),
      ),
    )
    await peer.hears('"hi"')
    peer.received = ''
    peer.send(webSocketFrame(0x02, call.subarray(0, 7)))
    peer.send(webSocketFrame(0x89, 'ping'))
    await peer.hears('\x8a\x04ping')
    peer.send(webSocketFrame(0x80, call.subarray(7)))
    await peer.hears('"hi"')
  })

  const broken: [what: string, bytes: Buffer, code: number][] = [
    ['a frame without mask', webSocketFrame(0x82, call, false), 1002],
    ['a reserved opcode', webSocketFrame(0x83, 'x'), 1002],
    ['a reserved bit', webSocketFrame(0xc2, 'x'), 1002],
    ['a fragmented ping', webSocketFrame(0x09, 'x'), 1002],
    ['a ping of 126 bytes', webSocketFrame(0x89, 'x'.repeat(126)), 1002],
    ['a continuation of nothing', webSocketFrame(0x80, 'x'), 1002],
    ['a message inside of another', Buffer.concat([webSocketFrame(0x02, 'x'), webSocketFrame(0x82, 'y')]), 1002],
    ['text that is no UTF-8', webSocketFrame(0x81, Buffer.from([0xff])), 1007],
    ['a message over the limit', webSocketFrame(0x82, Buffer.alloc(2000)).subarray(0, 100), 1009],
    [
      'fragments over the limit',
      Buffer.concat([webSocketFrame(0x02, frame({ body: 'x'.repeat(900) }).subarray(0, 600)), webSocketFrame(0x00, Buffer.alloc(600))]),
      1009,
    ],
    ['2^63 bytes', Buffer.from('82ffffffffffffffffff00000000', 'hex'), 1002],
    ['a close frame of one byte', webSocketFrame(0x88, 'x'), 1002],
    ['a close frame with a code that is never sent', webSocketFrame(0x88, Buffer.from([3, 0xed])), 1002],
    ['empty fragments without end', Buffer.concat([webSocketFrame(0x02), ...Array(131_100).fill(webSocketFrame(0x00))]), 1008],
    ['bytes that are no message', webSocketFrame(0x82, 'x'.repeat(100)), 1009],
  ]
  for (const [what, bytes, code] of broken) {
    test(`${what} ends the session with ${code}, and no other`, { timeout: 20_000 }, async (t) => {
      const { server, url, port } = await serve(t, transport, { limits: { maxMessage: 1000 } })
      const session = await endpoint(t, { transport }).dial(url)
      const peer = await upgraded(t, port)
      peer.send(bytes)
      await peer.hears(CLOSE(code))
      await peer.closed
      while (server.sessionCount > 1) await new Promise(setImmediate)
      assert.equal(await session.call('/echo', 'well'), 'well')
    })
  }

  test('a close frame is answered at once, with its code, and the connection ends', { timeout: 20_000 }, async (t) => {
    const { server, port } = await serve(t, transport)
    for (const code of [1000, 1001, 4321]) {
      const accepted = eventOnce(server, 'session')
      const peer = await upgraded(t, port)
      const [session] = await accepted
      const closed = eventOnce(session, 'close')
      peer.send(webSocketFrame(0x88, Buffer.from([code >> 8, code & 0xff])))
      await peer.hears(CLOSE(code))
      await peer.closed
      await closed
    }
  })

  test('a peer that ends without a close frame, or resets, is an ordinary end', { timeout: 20_000 }, async (t) => {
    const lines: string[] = []
    const note = (text: string): void => void lines.push(text)
    const { server, port } = await serve(t, transport, { log: { debug() {}, info() {}, warn: note, error: note } })
    for (const end of ['end', 'resetAndDestroy'] as const) {
      const accepted = eventOnce(server, 'session')
      const peer = await upgraded(t, port)
      const [session] = await accepted
      const closed = eventOnce(session, 'close')
      peer.socket[end]()
      await closed
    }
    assert.deepEqual(lines, [])
  })

  test('pings alone are no sign of life of the program behind them', { timeout: 20_000 }, async (t) => {
    const { server, port } = await serve(t, transport)
    const accepted = eventOnce(server, 'session')
    const peer = await upgraded(t, port)
    const [session] = await accepted
    const { activity } = session
    peer.send(webSocketFrame(0x89, 'frozen'))
    await peer.hears('\x8a\x06frozen')
    peer.send(webSocketFrame(0x8a, 'unasked'))
    peer.send(webSocketFrame(0x89, 'again'))
    await peer.hears('again')
    assert.equal(session.activity, activity)
    peer.send(webSocketFrame(0x82, call))
    await peer.hears('"hi"')
    assert.notEqual(session.activity, activity)
  })

  test('a flood of pings by a peer that never reads takes no memory', { timeout: 60_000 }, async (t) => {
    const { server, url, port } = await serve(t, transport, { limits: { writeTimeout: 500 } })
    const session = await endpoint(t, { transport }).dial(url)
    const accepted = eventOnce(server, 'session')
    const peer = await upgraded(t, port)
    await accepted
    peer.socket.pause()
    const { closed } = peer
    const before = process.memoryUsage().rss
    const pings = Buffer.concat(Array(500).fill(webSocketFrame(0x89, 'x'.repeat(125))))
    let flooding = true
    void closed.then(() => (flooding = false))
    while (flooding) {
      if (!peer.socket.write(pings)) await Promise.race([eventOnce(peer.socket, 'drain').catch(() => {}), closed])
      if (peer.socket.bytesWritten > 60_000_000) break
    }
    assert.ok(process.memoryUsage().rss - before < 100 * 1024 * 1024)
    assert.equal(await session.call('/echo', 'well'), 'well')
  })
})

onEachTransport('WebSockets beside other protocols', (transport) => {
  test('one port serves raw, json, http and WebSockets', { timeout: 20_000 }, async (t) => {
    const server = endpoint(t, { transport })
    server.routeCall('/echo', (value: unknown) => value)
    const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'json', 'http'], websocket: { path: '/rpc' } })
    assert.match(url, /^tcp:/)
    const client = endpoint(t, { transport })
    for (const protocol of ['raw', 'json', 'http']) {
      const session = await client.dial(url, { protocol })
      assert.equal(await session.call('/echo', protocol), protocol)
    }
    for (const protocol of ['raw', 'json']) {
      const session = await client.dial(`ws${url.slice(3)}/rpc`, { protocol })
      assert.equal(await session.call('/echo', protocol), protocol)
    }
    const port = Number(new URL(url).port)
    const plain = await fetch(`http://127.0.0.1:${port}/echo`, {
      method: 'POST',
      body: '1',
      headers: { 'content-type': 'application/json' },
    })
    assert.equal(await plain.text(), '1')
    const page = await stranger(t, port)
    page.send(upgradeRequest('/rpc', ['Origin: http://evil.example', `Cookie: ${'c'.repeat(5000)}`]))
    await page.hears('HTTP/1.1 403 ')
    await page.closed
    const cookies = await stranger(t, port)
    cookies.send(upgradeRequest('/rpc', [`Cookie: ${'c'.repeat(5000)}`]))
    await cookies.hears('HTTP/1.1 101 ')
  })

  for (const protocols of [['raw', 'http'], ['raw']]) {
    test(`a request whose Upgrade is late or one of several is taken beside ${protocols.join(' and ')}`, { timeout: 30_000 }, async (t) => {
      const server = endpoint(t, { transport })
      const { url } = await server.listen('tcp://127.0.0.1:0', { protocols, websocket: { path: '/rpc' } })
      const port = Number(new URL(url).port)
      const late = (path: string, size: number, value = 'websocket'): string =>
        upgradeRequest(path, [`Cookie: ${'c'.repeat(size)}`, `Upgrade: ${value}`], ['Upgrade'])
      for (const [request, says] of [
        [late('/rpc', 8000), '101'],
        [late('/rpc', 14_000), '101'],
        [late(`/rpc?token=${'t'.repeat(3000)}`, 10), '101'],
        [late('/rpc', 20_000), '431'],
        [late('/rpc', 0, 'h2c, WebSocket'), '101'],
        [late('/rpc', 8000, 'h2c'), '426'],
      ]) {
        for (const step of [request.length, 700]) {
          const peer = await stranger(t, port)
          for (let at = 0; at < request.length && !peer.socket.destroyed; at += step) {
            peer.send(request.slice(at, at + step))
            await new Promise(setImmediate)
          }
          await peer.hears(`HTTP/1.1 ${says} `)
          peer.socket.destroy()
        }
      }
      if (protocols.length === 1) return
      const page = await stranger(t, port)
      page.send(late('/rpcs', 8000))
      await page.hears('HTTP/1.1 404 ')
    })
  }

  test("a user's own node:http server hands WebSockets over", { timeout: 20_000 }, async (t) => {
    const server = endpoint(t, { transport })
    server.routeCall('/echo', (value: unknown) => value)
    const http = createServer((_request, response) => response.end('page'))
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      void server.upgrade(request, socket, head, { websocket: { path: '/rpc', authorize: ({ query }) => query.get('id') ?? undefined } })
    })
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    t.after(() => http.close())
    const { port } = http.address() as AddressInfo
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'page')
    const client = endpoint(t, { transport })
    const accepted = once<string>()
    server.once('session', (session) => accepted.resolve(session.id))
    const session = await client.dial(`ws://127.0.0.1:${port}/rpc?id=me`)
    assert.equal(await session.call('/echo', 'x'.repeat(200_000)), 'x'.repeat(200_000))
    assert.equal(await accepted.promise, 'me')
    await assert.rejects(client.dial(`ws://127.0.0.1:${port}/other`), { cause: 'the server answered 404 in place of 101' })
    const eager = await stranger(t, port)
    eager.send(Buffer.concat([Buffer.from(upgradeRequest('/rpc')), webSocketFrame(0x82, call)]))
    await eager.hears('"hi"')
    await server.close()
    http.closeAllConnections()
  })
})

test('the helper that upgrades by hand is right', { timeout: 20_000 }, async (t) => {
  const { url } = await serve(t, 'js')
  const peer = await rawPeer(t, url)
  peer.send(call)
  assert.equal((await peer.received(1))[0].body.toString(), '"hi"')
  assert.equal(typeof upgrade, 'function')
})
