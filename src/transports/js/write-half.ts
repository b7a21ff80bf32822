import { MAX_METHOD_BYTES } from '../../base/limits.ts'
import { writeText } from '../../base/text/write-text.ts'
import { isReply } from '../../message/message.ts'
import { nameBytes } from '../../message/names.ts'
import type { Outgoing, Packer } from '../../message/outgoing.ts'
import { ENVELOPE_BYTES, writeEnvelope } from '../../wire/cut-envelope.ts'
import { frameBound, frameSize, packFrame } from '../../wire/raw-pack.ts'
import { CloseCode } from '../../wire/websocket/close-code.ts'
import { applyMask, closeFrame, controlFrame, headerSize, MAX_HEADER_BYTES, Opcode, writeHeader } from '../../wire/websocket/frame.ts'
import { type ConnectionOptions, SendResult } from '../transport.ts'
import type { Carrier } from './carrier.ts'
import { type Chunk, Outbox } from './outbox.ts'
import type { TurnScheduler } from './turn-scheduler.ts'
import type { WebSocketEnd } from './websocket-end.ts'

/**
 * Most bytes given to the socket at once. A socket reports a write only when all of it is done, so this is the
 * granularity of `maxUnsent`.
 */
const MAX_WRITE = 1024 * 1024

/** Largest frame in bytes that is packed without being measured first. */
const SURE_FIT = 4096

const views: Buffer[] = []
const empty = Buffer.alloc(0)

/** The connection of a writing half. */
export interface WritingOwner {
  /** Called when `needsDrain` became true. */
  onNeedsDrain(): void
  /** Called when `needsDrain` became false. */
  onDrained(): void
  /** Makes the connection check `inTime` from time to time, since a timeout runs. */
  watch(): void
}

/**
 * The writing half of a `SocketConnection`: packs frames into an outbox, and gives that to the socket once per turn.
 */
export class WriteHalf {
  /**
   * Whether more than half of `maxUnsent` are unsent replies. Then no more of the peer's requests must be started.
   * Written by this class alone.
   */
  needsDrain = false
  readonly #owner: WritingOwner
  readonly #carrier: Carrier
  readonly #turns: TurnScheduler
  readonly #options: ConnectionOptions
  readonly #outbox = new Outbox()
  /** Whether this half is on the list of `turns.flushLater`. */
  #dirty = false
  /** Whether the socket must be ended when everything is written. */
  #ending = false
  #dropped = false
  /** Frames everything sent from now on; undefined without WebSocket. */
  #webSocket: WebSocketEnd | undefined = undefined
  /** Code of the close frame that ends the connection; 0 when it was sent. */
  #closeCode: number = CloseCode.Normal
  /** A pong that waits until the peer reads: of many pings only the last need be answered (RFC 6455 §5.5.3). */
  #pong: Buffer | undefined = undefined
  /** Bytes that the socket has and has not written; 0 when it can take more. */
  #inFlight = 0
  /** Part of `#inFlight` that replies to the peer take. */
  #repliesInFlight = 0
  /** Bytes given to the socket and written, in total. */
  #written = 0
  // Bytes taken at the last `inTime`, and the time when that number was first seen.
  #sweptWritten = -1
  #writtenSince = 0

  constructor(owner: WritingOwner, carrier: Carrier, options: ConnectionOptions, turns: TurnScheduler) {
    this.#owner = owner
    this.#carrier = carrier
    this.#options = options
    this.#turns = turns
  }

  /** Packs and queues a message as `Connection.send` does. */
  send(message: Outgoing): SendResult {
    const { type, seq, route, method, statusText: status, metaText: meta, codec, body, writer } = message
    const name = route >= 0 ? nameBytes(route) : method === '' ? empty : Buffer.from(method)
    const { maxMessage, maxUnsent } = this.#options
    let size = frameBound(name, status, meta, body)
    if (writer !== undefined) size += message.room
    if (size > SURE_FIT || size > maxMessage || name.length > MAX_METHOD_BYTES) {
      if (writer !== undefined) return this.send(message.encoded())
      size = frameSize(seq, name, status, meta, body)
      if (size === -1 || size > maxMessage) return SendResult.TooLarge
    }
    const reply = isReply(type)
    const queued = this.#queued(reply)
    if (queued > 0 && queued + size > maxUnsent) {
      if (writer !== undefined) return this.send(message.encoded())
      if (queued + frameSize(seq, name, status, meta, body) > maxUnsent) return SendResult.Unsent
    }
    const chunk = this.#reserve(size)
    const start = this.#payloadStart(chunk, size)
    const end = packFrame(chunk.buffer, start, seq, type, name, status, meta, codec, writer === undefined ? body : message)
    if (end < 0) return this.send(message.encoded())
    this.#commit(chunk, start, end, reply)
    this.#onQueued(queued + size)
    return SendResult.Ok
  }

