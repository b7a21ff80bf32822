import { getSystemErrorName } from 'node:util'
import { MAX_META_BYTES, MAX_METHOD_BYTES, MAX_STATUS_BYTES } from '../../limits.ts'
import type { Incoming } from '../../message.ts'
import { nameBytes } from '../../names.ts'
import { SendResult, type Wire, type WireOptions, type WireSink } from '../../transport.ts'
import { writeAscii, writeText } from '../../write-text.ts'
import { Ctl, MAX_SENDS, OUTBOX_SIZE, SEND_WORDS, Snd } from './ring-layout.ts'

const QUOTE = 0x22
/** Bytes of a frame besides method, status, meta and body, and its longest sequence number (spec/wire.md §8.1). */
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
  /** Makes room in the outbox by writing what is in it now. */
  drain(): void
  /** The same, the last message's body being `body`. */
  drainWith(body: Uint8Array): void
  end(slot: number, generation: number): void
  destroy(slot: number, generation: number, reason: number): void
}

/** One connection of the core: a slot and a generation. */
export class NativeWire implements Wire {
  sink!: WireSink
  localAddress = ''
  remoteAddress = ''
  readonly #core: WireCore
  readonly #slot: number
  readonly generation: number
  readonly #maxMessage: number
  readonly #maxUnsent: number
  /**
   * The outbox is drained when it holds this much, so that what is on its way to the core (three parts at most) stays within the half of
   * `maxUnsent` that is left when reading stops.
   */
  readonly #outboxShare: number
  /** Messages may pass, both ways. */
  open = false
  #waiting: Incoming[] | undefined = undefined
  /** Set while dialling: called with 0 or an errno. */
  connecting: ((errno: number) => void) | undefined = undefined

  constructor(core: WireCore, slot: number, generation: number, options: WireOptions) {
    this.#core = core
    this.#slot = slot
    this.generation = generation
    this.#maxMessage = options.maxMessage
    this.#maxUnsent = options.maxUnsent
    this.#outboxShare = Math.min(OUTBOX_SIZE, options.maxUnsent / 8)
  }

  /**
   * Hands a message on, unless the peer leaves too much of our answers unread: the core has stopped reading then, and what
   * was read before waits here (at most one read's worth), so that its answers do not pile up as well.
   */
  receive(message: Incoming): void {
    if (this.#waiting !== undefined || this.#core.unsent[this.#slot] > this.#maxUnsent / 2) {
      this.#waiting ??= []
      this.#waiting.push(message.owned())
    } else {
      this.sink.onMessage(message)
    }
  }

  deliverWaiting(): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    let next = 0
    while (next < waiting.length && this.open && this.#core.unsent[this.#slot] <= this.#maxUnsent / 2) this.sink.onMessage(waiting[next++])
    this.#waiting = next < waiting.length && this.open ? waiting.slice(next) : undefined
  }

  send(
    type: number,
    seq: number,
    route: number,
    method: string,
    status: string,
    meta: string,
    codec: number,
    body: string | Uint8Array | null,
    quoted = false,
  ): SendResult {
    if (!this.open) return SendResult.Closed
    const core = this.#core
    const { control, sends, outbox } = core
    // UTF-8 takes at most three bytes per UTF-16 unit.
    const header = (status.length + meta.length + (route < 0 ? method.length : 0)) * 3
    const bodyBound = body === null ? 0 : typeof body === 'string' ? body.length * 3 + 2 : body.length
    if (header + bodyBound > OUTBOX_SIZE) {
      if (header > OUTBOX_SIZE) return SendResult.TooLarge
      return this.#sendLarge(type, seq, route, method, status, meta, codec, quoted ? `"${body}"` : body)
    }
    let next = control[Ctl.SendNext]
    const count = next - control[Ctl.SendBase]
    const used = control[Ctl.OutboxNext] - control[Ctl.OutboxBase]
    if (count === MAX_SENDS || (count !== 0 && used + header + bodyBound > this.#outboxShare)) {
      core.drain()
      next = control[Ctl.SendNext]
    }
    let at = control[Ctl.OutboxNext]
    const send = next * SEND_WORDS
    let nameBytesCount = 0
    let statusBytes = 0
    let metaBytes = 0
    sends[send + Snd.BodyStart] = at
    if (quoted) {
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
    const refused = this.#refuse(seq, nameBytesCount, statusBytes, metaBytes, bodyBytes)
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

  /** A body that the outbox cannot hold crosses by a call of its own. */
  #sendLarge(
    type: number,
    seq: number,
    route: number,
    method: string,
    status: string,
    meta: string,
    codec: number,
    body: string | Uint8Array | null,
  ): SendResult {
    const bytes = typeof body === 'string' ? Buffer.from(body) : (body ?? new Uint8Array(0))
    const core = this.#core
    core.drain() // so that this message is alone
    const name = route >= 0 ? nameBytes(route).length : Buffer.byteLength(method)
    const refused = this.#refuse(seq, name, Buffer.byteLength(status), Buffer.byteLength(meta), bytes.length)
    if (refused !== SendResult.Ok) return refused
    const sent = this.send(type, seq, route, method, status, meta, codec, null)
    if (sent === SendResult.Ok) core.drainWith(bytes)
    return sent
  }

  /** Ok, or why a frame of these sizes may not be sent now. */
  #refuse(seq: number, name: number, status: number, meta: number, body: number): SendResult {
    let size = FRAME_FIXED - 1 + MAX_SEQ_BYTES + name + (status || STATUS_OK_BYTES) + (meta || META_NONE_BYTES) + body
    if (size > this.#maxMessage) size += seq.toString(36).length - MAX_SEQ_BYTES
    if (size > this.#maxMessage || name > MAX_METHOD_BYTES || status > MAX_STATUS_BYTES || meta > MAX_META_BYTES) {
      return SendResult.TooLarge
    }
    const unsent = this.#core.unsent[this.#slot]
    return unsent !== 0 && unsent + size > this.#maxUnsent ? SendResult.Unsent : SendResult.Ok
  }

  end(): void {
    if (!this.open) return
    this.open = false
    this.#core.end(this.#slot, this.generation)
  }

  destroy(reason: number): void {
    this.open = false
    this.#core.destroy(this.#slot, this.generation, reason)
  }

  onClosed(reason: number, errno: number): void {
    this.open = false
    this.#waiting = undefined
    if (this.connecting === undefined) {
      this.sink.onClose(reason, errno === 0 ? '' : getSystemErrorName(errno))
    } else {
      this.connecting(errno)
    }
  }
}
