import { runInRoot } from '../../base/async/root-context.ts'
import { beginBatch } from '../../base/json/read.ts'
import { Incoming } from '../../message/message.ts'
import { Framer } from '../../wire/framer.ts'
import { Framing } from '../../wire/framing.ts'
import type { ConnectionHandler, ConnectionOptions } from '../transport.ts'
import type { Carrier } from './carrier.ts'
import type { TurnScheduler } from './turn-scheduler.ts'
import type { WebSocketEnd } from './websocket-end.ts'

/**
 * Most messages of one connection delivered per turn; the rest waits for the next, so that one peer cannot hold the
 * loop (docs/spec/limits.md#messages-per-turn).
 */
const MAX_PER_TURN = 4096

/**
 * Messages of a connection that is read alone are delivered in parts of at least `MIN_PART` messages, and in at most
 * `PARTS` parts, each answered by a write of its own. Otherwise the two ends would take turns, one asleep while the
 * other works. The native core has the same numbers.
 */
const MIN_PART = 24
const PARTS = 4

/** Most bytes that wait for their part before reading stops. */
const MAX_WAITING = 64 * 1024

/** Number of bytes received after which a frame gets its timeout again. */
const FRAME_TIMEOUT_STEP = 64 * 1024

/** The message that every `onMessage` borrows. Messages never nest: they come from socket callbacks and turns only. */
const message = new Incoming()

/** The connection of a reading half. */
export interface ReadingOwner {
  /**
   * Closes the connection, because received bytes break the protocol or a limit.
   * @param code tells a WebSocket's peer why; default: that of the reason
   */
  onBroken(reason: number, code?: number): void
  /** Called when the handler threw. */
  onThrown(error: unknown): void
  /** Called when the peer's FIN was received and all messages before it are delivered. */
  onPeerEnded(): void
  /** Called when the peer's close frame was received after `drop`. */
  onCloseAnswered(): void
  /** Makes the connection check `inTime` from time to time, since a timeout runs. */
  watch(): void
}

/**
 * The reading half of a `SocketConnection`: cuts received bytes into messages, and delivers them as fast as permitted.
 */
export class ReadHalf {
  /** Receives the messages; nothing is read before it is set. */
  handler: ConnectionHandler | undefined = undefined
  readonly #owner: ReadingOwner
  readonly #carrier: Carrier
  readonly #turns: TurnScheduler
  readonly #frameTimeout: number
  readonly #framer: Framer
  #framing: Framing
  #webSocket: WebSocketEnd | undefined = undefined
  #open = true
  /** Whether this half is on the list of `turns.resumeLater`. */
  #resuming = false
  /** Whether delivery has stopped: the share of this turn or a part is used up, or reading is paused. */
  #yielded = false
  /**
   * Whether many of our replies are unsent, and the handler was notified. Then a FIN waits, because its sender may
   * still read.
   */
  #needsDrain = false
  /** Calls of `pauseReading` that were not followed by `resumeReading`. */
  #pauses = 0
  /** Whether a call of `handler.onDrained` is due. */
  #drained = false
  /** Whether the first bytes were shown to the handler, and `setFraming` was not called yet. */
  #peeking = false
  /** Whether the socket is paused, for one of the reasons above. */
  #stopped = false
  /** Whether the FIN was received while reading was paused. */
  #peerEnded = false
  /** Number of messages that may still be delivered in this turn. */
  #share = MAX_PER_TURN
  // Number of cuts at the last `inTime`, and the time when that number was first seen.
  #sweptCut = -1
  #cutSince = 0

  constructor(owner: ReadingOwner, carrier: Carrier, options: ConnectionOptions, turns: TurnScheduler) {
    this.#owner = owner
    this.#carrier = carrier
    this.#turns = turns
    this.#frameTimeout = options.frameTimeout
    this.#framing = options.framing ?? Framing.Raw
    this.#framer = new Framer(options, this.#framing)
  }

  get framing(): Framing {
    return this.#framing
  }