  /**
   * Queues bytes as `TransportConnection.sendBytes` does.
   * @param bounded whether `maxMessage` applies to the bytes
   */
  sendBytes(bytes: Uint8Array | string, bare: boolean, reply: boolean, bounded: boolean): SendResult {
    const { maxMessage, maxUnsent } = this.#options
    const text = typeof bytes === 'string'
    const head = bare ? ENVELOPE_BYTES : 0
    let size = head + (text ? bytes.length * 3 : bytes.length)
    if (text && (size > SURE_FIT || size > maxMessage)) size = head + Buffer.byteLength(bytes)
    if (bounded && size > maxMessage) return SendResult.TooLarge
    const queued = this.#queued(reply)
    if (queued > 0 && queued + size > maxUnsent) return SendResult.Unsent
    const chunk = this.#reserve(size)
    const start = this.#payloadStart(chunk, size)
    let at = start + head
    if (text) {
      at = writeText(chunk.buffer, bytes, at)
    } else {
      chunk.buffer.set(bytes, at)
      at += size - head
    }
    if (bare) writeEnvelope(chunk.buffer, start, at - start)
    this.#commit(chunk, start, at, reply)
    this.#onQueued(queued + size)
    return SendResult.Ok
  }

  /** Queues a message as `TransportConnection.sendInPlace` does. */
  sendInPlace(packer: Packer, message: Outgoing, room: number, bare: boolean, reply: boolean): SendResult | undefined {
    const { maxUnsent } = this.#options
    const size = room + ENVELOPE_BYTES
    const queued = this.#queued(reply)
    if (queued > 0 && queued + size > maxUnsent) return undefined
    const chunk = this.#reserve(size)
    const start = this.#payloadStart(chunk, size)
    const at = packer.write(message, chunk.buffer, bare ? start + ENVELOPE_BYTES : start, start + size)
    if (at < 0) return undefined
    if (bare) writeEnvelope(chunk.buffer, start, at - start)
    this.#commit(chunk, start, at, reply)
    this.#onQueued(queued + at - start)
    return SendResult.Ok
  }

