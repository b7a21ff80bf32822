import type { Clock } from '../base/time/clock.ts'
import type { Incoming } from '../message/message.ts'
import type { Outgoing, Packer } from '../message/outgoing.ts'
import type { Envelope } from '../wire/envelope.ts'
import type { Framing } from '../wire/framing.ts'
import type { KcpSettings } from '../wire/kcp/settings.ts'
import type { Address } from './address.ts'
import type { QuicSettings } from './quic-options.ts'
import type { SocketSettings } from './socket-options.ts'
import type { TlsTarget } from './tls/client-tls.ts'
import type { ServerTls } from './tls/server-tls.ts'
import type { TlsFacts } from './tls/tls-facts.ts'
import type { WebSocketSettings } from './websocket-settings.ts'

/**
 * The boundary between messages and bytes. Below it a transport owns sockets, frames and headers; above it a session
 * never sees a socket. `transports/native.ts` and `transports/js.ts` implement it and pass the same tests.
 */
export interface Transport {
  readonly kind: TransportKind
  /** The clock of endpoints on this transport; default: the system's. */
  readonly clock?: Clock | undefined
  /** Name of the transport among those of its kind. */
  readonly name?: string | undefined
  /** Whether the transport dials hosts by name: then names are not looked up. */
  readonly resolves?: boolean | undefined
  /**
   * Listens, and calls `onConnection` for each accepted connection. The callee must set `connection.handler` before it
   * returns.
   * @throws Error (rejects) the system's error
   */
  listen(
    address: Address,
    options: ConnectionOptions,
    onConnection: (connection: TransportConnection) => void,
    how?: TransportListenOptions,
  ): Promise<TransportListener>
  /**
   * Dials.
   * @throws Error (rejects) the system's error (`code`, `message`), or the signal's reason when that fires first
   */
  dial(address: Address, options: ConnectionOptions, signal: AbortSignal): Promise<TransportConnection>
  /**
   * Sets how long the loop polls before it blocks: the longest of all owners' values.
   * @param microseconds 0 removes the owner's value
   */
  busyPoll?(owner: object, microseconds: number): void
  /**
   * Writes at once what would be written at the end of the turn. Missing where replies to what was read are written
   * before the loop's check phase anyway.
   */
  flush?(): void
}

/** Kind of a transport; `memory` is that of `dmicro/testing`, `browser` that of `dmicro/browser`. */
export type TransportKind = 'native' | 'js' | 'memory' | 'browser'

export interface ListenOptions {
  /**
   * Whether several processes may listen on the same TCP port (SO_REUSEPORT); the system spreads the connections among
   * them. The JavaScript transport supports this from Node.js 22.12 on.
   * @default false
   */
  reusePort?: boolean | undefined
  /**
   * Whether a worker of `node:cluster` has the port to itself. When false, workers that listen on the same address
   * share it through the primary, as with `node:net`. With port 0 each worker's first such listener shares a port with
   * the others' first, and so on. With `reusePort` each worker has a socket of its own in any case.
   * @default false
   */
  exclusive?: boolean | undefined
}

/** Options of `Transport.listen`. */
export interface TransportListenOptions extends ListenOptions {
  /**
   * Descriptor of a socket that listens already, which is used in place of a new one. The listener owns it; when
   * `listen` rejects, the caller does. Default: none
   */
  descriptor?: number | undefined
}

export interface TransportListener {
  /** The address that is bound: port 0 is replaced by the port the system chose. */
  readonly address: Address
  /**
   * Stops accepting. Open connections stay open.
   * @param handedOver whether another process listens on the same socket: the path of a Unix socket stays
   */
  close(handedOver?: boolean): Promise<void>
  /**
   * The descriptor of the listening socket, which other processes can inherit; -1 when it is closed. Absent where there
   * is none, or where it is another process's.
   */
  descriptor?(): number
  /** Makes the listener use what `ConnectionOptions.serverTls` has now. Absent without TLS. */
  setSecureContext?(): void
}

/** Most bytes that are read while the framing is Peek. */
export const MAX_PEEK = 2048

/** Limits and options that a transport must enforce for one connection. `limits.ts` has meaning and defaults. */
export interface ConnectionOptions {
  /** The framing of the first bytes; default: raw. */
  framing?: Framing | undefined
  maxMessage: number
  maxFilters: number
  maxUnsent: number
  frameTimeout: number
  writeTimeout: number
  /** Whether sizes of sent bodies are asked for (`Outgoing.written`). Default: no; then they may be too small. */
  countsBodies?: boolean | undefined
  /** Options of the socket; default: `defaultSocket`. */
  socket?: SocketSettings | undefined
  /** Options of KCP, for addresses of it; default: `defaultKcp`. */
  kcp?: KcpSettings | undefined
  /** Options of QUIC, for addresses of it; default: `defaultQuic`. */
  quic?: QuicSettings | undefined
  /** TLS of the connection that is dialled; default: none. */
  tls?: TlsTarget | undefined
  /** TLS of accepted connections; default: none. */
  serverTls?: ServerTls | undefined
  /** Asked about accepted connections that begin with a handshake; default: all may. */
  gate?: HandshakeGate | undefined
}

/**
 * Decides whether an accepted connection may begin its handshake, which costs more than the connection itself. For each
 * `begin` that returned true either `fail` follows, or the call of `onConnection`.
 */
export interface HandshakeGate {
  /** Whether a connection of `remoteAddress` may begin. */
  begin(remoteAddress: string): boolean
  /**
   * Called when the handshake has failed and the connection is closed.
   * @param reason text for the log
   */
  fail(remoteAddress: string, reason: string): void
}

