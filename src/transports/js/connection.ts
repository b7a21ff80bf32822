import { runInRoot } from '../../base/async/root-context.ts'
import { immediate } from '../../base/time/clock.ts'
import { CloseReason } from '../../message/close-reason.ts'
import type { Outgoing, Packer } from '../../message/outgoing.ts'
import { Framing } from '../../wire/framing.ts'
import { rawEnvelope } from '../../wire/raw-envelope.ts'
import { CloseCode } from '../../wire/websocket/close-code.ts'
import { closeCodeOf, peerCloseDetail } from '../close-code.ts'
import type { TlsFacts } from '../tls/tls-facts.ts'
import {
  type ConnectionHandler,
  type ConnectionOptions,
  NOT_OPEN,
  NOT_SUPPORTED,
  SendResult,
  SocketOption,
  type TransportConnection,
} from '../transport.ts'
import type { WebSocketSettings } from '../websocket-settings.ts'
import { type ByteSocket, Carrier, type CarrierOwner, StreamCarrier } from './carrier.ts'
import { ReadHalf, type ReadingOwner } from './read-half.ts'
import type { Sweeping, TurnScheduler } from './turn-scheduler.ts'
import { WebSocketEnd, type WebSocketOwner } from './websocket-end.ts'
import { WriteHalf, type WritingOwner } from './write-half.ts'

/**
 * Milliseconds after our FIN within which the peer must close its side. Until then its bytes are read and dropped:
 * closing a socket with unread bytes resets the connection, which may destroy bytes that the peer has not read yet. The
 * native core has the same value.
 */
const LINGER_MS = 2000

const State = { Open: 0, Ending: 1, Closed: 2 } as const
type State = (typeof State)[keyof typeof State]

/**
 * One connection over a `Carrier`, made of a reading and a writing half. The native transport behaves the same way:
 *
 * - Nothing is read until `handler` is set, so the caller of `dial` may take its time.
 * - After `end` or `destroy` no message is delivered, not even one that was received before.
 * - A FIN closes both directions: messages before it are delivered, what the socket accepts at once of our answers is
 *   written, then `onClose(Peer)` is called.
 * - After `end` the reason is Local whatever the peer does, unless an error or the write timeout kept queued bytes from
 *   it.
 * - While reading is paused the frame timeout stands still.
 * - A handler that throws loses its connection, with the error as a process warning: its state cannot be trusted, but
 *   other sessions must live. (The session layer catches what handlers of calls throw; this is for internal errors.)
 */
export class SocketConnection implements TransportConnection, Sweeping, ReadingOwner, WritingOwner, CarrierOwner, WebSocketOwner {
  readonly envelope = rawEnvelope
  readonly localAddress: string
  readonly remoteAddress: string
  readonly sweepPeriod: number
  readonly tls: TlsFacts | undefined
  readonly #carrier: Carrier
  readonly #turns: TurnScheduler
  readonly #reading: ReadHalf
  readonly #writing: WriteHalf
  readonly #maxMessage: number
  #webSocket: WebSocketEnd | undefined = undefined
  /** Why the connection ends, while it is ending. */
  #endReason: number = CloseReason.Local
  #state: State = State.Open
  #reason: number = CloseReason.Local
  #detail = ''
  /** Whether `onClose` has been called or, without a handler, is due. */
  #over = false
  /** Whether this connection is on the list of `turns.watch`. */
  #watched = false
  #endingSince = -1

  /**
   * @param socket a carrier, or the socket of one: connected, paused, and made with `allowHalfOpen`
   */
  constructor(
    socket: Carrier | ByteSocket,
    localAddress: string,
    remoteAddress: string,
    options: ConnectionOptions,
    turns: TurnScheduler,
    tls?: TlsFacts,
  ) {
    this.localAddress = localAddress
    this.remoteAddress = remoteAddress
    this.tls = tls
    this.sweepPeriod = Math.min(Math.max(Math.min(options.frameTimeout, options.writeTimeout) / 4, 10), 1000)
    const carrier = socket instanceof Carrier ? socket : new StreamCarrier(socket)
    carrier.owner = this
    this.#carrier = carrier
    this.#turns = turns
    this.#maxMessage = options.maxMessage
    this.#reading = new ReadHalf(this, carrier, options, turns)
    this.#writing = new WriteHalf(this, carrier, options, turns)
  }

