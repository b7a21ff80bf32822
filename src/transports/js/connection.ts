import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { runInRoot } from '../../base/async/root-context.ts'
import { immediate } from '../../base/time/clock.ts'
import { CloseReason } from '../../message/close-reason.ts'
import type { Outgoing } from '../../message/outgoing.ts'
import { Framing } from '../../wire/framing.ts'
import { rawEnvelope } from '../../wire/raw-envelope.ts'
import {
  type ConnectionHandler,
  type ConnectionOptions,
  NOT_OPEN,
  NOT_SUPPORTED,
  SendResult,
  SocketOption,
  type TransportConnection,
} from '../transport.ts'
import { ReadHalf, type ReadingOwner } from './read-half.ts'
import type { Sweeping, TurnScheduler } from './turn-scheduler.ts'
import { WriteHalf, type WritingOwner } from './write-half.ts'

/**
 * After our FIN a peer has this long to close its side. Until then its bytes are read and dropped: closing a socket with
 * unread bytes resets the connection, which may destroy what the peer has not read yet. The native core has the same.
 */
const LINGER_MS = 2000

const State = { Open: 0, Ending: 1, Closed: 2 } as const
type State = (typeof State)[keyof typeof State]

/** A `net.Socket`, or what does as well: without options of the system's sockets. */
export type ByteSocket = Duplex & Pick<Socket, 'bytesRead'> & Partial<Pick<Socket, 'setNoDelay' | 'setKeepAlive'>>

/**
 * One connection over a `net.Socket`, or what does as well, made of a reading and a writing half. Decisions that the native transport shares:
 *
 * - Nothing is read until `sink` is set, so a dialler may take its time.
 * - After `end` or `destroy` no message is delivered, not even one that has arrived.
 * - A FIN closes both directions: messages before it are delivered, what the socket takes at once of our answers is
 *   written, then `onClose(Peer)`.
 * - After `end` the reason is Local whatever the peer does, unless an error or the write timeout kept queued bytes from it.
 * - While we do not read the frame timeout stands still.
 * - A sink that throws loses its connection, with the error as a process warning: its state cannot be trusted any more,
 *   but other sessions must live. (The session layer catches what handlers throw; this is for our own bugs.)
 */
export class SocketConnection implements TransportConnection, Sweeping, ReadingOwner, WritingOwner {
  readonly envelope = rawEnvelope
  readonly localAddress: string
  readonly remoteAddress: string
  readonly sweepPeriod: number
  readonly #socket: ByteSocket
  readonly #turns: TurnScheduler
  readonly #reading: ReadHalf
  readonly #writing: WriteHalf
  #state: State = State.Open
  #reason: number = CloseReason.Local
  #detail = ''
  /** `onClose` has been called or, without a sink, waits for one. */
  #over = false
  /** On the list of `turns.watch`. */
  #watched = false
  #endingSince = -1

  /** `socket` is connected, paused, and made with `allowHalfOpen`, so that answers can still be written when a FIN has come. */
  constructor(socket: ByteSocket, localAddress: string, remoteAddress: string, options: ConnectionOptions, turns: TurnScheduler) {
    this.localAddress = localAddress
    this.remoteAddress = remoteAddress
    this.sweepPeriod = Math.min(Math.max(Math.min(options.frameTimeout, options.writeTimeout) / 4, 10), 1000)
    this.#socket = socket
    this.#turns = turns
    this.#reading = new ReadHalf(this, socket, options, turns)
    this.#writing = new WriteHalf(this, socket, options, turns)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClosed)
  }

  get handler(): ConnectionHandler {
    const { handler: sink } = this.#reading
    if (sink === undefined) throw new Error('the wire has no sink yet')
    return sink
  }