/** Options of an open socket. native/io/socket_options.h has the same numbers. */
export const SocketOption = {
  /** 1 or 0. */
  NoDelay: 0,
  /** Seconds of silence before the first probe, 0 for no keep-alive. */
  KeepAlive: 1,
  /** Size of a buffer in bytes. */
  ReceiveBuffer: 2,
  SendBuffer: 3,
} as const
export type SocketOption = (typeof SocketOption)[keyof typeof SocketOption]

/**
 * Results of `Connection.setSocketOption` besides the system's own errors: the connection is closing or gone (EBADF);
 * the transport does not have the option (ENOTSUP). Not taken from `node:os`, which nothing else here needs to load.
 */
export const NOT_OPEN = -9
export const NOT_SUPPORTED = process.platform === 'darwin' ? -45 : -95

/** Result of `Connection.send`. */
export const SendResult = {
  /** The message will be written before the loop blocks again. */
  Ok: 0,
  /** The connection is closing or gone; nothing was sent. */
  Closed: 1,
  /** The frame would exceed `maxMessage`, or a field its width; nothing was sent. */
  TooLarge: 2,
  /** `maxUnsent` is reached, because the peer does not read; nothing was sent. For a reply only replies count. */
  Unsent: 3,
} as const
export type SendResult = (typeof SendResult)[keyof typeof SendResult]

/** One connection, as a session uses it. */
export interface Connection {
  /** `host:port` (IPv6 in brackets), or the path of a Unix socket, `@` when it has none. */
  readonly localAddress: string
  readonly remoteAddress: string
  handler: ConnectionHandler
  /** Results of the TLS handshake; undefined without TLS. */
  readonly tls?: TlsFacts | undefined
  /**
   * A counter that changes when any byte of the peer was received, or when the peer took bytes that had to wait for it.
   * A peer whose counter stands still is silent. NaN while reading is paused, because then nothing is known.
   */
  readonly activity: number
  /** Bytes of replies that the peer has not taken yet; absent where that is not known. */
  readonly unsentReplies?: number
  /**
   * Packs one message and queues it; everything queued in one turn of the loop leaves in one write.
   * @param message borrowed until this returns, its bytes too. Its method is read only when it has no route. A protocol
   *   may change it.
   */
  send(message: Outgoing): SendResult
  /**
   * Queues one frame that was packed and filtered above. The bytes are copied before this returns.
   * @param reply whether the frame is a reply to the peer
   */
  sendFrame(frame: Uint8Array | string, reply: boolean): SendResult
  /** Where filters and payload lie in the frames of this connection; undefined when its protocol has no filters. */
  readonly envelope: Envelope | undefined
  /**
   * Delivers no message until `resumeReading`, and stops reading; messages that were read wait. Timeouts of the peer's
   * frames stand still. Calls are counted: as many calls of `resumeReading` are needed.
   */
  pauseReading(): void
  resumeReading(): void
  /** The descriptor of the socket, -1 when it is closing or gone; absent where there are no sockets. */
  readonly descriptor?: number | undefined
  /**
   * Sets an option of the open socket; absent where there are no sockets.
   * @returns 0, or a negative errno
   */
  setSocketOption?(option: SocketOption, value: number): number
  /** Writes what is queued, then closes. `handler.onClose` follows. */
  end(): void
  /** Closes at once. `handler.onClose(reason)` follows, never from inside this call. */
  destroy(reason: number): void
}

/** A connection as a transport makes it: passes bytes, or messages of the raw protocol. */
export interface TransportConnection extends Connection {
  /**
   * Whether more than half of `maxUnsent` are replies that wait for the peer: more requests of the peer would only add
   * to them. `ConnectionHandler.onNeedsDrain` reports this with the next message at the latest, `onDrained` reports the
   * end.
   */
  readonly needsDrain: boolean
  /**
   * Queues bytes of a protocol other than raw. They are copied before this returns. `maxMessage` applies to envelopes
   * only.
   * @param addEnvelope whether the bytes are the payload of an envelope without filters, before which the transport
   *   puts size and number of filters
   * @param reply whether the bytes are a reply to the peer
   */
  sendBytes(bytes: Uint8Array | string, addEnvelope: boolean, reply: boolean): SendResult
  /**
   * Queues a message that `packer` writes in place, as `sendBytes` queues its bytes.
   * @param room number of bytes that it may take, at most `maxMessage`
   * @returns undefined when the message must be encoded, packed and sent by `sendBytes`: nothing was queued
   */
  sendInPlace(packer: Packer, message: Outgoing, room: number, addEnvelope: boolean, reply: boolean): SendResult | undefined
  /**
   * Answers bytes that were shown with framing `Peek`: sets how all bytes from the first on are to be cut. `Peek` asks
   * for more of them.
   * @param skip number of the bytes shown that are dropped first; default 0
   * @param webSocket makes what follows frames of a WebSocket, in both directions and behind everything sent so far;
   *   the framing is then that of their payload
   */
  setFraming(framing: Framing, skip?: number, webSocket?: WebSocketSettings): void
}

/** Receives the messages of a connection. */
export interface ConnectionHandler {
  /**
   * Receives one message. It is borrowed until this returns. Bytes that the transport does not parse have type
   * `UNPARSED`.
   */
  onMessage(message: Incoming): void
  /**
   * Called when many replies wait for the peer. Reading goes on, since the peer's replies to our calls add nothing, but
   * no new request of the peer must be started.
   */
  onNeedsDrain?(): void
  /**
   * Called when the peer took most of the replies: `TransportConnection.needsDrain` is false again. May be called
   * without `onNeedsDrain` before.
   */
  onDrained?(): void
  /**
   * Called exactly once, as the last call.
   * @param reason a `CloseReason`
   * @param detail name of the system error, or ''
   */
  onClose(reason: number, detail: string): void
}
