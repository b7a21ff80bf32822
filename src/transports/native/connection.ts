import { writeText } from '../../base/text/write-text.ts'
import { immediate, microtask } from '../../base/time/clock.ts'
import { jsonCodec } from '../../codecs/json.ts'
import { CloseReason } from '../../message/close-reason.ts'
import { type Incoming, isReply } from '../../message/message.ts'
import { nameBytes } from '../../message/names.ts'
import { BODY_ROOM, type Outgoing, type Packer } from '../../message/outgoing.ts'
import { ENVELOPE_BYTES, writeEnvelope } from '../../wire/cut-envelope.ts'
import { Framing } from '../../wire/framing.ts'
import { rawEnvelope } from '../../wire/raw-envelope.ts'
import type { TlsFacts } from '../tls/tls-facts.ts'
import {
  type ConnectionHandler,
  type ConnectionOptions,
  NOT_OPEN,
  SendResult,
  type SocketOption,
  type TransportConnection,
} from '../transport.ts'
import type { WebSocketSettings } from '../websocket-settings.ts'
import { detailOf } from './close-detail.ts'
import type { ConnectionCore } from './connection-core.ts'
import { enveloped, frameBytes } from './frame-bytes.ts'
import type { Handshake } from './handshake.ts'
import { fits, makeRoom, mostBytes, queueBytes, UTF8_BYTES } from './outbox.ts'
import { Ctl, MAX_BODY, OUTBOX_SIZE, QUOTE_BIT, SEND_WORDS, Snd, webSocketBits } from './ring-layout.ts'
import { leavesEscapes, mayStayUnescaped, writeUnescaped } from './unescaped.ts'

/** One connection of a core: a slot and a generation. */
export class NativeConnection implements TransportConnection {
  readonly envelope = rawEnvelope
  #handler: ConnectionHandler | undefined = undefined
  /**
   * Whether the connection was dialled and has no handler yet. Then messages wait, also in the turn in which the
   * handler is set.
   */
  #early = false
  /** Why the connection was closed while `#early`. */
  #closedEarly: { reason: number; detail: string } | undefined = undefined
  localAddress = ''
  remoteAddress = ''
  readonly #core: ConnectionCore
  readonly #slot: number
  readonly generation: number
  readonly #maxMessage: number
  readonly #maxUnsent: number
  /** Number of unsent reply bytes above which `needsDrain` is true. */
  readonly #muchUnsent: number
  /**
   * Bytes in the outbox at which it is drained, so that what is on its way to the core (three parts at most) stays
   * within the half of `maxUnsent` that is left once no more requests are started.
   */
  readonly #outboxShare: number
  readonly #leavesEscapes: boolean
  #framing: Framing
  #webSocket = false
  /** Whether messages may pass, in both directions. */
  open = false
  #waiting: Incoming[] | undefined = undefined
  /** Calls of `pauseReading` that were not followed by `resumeReading`. */
  #pauses = 0
  /** Whether the peer's FIN was received while reading was paused: `onClose` follows the waiting messages. */
  #ended = false
  /** The reason of our own `destroy`. It wins over whatever the core found in the same read. */
  #destroyed: number | undefined = undefined
  tls: TlsFacts | undefined = undefined
  /** The handshake (TLS) that precedes everything, while it runs. */
  handshake: Handshake | undefined = undefined
  /** Set while dialling: called with 0 or an errno. */
  connecting: ((errno: number) => void) | undefined = undefined

  constructor(core: ConnectionCore, slot: number, generation: number, options: ConnectionOptions) {
    this.#core = core
    this.#framing = options.framing ?? Framing.Raw
    this.#slot = slot
    this.generation = generation
    this.#maxMessage = options.maxMessage
    this.#maxUnsent = options.maxUnsent
    this.#muchUnsent = options.maxUnsent / 2
    this.#outboxShare = Math.min(OUTBOX_SIZE, options.maxUnsent / 8)
    this.#leavesEscapes = leavesEscapes(options)
  }

