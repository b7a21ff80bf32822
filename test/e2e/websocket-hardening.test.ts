import assert from 'node:assert/strict'
import { once as eventOnce } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { heartbeatPing, type ListenOptions, type Session, StatusError } from '../../src/index.ts'
import { certificates } from '../support/certificates.ts'
import { frame } from '../support/frames.ts'
import { endpoint, type Kind, once, onEachTransport, recorder, status } from '../support/helpers.ts'
import { Stranger } from '../support/hostile.ts'
import { upgradeRequest, webSocketFrame } from '../support/web-socket.ts'

// What peers, pages and proxies may do to a WebSocket before and after its handshake (docs/websocket.md).

const call = (method = '/echo'): Buffer => webSocketFrame(0x82, frame({ seq: 'a', method, body: '"hi"' }))

async function serve(t: TestContext, transport: Kind, options = {}, listening: ListenOptions = {}, scheme = 'ws') {
  const log = recorder()
  const server = endpoint(t, { transport, log, ...options })
  server.routeCall('/echo', (value: unknown) => value)
  const { url } = await server.listen(`${scheme}://127.0.0.1:0/rpc`, listening)
  return { server, url, log, port: Number(new URL(url).port) }
}

async function stranger(t: TestContext, port: number): Promise<Stranger> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  t.after(() => socket.destroy())
  await eventOnce(socket, 'connect')
  return new Stranger(socket)
}

