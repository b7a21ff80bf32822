import { immediate } from '../../../base/time/clock.ts'
import { ResettableTimer, type TimerWheel } from '../../../base/time/timer-wheel.ts'
import { Carrier } from '../shared.ts'
import type { TurnScheduler } from '../turn-scheduler.ts'
import { closeError } from './close-error.ts'
import type { HostPort, QuicheConnection } from './quiche.ts'

/** The one stream of a connection: the first one of the dialling side. */
const STREAM = 0
/** Largest datagram that is sent, which fits into tunnels too. */
export const MAX_SENT = 1350
const READ_SIZE = 64 * 1024
/** Refusals of the system, without a datagram between them, that end a connection. */
const MAX_REFUSALS = 3

const empty = Buffer.alloc(0)
/** Opens the stream of a dmicro peer: without a byte its listener would not know of it. */
const preamble = Buffer.from([0])
const readBuffer = Buffer.allocUnsafeSlow(READ_SIZE)

/** The parts that a carrier works with. */
interface QuicCarrierParts {
  readonly connection: QuicheConnection
  readonly local: HostPort
  readonly turns: TurnScheduler
  readonly wheel: TimerWheel
  /** Milliseconds of silence after which the peer is made to answer; 0 for never. */
  readonly keepAlive: number
  /** Whether this side dialled. */
  readonly dialled: boolean
  /** Sends a datagram to the peer, and owns it. */
  send(datagram: Buffer, to: HostPort): void
  /**
   * Called once, when the handshake is done.
   * @returns why the peer is refused; undefined when it is not
   */
  onHandshake(): { code: number; error: Error } | undefined
  /** Called once, when there is a connection: its stream is open. Must set `owner`. */
  onOpen(): void
  /** Called instead of `onOpen` when there will be none. */
  onFailed(error: Error): void
  /** Called once, when nothing more will be sent or received. */
  onFree(): void
  /** Whether the first byte of the stream opens it, and is none of the connection. */
  hasPreamble(): boolean
}

const State = { Handshake: 0, Silent: 1, Open: 2, Ending: 3, Closed: 4 } as const
type State = (typeof State)[keyof typeof State]

/** One QUIC connection, and its one stream as the bytes of a connection above. */
export class QuicCarrier extends Carrier {
  /** Bytes of the stream: packets that QUIC sends by itself are no sign of life of the peer. */
  bytesRead = 0
  readonly descriptor = -1
  readonly #parts: QuicCarrierParts
  readonly #connection: QuicheConnection
  readonly #timer: ResettableTimer
  readonly #flusher = { resume: () => this.#flushTurn() }
  #state: State = State.Handshake
  #flushing = false
  #started = false
  #paused = false
  #reading = false
  #skip = 0
  /** Bytes of the last write that quiche has not taken. */
  #pending: Buffer[] = []
  #unwritten = 0
  #wrote = false
  #finSent = false
  #endReported = false
  #refusals = 0
  #heard: number

  constructor(parts: QuicCarrierParts) {
    super()
    this.#parts = parts
    this.#connection = parts.connection
    this.#timer = new ResettableTimer(parts.wheel, () => this.#onTime())
    this.#heard = parts.wheel.now()
  }

  get unwritten(): number {
    return this.#unwritten
  }

  get ended(): boolean {
    return this.#finSent
  }

  /** Sends the first packets. */
  begin(): void {
    this.#sendPackets()
  }

