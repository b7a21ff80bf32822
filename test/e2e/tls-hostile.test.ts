import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import net from 'node:net'
import { Duplex } from 'node:stream'
import { type TestContext, test } from 'node:test'
import tls from 'node:tls'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Endpoint, ListenOptions, Session } from '../../src/index.ts'
import { certificates } from '../support/certificates.ts'
import { frame } from '../support/frames.ts'
import { endpoint, once, onEachTransport, recorder, status } from '../support/helpers.ts'

// Bytes that no TLS library would send, and handshakes that never end. Other sessions do not notice.

const { authority, server: own } = certificates()
const run = promisify(execFile)
const program = fileURLToPath(new URL('fixtures/key-updates.py', import.meta.url))

interface Served {
  readonly server: Endpoint
  readonly port: number
  /** A session that must go on whatever others do. */
  readonly witness: Session
  readonly log: ReturnType<typeof recorder>
}

onEachTransport('tls, hostile peers', (transport) => {
  async function serve(t: TestContext, options: ListenOptions['tls'] = {}): Promise<Served> {
    const log = recorder()
    const server = endpoint(t, { transport, log })
    server.routeCall('/hello', () => 'hello')
    const { url } = await server.listen('tls://127.0.0.1:0', { tls: { ...own, ...options } })
    const witness = await endpoint(t, { transport }).dial(url, { tls: { ca: authority.cert } })
    await witness.call('/hello') // the server knows it by now
    return { server, port: Number(new URL(url).port), witness, log }
  }

  /** Sends `parts` to the server as they are; resolves when the server has closed the connection. */
  function send(port: number, ...parts: (string | Uint8Array)[]): Promise<Buffer> {
    return new Promise((resolve) => {
      const received: Buffer[] = []
      const socket = net.connect({ port, host: '127.0.0.1', noDelay: true }, () => {
        for (const part of parts) socket.write(part)
      })
      socket.on('error', () => {})
      socket.on('data', (chunk) => received.push(chunk))
      socket.on('close', () => resolve(Buffer.concat(received)))
    })
  }

  /** What a client of Node.js sends first. */
  function clientHello(): Promise<Buffer> {
    return new Promise((resolve) => {
      const below = new Duplex({
        read() {},
        write(chunk: Buffer, _, done) {
          resolve(chunk)
          done()
        },
      })
      tls.connect({ socket: below, servername: 'localhost' }).on('error', () => {})
    })
  }

  test('bytes that are no handshake end their own connection, with an alert', async (t) => {
    const { server, port, witness } = await serve(t, { handshakeTimeout: 500 })
    const hello = await clientHello()
    const broken = Buffer.from(hello)
    broken.writeUInt16BE(broken.readUInt16BE(3) + 2000, 3) // a record that is longer than its content
    const wrongVersion = Buffer.from(hello)
    wrongVersion[1] = 9
    const cases: (string | Uint8Array)[][] = [
      ['GET / HTTP/1.1\r\n\r\n'],
      [frame()],
      [Buffer.alloc(10_000, 0xff)],
      [Buffer.from([0x16, 0x03, 0x01, 0xff, 0xff]), Buffer.alloc(70_000)],
      [wrongVersion],
      [Buffer.from([0x17, 0x03, 0x03, 0, 5]), 'hello'],
      [Buffer.from([0x15, 0x03, 0x03, 0, 2, 2, 40])],
      [hello, hello],
    ]
    for (const parts of cases) {
      const answer = await send(port, ...parts)
      if (answer.length > 0) assert.ok([0x15, 0x16].includes(answer[0]), `answered ${answer.subarray(0, 8).toString('hex')}`)
    }
    assert.equal(await witness.call('/hello'), 'hello')
    assert.equal(server.stats.accepted, 1)
  })

  test('half a handshake, and one of a byte at a time, end at the time limit', async (t) => {
    const { server, port, witness, log } = await serve(t, { handshakeTimeout: 200 })
    const hello = await clientHello()
    const closed = [send(port), send(port, hello.subarray(0, 3)), send(port, hello.subarray(0, 60)), send(port, hello)]
    const slow = net
      .connect(port, '127.0.0.1')
      .on('error', () => {})
      .resume()
    const ended = once()
    slow.on('close', () => ended.resolve())
    let at = 0
    const next = (): void => void (slow.destroyed || at === 200 || slow.write(hello.subarray(at, ++at), () => setImmediate(next)))
    slow.once('connect', next)
    await Promise.all(closed)
    await ended.promise
    assert.equal(await witness.call('/hello'), 'hello')
    assert.equal(server.sessionCount, 1)
    assert.ok(log.lines.some(({ fields }) => fields.reason === 'not done in time'))
  })

  test('a thousand handshakes that are given up leave nothing behind', async (t) => {
    const { server, port, witness } = await serve(t)
    const hello = await clientHello()
    for (let round = 0; round < 10; round++) {
      const sockets = await Promise.all(
        Array.from({ length: 100 }, (_, n) => {
          const socket = net.connect(port, '127.0.0.1').on('error', () => {})
          return new Promise<net.Socket>((resolve) =>
            socket.once('connect', () => socket.write(hello.subarray(0, n * 5), () => resolve(socket))),
          )
        }),
      )
      for (const [n, socket] of sockets.entries()) n % 2 === 0 ? socket.destroy() : socket.resetAndDestroy()
    }
    assert.equal(await witness.call('/hello'), 'hello')
    // A listener that still counted them would refuse.
    const session = await endpoint(t, { transport }).dial(`tls://127.0.0.1:${port}`, { tls: { ca: authority.cert } })
    assert.equal(await session.call('/hello'), 'hello')
    assert.equal(server.sessionCount, 2)
  })

  test('half-open handshakes over tls.maxHandshakes are closed unanswered, while open sessions are served', async (t) => {
    const { server, port, witness } = await serve(t, { maxHandshakes: 4 })
    const hello = await clientHello()
    const [answered, refused] = [new Set<net.Socket>(), once()]
    let closed = 0
    const sockets = Array.from({ length: 20 }, () => {
      const socket = net.connect(port, '127.0.0.1', () => socket.write(hello)).on('error', () => {})
      socket.on('data', () => answered.add(socket))
      return socket.on('close', () => {
        if (!answered.has(socket) && ++closed === 16) refused.resolve()
      })
    })
    await refused.promise
    assert.equal(server.stats.refused, 16)
    assert.equal(await witness.call('/hello'), 'hello')
    const dial = (to: number) => endpoint(t, { transport }).dial(`tls://127.0.0.1:${to}`, { tls: { ca: authority.cert } })
    assert.equal((await status(dial(port)))[0], 105)
    const second = await server.listen('tls://127.0.0.1:0', { tls: { ...own, maxHandshakes: 4 } })
    assert.equal(await (await dial(Number(new URL(second.url).port))).call('/hello'), 'hello')
    // Those that end make room.
    for (const socket of sockets) socket.destroy()
    let session: Session | undefined
    while (session === undefined) session = await dial(port).catch(() => undefined)
    assert.equal(await session.call('/hello'), 'hello')
    assert.equal(answered.size, 4)
  })

  test('a handshake whose client ends the connection is over at once, not at its time limit', async (t) => {
    const { port, log } = await serve(t, { handshakeTimeout: 2000 })
    const failed = once<unknown>()
    log.warn = (text, fields) => void (text === 'handshake failed' && failed.resolve(fields?.reason))
    const hello = await clientHello()
    const socket = net.connect(port, '127.0.0.1', () => socket.write(hello)).on('error', () => {})
    socket.once('data', () => socket.end())
    assert.ok(['connection lost', 'TLS ended without close_notify'].includes(String(await failed.promise)))
  })

  test('handshakes that are done do not count against tls.maxHandshakes', async (t) => {
    const { server, port } = await serve(t, { maxHandshakes: 1 })
    for (let i = 0; i < 3; i++) {
      const session = await endpoint(t, { transport }).dial(`tls://127.0.0.1:${port}`, { tls: { ca: authority.cert } })
      assert.equal(await session.call('/hello'), 'hello')
    }
    assert.equal(server.sessionCount, 4)
  })

  test('after the handshake a record that was tampered with ends the session', async (t) => {
    const { server, port, witness } = await serve(t)
    const accepted = once<Session>()
    server.once('session', accepted.resolve)
    let tamper = false
    const raw = net.connect(port, '127.0.0.1').on('error', () => {})
    const below = new Duplex({
      read() {},
      write(chunk: Buffer, _, done) {
        if (tamper) chunk[chunk.length - 1] ^= 1
        raw.write(chunk, done)
      },
    })
    raw.on('data', (chunk) => below.push(chunk))
    const socket = tls.connect({ socket: below, ca: authority.cert, servername: 'localhost' }).on('error', () => {})
    const session = await accepted.promise
    const closed = once<string>()
    session.once('close', (error) => closed.resolve(String(error?.cause)))
    tamper = true
    socket.write(frame())
    assert.match(await closed.promise, /^connection error: .*bad record mac/)
    assert.equal(await witness.call('/hello'), 'hello')
  })

  test('a connection that is cut in the middle of a record is lost', async (t) => {
    const { server, port } = await serve(t)
    const accepted = once<Session>()
    server.once('session', accepted.resolve)
    let cut = false
    const raw = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {})
    const below = new Duplex({
      read() {},
      write(chunk: Buffer, _, done) {
        if (!cut) raw.write(chunk, done)
        else raw.end(chunk.subarray(0, 20), done)
      },
    })
    raw.on('data', (chunk) => below.push(chunk))
    const socket = tls.connect({ socket: below, ca: authority.cert, servername: 'localhost' }).on('error', () => {})
    const session = await accepted.promise
    const closed = once<string>()
    session.once('close', (error) => closed.resolve(String(error?.cause)))
    cut = true
    socket.write(frame())
    assert.equal(await closed.promise, 'connection error: TLS ended without close_notify')
  })

  test('a client that renegotiates is not obeyed', async (t) => {
    const { port, witness } = await serve(t)
    const socket = tls.connect({ port, host: '127.0.0.1', ca: authority.cert, maxVersion: 'TLSv1.2' })
    await new Promise((resolve) => socket.once('secureConnect', resolve))
    const outcome = await new Promise<string>((resolve) => {
      socket.once('error', (error) => resolve(error.message))
      socket.once('close', () => resolve('closed'))
      socket.renegotiate({}, (error) => resolve(error === null ? 'renegotiated' : error.message))
    })
    assert.notEqual(outcome, 'renegotiated')
    socket.destroy()
    assert.equal(await witness.call('/hello'), 'hello')
  })

  test('what a message announces is bounded over TLS as it is without', async (t) => {
    const { port, witness } = await serve(t)
    const socket = tls.connect({ port, host: '127.0.0.1', ca: authority.cert }).on('error', () => {})
    const closed = new Promise((resolve) => socket.once('close', resolve))
    const size = Buffer.alloc(4)
    size.writeUInt32BE(0x7fffffff)
    socket.write(Buffer.concat([size, Buffer.from([1, 0])]))
    socket.resume()
    await closed
    assert.equal(await witness.call('/hello'), 'hello')
  })

  test('a server that speaks no TLS is refused, and one that closes', async (t) => {
    for (const answer of ['HTTP/1.1 400 Bad Request\r\n\r\n', '']) {
      const plain = net.createServer((socket) => {
        socket.on('error', () => {})
        socket.once('data', () => socket.end(answer))
      })
      plain.listen(0, '127.0.0.1')
      t.after(() => plain.close())
      await new Promise((resolve) => plain.once('listening', resolve))
      const { port } = plain.address() as net.AddressInfo
      const [code, , cause] = await status(endpoint(t, { transport }).dial(`tls://127.0.0.1:${port}`, { tls: { ca: authority.cert } }))
      assert.equal(code, 105)
      assert.match(cause, /^TLS handshake failed: /)
    }
  })

  // node:tls, of which the JavaScript transport is made, takes any number.
  if (transport === 'native')
    test('key updates are taken now and then, and not in a flood', async (t) => {
      const { port, witness } = await serve(t)
      const keyUpdates = async (count: number): Promise<string> =>
        (await run('python3', [program, String(port), String(count)])).stdout.trim()
      assert.equal(await keyUpdates(20), 'open')
      assert.equal(await keyUpdates(2_000), 'closed')
      assert.equal(await witness.call('/hello'), 'hello')
    })
})
