import type { Duplex } from 'node:stream'
import { runInRoot } from '../../base/async/root-context.ts'
import { Incoming } from '../../message/message.ts'
import { Framer } from '../../wire/framer.ts'
import { Framing } from '../../wire/framing.ts'
import type { ConnectionHandler, ConnectionOptions } from '../transport.ts'
import type { TurnScheduler } from './turn-scheduler.ts'

/** Messages of one connection delivered per turn; the rest waits for the next, so that one peer cannot hold the loop (docs/spec/limits.md#messages-per-turn). */
const MAX_PER_TURN = 4096

/**
 * What one connection alone brought is delivered in parts of at least so many messages, and at most as many parts, each answered by a
 * write of its own: otherwise the two ends take turns, one asleep while the other works. The native core has the same.
 */
const MIN_PART = 24
const PARTS = 4

/** Bytes that may wait for their part before reading stops. */
const MAX_WAITING = 64 * 1024

/** A frame earns its timeout again with each so many bytes received. */
const FRAME_TIMEOUT_STEP = 64 * 1024

/** Borrowed by every `onMessage`. Messages never nest: they come from socket callbacks and turns only. */
const message = new Incoming()

/** What the reading half of a wire asks of the whole, and tells it. */
export interface ReadingOwner {
  /** Bytes that break the protocol or a limit: the connection must close. */
  onBroken(reason: number): void
  /** The sink threw. */
  onThrown(error: unknown): void
  /** The peer's FIN came, and all that was before it is delivered. */
  onPeerEnded(): void
  /** Something runs whose time counts. */
  watch(): void
}

/** The reading half of a `SocketConnection`: cuts what the socket brings into messages, and hands them on as fast as it may. */
export class ReadHalf {
  /** Gets the messages; nothing is read before there is one. */
  handler: ConnectionHandler | undefined = undefined
  readonly #owner: ReadingOwner
  readonly #socket: Duplex
  readonly #turns: TurnScheduler
  readonly #frameTimeout: number
  readonly #framer: Framer
  #framing: Framing
  #open = true
  /** On the list of `turns.resumeLater`. */
  #resuming = false
  /** Not delivering: had its share of this turn, or a part, or is held. */
  #yielded = false
  /** Many of our replies are unsent: the sink was told. A FIN waits: who sent it may still read. */
  #needsDrain = false
  /** Calls of `hold` that were not followed by `release`. */
  #holds = 0
  /** `sink.onDrain` is due. */
  #drained = false
  /** What came first was shown, and `reframe` not called yet. */
  #peeking = false
  /** The socket is paused, for one of these reasons. */
  #stopped = false
  /** The FIN came while we were not reading. */
  #peerEnded = false
  /** Messages it may still deliver before it yields. */
  #share = MAX_PER_TURN
  // What the last look at the clock saw, and when it saw it first.
  #sweptCut = -1
  #cutSince = 0

  constructor(owner: ReadingOwner, socket: Duplex, options: ConnectionOptions, turns: TurnScheduler) {
    this.#owner = owner
    this.#socket = socket
    this.#turns = turns
    this.#frameTimeout = options.frameTimeout
    this.#framing = options.framing ?? Framing.Raw
    this.#framer = new Framer(options, this.#framing)
  }

  get framing(): Framing {
    return this.#framing
  }

  /** Bytes of a frame that is not complete; a connection that is peeked at owes one from its beginning. */
  get partial(): number {
    return this.#framing === Framing.Peek ? 1 : this.#framer.partial
  }

