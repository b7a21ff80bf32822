import type { Duplex } from 'node:stream'
import { CloseReason } from '../../close-reason.ts'
import { MAX_METHOD_BYTES } from '../../limits.ts'
import { Incoming } from '../../message.ts'
import { nameBytes } from '../../names.ts'
import { ENVELOPE_BYTES, writeEnvelope } from '../../protos/envelope.ts'
import { Framer } from '../../protos/framer.ts'
import { rawEnvelope } from '../../protos/raw-envelope.ts'
import { frameBound, frameSize, packFrame } from '../../protos/raw-pack.ts'
import { Framing, SendResult, type SocketWire, type WireOptions, type WireSink } from '../../transport.ts'
import { writeText } from '../../write-text.ts'
import { Outbox } from './outbox.ts'
import type { Turning, Turns } from './turns.ts'

/** Messages of one connection delivered per turn; the rest waits for the next, so that one peer cannot hold the loop (hardening F4). */
const MAX_PER_TURN = 4096

/**
 * What one connection alone brought is delivered in parts of at least so many messages, and at most as many parts, each answered by a
 * write of its own: otherwise the two ends take turns, one asleep while the other works. The native core has the same.
 */
const MIN_PART = 24
const PARTS = 4

/** Bytes that may wait for their part before reading stops. */
const MAX_WAITING = 64 * 1024

/** Bytes given to the socket at once. It reports a write only when all of it is done, so this is the grain of `maxUnsent`. */
const MAX_WRITE = 1024 * 1024

/** Frames up to this size are packed without being measured first. */
const SURE_FIT = 4096

/**
 * After our FIN a peer has this long to close its side. Until then its bytes are read and dropped: closing a socket with
 * unread bytes resets the connection, which may destroy what the peer has not read yet. The native core has the same.
 */
const LINGER_MS = 2000

/** A frame earns its timeout again with each so many bytes received. */
const FRAME_TIMEOUT_STEP = 64 * 1024

const State = { Open: 0, Ending: 1, Closed: 2 } as const
type State = (typeof State)[keyof typeof State]

/** Borrowed by every `onMessage`. Messages never nest: they come from socket callbacks and turns only. */
const message = new Incoming()
const views: Buffer[] = []
const noName = Buffer.alloc(0)

/**
 * One connection over a `net.Socket`, or what does as well. Decisions that the native transport shares:
 *
 * - Nothing is read until `sink` is set, so a dialler may take its time.
 * - After `end` or `destroy` no message is delivered, not even one that has arrived.
 * - A FIN closes both directions: messages before it are delivered, what the socket takes at once of our answers is
 *   written, then `onClose(Peer)`.
 * - After `end` the reason is Local whatever the peer does, unless an error or the write timeout kept queued bytes from it.
 * - While we do not read, because the peer does not, the frame timeout stands still: the write timeout runs instead.
 * - A sink that throws loses its connection, with the error as a process warning: its state cannot be trusted any more,
 *   but other sessions must live. (The session layer catches what handlers throw; this is for our own bugs.)
 */
export class JsWire implements SocketWire, Turning {
  readonly envelope = rawEnvelope
  readonly localAddress: string
  readonly remoteAddress: string
  readonly sweepPeriod: number
  readonly #socket: Duplex
  readonly #turns: Turns
  readonly #options: WireOptions
  readonly #framer: Framer
  readonly #outbox = new Outbox()
  #sink: WireSink | undefined
  #state: State = State.Open
  #reason: number = CloseReason.Local
  #detail = ''
  /** `onClose` has been called or, without a sink, waits for one. */
  #over = false
  /** On the list of `turns.flushLater`. */
  #dirty = false
  /** On the list of `turns.resumeLater`. */
  #resuming = false
  /** On the list of `turns.watch`. */
  #watched = false
  /** Not reading: too much unsent. */
  #paused = false
  /** Not delivering: had its share of this turn, or a part, or is held. */
  #yielded = false
  /** Calls of `hold` that were not followed by `release`. */
  #holds = 0
  /** `sink.onDrain` is due. */
  #drained = false
  #framing: Framing
  /** What came first was shown, and `reframe` not called yet. */
  #peeking = false
  /** Not reading, for one of these reasons. */
  #stopped = false
  /** The FIN came while we were not reading. */
  #peerEnded = false
  /** Messages it may still deliver before it yields. */
  #share = MAX_PER_TURN
  /** Bytes the socket has and has not written; 0 when it can take more. */
  #inFlight = 0
  /** Bytes handed to the socket and written, ever. */
  #written = 0
  // What the last sweep saw, and when it saw it first.
  #sweptCut = -1
  #cutSince = 0
  #sweptWritten = -1
  #writtenSince = 0
  #endingSince = -1