  /** Bytes of an incomplete frame. 1 for a connection with framing Peek, whose first frame counts as begun. */
  get partial(): number {
    if (this.#framing === Framing.Peek) return 1
    const { partial } = this.#framer
    return this.#webSocket === undefined ? partial : Math.max(partial, this.#webSocket.partial)
  }

  /** Bytes of messages that a WebSocket received; undefined without one. What it does by itself is no sign of life. */
  get payload(): number | undefined {
    return this.#webSocket?.payload
  }

  /** Starts reading. Requires a handler. */
  start(): void {
    if (this.#framing === Framing.Peek) this.#owner.watch()
    this.#carrier.start()
  }

  /** Stops delivery for good. */
  drop(): void {
    this.#open = false
    this.#framer.drop()
    this.#webSocket?.drop()
    if (this.#webSocket !== undefined && this.#webSocket.rest.length > 0) this.#resumeLater()
  }

  /**
   * Receives a chunk of a socket that reads into a shared buffer: `chunk[0, length)` is borrowed until this returns.
   */
  received(length: number, chunk: Uint8Array): void {
    if (this.#webSocket !== undefined) {
      this.#receiveFrames(this.#webSocket, chunk as Buffer, length)
      return
    }
    if (!this.#open) return
    beginBatch(chunk, length)
    this.#framer.feed(chunk as Buffer, length)
    this.#onFed()
  }

  #receiveFrames(webSocket: WebSocketEnd, chunk: Buffer, length: number): void {
    if (webSocket.closeCode !== 0) return
    if (webSocket.rest.length > 0) {
      webSocket.wait(chunk.subarray(0, length))
      return
    }
    webSocket.decode(chunk, length)
    if (webSocket.length > 0 && this.#open) {
      beginBatch(webSocket.bytes, webSocket.length)
      this.#framer.feed(webSocket.bytes, webSocket.length)
      this.#onFed()
    } else if (webSocket.partial > 0) {
      this.#owner.watch()
    }
    if (webSocket.rest.length > 0) {
      this.#stop()
      this.#yield()
    }
    if (webSocket.closeCode === 0) return
    if (!this.#open) this.#owner.onCloseAnswered()
    else if (webSocket.broken !== undefined) this.#owner.onBroken(webSocket.broken, webSocket.closeCode)
    else if (this.ended()) this.#owner.onPeerEnded()
  }

  /** Decodes what had to wait for this turn. */
  #decodeRest(): void {
    const webSocket = this.#webSocket
    if (webSocket === undefined || webSocket.rest.length === 0) return
    const { rest } = webSocket
    webSocket.rest = rest.subarray(0, 0)
    this.#receiveFrames(webSocket, rest, rest.length)
  }

  /** Shows or delivers what the framer was fed. */
  #onFed(): void {
    if (this.#framing === Framing.Peek) {
      this.#peek()
    } else if (this.#yielded) {
      this.#framer.keep()
      if (this.#framer.rest > MAX_WAITING) this.#stop()
    } else {
      this.#deliver()
    }
  }

  /** Called when the peer's FIN was received. False when messages before it wait: then `onPeerEnded` follows them. */
  ended(): boolean {
    if (!this.#yielded && !this.#needsDrain && !this.#peeking) return true
    this.#peerEnded = true
    return false
  }

  /** Pauses the socket. */
  #stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#carrier.pause()
  }

  /** Notifies the handler that too many replies are unsent. */
  pauseForDrain(): void {
    this.#needsDrain = true
    if (this.#open) this.handler?.onNeedsDrain?.()
  }

  /** Called when the peer has read most of the replies: notifies the handler at the end of this turn. */
  resumeAfterDrain(): void {
    this.#needsDrain = false
    this.#drained = true
    this.#resumeLater()
  }

  setFraming(framing: Framing, skip: number, webSocket: WebSocketEnd | undefined): void {
    this.#peeking = false
    this.#framing = framing
    const framer = this.#framer
    framer.skip(skip)
    if (framing !== Framing.Peek) framer.setFraming(framing)
    this.#resumeLater()
    if (webSocket === undefined) return
    this.#webSocket = webSocket
    // Messages that are decoded wait for the end of the turn, as all bytes that were shown do.
    this.#yielded = true
    const early = framer.takeBack()
    if (early.length > 0) this.#receiveFrames(webSocket, early, early.length)
  }

  get isPaused(): boolean {
    return this.#pauses > 0
  }

  pauseReading(): void {
    this.#pauses++
    if (!this.#open) return
    this.#yielded = true
    this.#stop()
  }

  resumeReading(): void {
    if (--this.#pauses === 0) this.#resumeLater()
  }

  resume(): void {
    this.#resuming = false
    if (this.#drained) {
      this.#drained = false
      if (!this.#needsDrain) this.#reportDrained()
    }
    if (!this.#open) {
      this.#decodeRest() // for a close frame
      return
    }
    if (this.#pauses > 0 || this.#peeking) return
    this.#yielded = false
    this.#share = MAX_PER_TURN
    if (this.handler === undefined) return
    if (this.#framing !== Framing.Peek) this.#deliver()
    if (!this.#open || this.#yielded) return
    this.#decodeRest()
    if (!this.#open || this.#yielded) return
    if (this.#peerEnded) {
      if (!this.#needsDrain) this.#owner.onPeerEnded()
    } else if (this.#stopped) {
      this.#stopped = false
      this.#carrier.resume()
    }
  }

  /** False when a frame that was begun was not completed in time. */
  inTime(clock: number): boolean {
    const partial = this.partial
    if (!this.#open || partial === 0) return true
    const cut = this.#framer.cuts + (this.#webSocket?.messages ?? 0)
    if (cut !== this.#sweptCut || this.#yielded) {
      this.#sweptCut = cut
      this.#cutSince = clock
      return true
    }
    const steps = 1 + Math.floor(partial / FRAME_TIMEOUT_STEP)
    return clock - this.#cutSince <= this.#frameTimeout * steps
  }

  /** Delivers all complete frames, as far as this turn's share and the unsent bytes allow. */
  #deliver(): void {
    runInRoot(this.#handOn, this)
  }

  /** Shows the received bytes to the handler. Nothing more is delivered or read until `setFraming`. */
  #peek(): void {
    this.#framer.keep()
    this.#peeking = true
    this.#stop()
    this.#framer.peek(message)
    try {
      const { handler } = this
      if (handler !== undefined) runInRoot(handler.onMessage, handler, message)
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
        // `this.handler` is read again each time, because a handshake may replace it.
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
    } else if (this.partial > 0) {
      this.#owner.watch()
    }
  }

  #yield(): void {
    this.#yielded = true
    this.#resumeLater()
  }

  #reportDrained(): void {
    try {
      const { handler } = this
      if (this.#open && handler?.onDrained !== undefined) runInRoot(handler.onDrained, handler)
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