  /**
   * Delivers a message. While reading is paused it waits here instead: the core has stopped reading, so at most one
   * read's worth of messages waits.
   */
  receive(message: Incoming): void {
    if (this.#waiting === undefined) {
      if (this.#core.replies[this.#slot] > this.#muchUnsent) this.handler.onNeedsDrain?.()
      this.handler.onMessage(message)
    } else {
      this.#waiting.push(message.owned())
    }
  }

  get needsDrain(): boolean {
    // The slot may belong to another connection once this one is closed.
    return this.open && this.#core.replies[this.#slot] > this.#muchUnsent
  }

  get unsentReplies(): number {
    return this.open ? this.#core.replies[this.#slot] : 0
  }

  get handler(): ConnectionHandler {
    return this.#handler as ConnectionHandler
  }

  set handler(handler: ConnectionHandler) {
    const first = this.#handler === undefined
    this.#handler = handler
    // Messages that are there already are delivered after the setting code has finished.
    if (first && this.#early) immediate(() => this.#begin())
  }

  /**
   * Called when the dial succeeded. `dial` resolves in a microtask, after this batch. Records of this connection later
   * in the batch, even its close, must wait until then.
   */
  connected(): void {
    this.open = true
    this.#early = true
    this.#waiting = []
  }

  #begin(): void {
    this.#early = false
    const closed = this.#closedEarly
    this.#closedEarly = undefined
    if (closed === undefined) this.#deliver()
    else this.onClosed(closed.reason, 0, closed.detail)
  }

  get activity(): number {
    return this.#pauses > 0 ? Number.NaN : this.#core.activity[this.#slot]
  }

  /** Called when the peer reads again. */
  drained(): void {
    this.#handler?.onDrained?.()
  }

  deliverWaiting(): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    let next = 0
    while (next < waiting.length && this.#mayDeliver()) {
      if (this.needsDrain) this.handler.onNeedsDrain?.()
      this.handler.onMessage(waiting[next++])
      if (this.#waiting !== waiting) return // destroyed
    }
    const waits = (this.open || this.#ended) && (next < waiting.length || this.#pauses > 0 || this.#early)
    this.#waiting = waits ? waiting.slice(next) : undefined
  }

  /** True also after the peer's FIN, when messages before it wait. */
  #mayDeliver(): boolean {
    if (this.#pauses > 0 || this.#early) return false
    return this.#ended || this.open
  }

  send(message: Outgoing): SendResult {
    if (!this.open) return SendResult.Closed
    const { type, seq, route, method, statusText: status, metaText: meta, codec, body, writer, value } = message
    const { control, sends, outbox } = this.#core
    const header = (status.length + meta.length + (route < 0 ? method.length : 0)) * UTF8_BYTES
    // `room` is asked for texts alone, since V8 inlines no more into this function.
    const bodyBound = writer === undefined ? mostBytes(body) : typeof value === 'string' ? message.room : BODY_ROOM
    if (header + bodyBound > OUTBOX_SIZE) {
      if (header > OUTBOX_SIZE) return SendResult.TooLarge
      return writer !== undefined ? this.send(message.encoded()) : this.#sendLarge(message)
    }
    const next = makeRoom(this.#core, this.#outboxShare, header + bodyBound)
    let at = control[Ctl.OutboxNext]
    const send = next * SEND_WORDS
    let nameBytesCount = 0
    let statusBytes = 0
    let metaBytes = 0
    let bits = type | (codec << 8)
    sends[send + Snd.BodyStart] = at
    if (writer !== undefined) {
      if (typeof value !== 'string') at = message.write(outbox, at, at + bodyBound)
      else if (this.#leavesEscapes && writer === jsonCodec && mayStayUnescaped(value, at - control[Ctl.OutboxBase], this.#outboxShare)) {
        at = writeUnescaped(outbox, value, at)
        bits |= QUOTE_BIT
      } else at = writer.write(value, outbox, at, at + bodyBound, message.bodyType)
      if (at < 0) return this.send(message.encoded())
    } else if (typeof body === 'string') {
      at = writeText(outbox, body, at)
    } else if (body !== null) {
      outbox.set(body, at)
      at += body.length
    }
    const bodyBytes = at - sends[send + Snd.BodyStart]
    message.written = bodyBytes
    sends[send + Snd.BodySize] = bodyBytes
    if (meta !== '') {
      sends[send + Snd.MetaStart] = at
      at = writeText(outbox, meta, at)
      metaBytes = at - sends[send + Snd.MetaStart]
    }
    sends[send + Snd.MetaSize] = metaBytes
    if (status !== '') {
      sends[send + Snd.StatusStart] = at
      at = writeText(outbox, status, at)
      statusBytes = at - sends[send + Snd.StatusStart]
    }
    sends[send + Snd.StatusSize] = statusBytes
    if (route >= 0) {
      nameBytesCount = nameBytes(route).length
    } else {
      sends[send + Snd.NameStart] = at
      at = writeText(outbox, method, at)
      nameBytesCount = at - sends[send + Snd.NameStart]
      sends[send + Snd.NameSize] = nameBytesCount
    }
    const refused = this.#refuse(type, seq, nameBytesCount, statusBytes, metaBytes, bodyBytes)
    if (refused !== SendResult.Ok) return refused // what was written lies beyond the committed part and is overwritten
    sends[send + Snd.Slot] = this.#slot
    sends[send + Snd.Generation] = this.generation
    sends[send + Snd.Bits] = bits
    sends[send + Snd.Seq] = seq
    sends[send + Snd.Route] = route
    control[Ctl.OutboxNext] = at
    control[Ctl.SendNext] = next + 1
    return SendResult.Ok
  }

  sendFrame(frame: Uint8Array | string, reply: boolean): SendResult {
    return this.sendBytes(frame, false, reply)
  }

  sendBytes(bytes: Uint8Array | string, bare: boolean, reply: boolean): SendResult {
    if (!this.open) return SendResult.Closed
    const { control, outbox } = this.#core
    const text = typeof bytes === 'string'
    const bound = mostBytes(bytes) + ENVELOPE_BYTES
    if (bound > OUTBOX_SIZE) return this.#sendLargeBytes(text ? Buffer.from(bytes) : bytes, bare, reply)
    const next = makeRoom(this.#core, this.#outboxShare, bound)
    const start = control[Ctl.OutboxNext]
    const at = bare ? start + ENVELOPE_BYTES : start
    if (!text) outbox.set(bytes, at)
    return this.#commitBytes(next, text ? writeText(outbox, bytes, at) : at + bytes.length, bare, reply)
  }

  /** Queues the bytes that lie at the end of the outbox, up to `end`. */
  #commitBytes(next: number, end: number, bare: boolean, reply: boolean): SendResult {
    const { control, outbox } = this.#core
    const start = control[Ctl.OutboxNext]
    const size = end - start
    if (bare) writeEnvelope(outbox, start, size)
    const refused = this.#refuseBytes(size, reply)
    if (refused !== SendResult.Ok) return refused // what was written lies beyond the committed part and is overwritten
    queueBytes(this.#core, this.#slot, this.generation, next, start, size, reply)
    control[Ctl.OutboxNext] = end
    return SendResult.Ok
  }

  sendInPlace(packer: Packer, message: Outgoing, room: number, bare: boolean, reply: boolean): SendResult | undefined {
    if (!this.open) return SendResult.Closed
    const bound = room + ENVELOPE_BYTES
    if (bound > OUTBOX_SIZE) return undefined
    const { control, outbox } = this.#core
    const next = makeRoom(this.#core, this.#outboxShare, bound)
    const start = control[Ctl.OutboxNext]
    const at = packer.write(message, outbox, bare ? start + ENVELOPE_BYTES : start, start + bound)
    if (at < 0) return undefined
    return this.#commitBytes(next, at, bare, reply)
  }

  /** Sends bytes that the outbox cannot hold, in a call of their own. */
  #sendLargeBytes(bytes: Uint8Array, bare: boolean, reply: boolean): SendResult {
    if (bytes.length > MAX_BODY) return SendResult.TooLarge
    const size = bytes.length + (bare ? ENVELOPE_BYTES : 0)
    const refused = this.#refuseBytes(size, reply)
    if (refused !== SendResult.Ok) return refused
    // An envelope over WebSocket is one message.
    if (bare && this.#webSocket) return this.#sendLargeBytes(enveloped(bytes), false, reply)
    const core = this.#core
    core.drain() // leaves these bytes alone in the outbox
    const start = core.control[Ctl.OutboxNext]
    if (bare) {
      writeEnvelope(core.outbox, start, size)
      queueBytes(this.#core, this.#slot, this.generation, core.control[Ctl.SendNext], start, ENVELOPE_BYTES, reply)
      core.control[Ctl.OutboxNext] = start + ENVELOPE_BYTES
    }
    queueBytes(this.#core, this.#slot, this.generation, core.control[Ctl.SendNext], core.control[Ctl.OutboxNext], 0, reply)
    core.drainWith(bytes)
    return SendResult.Ok
  }

  #refuseBytes(size: number, reply: boolean): SendResult {
    // Bytes of a stream protocol may exceed `maxMessage`: the protocol has checked the body already, and a message that
    // is only larger with its headers must be sent, or its peer would never be answered.
    const bounded = this.#framing !== Framing.Stream && this.#framing !== Framing.Peek
    if (bounded && size > this.#maxMessage) return SendResult.TooLarge
    return fits(this.#core, this.#slot, this.#maxUnsent, size, reply) ? SendResult.Ok : SendResult.Unsent
  }

  /** Sends a message whose body the outbox cannot hold, in a call of its own. */
  #sendLarge(message: Outgoing): SendResult {
    const { type, seq, route, method, statusText: status, metaText: meta, codec, body } = message
    const bytes = typeof body === 'string' ? Buffer.from(body) : (body ?? new Uint8Array(0))
    const core = this.#core
    core.drain() // leaves this message alone in the outbox
    const name = route >= 0 ? nameBytes(route).length : Buffer.byteLength(method)
    const refused = this.#refuse(type, seq, name, Buffer.byteLength(status), Buffer.byteLength(meta), bytes.length)
    if (refused !== SendResult.Ok) return refused
    const sent = this.send(message.content(codec, null))
    if (sent === SendResult.Ok) core.drainWith(bytes)
    return sent
  }

  /**
   * Checks the sizes of a frame.
   * @returns Ok, or why the frame must not be sent now
   */
  #refuse(type: number, seq: number, name: number, status: number, meta: number, body: number): SendResult {
    const size = frameBytes(this.#maxMessage, seq, name, status, meta, body)
    if (size < 0) return SendResult.TooLarge
    return fits(this.#core, this.#slot, this.#maxUnsent, size, isReply(type)) ? SendResult.Ok : SendResult.Unsent
  }

  get descriptor(): number {
    return this.open ? this.#core.descriptor(this.#slot, this.generation) : -1
  }

  setSocketOption(option: SocketOption, value: number): number {
    return this.open ? this.#core.setSocketOption(this.#slot, this.generation, option, value) : NOT_OPEN
  }

  setFraming(framing: Framing, skip = 0, webSocket?: WebSocketSettings): void {
    this.#framing = framing
    if (webSocket !== undefined) this.#webSocket = true
    if (this.open) this.#core.setFraming(this.#slot, this.generation, framing, skip, webSocketBits(webSocket))
  }

  pauseReading(): void {
    if (this.#pauses++ > 0) return
    this.#waiting ??= []
    if (this.open) this.#core.pauseReading(this.#slot, this.generation, true)
  }

  resumeReading(): void {
    if (--this.#pauses > 0) return
    if (this.open) this.#core.pauseReading(this.#slot, this.generation, false)
    this.#deliver()
  }

  /** Delivers waiting messages outside of a batch. */
  #deliver(): void {
    try {
      this.deliverWaiting()
    } catch (error) {
      // An internal error closes its own connection and no other.
      process.emitWarning(error instanceof Error ? error : new Error(`a connection handler threw ${String(error)}`))
      this.destroy(CloseReason.Local)
    }
    if (this.#ended && this.#pauses === 0 && !this.#early) this.#reportEnded(CloseReason.Peer)
  }

  end(): void {
    if (!this.open) return
    this.open = false
    this.#core.end(this.#slot, this.generation)
  }

  destroy(reason: number): void {
    this.open = false
    this.#destroyed ??= reason
    this.#waiting = undefined
    this.#core.destroy(this.#slot, this.generation, reason)
    if (this.#ended) microtask(() => this.#reportEnded(reason))
  }

  #reportEnded(reason: number): void {
    if (!this.#ended) return
    this.#ended = false
    this.#handler?.onClose(reason, '')
  }

  /** @param detail text for the error; default: that of `errno` */
  onClosed(reason: number, errno: number, detail: string = detailOf(errno)): void {
    const wasOpen = this.open
    this.open = false
    if (wasOpen && (this.#pauses > 0 || this.#early) && reason === CloseReason.Peer) {
      this.#ended = true
      return
    }
    this.#waiting = undefined
    if (this.#early) this.#closedEarly = { reason, detail }
    else if (this.handshake !== undefined) this.handshake.onClosed(detail)
    else if (this.connecting !== undefined) this.connecting(errno)
    // A connection that was made after its dial was given up has no handler.
    else this.#handler?.onClose(this.#destroyed ?? reason, this.#destroyed === undefined ? detail : '')
  }
}