/** A server that answers each connection with `answer` as soon as its request has come. */
async function script(t: TestContext, answer: (socket: Stranger) => void): Promise<string> {
  const server = createServer((socket) => {
    const peer = new Stranger(socket)
    t.after(() => socket.destroy())
    answer(peer)
  })
  server.listen(0, '127.0.0.1')
  t.after(() => server.close())
  await eventOnce(server, 'listening')
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/rpc`
}

onEachTransport('WebSocket, hostile handshakes', (transport) => {
  test('a request that comes a byte at a time is cut off in time', { timeout: 20_000 }, async (t) => {
    const { server, port } = await serve(t, transport, { limits: { frameTimeout: 150 } })
    const slow = await stranger(t, port)
    const bytes = Buffer.from(upgradeRequest('/rpc', [`X: ${'x'.repeat(8000)}`]))
    let at = 0
    const next = (): void => void (slow.socket.destroyed || slow.socket.write(bytes.subarray(at, ++at), () => setTimeout(next, 5)))
    next()
    await slow.closed
    assert.ok(at < bytes.length)
    assert.equal(server.sessionCount, 0)
  })

  test('a thousand requests that are given up leave nothing behind', { timeout: 60_000 }, async (t) => {
    const { server, url, port } = await serve(t, transport, { limits: { maxSessions: 400 } })
    const request = Buffer.from(upgradeRequest('/rpc'))
    for (let round = 0; round < 10; round++) {
      const peers = await Promise.all(Array.from({ length: 100 }, () => stranger(t, port)))
      for (const [n, { socket }] of peers.entries()) {
        socket.write(request.subarray(0, n * 2))
        if (n % 2 === 0) socket.destroy()
        else socket.resetAndDestroy()
      }
      await Promise.all(peers.map(({ closed }) => closed))
    }
    // A listener that still counted them would refuse.
    const session = await endpoint(t, { transport }).dial(url, { redial: { minDelay: 10 } })
    assert.equal(await session.call('/echo', 'well'), 'well')
    while (server.sessionCount !== 1) await new Promise(setImmediate)
  })

  test('nothing is served before authorize has decided, and nothing after it refused', { timeout: 60_000 }, async (t) => {
    let allowed = 0
    let served = 0
    let refusedServed = 0
    const { server, port } = await serve(
      t,
      transport,
      {},
      {
        websocket: {
          authorize: async ({ query }) => {
            for (let turns = Number(query.get('turns')); turns > 0; turns--) await new Promise(setImmediate)
            if (query.get('good') === null) throw new StatusError(401, 'no token')
            allowed++
          },
        },
      },
    )
    server.routeCall('/good', () => {
      served++
      assert.ok(served <= allowed, 'served before it was allowed')
    })
    server.routeCall('/bad', () => {
      refusedServed++
    })
    for (let round = 0; round < 100; round++) {
      const peers = await Promise.all([stranger(t, port), stranger(t, port)])
      const [good, bad] = peers
      good.send(Buffer.concat([Buffer.from(upgradeRequest(`/rpc?good=1&turns=${round % 5}`)), call('/good')]))
      bad.send(Buffer.concat([Buffer.from(upgradeRequest(`/rpc?turns=${round % 5}`)), call('/bad')]))
      bad.send(call('/bad'))
      await good.until((text) => text.includes('HTTP/1.1 101 ') && text.includes('\x82'))
      await bad.hears('HTTP/1.1 401 ')
      await bad.closed
      good.socket.destroy()
    }
    assert.deepEqual([served, refusedServed], [100, 0])
  })

  test('authorize that never settles refuses in time, and delays nobody else', { timeout: 20_000 }, async (t) => {
    const authorize = ({ query }: { query: URLSearchParams }): unknown => (query.has('slow') ? new Promise(() => {}) : undefined)
    const { port, url } = await serve(t, transport, { hookTimeout: 100 }, { websocket: { authorize } })
    const slow = await stranger(t, port)
    slow.send(upgradeRequest('/rpc?slow=1'))
    const session = await endpoint(t, { transport }).dial(url)
    assert.equal(await session.call('/echo', 'quick'), 'quick')
    await slow.hears('HTTP/1.1 408 ')
    await slow.closed
  })

  test('a token in the query is in no line of a log and in no error', { timeout: 20_000 }, async (t) => {
    const authorize = (): void => {
      throw new StatusError(401, 'no')
    }
    const { url, log } = await serve(t, transport, {}, { websocket: { authorize } })
    const own = recorder()
    const client = endpoint(t, { transport, log: own, dialTimeout: 100 })
    const seen = [await status(client.dial(`${url}?token=geheim`))]
    const silent = await script(t, () => {})
    seen.push(await status(client.dial(`${silent}?token=geheim`)))
    assert.deepEqual(
      seen.map(([code]) => code),
      [105, 105],
    )
    assert.ok(log.lines.length > 0)
    assert.doesNotMatch(JSON.stringify([log.lines, own.lines, seen]), /geheim/)
  })

  test('a wss listener never agrees on h2, whatever a client offers', { timeout: 20_000 }, async (t) => {
    const { authority, server: own } = certificates()
    const { port } = await serve(t, transport, {}, { tls: own }, 'wss')
    for (const ALPNProtocols of [['h2', 'http/1.1'], ['http/1.1'], undefined]) {
      const socket = connectTls({ port, host: '127.0.0.1', ca: authority.cert, ALPNProtocols })
      t.after(() => socket.destroy())
      await eventOnce(socket, 'secureConnect')
      assert.notEqual(socket.alpnProtocol, 'h2')
      const peer = new Stranger(socket)
      peer.send(upgradeRequest('/rpc'))
      await peer.hears('HTTP/1.1 101 ')
    }
  })
})

onEachTransport('WebSocket, living and ending', (transport) => {
  test('pings are answered while a handler runs', { timeout: 20_000 }, async (t) => {
    const { server, port } = await serve(t, transport)
    const begun = once()
    const goOn = once()
    server.routeCall('/slow', async () => {
      begun.resolve()
      await goOn.promise
      return 'done'
    })
    const peer = await stranger(t, port)
    peer.send(upgradeRequest('/rpc'))
    await peer.hears('\r\n\r\n')
    peer.send(call('/slow'))
    await begun.promise
    peer.send(webSocketFrame(0x89, 'are you there'))
    await peer.hears('\x8a\x0dare you there')
    assert.doesNotMatch(peer.received, /done/)
    goOn.resolve()
    await peer.hears('done')
  })

  test('a peer that answers pings and no heartbeat is given up', { timeout: 20_000 }, async (t) => {
    const { server, port } = await serve(t, transport, { plugins: [heartbeatPing({ interval: 60 })] })
    const accepted = eventOnce(server, 'session') as Promise<[Session]>
    const peer = await stranger(t, port)
    peer.send(upgradeRequest('/rpc'))
    const [session] = await accepted
    const closed = eventOnce(session, 'close')
    const pong = setInterval(() => peer.socket.write(webSocketFrame(0x8a, 'frozen')), 10)
    t.after(() => clearInterval(pong))
    const [reason] = (await closed) as [StatusError]
    assert.match(String(reason.cause), /silent for two heartbeats/)
  })

  test('draining sends the reply, then the close frame, then the FIN, and ends no half before', { timeout: 20_000 }, async (t) => {
    const { server, port } = await serve(t, transport, { closeTimeout: 10_000 })
    const begun = once()
    const goOn = once()
    server.routeCall('/slow', async () => {
      begun.resolve()
      await goOn.promise
      return 'done'
    })
    const accepted = eventOnce(server, 'session') as Promise<[Session]>
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    t.after(() => socket.destroy())
    const peer = new Stranger(socket)
    peer.send(upgradeRequest('/rpc'))
    const [session] = await accepted
    peer.send(call('/slow'))
    await begun.promise
    let ended = false
    socket.once('end', () => (ended = true))
    const closing = session.close()
    peer.send(webSocketFrame(0x89, 'still open'))
    await peer.hears('still open')
    assert.equal(ended, false)
    goOn.resolve()
    await peer.hears('\x88\x02\x03\xe8')
    assert.ok(peer.received.indexOf('done') > 0 && peer.received.indexOf('done') < peer.received.indexOf('\x88\x02'))
    peer.send(webSocketFrame(0x88, Buffer.from([3, 0xe8])))
    if (!ended) await eventOnce(socket, 'end')
    await closing
  })

  for (const [what, end] of [
    ['closes with 1001', (peer: Stranger) => peer.socket.end(Buffer.from([0x88, 2, 0x03, 0xe9]))],
    ['closes with 1012', (peer: Stranger) => peer.socket.end(Buffer.from([0x88, 2, 0x03, 0xf4]))],
    ['ends without a close frame', (peer: Stranger) => peer.socket.end()],
    ['resets', (peer: Stranger) => peer.socket.resetAndDestroy()],
  ] as const) {
    test(`a session redials when its server ${what}, and logs no error`, { timeout: 20_000 }, async (t) => {
      const { url } = await serve(t, transport)
      const target = new URL(url)
      let connections = 0
      // Passes bytes on; the first connection ends as the row says.
      const first = once<Stranger>()
      const front = createServer((socket) => {
        const back = connect(Number(target.port), '127.0.0.1')
        socket.on('error', () => {}).on('close', () => back.destroy())
        back.on('error', () => {}).on('close', () => socket.destroy())
        back.on('data', (bytes) => void (socket.writable && socket.write(bytes)))
        socket.on('data', (bytes) => void back.write(bytes))
        if (++connections === 1) first.resolve({ socket } as Stranger)
      })
      front.listen(0, '127.0.0.1')
      t.after(() => front.close())
      await eventOnce(front, 'listening')
      const log = recorder()
      const client = endpoint(t, { transport, log })
      const session = await client.dial(`ws://127.0.0.1:${(front.address() as AddressInfo).port}/rpc`, { redial: { minDelay: 5 } })
      assert.equal(await session.call('/echo', 1), 1)
      const again = eventOnce(session, 'redialed')
      end(await first.promise)
      await again
      assert.equal(await session.call('/echo', 2), 2)
      assert.deepEqual(
        log.lines.filter(({ level }) => level === 'error'),
        [],
      )
    })
  }
})
