import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once as eventOnce } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { type TestContext, test } from 'node:test'
import type { Endpoint, Session, UpgradeOptions } from '../../src/index.ts'
import { certificates } from '../support/certificates.ts'
import { frame } from '../support/frames.ts'
import { endpoint, type Kind, once, onEachTransport } from '../support/helpers.ts'
import { Stranger, stranger } from '../support/hostile.ts'
import { upgradeRequest, webSocketFrame } from '../support/web-socket.ts'

// WebSockets that a server of the application's own hands over (`Endpoint.upgrade`).

async function listening(t: TestContext, http: Server): Promise<number> {
  http.listen(0, '127.0.0.1')
  t.after(() => http.close())
  await eventOnce(http, 'listening')
  return (http.address() as AddressInfo).port
}

/** An endpoint behind a server of `node:http`, with the outcomes of its upgrades. */
async function serve(t: TestContext, transport: Kind, options = {}, upgradeOptions?: UpgradeOptions) {
  const server: Endpoint = endpoint(t, { transport, ...options })
  const upgrades: Promise<unknown>[] = []
  const http = createServer()
  http.on('upgrade', (request, socket, head) => {
    upgrades.push(
      server.upgrade(request, socket, head, upgradeOptions).then(
        () => 'answered',
        (error) => error,
      ),
    )
  })
  return { server, upgrades, port: await listening(t, http) }
}