  /** `socket` is connected, paused, and made with `allowHalfOpen`, so that answers can still be written when a FIN has come. */
  constructor(socket: Duplex, localAddress: string, remoteAddress: string, options: WireOptions, turns: Turns) {
    this.localAddress = localAddress
    this.remoteAddress = remoteAddress
    this.sweepPeriod = Math.min(Math.max(Math.min(options.frameTimeout, options.writeTimeout) / 4, 10), 1000)
    this.#socket = socket
    this.#turns = turns
    this.#options = options
    this.#framing = options.framing ?? Framing.Raw
    this.#framer = new Framer(options, this.#framing)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClosed)
  }

  get sink(): WireSink {
    if (this.#sink === undefined) throw new Error('the wire has no sink yet')
    return this.#sink
  }

  set sink(sink: WireSink) {
    const first = this.#sink === undefined
    this.#sink = sink
    if (!first) return
    if (this.#over) {
      setImmediate(() => this.#tellClosed())
    } else if (this.#state === State.Open) {
      this.#socket.on('data', this.#onData)
      if (this.#framing === Framing.Peek) this.#watch()
      if (!this.#paused) this.#socket.resume()
    }
  }

  send(
    type: number,
    seq: number,
    route: number,
    method: string,
    status: string,
    meta: string,
    codec: number,
    content: string | Uint8Array | null,
    quoted = false,
  ): SendResult {
    if (this.#state !== State.Open) return SendResult.Closed
    const body = quoted ? `"${content}"` : content
    const name = route >= 0 ? nameBytes(route) : method === '' ? noName : Buffer.from(method)
    const { maxMessage, maxUnsent } = this.#options
    let size = frameBound(name, status, meta, body)
    if (size > SURE_FIT || size > maxMessage || name.length > MAX_METHOD_BYTES) {
      size = frameSize(seq, name, status, meta, body)
      if (size === -1 || size > maxMessage) return SendResult.TooLarge
    }
    const queued = this.#inFlight + this.#outbox.size
    if (queued > 0 && queued + size > maxUnsent && queued + frameSize(seq, name, status, meta, body) > maxUnsent) return SendResult.Unsent
    const chunk = this.#outbox.reserve(size)
    this.#outbox.commit(chunk, packFrame(chunk.buffer, chunk.end, seq, type, name, status, meta, codec, body))
    this.#onQueued(queued + size)
    return SendResult.Ok
  }

  sendFrame(frame: Uint8Array | string): SendResult {
    return this.sendBytes(frame, false)
  }

  sendBytes(bytes: Uint8Array | string, bare: boolean): SendResult {
    if (this.#state !== State.Open) return SendResult.Closed
    const { maxMessage, maxUnsent } = this.#options
    const text = typeof bytes === 'string'
    const head = bare ? ENVELOPE_BYTES : 0
    let size = head + (text ? bytes.length * 3 : bytes.length)
    if (text && (size > SURE_FIT || size > maxMessage)) size = head + Buffer.byteLength(bytes)
    // A stream protocol has looked at the body: what it put around it must go too, or its peer would never be answered.
    if (size > maxMessage && this.#framing !== Framing.Stream) return SendResult.TooLarge
    const queued = this.#inFlight + this.#outbox.size
    if (queued > 0 && queued + size > maxUnsent) return SendResult.Unsent
    const chunk = this.#outbox.reserve(size)
    let at = chunk.end + head
    if (text) {
      at = writeText(chunk.buffer, bytes, at)
    } else {
      chunk.buffer.set(bytes, at)
      at += size - head
    }
    if (bare) writeEnvelope(chunk.buffer, chunk.end, at - chunk.end)
    this.#outbox.commit(chunk, at)
    this.#onQueued(queued + size)
    return SendResult.Ok
  }

  get pressed(): boolean {
    return this.#paused
  }

  reframe(framing: Framing): void {
    this.#peeking = false
    this.#framing = framing
    if (framing !== Framing.Peek) this.#framer.reframe(framing)
    this.#resumeLater()
  }

  hold(): void {
    this.#holds++
    if (this.#state !== State.Open) return
    this.#yielded = true
    if (!this.#stopped) this.#stop()
  }

  release(): void {
    if (--this.#holds === 0) this.#resumeLater()
  }

  end(): void {
    if (this.#state !== State.Open) return
    this.#state = State.Ending
    this.#framer.drop()
    this.flush()
    // What the peer still sends is dropped, but its FIN must be seen.
    this.#socket.resume()
  }

  destroy(reason: number): void {
    this.#close(reason, '')
  }

  flush(): void {
    this.#dirty = false
    if (this.#state === State.Closed) return
    while (this.#inFlight === 0 && this.#outbox.size > 0) this.#write()
    const queued = this.#inFlight + this.#outbox.size
    if (this.#paused && (queued === 0 || queued < this.#options.maxUnsent / 4)) {
      this.#paused = false
      this.#drained = true
      this.#resumeLater()
    }
    if (queued === 0 && this.#state === State.Ending && !this.#socket.writableEnded) {
      this.#socket.end()
      this.#watch()
    }
  }

  resume(): void {
    this.#resuming = false
    if (this.#drained) {
      this.#drained = false
      this.#tellDrained()
    }
    if (this.#holds > 0 || this.#peeking) return
    this.#yielded = false
    this.#share = MAX_PER_TURN
    if (this.#state !== State.Open || this.#paused || this.#sink === undefined) return
    if (this.#framing !== Framing.Peek) this.#deliver()
    if (this.#state !== State.Open || this.#paused || this.#yielded) return
    if (this.#peerEnded) {
      this.#closeByPeer()
    } else if (this.#stopped) {
      this.#stopped = false
      this.#socket.resume()
    }
  }

  sweep(clock: number): boolean {
    if (this.#state === State.Open) this.#sweepFrame(clock)
    this.#sweepWrite(clock)
    if (this.#state === State.Ending && this.#socket.writableEnded) {
      if (this.#endingSince < 0) this.#endingSince = clock
      if (clock - this.#endingSince > LINGER_MS) this.#close(CloseReason.Local, '')
    }
    this.#watched = this.#state !== State.Closed && (this.#partial > 0 || this.#inFlight > 0 || this.#socket.writableEnded)
    return this.#watched
  }

  /** For sockets that read into a shared buffer: `chunk[0, length)` is borrowed until this returns. */
  readonly received = (length: number, chunk: Uint8Array): boolean => {
    if (this.#state !== State.Open) return true
    this.#framer.feed(chunk as Buffer, length)
    if (this.#framing === Framing.Peek) {
      this.#peek()
    } else if (this.#paused || this.#yielded) {
      this.#framer.keep()
      if (this.#framer.rest > MAX_WAITING && !this.#stopped) this.#stop()
    } else {
      this.#deliver()
    }
    return true
  }

  /** Nothing more is delivered, nor read, until `reframe`. */
  #peek(): void {
    this.#framer.keep()
    this.#peeking = true
    if (!this.#stopped) this.#stop()
    this.#framer.peek(message)
    try {
      this.#sink?.onMessage(message)
    } catch (error) {
      this.#blame(error)
      this.#close(CloseReason.Local, 'sink threw')
    }
  }

  readonly #onData = (chunk: Buffer): void => {
    this.received(chunk.length, chunk)
  }

  /** Hands on all whole frames, as far as this turn's share and the unsent bytes allow. */
  #deliver(): void {
    let result = 0
    let part = 0
    try {
      while ((result = this.#framer.take(message)) > 0) {
        if (part === 0) part = this.#turns.isAlone(this) ? Math.max(MIN_PART, Math.ceil(this.#framer.rest / result / PARTS)) : Infinity
        // Read anew each time: a handshake may put the session in its own place.
        this.#sink?.onMessage(message)
        if (this.#state !== State.Open) return
        if (--this.#share === 0) {
          if (!this.#stopped) this.#stop()
          this.#yield()
        } else if (--part === 0 && this.#framer.rest > 0) {
          this.#yield()
        }
        // Too much unsent: what was read waits too, so that its answers do not pile up as well.
        if (this.#yielded || this.#paused) {
          this.#framer.keep()
          return
        }
      }
    } catch (error) {
      this.#blame(error)
      this.#close(CloseReason.Local, 'sink threw')
      return
    }
    if (result < 0) {
      this.#close(-result, '')
    } else if (this.#framer.partial > 0) {
      this.#watch()
    }
  }

  #yield(): void {
    this.#yielded = true
    this.#resumeLater()
  }

  #stop(): void {
    this.#stopped = true
    this.#socket.pause()
  }

  /** A frame was put into the outbox: `queued` bytes at most wait now. */
  #onQueued(queued: number): void {
    if (!this.#dirty) {
      this.#dirty = true
      this.#turns.flushLater(this)
    }
    if (queued > this.#options.maxUnsent / 2) this.#press()
  }

  /** Much is queued. A burst need not wait for the end of the turn: only what the system does not take is unsent. */
  #press(): void {
    if (this.#inFlight === 0) this.flush()
    if (this.#paused || this.#inFlight + this.#outbox.size <= this.#options.maxUnsent / 2) return
    // What the peer makes us answer must not pile up: it is read again when it reads.
    this.#paused = true
    if (!this.#stopped) this.#stop()
  }

  #write(): void {
    const socket = this.#socket
    this.#inFlight = this.#outbox.take(MAX_WRITE, views)
    const last = views.pop() as Buffer
    if (views.length === 0) {
      socket.write(last, this.#onWritten)
    } else {
      socket.cork()
      for (const view of views) socket.write(view)
      socket.write(last, this.#onWritten)
      socket.uncork()
      views.length = 0
    }
    // The usual case: the kernel took all of it, and the chunks can be used again at once.
    if (socket.writableLength === 0) {
      this.#settle()
    } else {
      this.#watch()
    }
  }

  /** Called for every write, also for those that `#write` has settled already. */
  readonly #onWritten = (error?: Error | null): void => {
    if (error || this.#inFlight === 0 || this.#socket.writableLength > 0) return
    this.#settle()
    this.flush()
  }

  #settle(): void {
    this.#written += this.#inFlight
    this.#inFlight = 0
    this.#outbox.release()
  }

  readonly #onEnd = (): void => {
    if (this.#state === State.Ending) {
      this.#close(CloseReason.Local, '')
    } else if (this.#yielded || this.#paused || this.#peeking) {
      this.#peerEnded = true
    } else {
      this.#closeByPeer()
    }
  }

  #closeByPeer(): void {
    this.flush()
    this.#close(CloseReason.Peer, '')
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
    this.#framer.drop()
    this.#outbox.drop()
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
      this.#sink?.onClose(this.#reason, this.#detail)
    } catch (error) {
      this.#blame(error)
    }
  }

  #tellDrained(): void {
    try {
      if (this.#state === State.Open) this.#sink?.onDrain?.()
    } catch (error) {
      this.#blame(error)
      this.#close(CloseReason.Local, 'sink threw')
    }
  }

  #blame(error: unknown): void {
    process.emitWarning(error instanceof Error ? error : new Error(`a wire sink threw ${String(error)}`))
  }

  #resumeLater(): void {
    if (this.#resuming) return
    this.#resuming = true
    this.#turns.resumeLater(this)
  }

  #watch(): void {
    if (this.#watched) return
    this.#watched = true
    this.#turns.watch(this)
  }

  /** Bytes of a frame that is not complete; a connection that is peeked at owes one from its beginning. */
  get #partial(): number {
    return this.#framing === Framing.Peek ? 1 : this.#framer.partial
  }

  #sweepFrame(clock: number): void {
    const partial = this.#partial
    if (partial === 0) return
    const cut = this.#framer.cuts
    if (cut !== this.#sweptCut || this.#paused || this.#yielded) {
      this.#sweptCut = cut
      this.#cutSince = clock
      return
    }
    const steps = 1 + Math.floor(partial / FRAME_TIMEOUT_STEP)
    if (clock - this.#cutSince > this.#options.frameTimeout * steps) this.#close(CloseReason.FrameTimeout, '')
  }

  #sweepWrite(clock: number): void {
    if (this.#inFlight === 0) return
    const written = this.#written + this.#inFlight - this.#leftInFlight()
    if (written !== this.#sweptWritten) {
      this.#sweptWritten = written
      this.#writtenSince = clock
    } else if (clock - this.#writtenSince > this.#options.writeTimeout) {
      this.#close(CloseReason.WriteTimeout, '')
    }
  }

  /**
   * Bytes of the current write that the kernel has not taken. Node's own socket timeout reads the same field of the
   * handle; where a runtime lacks it, a write counts as progress only when it is done.
   */
  #leftInFlight(): number {
    const { _handle: handle } = this.#socket as Duplex & { _handle?: { writeQueueSize?: number } | null }
    return handle?.writeQueueSize ?? this.#inFlight
  }
}
