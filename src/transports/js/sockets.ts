import { connect, type NetConnectOpts, type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { runInRoot } from '../../base/async/root-context.ts'
import { keepHere } from '../../base/lent-memory.ts'
import type { Address } from '../address.ts'
import { hostPort } from '../host-port.ts'
import { defaultSocket, keepAliveSeconds } from '../socket-options.ts'
import type { ConnectionOptions, TransportConnection, TransportListener, TransportListenOptions } from '../transport.ts'
import { acceptConnection } from './accept.ts'
import { type ByteSocket, StreamCarrier } from './carrier.ts'
import { SocketConnection } from './connection.ts'
import { listenOnNet } from './net-listener.ts'
import { factsOf, type SecureSocket, secureDialled, TlsAcceptor } from './tls.ts'
import { TlsCarrier } from './tls-carrier.ts'
import { TurnScheduler } from './turn-scheduler.ts'

export { hostPort } from '../host-port.ts'
export { acceptConnection } from './accept.ts'
export { Carrier, StreamCarrier } from './carrier.ts'
export { SocketConnection } from './connection.ts'
export { listenOnNet, listenWith } from './net-listener.ts'
export { removeStaleSocket } from './stale-socket.ts'
export { secureDialled, TlsAcceptor } from './tls.ts'
export { TurnScheduler } from './turn-scheduler.ts'
export { listenOnUws } from './uws.ts'

/** Most bytes of one read. All sockets read into the same buffer, because messages are only borrowed. */
const READ_SIZE = 64 * 1024

/** The sockets of the JavaScript transport, over `node:net` and `node:tls`. */
export class Sockets {
  readonly turns = new TurnScheduler()
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_SIZE)

  constructor() {
    keepHere(this.#readBuffer.buffer)
  }

  async listen(
    address: Address,
    options: ConnectionOptions,
    onConnection: (connection: TransportConnection) => void,
    how: TransportListenOptions = {},
  ): Promise<TransportListener> {
    const { serverTls, gate } = options
    if (serverTls === undefined) {
      return listenOnNet(address, how, (accepted) => {
        const reader = this.#reader()
        const socket = readingInto(accepted, reader.onread)
        acceptConnection(reader.attach(this.#connectionOn(socket, address, options, true)), onConnection)
      })
    }
    const acceptor = new TlsAcceptor(serverTls, gate, (secure) => acceptConnection(this.#secureOn(secure, options), onConnection))
    const listener = await listenOnNet(address, how, (accepted) => acceptor.accept(accepted))
    return { ...listener, setSecureContext: () => acceptor.setSecureContext() }
  }

  async dial(address: Address, options: ConnectionOptions, signal: AbortSignal): Promise<TransportConnection> {
    const reader = this.#reader()
    const { tls } = options
    const socket = await this.#connect(address, tls === undefined ? { onread: reader.onread } : {}, signal)
    if (tls === undefined) return reader.attach(this.#connectionOn(socket, address, options, false))
    return this.#secureOn(await secureDialled(socket, tls, signal), options)
  }

  /** Connects a socket, which is paused: nothing may be read before there is a handler. */
  #connect(address: Address, how: { onread?: OnReadOpts }, signal: AbortSignal): Promise<Socket> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const target = address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port }
      // In the root context, so that the socket's events do not run in the context of the caller of `dial`.
      const socket = runInRoot(connect as (options: NetConnectOpts) => Socket, undefined, {
        ...target,
        allowHalfOpen: true,
        ...how,
      })
      socket.pause()
      const settle = () => {
        signal.removeEventListener('abort', onAbort)
        socket.off('error', onError)
        socket.off('connect', onConnect)
      }
      const onAbort = () => {
        settle()
        socket.on('error', () => {})
        socket.destroy()
        reject(signal.reason)
      }
      const onError = (error: Error) => {
        settle()
        reject(firstError(error))
      }
      const onConnect = () => {
        settle()
        if (isSelfConnected(socket)) {
          socket.on('error', () => {})
          socket.resetAndDestroy() // an orderly close would keep the port for a minute (TIME-WAIT)
          reject(new Error(`connect ECONNREFUSED ${hostPort(socket.remoteAddress, socket.remotePort)}`))
          return
        }
        resolve(socket)
      }
      signal.addEventListener('abort', onAbort)
      socket.on('error', onError)
      socket.on('connect', onConnect)
    })
  }

  flush(): void {
    this.turns.flush()
  }

  /**
   * Makes a connection of a stream that others have accepted and read from: a socket, also one of `node:tls`, or what
   * replaces one.
   * @param head bytes that were read and are the connection's
   * @returns undefined when the stream is closed already
   */
  adopt(stream: Duplex, head: Uint8Array, options: ConnectionOptions): TransportConnection | undefined {
    if (stream.destroyed) return undefined
    const socket = stream as Socket
    socket.pause()
    socket.setTimeout?.(0)
    setUp(socket, options)
    const local = hostPort(socket.localAddress, socket.localPort)
    const remote = hostPort(socket.remoteAddress, socket.remotePort)
    if (!isTls(socket)) return new SocketConnection(new StreamCarrier(socket, head), local, remote, options, this.turns)
    const carrier = new TlsCarrier(socket, socket, head)
    return new SocketConnection(carrier, local, remote, options, this.turns, factsOf(socket, true))
  }

  #secureOn({ socket, raw, facts }: SecureSocket, options: ConnectionOptions): SocketConnection {
    setUp(raw, options)
    const local = hostPort(raw.localAddress, raw.localPort)
    const remote = hostPort(raw.remoteAddress, raw.remotePort)
    return new SocketConnection(new TlsCarrier(socket, raw), local, remote, options, this.turns, facts)
  }

  #connectionOn(socket: Socket, address: Address, options: ConnectionOptions, accepted: boolean): SocketConnection {
    setUp(socket, options)
    let local: string
    let remote: string
    if (address.kind === 'unix') {
      local = accepted ? address.path : '@'
      remote = accepted ? '@' : address.path
    } else {
      local = hostPort(socket.localAddress, socket.localPort)
      remote = hostPort(socket.remoteAddress, socket.remotePort)
    }
    return new SocketConnection(socket, local, remote, options, this.turns)
  }

  /**
   * Options for a socket that reads into the shared buffer, and a function that sets its connection, which is made
   * after the socket.
   */
  #reader(): { onread: OnReadOpts; attach: (connection: SocketConnection) => SocketConnection } {
    let target: SocketConnection | undefined
    return {
      onread: { buffer: this.#readBuffer, callback: (length, buffer) => target?.received(length, buffer as Uint8Array) ?? true },
      attach: (connection) => (target = connection),
    }
  }
}

/**
 * Whether a socket is connected with itself. TCP does that when the port that is dialled on this machine is the one
 * that the system chose for the socket (RFC 9293 §3.5, simultaneous open). A side that dials a port without listener
 * again and again gets there eventually.
 */
function isSelfConnected({ localAddress, localPort, remoteAddress, remotePort }: Socket): boolean {
  return localPort !== undefined && localPort === remotePort && localAddress === remoteAddress
}

/** Asked of the socket itself, because `instanceof` would load `node:tls`. */
function isTls(socket: Socket): socket is TLSSocket {
  return 'encrypted' in socket && 'getPeerX509Certificate' in socket
}

/**
 * Sets the options of a socket. Not passed when the socket is made, because Node remembers those and skips later calls
 * that it takes for no change.
 */
function setUp(socket: ByteSocket, { socket: settings = defaultSocket }: ConnectionOptions): void {
  if (settings.noDelay) socket.setNoDelay?.(true)
  const seconds = keepAliveSeconds(settings.keepAlive, settings.keepAliveIdle)
  if (seconds !== 0) socket.setKeepAlive?.(true, seconds * 1000)
}

/**
 * The error of a dial. A name with several addresses fails with one error per address and no message; the first says
 * enough.
 */
function firstError(error: Error): Error {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error
}

/**
 * The accepted connection as a socket that reads into the shared buffer, so that Node allocates nothing per read: 8.6
 * µs of CPU per call instead of 10.2 with 256 connections that each answer one call at a time (Node 20.20, 2026-11).
 * Node documents `onread` for dialled sockets only, so the accepted socket hands its handle over. Where there is no
 * such handle the socket stays as it is, and the connection listens to its 'data' events.
 */
function readingInto(accepted: Socket, onread: OnReadOpts): Socket {
  const husk = accepted as Socket & { _handle?: object | null }
  const { _handle: handle } = husk
  if (!handle || process.versions.bun !== undefined || process.versions.deno !== undefined) return accepted
  husk._handle = null
  // Only lowers the server's count of connections, because the husk no longer owns the handle.
  husk.destroy()
  const socket = new Socket({ handle, onread, allowHalfOpen: true } as SocketConstructorOpts)
  return socket.pause()
}