onEachTransport('Endpoint.upgrade', (transport) => {
  for (const target of ['*', 'http://a/x']) {
    test(`a request for ${target} is answered with 404 and rejects nothing`, { timeout: 20_000 }, async (t) => {
      const { upgrades, port } = await serve(t, transport)
      const peer = await stranger(t, port)
      peer.send(upgradeRequest(target))
      await peer.hears('HTTP/1.1 404 ')
      await peer.closed
      assert.deepEqual(await Promise.all(upgrades), ['answered'])
    })
  }

  test('every path is taken where the options name none, also as undefined', { timeout: 20_000 }, async (t) => {
    for (const options of [undefined, {}, { websocket: {} }, { websocket: { path: undefined } }]) {
      const { port } = await serve(t, transport, {}, options)
      const peer = await stranger(t, port)
      peer.send(upgradeRequest('/any?a=b'))
      await peer.hears('HTTP/1.1 101 ')
    }
  })

  test('a request that comes after the endpoint was closed is answered with 503', { timeout: 20_000 }, async (t) => {
    const { server, upgrades, port } = await serve(t, transport)
    await server.close()
    const peer = await stranger(t, port)
    peer.send(upgradeRequest('/rpc'))
    await peer.hears('HTTP/1.1 503 ')
    await peer.closed
    assert.deepEqual(await Promise.all(upgrades), ['answered'])
  })

  test('a request beyond the limit of sessions, or of a broken endpoint, is answered with 503', { timeout: 20_000 }, async (t) => {
    const broken = {
      name: 'broken',
      afterNewEndpoint: () => Promise.reject(new Error('secret')),
    }
    for (const options of [{ limits: { maxSessions: 1 } }, { plugins: [broken] }]) {
      const { upgrades, port } = await serve(t, transport, options)
      if ('limits' in options) {
        const first = await stranger(t, port)
        first.send(upgradeRequest('/rpc'))
        await first.hears('HTTP/1.1 101 ')
        await upgrades.pop()
      }
      const peer = await stranger(t, port)
      peer.send(upgradeRequest('/rpc'))
      await peer.hears('HTTP/1.1 503 ')
      await peer.closed
      assert.doesNotMatch(peer.received, /secret/)
      assert.deepEqual(await Promise.all(upgrades), ['answered'])
    }
  })

  test('a bad option rejects by name, and closes the socket', { timeout: 20_000 }, async (t) => {
    for (const [options, message] of [
      [{ websocket: { path: 'rpc' } }, /websocket\.path must begin with/],
      [{ websocket: null }, /option websocket must be an object, got null/],
      [{ websocket: 5 }, /option websocket must be an object, got 5/],
      [{ protocols: ['nope'] }, /nope/],
      [{ reusePort: true }, /unknown option "reusePort"/],
      [null, /options must be an object, got null/],
    ] as const) {
      const { upgrades, port } = await serve(t, transport, {}, options as never)
      const peer = await stranger(t, port)
      peer.send(upgradeRequest('/rpc'))
      await peer.closed
      const [error] = await Promise.all(upgrades)
      assert.match(String(error), message)
    }
  })

  test('a client that ends its half before it is accepted is served what it sent, and leaves no session', {
    timeout: 20_000,
  }, async (t) => {
    for (const late of [false, true]) {
      const ended = once()
      const server = endpoint(t, { transport, plugins: [{ name: 'slow', afterNewEndpoint: () => ended.promise }] })
      const pushed = once()
      server.routePush('/tell', () => pushed.resolve())
      const upgraded = once()
      const http = createServer()
      http.on('upgrade', async (request, socket, head) => {
        socket.once('end', () => ended.resolve())
        // A caller may look at a request for a while before it hands it over.
        if (late) await ended.promise
        await server.upgrade(request, socket, head).then(upgraded.resolve, upgraded.reject)
      })
      const socket = connect({ host: '127.0.0.1', port: await listening(t, http), allowHalfOpen: true })
      const peer = new Stranger(socket)
      const push = webSocketFrame(0x82, frame({ seq: 'a', type: 3, method: '/tell' }))
      socket.end(Buffer.concat([Buffer.from(upgradeRequest('/rpc')), push]))
      await upgraded.promise
      await pushed.promise
      await peer.hears('HTTP/1.1 101 ')
      while (server.sessionCount > 0) await new Promise(setImmediate)
      socket.destroy()
    }
  })

  test('a client that is gone before it is accepted leaves no session', { timeout: 20_000 }, async (t) => {
    const gone = once()
    const { server, upgrades, port } = await serve(t, transport, { plugins: [{ name: 'slow', afterNewEndpoint: () => gone.promise }] })
    const peer = await stranger(t, port)
    peer.send(upgradeRequest('/rpc'))
    while (upgrades.length === 0) await new Promise(setImmediate)
    peer.socket.resetAndDestroy()
    await peer.closed
    for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate)
    gone.resolve()
    assert.deepEqual(await Promise.all(upgrades), ['answered'])
    while (server.sessionCount > 0) await new Promise(setImmediate)
  })

  test('a socket that fails while a request is considered ends nothing else', { timeout: 20_000 }, async (t) => {
    const server = endpoint(t, { transport })
    const socket = new Socket()
    const upgrading = server.upgrade({ url: '/rpc', method: 'GET', rawHeaders: [] } as never, socket, new Uint8Array())
    socket.destroy(new Error('reset'))
    await upgrading
    assert.equal(server.sessionCount, 0)
  })

  test('a server of node:https hands over who its client is', { timeout: 20_000 }, async (t) => {
    const { authority, server: own, client: issued } = certificates()
    const server = endpoint(t, { transport })
    server.routeCall('/echo', (value: unknown) => value)
    const https = createSecureServer({ ...own, ca: authority.cert, requestCert: true, ALPNProtocols: ['http/1.1'] })
    https.on('upgrade', (request, socket, head) => void server.upgrade(request, socket, head))
    const url = `wss://127.0.0.1:${await listening(t, https)}/rpc`
    const accepted = eventOnce(server, 'session') as Promise<[Session]>
    const session = await endpoint(t, { transport }).dial(url, { tls: { ...issued, ca: authority.cert } })
    assert.equal(await session.call('/echo', 'x'.repeat(200_000)), 'x'.repeat(200_000))
    const [peer] = await accepted
    assert.equal(peer.authorized, true)
    assert.equal(peer.peerCertificate?.subject, new X509Certificate(issued.cert).subject)
    await session.close()
    while (server.sessionCount > 0) await new Promise(setImmediate)
  })

  test('a stream that is no socket is served', { timeout: 20_000 }, async (t) => {
    const server = endpoint(t, { transport })
    server.routeCall('/echo', (value: unknown) => value)
    let received = ''
    const heard = once()
    const stream = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        received += chunk.toString('latin1')
        if (received.includes('"hi"')) heard.resolve()
        done()
      },
    })
    const [method, ...lines] = upgradeRequest('/rpc').trimEnd().split('\r\n')
    const rawHeaders = lines.flatMap((line) => line.split(': '))
    const call = webSocketFrame(0x82, frame({ seq: 'a', method: '/echo', body: '"hi"' }))
    await server.upgrade({ method: method.split(' ')[0], url: '/rpc', rawHeaders } as never, stream, call)
    await heard.promise
    assert.match(received, /^HTTP\/1\.1 101 /)
    stream.push(null)
    while (server.sessionCount > 0) await new Promise(setImmediate)
  })
})
