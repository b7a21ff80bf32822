import { getSystemErrorName } from 'node:util'
import { MAX_META_BYTES, MAX_METHOD_BYTES, MAX_STATUS_BYTES } from '../../base/limits.ts'
import { writeAscii, writeText } from '../../base/text/write-text.ts'
import { immediate, microtask } from '../../base/time/clock.ts'
import { CloseReason } from '../../message/close-reason.ts'
import { type Incoming, isReply, UNPARSED } from '../../message/message.ts'
import { nameBytes } from '../../message/names.ts'
import type { Outgoing } from '../../message/outgoing.ts'
import { ENVELOPE_BYTES, writeEnvelope } from '../../wire/cut-envelope.ts'
import { Framing } from '../../wire/framing.ts'
import { rawEnvelope } from '../../wire/raw-envelope.ts'
import {
  type ConnectionHandler,
  type ConnectionOptions,
  NOT_OPEN,
  SendResult,
  type SocketOption,
  type TransportConnection,
} from '../transport.ts'
import { ANSWER_BIT, Ctl, MAX_BODY, MAX_SENDS, OUTBOX_SIZE, SEND_WORDS, Snd } from './ring-layout.ts'

const QUOTE = 0x22
/** Bytes of a frame besides method, status, meta and body, and its longest sequence number (docs/spec/wire.md#frame). */
const FRAME_FIXED = 15
const MAX_SEQ_BYTES = 7
/** What an absent status and meta take on the wire. */
const STATUS_OK_BYTES = 30
const META_NONE_BYTES = 2

/** What a wire needs of its core: the shared memory it writes to, and the few calls about one connection. */
export interface WireCore {
  readonly control: Int32Array
  readonly sends: Int32Array
  readonly outbox: Buffer
  /** By slot: bytes the peer has not taken. */
  readonly unsent: Int32Array
  /** By slot: those of them that answer it. */
  readonly replies: Int32Array
  /** By slot: changes when bytes of the peer came, or it took some of those that waited for it. */
  readonly heard: Int32Array
  /** Makes room in the outbox by writing what is in it now. */
  drain(): void
  /** The same, the last message's body being `body`. */
  drainWith(body: Uint8Array): void
  end(slot: number, generation: number): void
  hold(slot: number, generation: number, on: boolean): void
  setSocketOption(slot: number, generation: number, option: SocketOption, value: number): number
  descriptor(slot: number, generation: number): number
  reframe(slot: number, generation: number, framing: Framing): void
  destroy(slot: number, generation: number, reason: number): void
}

/** One connection of the core: a slot and a generation. */
export class NativeConnection implements TransportConnection {
  readonly envelope = rawEnvelope
  #sink: ConnectionHandler | undefined = undefined
  /** Dialled, and nobody has taken it over: what comes waits, also in the turn in which somebody does. */
  #early = false
  /** It closed meanwhile. */
  #closedEarly: { reason: number; errno: number } | undefined = undefined
  localAddress = ''
  remoteAddress = ''
  readonly #core: WireCore
  readonly #slot: number
  readonly generation: number
  readonly #maxMessage: number
  readonly #maxUnsent: number
  /** Bytes of replies that press. */
  readonly #muchUnsent: number
  /**
   * The outbox is drained when it holds this much, so that what is on its way to the core (three parts at most) stays within the half of
   * `maxUnsent` that is left when no request is started any more.
   */
  readonly #outboxShare: number
  #framing: Framing
  /** Messages may pass, both ways. */
  open = false
  #waiting: Incoming[] | undefined = undefined
  /** Calls of `hold` that were not followed by `release`. */
  #holds = 0
  /** The peer's FIN came while held: `onClose` follows what waits. */
  #ended = false
  /** Why we closed the connection. It counts, whatever else the core found in the same read. */
  #destroyed: number | undefined = undefined
  /** Set while dialling: called with 0 or an errno. */
  connecting: ((errno: number) => void) | undefined = undefined

  constructor(core: WireCore, slot: number, generation: number, options: ConnectionOptions) {
    this.#core = core
    this.#framing = options.framing ?? Framing.Raw
    this.#slot = slot
    this.generation = generation
    this.#maxMessage = options.maxMessage
    this.#maxUnsent = options.maxUnsent
    this.#muchUnsent = options.maxUnsent / 2
    this.#outboxShare = Math.min(OUTBOX_SIZE, options.maxUnsent / 8)
  }