  get handler(): ConnectionHandler {
    const { handler } = this.#reading
    if (handler === undefined) throw new Error('the connection has no handler yet')
    return handler
  }

  set handler(handler: ConnectionHandler) {
    const reading = this.#reading
    const first = reading.handler === undefined
    reading.handler = handler
    if (!first) return
    if (this.#over) {
      immediate(() => this.#reportClosed())
    } else if (this.#state === State.Open) {
      reading.start()
    }
  }

  send(message: Outgoing): SendResult {
    if (this.#state !== State.Open) return SendResult.Closed
    return this.#writing.send(message)
  }

  sendFrame(frame: Uint8Array | string, reply: boolean): SendResult {
    return this.sendBytes(frame, false, reply)
  }

  sendBytes(bytes: Uint8Array | string, bare: boolean, reply: boolean): SendResult {
    if (this.#state !== State.Open) return SendResult.Closed
    // Bytes of a stream protocol may exceed `maxMessage`: the protocol has checked the body already, and a message that
    // is only larger with its headers must be sent, or its peer would never be answered.
    const { framing } = this.#reading
    return this.#writing.sendBytes(bytes, bare, reply, framing !== Framing.Stream && framing !== Framing.Peek)
  }

  sendInPlace(packer: Packer, message: Outgoing, room: number, bare: boolean, reply: boolean): SendResult | undefined {
    if (this.#state !== State.Open) return SendResult.Closed
    return this.#writing.sendInPlace(packer, message, room, bare, reply)
  }

  get needsDrain(): boolean {
    return this.#writing.needsDrain
  }

  get unsentReplies(): number {
    return this.#writing.unsentReplies
  }

  get activity(): number {
    const { isPaused, payload } = this.#reading
    return isPaused ? Number.NaN : (payload ?? this.#carrier.bytesRead) + this.#writing.taken
  }

  setFraming(framing: Framing, skip = 0, webSocket?: WebSocketSettings): void {
    if (this.#state !== State.Open) return
    if (webSocket !== undefined) {
      this.#webSocket = new WebSocketEnd(webSocket, this.#maxMessage, framing, this)
      this.#writing.startWebSocket(this.#webSocket)
    }
    this.#reading.setFraming(framing, skip, this.#webSocket)
  }

  pauseReading(): void {
    this.#reading.pauseReading()
  }

  resumeReading(): void {
    this.#reading.resumeReading()
  }

  get descriptor(): number {
    return this.#state === State.Open ? this.#carrier.descriptor : -1
  }

  setSocketOption(option: SocketOption, value: number): number {
    if (this.#state !== State.Open) return NOT_OPEN
    if (option === SocketOption.NoDelay) this.#carrier.setNoDelay(value !== 0)
    else if (option === SocketOption.KeepAlive) this.#carrier.setKeepAlive(value !== 0, value * 1000)
    else return NOT_SUPPORTED
    return 0
  }

  end(): void {
    this.#end(CloseReason.Local, CloseCode.Normal)
  }

  #end(reason: number, code: number): void {
    if (this.#state !== State.Open) return
    this.#state = State.Ending
    this.#endReason = reason
    this.#reading.drop()
    this.#writing.end(code)
    // Bytes that the peer still sends are dropped, but its FIN must be seen.
    this.#carrier.resume()
  }

  destroy(reason: number): void {
    if (this.#state === State.Open) this.#writing.sayGoodbye(closeCodeOf(reason))
    this.#close(reason, '')
  }

  sweep(clock: number): boolean {
    if (!this.#reading.inTime(clock)) this.#close(CloseReason.FrameTimeout, '')
    if (!this.#writing.inTime(clock)) this.#close(CloseReason.WriteTimeout, '')
    if (this.#state === State.Ending && this.#writing.ended) {
      if (this.#endingSince < 0) this.#endingSince = clock
      if (clock - this.#endingSince > LINGER_MS) this.#close(this.#endReason, '')
    }
    this.#watched = this.#state !== State.Closed && (this.#reading.partial > 0 || this.#writing.busy || this.#writing.ended)
    return this.#watched
  }

  /**
   * Receives a chunk of a socket that reads into a shared buffer: `chunk[0, length)` is borrowed until this returns.
   */
  readonly received = (length: number, chunk: Uint8Array): boolean => {
    this.#reading.received(length, chunk)
    return true
  }

  /** @internal */
  onNeedsDrain(): void {
    this.#reading.pauseForDrain()
  }

  /** @internal */
  onDrained(): void {
    this.#reading.resumeAfterDrain()
  }

  /** @internal */
  onBroken(reason: number, code = closeCodeOf(reason)): void {
    // The peer of a WebSocket is told why, so the connection lingers until it has read that.
    if (this.#webSocket === undefined) this.#close(reason, '')
    else this.#end(reason, code)
  }

  /** @internal */
  onCloseAnswered(): void {
    this.#close(this.#endReason, '')
  }

  /** @internal */
  onPing(payload: Buffer): void {
    if (this.#state === State.Open) this.#writing.sendPong(payload)
  }

  /** @internal */
  onThrown(error: unknown): void {
    this.#closeOnInternalError(error)
    this.#close(CloseReason.Local, 'handler threw')
  }

  /** @internal */
  onPeerEnded(): void {
    this.#writing.flush()
    const code = this.#webSocket?.closeCode ?? 0
    if (code !== 0) this.#writing.sayGoodbye(code)
    this.#close(CloseReason.Peer, peerCloseDetail(code))
  }

  /** @internal */
  watch(): void {
    if (this.#watched) return
    this.#watched = true
    this.#turns.watch(this)
  }

  /** @internal */
  onData(length: number, chunk: Uint8Array): void {
    this.#reading.received(length, chunk)
  }

  /** @internal */
  onWritten(): void {
    this.#writing.written()
  }

  /** @internal */
  onEnd(): void {
    if (this.#state === State.Ending) this.#close(this.#endReason, '')
    else if (this.#reading.ended()) this.onPeerEnded()
  }

  /** @internal */
  onError(error: NodeJS.ErrnoException): void {
    const done = this.#state === State.Ending && this.#writing.ended
    this.#close(done ? this.#endReason : CloseReason.Io, done ? '' : (error.code ?? error.message))
  }

  /** Closes the connection. The first call decides the reason, later ones do nothing. */
  #close(reason: number, detail: string): void {
    if (this.#state === State.Closed) return
    this.#state = State.Closed
    this.#reason = reason
    this.#detail = detail
    this.#reading.drop()
    this.#writing.drop()
    this.#carrier.destroy()
  }

  /** @internal */
  onClosed(): void {
    // The socket closed without `#close`, because both sides had ended.
    if (this.#state !== State.Closed) this.#close(this.#state === State.Ending ? this.#endReason : CloseReason.Peer, '')
    this.#over = true
    this.#reportClosed()
  }

  #reportClosed(): void {
    try {
      const { handler } = this.#reading
      if (handler !== undefined) runInRoot(handler.onClose, handler, this.#reason, this.#detail)
    } catch (error) {
      this.#closeOnInternalError(error)
    }
  }

  #closeOnInternalError(error: unknown): void {
    process.emitWarning(error instanceof Error ? error : new Error(`a connection handler threw ${String(error)}`))
  }
}
