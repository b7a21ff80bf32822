import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { defaultLimits } from '../../src/base/limits.ts'
import { parseAddress, type QuicAddress } from '../../src/transports/address.ts'
import { CarrierStream } from '../../src/transports/js/carrier-stream.ts'
import { netModule } from '../../src/transports/js/deferred.ts'
import { TurnScheduler } from '../../src/transports/js/turn-scheduler.ts'
import { clientTls } from '../../src/transports/tls/client-tls.ts'
import { fastKcp } from '../../src/wire/kcp/settings.ts'
import { FrameReader } from '../../src/wire/websocket/reader.ts'
import { certificates } from './certificates.ts'
import { type Parsed, parse } from './frames.ts'
import { once } from './helpers.ts'
import { payloadOf, upgrade, webSocketFrame } from './web-socket.ts'

/** A peer that is nothing but a socket: it can send what no library would. */
export class RawPeer {
  readonly socket: Socket
  readonly framed: boolean
  readonly frames: Parsed[] = []
  /** Resolves when the other side closes the connection, or resets it. */
  readonly closed: Promise<void>
  #rest = Buffer.alloc(0)
  #waiting: { count: number; resolve: (frames: Parsed[]) => void; reject: (error: unknown) => void }[] = []
  #isClosed = false

  /** @param framed whether all bytes are messages of a WebSocket */
  constructor(socket: Socket, framed = false) {
    this.socket = socket
    this.framed = framed
    const reader = new FrameReader({ masked: false, compression: false, maxMessage: 2 ** 31 })
    const closed = once()
    this.closed = closed.promise
    if (socket.closed) closed.resolve()
    socket.on('error', () => {})
    socket.on('close', () => {
      closed.resolve()
      this.#isClosed = true
      for (const { count, reject } of this.#waiting) reject(this.#missing(count))
      this.#waiting = []
    })
    socket.on('data', (received) => {
      const chunk = framed ? payloadOf(reader, received) : received
      const { frames, rest } = parse(this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]))
      this.#rest = Buffer.from(rest)
      this.frames.push(...frames)
      this.#waiting = this.#waiting.filter(({ count, resolve }) => {
        if (this.frames.length >= count) resolve(this.frames)
        return this.frames.length < count
      })
    })
  }

  send(...parts: (Buffer | string)[]): void {
    const bytes = Buffer.concat(parts.map((part) => Buffer.from(part as Buffer)))
    this.socket.write(this.framed ? webSocketFrame(0x82, bytes) : bytes)
  }

  /** Once at least `count` frames have come; fails when the connection closes before. */
  received(count: number): Promise<Parsed[]> {
    if (this.frames.length >= count) return Promise.resolve(this.frames)
    if (this.#isClosed) return Promise.reject(this.#missing(count))
    const { promise, resolve, reject } = once<Parsed[]>()
    this.#waiting.push({ count, resolve, reject })
    return promise
  }

  #missing(count: number): Error {
    return new Error(`closed after ${this.frames.length} frames of ${count}`)
  }
}

/** The bytes of a carrier, with the count that a socket has. */
class RawStream extends CarrierStream {
  #taken = 0

  /** Bytes that were written, also those that wait in the stream. */
  get bytesWritten(): number {
    return this.#taken + this.writableLength
  }

  override _write(chunk: Buffer, encoding: string, done: (error?: Error | null) => void): void {
    super._write(chunk, encoding, (error) => {
      this.#taken += chunk.length
      done(error)
    })
  }

  /** What QUIC reports is borrowed. */
  override onData(length: number, chunk: Uint8Array): void {
    super.onData(length, Buffer.from(chunk.subarray(0, length)))
  }
}

/** A peer that is nothing but a conversation of KCP. */
async function rawKcpPeer(t: TestContext, url: string): Promise<RawPeer> {
  await netModule.load()
  const { dialKcp } = await import('../../src/transports/js/kcp/dial.ts')
  const options = { ...defaultLimits, kcp: fastKcp }
  const { carrier, local, remote } = await dialKcp(parseAddress(url), options, t.signal, new TurnScheduler())
  return rawStreamPeer(t, new RawStream(carrier, local, remote))
}

/** A peer that is nothing but the stream of a QUIC connection. */
async function rawQuicPeer(t: TestContext, url: string): Promise<RawPeer> {
  await netModule.load()
  const { loadQuiche } = await import('../../src/transports/js/quic/quiche.ts')
  const { dialQuic } = await import('../../src/transports/js/quic/dial.ts')
  await loadQuiche()
  const address = parseAddress(url) as QuicAddress
  const { host, port } = address
  const tls = clientTls({ ca: certificates().authority.cert, ALPNProtocols: ['dmicro/1'] })
  const options = { ...defaultLimits, tls: { tls, host, port } }
  const { carrier, local, remote } = await dialQuic(address, options, t.signal, new TurnScheduler())
  return rawStreamPeer(t, new RawStream(carrier, local, remote))
}

function rawStreamPeer(t: TestContext, stream: RawStream): RawPeer {
  stream.allowHalfOpen = false
  t.after(() => stream.destroy())
  return new RawPeer(stream as unknown as Socket)
}

/** Connects to `tcp://127.0.0.1:port` or `tls://127.0.0.1:port`; the socket goes when the test ends. */
export async function rawPeer(t: TestContext, url: string): Promise<RawPeer> {
  if (url.startsWith('kcp:')) return rawKcpPeer(t, url)
  if (url.startsWith('quic:')) return rawQuicPeer(t, url)
  const to = { host: '127.0.0.1', port: Number(new URL(url).port), noDelay: true }
  const secure = ['tls:', 'wss:'].includes(new URL(url).protocol)
  const socket = secure ? connectTls({ ...to, ca: certificates().authority.cert }) : connect(to)
  t.after(() => socket.destroy())
  const connected = once()
  socket.once(secure ? 'secureConnect' : 'connect', () => connected.resolve())
  socket.once('error', connected.reject)
  await connected.promise
  if (!url.startsWith('ws')) return new RawPeer(socket)
  await upgrade(socket, new URL(url).pathname)
  return new RawPeer(socket, true)
}