  /** Receives a datagram, which is changed. */
  receive(datagram: Buffer, from: HostPort): void {
    if (this.#state === State.Closed) return
    this.#refusals = 0
    try {
      this.#connection.recv(datagram, { from, to: this.#parts.local })
    } catch {
      // A datagram that cannot be read is dropped (RFC 9000 §5.2). One that ends the connection sets `localError`.
    }
    this.#heard = this.#parts.wheel.now()
    this.#proceed()
    if (this.#flushing || this.#closed) return
    // Acknowledgements leave with what this turn produces.
    this.#flushing = true
    this.#parts.turns.resumeLater(this.#flusher)
  }

  /** Called when the system says that nobody listens at the peer's address. */
  refused(error: Error): void {
    if (this.#state === State.Handshake || ++this.#refusals >= MAX_REFUSALS) this.#fail(error)
    else this.#probe()
  }

  start(): void {
    this.#started = true
    immediate(() => this.#proceed())
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    if (!this.#started || this.#reading || this.#closed) return
    this.#proceed()
    // The peer may send more now.
    this.#sendPackets()
  }

  write(views: readonly Buffer[]): boolean {
    if (this.#closed) return true
    this.#wrote = true
    for (const view of views) {
      this.#pending.push(view)
      this.#unwritten += view.length
    }
    this.#fill()
    this.#sendPackets()
    return this.#unwritten === 0
  }

  end(): void {
    if (this.#state !== State.Open) return
    this.#state = State.Ending
    this.#finish()
    this.#sendPackets()
  }

  destroy(): void {
    if (this.#closed) return
    // A listener of Go that waits for a stream takes the end of the connection for its own.
    if (this.#parts.dialled && !this.#wrote) this.#finish()
    this.#close(true, 0)
    immediate(() => {
      this.owner.onClosed()
      this.#parts.onFree()
    })
  }

  /** Gives up before there is a connection above; `onFailed` is not called. */
  abandon(): void {
    if (this.#closed) return
    this.#close(false, 0)
    this.#parts.onFree()
  }

  get #closed(): boolean {
    return this.#state === State.Closed
  }

  #close(app: boolean, code: number): void {
    try {
      this.#connection.close(app, code, empty)
    } catch {
      // The connection is closed already.
    }
    this.#sendPackets()
    this.#state = State.Closed
    this.#timer.stop()
    this.#pending = []
    this.#unwritten = 0
  }

  /** Does what the last datagram, or time, has made possible. */
  #proceed(): void {
    if (this.#state === State.Handshake && this.#connection.isEstablished()) {
      this.#finishHandshake()
      if (this.#parts.dialled) {
        // There is an owner once the promise of the dial has been taken; nothing must be reported before.
        immediate(() => this.#proceed())
        return
      }
    }
    if (this.#state === State.Silent && this.#connection.streamReadable(STREAM)) this.#open()
    if (this.#state === State.Open || this.#state === State.Ending) {
      this.#read()
      if (this.#unwritten > 0) {
        this.#fill()
        if (this.#unwritten === 0) this.owner.onWritten()
      }
    }
    if (!this.#closed) this.#checkClose()
  }

  #finishHandshake(): void {
    const parts = this.#parts
    const refusal = parts.onHandshake()
    if (refusal !== undefined) {
      this.#close(false, refusal.code)
      parts.onFailed(refusal.error)
      parts.onFree()
      return
    }
    this.#state = State.Silent
    if (parts.dialled) {
      if (parts.hasPreamble()) this.write([preamble])
      this.#open()
    } else if (parts.hasPreamble()) {
      this.#skip = preamble.length
    }
  }

  #open(): void {
    this.#state = State.Open
    this.#parts.onOpen()
  }

  #read(): void {
    if (!this.#started || this.#reading) return
    this.#reading = true
    try {
      while (!this.#paused && !this.#closed) {
        const received = this.#connection.streamReadable(STREAM) ? this.#connection.streamRecv(STREAM, readBuffer) : null
        if (received === null) break
        const [length, fin] = received
        const skip = Math.min(this.#skip, length)
        this.#skip -= skip
        if (length > skip) {
          this.bytesRead += length - skip
          this.owner.onData(length - skip, skip === 0 ? readBuffer : readBuffer.subarray(skip))
        }
        if (fin) {
          this.#reportEnd()
          break
        }
      }
    } catch (error) {
      this.#fail(asReset(error))
    } finally {
      this.#reading = false
    }
  }

  #reportEnd(): void {
    if (this.#endReported || this.#closed) return
    this.#endReported = true
    this.owner.onEnd()
  }

  /** Gives quiche as much as it takes. */
  #fill(): void {
    const pending = this.#pending
    let done = 0
    try {
      while (done < pending.length) {
        const view = pending[done]
        const sent = this.#connection.streamSend(STREAM, view, false) ?? 0
        this.#unwritten -= sent
        if (sent < view.length) {
          pending[done] = view.subarray(sent)
          // Packets that leave may make room.
          if (sent === 0 || !this.#sendPackets()) break
        } else {
          done++
        }
      }
    } catch (error) {
      this.#fail(asReset(error))
      return
    }
    if (!this.#closed) pending.splice(0, done)
  }

  #finish(): void {
    if (this.#finSent) return
    this.#finSent = true
    try {
      this.#connection.streamSend(STREAM, empty, true)
    } catch {
      // The peer wants nothing more, or the stream is over.
    }
  }

  #checkClose(): void {
    const connection = this.#connection
    if (!connection.isDraining() && !connection.isClosed() && connection.localError() === null) return
    if (this.#state !== State.Open && this.#state !== State.Ending) {
      this.#fail(closeError(connection))
      return
    }
    const peer = connection.peerError()
    // Bytes that the peer has sent before are read first.
    if (peer?.isApp === true && peer.errorCode === 0) {
      if (this.#paused || !this.#started) return
      this.#reportEnd()
      // As a socket whose both directions have ended.
      if (!this.#closed) this.destroy()
    } else {
      this.#fail(closeError(connection))
    }
  }

  #fail(error: NodeJS.ErrnoException): void {
    if (this.#closed) return
    if (this.#state === State.Open || this.#state === State.Ending) {
      this.owner.onError(error)
      this.destroy()
      return
    }
    this.#close(false, 0)
    this.#parts.onFailed(error)
    this.#parts.onFree()
  }

  #flushTurn(): void {
    this.#flushing = false
    if (this.#closed) return
    this.#sendPackets()
    this.#checkClose()
  }

  /** Sends the packets that are due, and sets the timer. */
  #sendPackets(): boolean {
    if (this.#closed) return false
    let any = false
    try {
      for (;;) {
        const datagram = Buffer.allocUnsafe(MAX_SENT)
        const sent = this.#connection.send(datagram)
        if (sent === null) break
        any = true
        this.#parts.send(datagram.subarray(0, sent[0]), sent[1].to)
      }
    } catch {
      // The connection has failed: `localError` says so.
    }
    this.#schedule()
    return any
  }

  #schedule(): void {
    const { keepAlive, wheel } = this.#parts
    let wait = this.#connection.timeout() ?? Number.POSITIVE_INFINITY
    if (keepAlive > 0) wait = Math.min(wait, this.#heard + keepAlive - wheel.now())
    if (wait === Number.POSITIVE_INFINITY) this.#timer.stop()
    else this.#timer.start(Math.max(Math.ceil(wait), 1))
  }

  #onTime(): void {
    if (this.#closed) return
    this.#connection.onTimeout()
    const { keepAlive, wheel } = this.#parts
    if (keepAlive > 0 && wheel.now() >= this.#heard + keepAlive) {
      this.#heard = wheel.now()
      if (this.#state !== State.Handshake) this.#probe()
    }
    this.#proceed()
    this.#sendPackets()
  }

  /** Makes the peer answer. */
  #probe(): void {
    try {
      this.#connection.sendAckEliciting()
    } catch {
      // The connection is closing.
    }
    this.#sendPackets()
  }
}

function asReset(error: unknown): NodeJS.ErrnoException {
  const { message } = error as Error
  return Object.assign(new Error(`the peer reset the stream: ${message}`), { code: 'ECONNRESET' })
}
