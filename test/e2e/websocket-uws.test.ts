import assert from 'node:assert/strict'
import { once as eventOnce } from 'node:events'
import { PassThrough } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { type ListenOptions, type Session, StatusError } from '../../src/index.ts'
import { frame } from '../support/frames.ts'
import { endpoint, type Kind, once, onEachTransport, status } from '../support/helpers.ts'
import { type Stranger, stranger } from '../support/hostile.ts'
import { upgradeRequest, webSocketFrame } from '../support/web-socket.ts'

// Listening by uWebSockets.js. The dialling side, and the endpoint's other sockets, stay on each transport.

const skip = await missing()

async function missing(): Promise<string | false> {
  const name = 'uWebSockets.js'
  try {
    await import(name)
    return false
  } catch {
    return `${name} is not installed`
  }
}

async function serve(t: TestContext, transport: Kind, options = {}, websocket: ListenOptions['websocket'] = {}, protocols?: string[]) {
  const server = endpoint(t, { transport, ...options })
  server.routeCall('/echo', (value: unknown) => value)
  const { url } = await server.listen('ws://127.0.0.1:0/rpc', { protocols, websocket: { engine: 'uws', ...websocket } })
  return { server, url, port: Number(new URL(url).port) }
}

onEachTransport('WebSockets by uWebSockets.js', (transport) => {
  for (const protocol of ['raw', 'json', 'protobuf']) {
    test(`calls and pushes go both ways in ${protocol}, in every size`, { skip, timeout: 20_000 }, async (t) => {
      const { server, url } = await serve(t, transport, {}, {}, [protocol])
      const pushed = once<string>()
      server.routePush('/tell', (text: string) => pushed.resolve(text))
      const accepted = eventOnce(server, 'session') as Promise<[Session]>
      const client = endpoint(t, { transport })
      client.routeCall('/back', (n: number) => n + 1)
      const session = await client.dial(`${url}?a=b`, { protocol })
      const [peer] = await accepted
      assert.equal(peer.request?.query.get('a'), 'b')
      for (const size of [0, 1, 125, 126, 65_535, 65_536, 3_000_000])
        assert.equal(await session.call('/echo', 'x'.repeat(size)), 'x'.repeat(size))
      assert.equal(await peer.call('/back', 1), 2)
      session.push('/tell', 'hello')
      assert.equal(await pushed.promise, 'hello')
      const many = Array.from({ length: 1000 }, (_, n) => n)
      assert.deepEqual(await Promise.all(many.map((n) => session.call('/echo', n))), many)
      await session.close()
      while (server.sessionCount > 0) await new Promise(setImmediate)
    })
  }

  test('close codes go both ways, and an end without one is an end', { skip, timeout: 20_000 }, async (t) => {
    const { server, port } = await serve(t, transport, { limits: { maxMessage: 1000 } })
    const rows: [end: (peer: Stranger, session: Session) => void, code: number, cause: RegExp | undefined][] = [
      [(_, session) => void session.close(), 1000, undefined],
      [(peer) => peer.send(webSocketFrame(0x88, Buffer.from([0x10, 0xe1]))), 4321, /WebSocket close 4321/],
      [(peer) => peer.send(webSocketFrame(0x82, Buffer.alloc(1500))), 1009, /maxMessage|too large|limit/],
      [(peer) => peer.socket.resetAndDestroy(), 0, /closed by the peer|connection error/],
      [(peer) => peer.socket.end(), 0, /closed by the peer/],
    ]
    for (const [end, code, cause] of rows) {
      const accepted = eventOnce(server, 'session') as Promise<[Session]>
      const peer = await stranger(t, port)
      peer.send(upgradeRequest('/rpc'))
      await peer.hears('\r\n\r\n')
      const [session] = await accepted
      const closed = eventOnce(session, 'close')
      end(peer, session)
      if (code !== 0) await peer.hears(Buffer.from([0x88, 2, code >> 8, code & 0xff]).toString('latin1'))
      await peer.closed
      const [reason] = (await closed) as [StatusError | undefined]
      if (cause !== undefined) assert.match(String(reason?.cause), cause)
    }
    assert.equal(server.sessionCount, 0)
  })

  test('requests are refused as on the other engines: path, page, token, sessions', { skip, timeout: 20_000 }, async (t) => {
    const authorize = async ({ query }: { query: URLSearchParams }): Promise<string> => {
      await new Promise(setImmediate)
      if (query.get('token') !== 'good') throw new StatusError(401, 'no token')
      return 'user-7'
    }
    const { server, port, url } = await serve(t, transport, { limits: { maxSessions: 2 } }, { authorize, origins: ['https://a.example'] })
    for (const [request, says] of [
      [upgradeRequest('/other'), '404'],
      ['GET /rpc HTTP/1.1\r\nHost: x\r\n\r\n', '426'],
      [upgradeRequest('/rpc', ['Origin: https://b.example']), '403'],
      [upgradeRequest('/rpc?token=bad', ['Origin: https://a.example']), '401'],
    ]) {
      const peer = await stranger(t, port)
      peer.send(request)
      await peer.hears(`HTTP/1.1 ${says} `)
      await peer.closed
    }
    const client = endpoint(t, { transport })
    assert.deepEqual(await status(client.dial(url)), [105, 'Dial Failed', 'the server answered 401 in place of 101'])
    const accepted = eventOnce(server, 'session') as Promise<[Session]>
    const session = await client.dial(`${url}?token=good`)
    assert.equal((await accepted)[0].id, 'user-7')
    assert.equal(await session.call('/echo', 1), 1)
  })

  test('what a peer does not read, and what it sends while it must wait, is bounded', { skip, timeout: 60_000 }, async (t) => {
    const maxUnsent = 1024 * 1024
    const { server, port, url } = await serve(t, transport, { limits: { maxUnsent, writeTimeout: 500 } })
    let ran = 0
    server.routeCall('/large', () => {
      ran++
      return 'x'.repeat(100_000)
    })
    const witness = await endpoint(t, { transport }).dial(url)
    const peer = await stranger(t, port)
    peer.send(upgradeRequest('/rpc'))
    await peer.hears('\r\n\r\n')
    peer.socket.pause()
    const call = webSocketFrame(0x82, frame({ seq: 'a', method: '/large', body: '1' }))
    const closed = eventOnce(peer.socket, 'close')
    for (let i = 0; i < 2000; i++) peer.send(call)
    while (server.sessionCount > 1) assert.equal(await witness.call('/echo', 'well'), 'well')
    peer.socket.resume()
    await closed
    assert.ok(ran < 500, `${ran} replies of 100 KB for a peer that reads none`)
  })

  test('a flood of pings by a peer that never reads takes no memory', { skip, timeout: 60_000 }, async (t) => {
    const { server, port, url } = await serve(t, transport)
    const witness = await endpoint(t, { transport }).dial(url)
    const peer = await stranger(t, port)
    peer.send(upgradeRequest('/rpc'))
    await peer.hears('\r\n\r\n')
    peer.socket.pause()
    const before = process.memoryUsage().rss
    const pings = Buffer.concat(Array(500).fill(webSocketFrame(0x89, 'x'.repeat(125))))
    while (server.sessionCount > 1) {
      if (!peer.socket.write(pings)) await Promise.race([eventOnce(peer.socket, 'drain').catch(() => {}), peer.closed])
      assert.ok(peer.socket.bytesWritten < 200_000_000, 'it is never closed')
    }
    assert.ok(process.memoryUsage().rss - before < 100 * 1024 * 1024)
    assert.equal(await witness.call('/echo', 'well'), 'well')
  })

  test('pings are answered while a large reply is read', { skip, timeout: 20_000 }, async (t) => {
    const { port } = await serve(t, transport)
    const peer = await stranger(t, port)
    peer.send(upgradeRequest('/rpc'))
    await peer.hears('\r\n\r\n')
    peer.send(webSocketFrame(0x82, frame({ seq: 'a', method: '/echo', body: `"${'x'.repeat(3_000_000)}"` })))
    for (let n = 0; n < 100; n++) peer.send(webSocketFrame(0x89, `ping ${n}`))
    await peer.hears('ping 99')
    await peer.until((text) => text.length > 3_000_000)
  })

  test('options that it cannot keep are refused by name, and what the system refuses by its code', { skip, timeout: 20_000 }, async (t) => {
    const { url } = await serve(t, transport)
    const server = endpoint(t, { transport })
    const listen = (at: string, websocket: object) => server.listen(at, { websocket })
    await assert.rejects(listen('ws://127.0.0.1:0/', { engine: 'ws' }), { name: 'TypeError', message: /websocket\.engine must be 'uws'/ })
    await assert.rejects(listen('ws://127.0.0.1:0/', { engine: 'uws', perMessageDeflate: true }), TypeError)
    await assert.rejects(listen('tcp://127.0.0.1:0', { engine: 'uws', path: '/rpc' }), TypeError)
    const websocket = { engine: 'uws' } as const
    await assert.rejects(server.upgrade({ url: '/' } as never, new PassThrough(), new Uint8Array(), { websocket }), TypeError)
    await assert.rejects(listen(url, { engine: 'uws' }), { code: 'EADDRINUSE' })
    await assert.rejects(listen('ws://203.0.113.1:0/rpc', { engine: 'uws' }), { code: 'EADDRNOTAVAIL' })
  })
})
