import { constants } from 'node:os'
import type { Clock } from '../base/time/clock.ts'
import type { Incoming } from '../message/message.ts'
import type { Outgoing } from '../message/outgoing.ts'
import type { Envelope } from '../wire/envelope.ts'
import type { Framing } from '../wire/framing.ts'
import type { Address } from './address.ts'
import type { SocketSettings } from './socket-options.ts'

/**
 * The seam between messages and bytes. Below it a transport owns sockets, frames and headers; above it a session
 * never sees a socket. `transports/native.ts` and `transports/js.ts` implement it and pass the same tests.
 */
export interface Transport {
  readonly kind: TransportKind
  /** Endpoints on it go by this clock; default: the system's. */
  readonly clock?: Clock | undefined
  /** Which of its kind it is. */
  readonly name?: string | undefined
  /** It knows hosts by their names: they are not looked up. */
  readonly resolves?: boolean | undefined
  /** Calls `onWire` for each accepted connection; the callee must set `wire.sink` before it returns. */
  listen(
    address: Address,
    options: ConnectionOptions,
    onConnection: (connection: TransportConnection) => void,
    how?: ListenOptions,
  ): Promise<TransportListener>
  /** Rejects with the system's error (`code`, `message`), or with the signal's reason when that fires first. */
  dial(address: Address, options: ConnectionOptions, signal: AbortSignal): Promise<TransportConnection>
  /** `owner` wishes the loop to poll this many microseconds before it blocks; 0 takes the wish back. The longest wins. */
  busyPoll?(owner: object, microseconds: number): void
  /** Writes at once what it would write at the end of the turn. Missing where what a read caused is written before the loop's check phase anyway. */
  flush?(): void
}

/** `memory` is that of `dmicro/testing`. */
export type TransportKind = 'native' | 'js' | 'memory'

export interface ListenOptions {
  /**
   * Several processes may listen on the same TCP port (SO_REUSEPORT); the system spreads the connections among them. Default false.
   * The JavaScript transport can do it from Node.js 22.12 on.
   */
  reusePort?: boolean | undefined
  /**
   * In a worker of `node:cluster`: it has the port to itself. Default false: workers that listen on the same address share it through the primary,
   * as with `node:net`; so they do with port 0, where each worker's first such listener shares a port with the others' first, and so on. With
   * `reusePort` each has a socket of its own in any case.
   */
  exclusive?: boolean | undefined
}

export interface TransportListener {
  /** Where it really listens: port 0 is replaced by the port the system chose. */
  readonly address: Address
  /** Stops accepting. Open connections live on. */
  close(): Promise<void>
}

/** While a connection is peeked at, no more bytes than this are read. */
export const MAX_PEEK = 2048

/** What a transport must enforce for one connection. Meaning and defaults: `limits.ts`. */
export interface ConnectionOptions {
  /** Default: raw. */
  framing?: Framing | undefined
  maxMessage: number
  maxFilters: number
  maxUnsent: number
  frameTimeout: number
  writeTimeout: number
  /** Default: `defaultSocket`. */
  socket?: SocketSettings | undefined
}

/** What can be set of an open socket. native/io/socket_options.h has the same numbers. */
export const SocketOption = {
  /** 1 or 0. */
  NoDelay: 0,
  /** Seconds of silence, 0 for none. */
  KeepAlive: 1,
  /** Bytes. */
  ReceiveBuffer: 2,
  SendBuffer: 3,
} as const
export type SocketOption = (typeof SocketOption)[keyof typeof SocketOption]

/** Errors of `Connection.setSocketOption` besides the system's own: the connection is closing or gone; the transport cannot do it. */
export const NOT_OPEN = -constants.errno.EBADF
export const NOT_SUPPORTED = -constants.errno.ENOTSUP

/** What happened to a message handed to `Connection.send`. */
export const SendResult = {
  /** It will be written before the loop blocks again. */
  Ok: 0,
  /** The connection is closing or gone; nothing was sent. */
  Closed: 1,
  /** The frame would exceed `maxMessage`, or a field its width; nothing was sent. */
  TooLarge: 2,
  /** The peer does not read and `maxUnsent` is reached, of replies by replies alone; nothing was sent. */
  Unsent: 3,
} as const
export type SendResult = (typeof SendResult)[keyof typeof SendResult]

/** One connection. */
export interface Connection {
  /** `host:port` (IPv6 in brackets) or the path of a Unix socket, `@` when it has none. */
  readonly localAddress: string
  readonly remoteAddress: string
  handler: ConnectionHandler
  /**
   * Changes when bytes of the peer came, however few, or it took some of ours that had to wait for it: a peer of which this stands still is silent.
   * NaN while held, when nothing is read and nothing can be told.
   */
  readonly activity: number
  /**
   * Packs one message and queues it; everything queued in one turn of the loop leaves in one write.
   *
   * @param message Borrowed until this returns, its bytes too. Its method is read only when it has no route. A protocol may change it.
   */
  send(message: Outgoing): SendResult
  /**
   * Queues one frame that is ready, as packed and filtered above. Its bytes are copied before this returns.
   * @param reply it answers the peer
   */
  sendFrame(frame: Uint8Array | string, reply: boolean): SendResult
  /** How messages with transfer filters lie on this wire; undefined: its protocol has none. */
  readonly envelope: Envelope | undefined
  /**
   * Delivers no message until `release`, and stops reading; what was read waits. Timeouts of the peer's frames stand still. Calls
   * add up: as many releases go on.
   */
  pauseReading(): void
  resumeReading(): void
  /** The system's number of its socket, -1 when it is closing or gone; absent where there are no sockets. */
  readonly descriptor?: number | undefined
  /** @returns 0, or a negative number of the system's error; absent where there are no sockets */
  setSocketOption?(option: SocketOption, value: number): number
  /** Writes what is queued, then closes. `sink.onClose` follows. */
  end(): void
  /** Closes at once. `sink.onClose(reason)` follows, never from inside this call. */
  destroy(reason: number): void
}

/** A wire as a transport makes it: bytes, or messages of the raw protocol. */
export interface TransportConnection extends Connection {
  /**
   * More than half of `maxUnsent` are replies that wait for the peer: its requests would only pile up more of them. `ConnectionHandler.onPress` tells of it
   * with the next message at the latest, `onDrain` of the end.
   */
  readonly needsDrain: boolean
  /**
   * Queues bytes of a protocol other than raw, which are copied before this returns. Only envelopes must keep to `maxMessage`.
   * @param addEnvelope the payload of an envelope without filters; the transport puts size and number of filters before it
   * @param reply they answer the peer
   */
  sendBytes(bytes: Uint8Array | string, addEnvelope: boolean, reply: boolean): SendResult
  /** Answers what came with framing `Peek`: how all bytes from the first on are to be cut, or `Peek` for more of them. */
  setFraming(framing: Framing): void
}

/** What the layer above a wire offers it. */
export interface ConnectionHandler {
  /** `message` is borrowed: valid until this returns. What the transport does not take apart comes with type `UNPARSED`. */
  onMessage(message: Incoming): void
  /** Many replies wait for the peer. It is read on, since its replies to us add nothing; what it asks must not be started now. */
  onNeedsDrain?(): void
  /** It took most of them: `TransportConnection.needsDrain` is false again. May come without `onPress`. */
  onDrained?(): void
  /** Called exactly once, last. `reason` is a `CloseReason`; `detail` names the system error, or is ''. */
  onClose(reason: number, detail: string): void
}