  /** There is a sink now. */
  start(): void {
    if (this.#framing === Framing.Peek) this.#owner.watch()
    this.#socket.resume()
  }

  /** Delivers nothing any more. */
  drop(): void {
    this.#open = false
    this.#framer.drop()
  }

  /** For sockets that read into a shared buffer: `chunk[0, length)` is borrowed until this returns. */
  received(length: number, chunk: Uint8Array): void {
    if (!this.#open) return
    this.#framer.feed(chunk as Buffer, length)
    if (this.#framing === Framing.Peek) {
      this.#peek()
    } else if (this.#yielded) {
      this.#framer.keep()
      if (this.#framer.rest > MAX_WAITING) this.#stop()
    } else {
      this.#deliver()
    }
  }

  /** The peer's FIN came. False when messages before it wait: `onPeerEnded` follows them. */
  ended(): boolean {
    if (!this.#yielded && !this.#needsDrain && !this.#peeking) return true
    this.#peerEnded = true
    return false
  }

  /** Reads no more for now. */
  #stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#socket.pause()
  }

  /** Too many replies are unsent. */
  pauseForDrain(): void {
    this.#needsDrain = true
    if (this.#open) this.handler?.onNeedsDrain?.()
  }

  /** The peer took it. */
  resumeAfterDrain(): void {
    this.#needsDrain = false
    this.#drained = true
    this.#resumeLater()
  }

  setFraming(framing: Framing): void {
    this.#peeking = false
    this.#framing = framing
    if (framing !== Framing.Peek) this.#framer.reframe(framing)
    this.#resumeLater()
  }

  get held(): boolean {
    return this.#holds > 0
  }

  pauseReading(): void {
    this.#holds++
    if (!this.#open) return
    this.#yielded = true
    this.#stop()
  }

  resumeReading(): void {
    if (--this.#holds === 0) this.#resumeLater()
  }

  resume(): void {
    this.#resuming = false
    if (this.#drained) {
      this.#drained = false
      if (!this.#needsDrain) this.#tellDrained()
    }
    if (this.#holds > 0 || this.#peeking) return
    this.#yielded = false
    this.#share = MAX_PER_TURN
    if (!this.#open || this.handler === undefined) return
    if (this.#framing !== Framing.Peek) this.#deliver()
    if (!this.#open || this.#yielded) return
    if (this.#peerEnded) {
      if (!this.#needsDrain) this.#owner.onPeerEnded()
    } else if (this.#stopped) {
      this.#stopped = false
      this.#socket.resume()
    }
  }

  /** False when a frame that was begun is not complete in time. */
  inTime(clock: number): boolean {
    const partial = this.partial
    if (!this.#open || partial === 0) return true
    const cut = this.#framer.cuts
    if (cut !== this.#sweptCut || this.#yielded) {
      this.#sweptCut = cut
      this.#cutSince = clock
      return true
    }
    const steps = 1 + Math.floor(partial / FRAME_TIMEOUT_STEP)
    return clock - this.#cutSince <= this.#frameTimeout * steps
  }

  /** Hands on all whole frames, as far as this turn's share and the unsent bytes allow. */
  #deliver(): void {
    runInRoot(this.#handOn, this)
  }

  /** Nothing more is delivered, nor read, until `reframe`. */
  #peek(): void {
    this.#framer.keep()
    this.#peeking = true
    this.#stop()
    this.#framer.peek(message)
    try {
      const { handler: sink } = this
      if (sink !== undefined) runInRoot(sink.onMessage, sink, message)
    } catch (error) {
      this.#owner.onThrown(error)
    }
  }

  #handOn(): void {
    const framer = this.#framer
    let result = 0
    let part = 0
    try {
      while ((result = framer.take(message)) > 0) {
        if (part === 0) part = this.#turns.isSoleReader(this) ? Math.max(MIN_PART, Math.ceil(framer.rest / result / PARTS)) : Infinity
        // Read anew each time: a handshake may put the session in its own place.
        this.handler?.onMessage(message)
        if (!this.#open) return
        if (--this.#share === 0) {
          this.#stop()
          this.#yield()
        } else if (--part === 0 && framer.rest > 0) {
          this.#yield()
        }
        if (this.#yielded) {
          framer.keep()
          return
        }
      }
    } catch (error) {
      this.#owner.onThrown(error)
      return
    }
    if (result < 0) {
      this.#owner.onBroken(-result)
    } else if (framer.partial > 0) {
      this.#owner.watch()
    }
  }

  #yield(): void {
    this.#yielded = true
    this.#resumeLater()
  }

  #tellDrained(): void {
    try {
      const { handler: sink } = this
      if (this.#open && sink?.onDrained !== undefined) runInRoot(sink.onDrained, sink)
    } catch (error) {
      this.#owner.onThrown(error)
    }
  }

  #resumeLater(): void {
    if (this.#resuming) return
    this.#resuming = true
    this.#turns.resumeLater(this)
  }
}