  /** Hands a message on, unless we are held: the core has stopped reading then, and what was read before waits here (at most one read's worth). */
  receive(message: Incoming): void {
    if (this.#waiting === undefined) {
      if (this.#core.replies[this.#slot] > this.#muchUnsent) this.handler.onNeedsDrain?.()
      this.handler.onMessage(message)
    } else {
      this.#waiting.push(message.owned())
    }
  }

  get needsDrain(): boolean {
    // Once it closed the slot is another's.
    return this.open && this.#core.replies[this.#slot] > this.#muchUnsent
  }

  get handler(): ConnectionHandler {
    return this.#sink as ConnectionHandler
  }

  set handler(sink: ConnectionHandler) {
    const first = this.#sink === undefined
    this.#sink = sink
    // What is there already is told when whoever takes over is done with that.
    if (first && this.#early) immediate(() => this.#begin())
  }

  /** Whoever dialled hears of it later than the batch that tells of it: more of this connection may stand there, its end included. */
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
    else this.onClosed(closed.reason, closed.errno)
  }

  get activity(): number {
    return this.#holds > 0 ? Number.NaN : this.#core.heard[this.#slot]
  }

  /** The peer reads again. */
  drained(): void {
    this.#sink?.onDrained?.()
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
    const waits = (this.open || this.#ended) && (next < waiting.length || this.#holds > 0 || this.#early)
    this.#waiting = waits ? waiting.slice(next) : undefined
  }

  /** Also after the peer's FIN, when what came before it waited. */
  #mayDeliver(): boolean {
    if (this.#holds > 0 || this.#early) return false
    return this.#ended || this.open
  }

  send(message: Outgoing): SendResult {
    if (!this.open) return SendResult.Closed
    const { type, seq, route, method, statusText: status, metaText: meta, codec, body } = message
    const core = this.#core
    const { control, sends, outbox } = core
    // UTF-8 takes at most three bytes per UTF-16 unit.
    const header = (status.length + meta.length + (route < 0 ? method.length : 0)) * 3
    const bodyBound = body === null ? 0 : typeof body === 'string' ? body.length * 3 + 2 : body.length
    if (header + bodyBound > OUTBOX_SIZE) {
      if (header > OUTBOX_SIZE) return SendResult.TooLarge
      return this.#sendLarge(message.quote())
    }
    const next = this.#makeRoom(header + bodyBound)
    let at = control[Ctl.OutboxNext]
    const send = next * SEND_WORDS
    let nameBytesCount = 0
    let statusBytes = 0
    let metaBytes = 0
    sends[send + Snd.BodyStart] = at
    if (message.plainJsonString) {
      outbox[at++] = QUOTE
      at = writeAscii(outbox, body as string, at)
      outbox[at++] = QUOTE
    } else if (typeof body === 'string') {
      at = writeText(outbox, body, at)
    } else if (body !== null) {
      outbox.set(body, at)
      at += body.length
    }
    const bodyBytes = at - sends[send + Snd.BodyStart]
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
    if (refused !== SendResult.Ok) return refused // what was written lies beyond `used` and is overwritten
    sends[send + Snd.Slot] = this.#slot
    sends[send + Snd.Generation] = this.generation
    sends[send + Snd.Bits] = type | (codec << 8)
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
    const bound = (text ? bytes.length * 3 : bytes.length) + ENVELOPE_BYTES
    if (bound > OUTBOX_SIZE) return this.#sendLargeBytes(text ? Buffer.from(bytes) : bytes, bare, reply)
    const next = this.#makeRoom(bound)
    const start = control[Ctl.OutboxNext]
    let at = bare ? start + ENVELOPE_BYTES : start
    if (text) {
      at = writeText(outbox, bytes, at)
    } else {
      outbox.set(bytes, at)
      at += bytes.length
    }
    const size = at - start
    if (bare) writeEnvelope(outbox, start, size)
    const refused = this.#refuseBytes(size, reply)
    if (refused !== SendResult.Ok) return refused // what was written lies beyond `used` and is overwritten
    this.#queueBytes(next, start, size, reply)
    control[Ctl.OutboxNext] = at
    return SendResult.Ok
  }

  /** Bytes that the outbox cannot hold cross by a call of their own. */
  #sendLargeBytes(bytes: Uint8Array, bare: boolean, reply: boolean): SendResult {
    if (bytes.length > MAX_BODY) return SendResult.TooLarge
    const size = bytes.length + (bare ? ENVELOPE_BYTES : 0)
    const refused = this.#refuseBytes(size, reply)
    if (refused !== SendResult.Ok) return refused
    const core = this.#core
    core.drain() // so that these are alone
    const start = core.control[Ctl.OutboxNext]
    if (bare) {
      writeEnvelope(core.outbox, start, size)
      this.#queueBytes(core.control[Ctl.SendNext], start, ENVELOPE_BYTES, reply)
      core.control[Ctl.OutboxNext] = start + ENVELOPE_BYTES
    }
    this.#queueBytes(core.control[Ctl.SendNext], core.control[Ctl.OutboxNext], 0, reply)
    core.drainWith(bytes)
    return SendResult.Ok
  }

  #refuseBytes(size: number, reply: boolean): SendResult {
    // A stream protocol has looked at the body: what it put around it must go too, or its peer would never be answered.
    if (size > this.#maxMessage && this.#framing !== Framing.Stream) return SendResult.TooLarge
    return this.#fits(size, reply) ? SendResult.Ok : SendResult.Unsent
  }

  /** What we ask must find room beside all that waits, what we answer beside other answers: our own requests must not crowd those out. */
  #fits(size: number, reply: boolean): boolean {
    const waits = (reply ? this.#core.replies : this.#core.unsent)[this.#slot]
    return waits === 0 || waits + size <= this.#maxUnsent
  }

  #queueBytes(next: number, start: number, size: number, reply: boolean): void {
    const { control, sends } = this.#core
    const send = next * SEND_WORDS
    sends[send + Snd.Slot] = this.#slot
    sends[send + Snd.Generation] = this.generation
    sends[send + Snd.Bits] = reply ? UNPARSED | ANSWER_BIT : UNPARSED
    sends[send + Snd.Route] = -1
    sends[send + Snd.BodyStart] = start
    sends[send + Snd.BodySize] = size
    sends[send + Snd.MetaSize] = sends[send + Snd.StatusSize] = sends[send + Snd.NameSize] = 0
    control[Ctl.SendNext] = next + 1
  }