  /** A chunk with room for `size` bytes, and for what a WebSocket puts before them. */
  #reserve(size: number): Chunk {
    return this.#outbox.reserve(this.#webSocket === undefined ? size : size + MAX_HEADER_BYTES)
  }

  /** Queues the payload `chunk.buffer[start, end)`. */
  #commit(chunk: Chunk, start: number, end: number, reply: boolean): void {
    this.#outbox.commit(chunk, this.#webSocket === undefined ? end : this.#finishFrame(chunk, start, end), reply)
  }

  /** Where the payload of a frame of at most `size` bytes goes. */
  #payloadStart(chunk: Chunk, size: number): number {
    return this.#webSocket === undefined ? chunk.end : chunk.end + headerSize(size, this.#webSocket.client)
  }

  /**
   * Writes what stands before the payload `chunk.buffer[start, end)`.
   *
   * @returns where the frame ends
   */
  #finishFrame({ buffer, end: frame }: Chunk, start: number, end: number): number {
    const webSocket = this.#webSocket!
    const mask = webSocket.mask()
    let size = end - start
    const deflated = webSocket.deflate(buffer.subarray(start, end))
    const payload = frame + headerSize(deflated?.length ?? size, webSocket.client)
    if (deflated !== undefined) {
      size = deflated.length
      buffer.set(deflated, payload)
    } else if (payload !== start) {
      buffer.copyWithin(payload, start, end) // the payload is shorter than its bound was
    }
    writeHeader(buffer, frame, webSocket.first(deflated !== undefined), size, mask)
    if (mask !== undefined) applyMask(buffer, payload, payload + size, mask)
    return payload + size
  }

  /** Makes everything sent from now on frames of a WebSocket. */
  startWebSocket(webSocket: WebSocketEnd): void {
    this.#webSocket = webSocket
  }

  /** Answers a ping. */
  sendPong(payload: Buffer): void {
    const pong = controlFrame(Opcode.Pong, payload, this.#webSocket!.mask())
    if (this.#inFlight > 0) this.#pong = pong
    else this.#queueControl(pong)
  }

  #queueControl(frame: Buffer): void {
    const chunk = this.#outbox.reserve(frame.length)
    frame.copy(chunk.buffer, chunk.end)
    this.#outbox.commit(chunk, chunk.end + frame.length, false)
    this.#onQueued(0)
  }

  /** Queues the close frame of a WebSocket, unless it was queued before. */
  #queueClose(): void {
    const code = this.#closeCode
    this.#closeCode = 0
    this.#pong = undefined
    if (code !== 0) this.#queueControl(closeFrame(code, this.#webSocket!.mask()))
  }

  /**
   * Writes the close frame of a WebSocket at once, if the peer reads, because the connection closes.
   *
   * @param code answers the peer's, or says why
   */
  sayGoodbye(code: number): void {
    if (this.#webSocket === undefined || this.#closeCode === 0 || this.#dropped) return
    this.#closeCode = code
    this.flush()
    if (this.#inFlight > 0) return
    this.#queueClose()
    this.flush()
  }

  /**
   * Ends the socket once everything queued is written. A WebSocket ends with a close frame, which the peer answers: the
   * end of one direction alone would end both behind a proxy.
   */
  end(code: number = CloseCode.Normal): void {
    this.#ending = true
    if (this.#closeCode !== 0) this.#closeCode = code
    this.flush()
  }

  /** Whether everything is written and the peer was told that nothing follows. */
  get ended(): boolean {
    return this.#carrier.ended || (this.#ending && this.#webSocket !== undefined && this.#closeCode === 0 && this.#inFlight === 0)
  }

  /** Drops everything queued. */
  drop(): void {
    this.#dropped = true
    this.#outbox.drop()
  }

  /** A number that changes when the system takes bytes that had to wait for the peer; 0 when no bytes wait. */
  get taken(): number {
    return this.#inFlight === 0 ? 0 : this.#written + this.#inFlight - this.#leftInFlight()
  }

  /** Whether the socket has bytes that it has not written. */
  get busy(): boolean {
    return this.#inFlight > 0
  }

  flush(): void {
    this.#dirty = false
    if (this.#dropped) return
    while (this.#inFlight === 0 && this.#outbox.size > 0) this.#write()
    const replies = this.#repliesInFlight + this.#outbox.replies
    if (this.needsDrain && (replies === 0 || replies < this.#options.maxUnsent / 4)) {
      this.needsDrain = false
      this.#owner.onDrained()
    }
    if (this.#inFlight + this.#outbox.size > 0) return
    if (this.#pong !== undefined) {
      this.#queueControl(this.#pong)
      this.#pong = undefined
    } else if (this.#ending) {
      this.#finish()
    }
  }

  /** Tells the peer that nothing follows, once everything is written. */
  #finish(): void {
    if (this.#webSocket === undefined) {
      if (this.#carrier.ended) return
      this.#carrier.end()
    } else if (this.#closeCode !== 0) {
      this.#queueClose()
      this.flush()
      return
    } else if (!this.#webSocket.client && !this.#carrier.ended) {
      this.#carrier.end() // the server ends the connection (RFC 6455 §7.1.1)
    }
    this.#owner.watch()
  }

  /** False when the peer has taken no byte for `writeTimeout`. */
  inTime(clock: number): boolean {
    if (this.#inFlight === 0) return true
    const written = this.taken
    if (written === this.#sweptWritten) return clock - this.#writtenSince <= this.#options.writeTimeout
    this.#sweptWritten = written
    this.#writtenSince = clock
    return true
  }

  /**
   * The bytes that count against `maxUnsent`. Calls and pushes must find room beside everything that waits, replies
   * beside other replies only: our own requests must not crowd out replies.
   */
  #queued(reply: boolean): number {
    return reply ? this.#repliesInFlight + this.#outbox.replies : this.#inFlight + this.#outbox.size
  }

  get unsentReplies(): number {
    return this.#queued(true)
  }

  /** Called after a frame was put into the outbox: at most `queued` bytes of its kind wait now. */
  #onQueued(queued: number): void {
    if (!this.#dirty) {
      this.#dirty = true
      this.#turns.flushLater(this)
    }
    if (queued > this.#options.maxUnsent / 2) this.#checkDrain()
  }

  /**
   * Called when much is queued. A burst need not wait for the end of the turn: only bytes that the system does not take
   * are unsent.
   */
  #checkDrain(): void {
    if (this.#inFlight === 0) this.flush()
    if (this.needsDrain || this.#queued(true) <= this.#options.maxUnsent / 2) return
    this.needsDrain = true
    this.#owner.onNeedsDrain()
  }

  #write(): void {
    const { replies } = this.#outbox
    this.#inFlight = this.#outbox.take(MAX_WRITE, views)
    this.#repliesInFlight = replies - this.#outbox.replies
    const taken = this.#carrier.write(views)
    views.length = 0
    // The usual case: the chunks can be reused at once.
    if (taken) this.#settle()
    else this.#owner.watch()
  }

  /** Called when the carrier has taken what it did not take at once. */
  written(): void {
    if (this.#inFlight === 0) return
    this.#settle()
    this.flush()
  }

  #settle(): void {
    this.#written += this.#inFlight
    this.#inFlight = this.#repliesInFlight = 0
    this.#outbox.release()
  }

  /**
   * Bytes of the current write that the system has not taken. Where that is not known, a write counts as progress only
   * when it is done.
   */
  #leftInFlight(): number {
    return this.#carrier.unwritten ?? this.#inFlight
  }
}