  set handler(sink: ConnectionHandler) {
    const reading = this.#reading
    const first = reading.handler === undefined
    reading.handler = sink
    if (!first) return
    if (this.#over) {
      immediate(() => this.#tellClosed())
    } else if (this.#state === State.Open) {
      this.#socket.on('data', this.#onData)
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
    // A stream protocol has looked at the body: what it put around it must go too, or its peer would never be answered.
    return this.#writing.sendBytes(bytes, bare, reply, this.#reading.framing !== Framing.Stream)
  }

  get needsDrain(): boolean {
    return this.#writing.needsDrain
  }

  get activity(): number {
    return this.#reading.held ? Number.NaN : this.#socket.bytesRead + this.#writing.taken
  }

  setFraming(framing: Framing): void {
    this.#reading.setFraming(framing)
  }

  pauseReading(): void {
    this.#reading.pauseReading()
  }

  resumeReading(): void {
    this.#reading.resumeReading()
  }

  /** Node offers no public way to it; where the handle is another's, there is none. */
  get descriptor(): number {
    const { _handle: handle } = this.#socket as Duplex & { _handle?: { fd?: number } | null }
    return this.#state === State.Open ? (handle?.fd ?? -1) : -1
  }

  setSocketOption(option: SocketOption, value: number): number {
    if (this.#state !== State.Open) return NOT_OPEN
    if (option === SocketOption.NoDelay) this.#socket.setNoDelay?.(value !== 0)
    else if (option === SocketOption.KeepAlive) this.#socket.setKeepAlive?.(value !== 0, value * 1000)
    else return NOT_SUPPORTED
    return 0
  }

  end(): void {
    if (this.#state !== State.Open) return
    this.#state = State.Ending
    this.#reading.drop()
    this.#writing.end()
    // What the peer still sends is dropped, but its FIN must be seen.
    this.#socket.resume()
  }

  destroy(reason: number): void {
    this.#close(reason, '')
  }

  sweep(clock: number): boolean {
    if (!this.#reading.inTime(clock)) this.#close(CloseReason.FrameTimeout, '')
    if (!this.#writing.inTime(clock)) this.#close(CloseReason.WriteTimeout, '')
    if (this.#state === State.Ending && this.#socket.writableEnded) {
      if (this.#endingSince < 0) this.#endingSince = clock
      if (clock - this.#endingSince > LINGER_MS) this.#close(CloseReason.Local, '')
    }
    this.#watched = this.#state !== State.Closed && (this.#reading.partial > 0 || this.#writing.busy || this.#socket.writableEnded)
    return this.#watched
  }

  /** For sockets that read into a shared buffer: `chunk[0, length)` is borrowed until this returns. */
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
  onBroken(reason: number): void {
    this.#close(reason, '')
  }

  /** @internal */
  onThrown(error: unknown): void {
    this.#closeOnInternalError(error)
    this.#close(CloseReason.Local, 'sink threw')
  }

  /** @internal */
  onPeerEnded(): void {
    this.#writing.flush()
    this.#close(CloseReason.Peer, '')
  }

  /** @internal */
  watch(): void {
    if (this.#watched) return
    this.#watched = true
    this.#turns.watch(this)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#reading.received(chunk.length, chunk)
  }

  readonly #onEnd = (): void => {
    if (this.#state === State.Ending) this.#close(CloseReason.Local, '')
    else if (this.#reading.ended()) this.onPeerEnded()
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    const done = this.#state === State.Ending && this.#socket.writableEnded
    this.#close(done ? CloseReason.Local : CloseReason.Io, done ? '' : (error.code ?? error.message))
  }

  /** Idempotent; the first reason counts. */
  #close(reason: number, detail: string): void {
    if (this.#state === State.Closed) return
    this.#state = State.Closed
    this.#reason = reason
    this.#detail = detail
    this.#reading.drop()
    this.#writing.drop()
    this.#socket.destroy()
  }

  /** The socket is gone. Node calls this from the loop, never from inside `destroy`. */
  readonly #onClosed = (): void => {
    // Closed by itself, when both sides had ended.
    if (this.#state !== State.Closed) this.#close(this.#state === State.Ending ? CloseReason.Local : CloseReason.Peer, '')
    this.#over = true
    this.#tellClosed()
  }

  #tellClosed(): void {
    try {
      const { handler: sink } = this.#reading
      if (sink !== undefined) runInRoot(sink.onClose, sink, this.#reason, this.#detail)
    } catch (error) {
      this.#closeOnInternalError(error)
    }
  }

  #closeOnInternalError(error: unknown): void {
    process.emitWarning(error instanceof Error ? error : new Error(`a wire sink threw ${String(error)}`))
  }
}