  /** Makes the outbox have `bytes` free; returns the number of the next message in it. */
  #makeRoom(bytes: number): number {
    const { control } = this.#core
    const next = control[Ctl.SendNext]
    const count = next - control[Ctl.SendBase]
    const used = control[Ctl.OutboxNext] - control[Ctl.OutboxBase]
    if (count !== MAX_SENDS && (count === 0 || used + bytes <= this.#outboxShare)) return next
    this.#core.drain()
    return control[Ctl.SendNext]
  }

  /** A body that the outbox cannot hold crosses by a call of its own. */
  #sendLarge(message: Outgoing): SendResult {
    const { type, seq, route, method, statusText: status, metaText: meta, codec, body } = message
    const bytes = typeof body === 'string' ? Buffer.from(body) : (body ?? new Uint8Array(0))
    const core = this.#core
    core.drain() // so that this message is alone
    const name = route >= 0 ? nameBytes(route).length : Buffer.byteLength(method)
    const refused = this.#refuse(type, seq, name, Buffer.byteLength(status), Buffer.byteLength(meta), bytes.length)
    if (refused !== SendResult.Ok) return refused
    const sent = this.send(message.content(codec, null))
    if (sent === SendResult.Ok) core.drainWith(bytes)
    return sent
  }

  /** Ok, or why a frame of these sizes may not be sent now. */
  #refuse(type: number, seq: number, name: number, status: number, meta: number, body: number): SendResult {
    let size = FRAME_FIXED - 1 + MAX_SEQ_BYTES + name + (status || STATUS_OK_BYTES) + (meta || META_NONE_BYTES) + body
    if (size > this.#maxMessage) size += seq.toString(36).length - MAX_SEQ_BYTES
    if (size > this.#maxMessage || name > MAX_METHOD_BYTES || status > MAX_STATUS_BYTES || meta > MAX_META_BYTES) {
      return SendResult.TooLarge
    }
    return this.#fits(size, isReply(type)) ? SendResult.Ok : SendResult.Unsent
  }

  get descriptor(): number {
    return this.open ? this.#core.descriptor(this.#slot, this.generation) : -1
  }

  setSocketOption(option: SocketOption, value: number): number {
    return this.open ? this.#core.setSocketOption(this.#slot, this.generation, option, value) : NOT_OPEN
  }

  setFraming(framing: Framing): void {
    this.#framing = framing
    if (this.open) this.#core.reframe(this.#slot, this.generation, framing)
  }

  pauseReading(): void {
    if (this.#holds++ > 0) return
    this.#waiting ??= []
    if (this.open) this.#core.hold(this.#slot, this.generation, true)
  }

  resumeReading(): void {
    if (--this.#holds > 0) return
    if (this.open) this.#core.hold(this.#slot, this.generation, false)
    this.#deliver()
  }

  /** From a call of ours, not from a batch. */
  #deliver(): void {
    try {
      this.deliverWaiting()
    } catch (error) {
      // A bug of ours, which costs its own connection and no other.
      process.emitWarning(error instanceof Error ? error : new Error(`a wire sink threw ${String(error)}`))
      this.destroy(CloseReason.Local)
    }
    if (this.#ended && this.#holds === 0 && !this.#early) this.#tellEnded(CloseReason.Peer)
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
    if (this.#ended) microtask(() => this.#tellEnded(reason))
  }

  #tellEnded(reason: number): void {
    if (!this.#ended) return
    this.#ended = false
    this.#sink?.onClose(reason, '')
  }

  onClosed(reason: number, errno: number): void {
    const wasOpen = this.open
    this.open = false
    if (wasOpen && (this.#holds > 0 || this.#early) && reason === CloseReason.Peer) {
      this.#ended = true
      return
    }
    this.#waiting = undefined
    if (this.#early) {
      this.#closedEarly = { reason, errno }
    } else if (this.connecting === undefined) {
      const theirs = this.#destroyed === undefined
      // Nobody took over what connected after its dial was given up.
      this.#sink?.onClose(this.#destroyed ?? reason, theirs && errno !== 0 ? getSystemErrorName(errno) : '')
    } else {
      this.connecting(errno)
    }
  }
}
