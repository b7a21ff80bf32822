import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { type Address, parseAddress } from '../address.ts'
import { CloseReason } from '../close-reason.ts'
import { MAX_META_BYTES, MAX_METHOD_BYTES, MAX_STATUS_BYTES } from '../limits.ts'
import { Incoming, type TextHint } from '../message.ts'
import { nameBytes, watchNames } from '../names.ts'
import type { NativeAddon, NativeLimits } from '../native.ts'
import { SendResult, type Transport, type Wire, type WireListener, type WireOptions, type WireSink } from '../transport.ts'
import { writeAscii, writeText } from '../write-text.ts'
import { removeStaleSocket } from './js/stale-socket.ts'
import { Ctl, checkLayout, HINT_SHIFT, Kind, MAX_SENDS, OUTBOX_SIZE, REC_WORDS, Rec, SEND_WORDS, Snd } from './ring-layout.ts'
import { systemError } from './system-error.ts'

const BACKLOG = 4096
const QUOTE = 0x22
/** Bytes of a frame besides method, status, meta and body, and its longest sequence number (spec/wire.md §8.1). */
const FRAME_FIXED = 15
const MAX_SEQ_BYTES = 7
/** What an absent status and meta take on the wire. */
const STATUS_OK_BYTES = 30
const META_NONE_BYTES = 2

/**
 * The C++ core behind the seam. One per environment: reads batches of records out of shared memory and appends messages to
 * send to it, so that no call crosses the boundary per message (design §4).
 */
export class NativeTransport implements Transport {
  readonly kind = 'native'
  readonly addon: NativeAddon
  readonly control: Int32Array
  readonly sends: Int32Array
  readonly outbox: Buffer
  readonly #records: Int32Array
  readonly #inbox: Buffer
  readonly #message = new Incoming()
  readonly #wires: (NativeWire | undefined)[] = []
  readonly #accepting = new Map<number, (wire: Wire) => void>()
  readonly #limits = new Map<number, WireOptions>()
  readonly #busy = new Map<object, number>()
  /** The outbox overflowed since the last batch: what `Wire.unsent` says may be old. */
  overflowed = false

  /** @throws Error when the binary was built with another layout, or the addon is already started */
  constructor(addon: NativeAddon) {
    if (!checkLayout(addon.layout)) throw new Error('the native binary is of another version')
    this.addon = addon
    const rings = addon.start(() => this.#onBatch())
    this.control = new Int32Array(rings.control)
    this.sends = new Int32Array(rings.sends)
    this.outbox = Buffer.from(rings.outbox)
    this.#records = new Int32Array(rings.records)
    this.#inbox = Buffer.from(rings.inbox)
    watchNames((id, bytes) => addon.intern(id, bytes))
  }

  async listen(address: Address, options: WireOptions, onWire: (wire: Wire) => void): Promise<WireListener> {
    const { addon } = this
    let id = this.#bind(address, options)
    if (id === -constants.errno.EADDRINUSE && address.kind === 'unix' && (await removeStaleSocket(address.path))) {
      id = this.#bind(address, options)
    }
    if (id < 0) throw systemError('listen', id, address)
    this.#accepting.set(id, onWire)
    this.#limits.set(id, options)
    return {
      address: address.kind === 'tcp' ? parseAddress(`tcp://${addon.listenerAddress(id)}`) : address,
      close: async () => {
        addon.closeListener(id)
        this.#accepting.delete(id)
        this.#limits.delete(id)
      },
    }
  }

  dial(address: Address, options: WireOptions, signal: AbortSignal): Promise<Wire> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const { addon } = this
      const slot =
        address.kind === 'tcp'
          ? addon.dial(address.host, address.port, null, ...limitsOf(options))
          : addon.dial(null, 0, address.path, ...limitsOf(options))
      if (slot < 0) throw systemError('connect', slot, address)
      const wire = new NativeWire(this, slot, this.control[Ctl.Generation], options)
      this.#wires[slot] = wire
      const aborted = (): void => {
        wire.destroy(CloseReason.Local)
        reject(signal.reason)
      }
      signal.addEventListener('abort', aborted, { once: true })
      wire.connecting = (errno) => {
        signal.removeEventListener('abort', aborted)
        wire.connecting = undefined
        if (errno !== 0) {
          reject(systemError('connect', errno, address))
        } else if (!signal.aborted) {
          wire.open = true
          resolve(wire)
        }
      }
    })
  }

  busyPoll(owner: object, microseconds: number): void {
    if (microseconds === 0) this.#busy.delete(owner)
    else this.#busy.set(owner, microseconds)
    this.addon.busyPoll(Math.max(0, ...this.#busy.values()))
  }

  /** Makes room in the outbox by writing what is in it now. */
  drain(): void {
    this.addon.drain()
    this.overflowed = true
  }

  #bind(address: Address, options: WireOptions): number {
    const limits = limitsOf(options)
    return address.kind === 'tcp'
      ? this.addon.listen(address.host, address.port, null, BACKLOG, ...limits)
      : this.addon.listen(null, 0, address.path, BACKLOG, ...limits)
  }

  #onBatch(): void {
    this.overflowed = false
    const first = this.control[Ctl.First]
    const last = first + this.control[Ctl.Count]
    for (let i = first; i < last; i++) {
      try {
        this.#onRecord(i * REC_WORDS)
      } catch (error) {
        this.#blame(i * REC_WORDS, error)
      }
    }
  }

  /**
   * The session layer catches what handlers throw: this is a bug of ours, or a logger that throws. It costs its own
   * connection and no other; the JavaScript transport does the same.
   */
  #blame(at: number, error: unknown): void {
    process.emitWarning(error instanceof Error ? error : new Error(`a wire sink threw ${String(error)}`))
    this.#wires[this.#records[at + Rec.Slot]]?.destroy(CloseReason.Local)
  }

  #onRecord(at: number): void {
    const records = this.#records
    const slot = records[at + Rec.Slot]
    const kind = records[at + Rec.Kind]
    if (kind === Kind.Accept) {
      this.#onAccept(slot, records[at + Rec.Generation], records[at + Rec.Seq])
      return
    }
    const wire = this.#wires[slot]
    if (wire === undefined || wire.generation !== records[at + Rec.Generation]) return
    if (kind === Kind.Message) {
      if (wire.open) wire.receive(this.#read(at))
    } else if (kind === Kind.Unsent) {
      wire.unsent = records[at + Rec.Seq]
      wire.deliverWaiting()
    } else if (kind === Kind.Connect) {
      wire.readAddresses()
      wire.connecting?.(0)
    } else {
      this.#wires[slot] = undefined
      wire.onClosed(records[at + Rec.Seq], records[at + Rec.Route])
    }
  }

  #onAccept(slot: number, generation: number, listener: number): void {
    const onWire = this.#accepting.get(listener)
    const options = this.#limits.get(listener)
    if (onWire === undefined || options === undefined) {
      this.addon.destroy(slot, generation, CloseReason.Local) // the listener closed meanwhile
      return
    }
    const wire = new NativeWire(this, slot, generation, options)
    this.#wires[slot] = wire
    wire.open = true
    wire.readAddresses()
    onWire(wire)
  }

  #read(at: number): Incoming {
    const records = this.#records
    const message = this.#message
    const bits = records[at + Rec.Bits]
    message.type = bits & 0xff
    message.codec = (bits >> 8) & 0xff
    message.hint = (bits >> HINT_SHIFT) as TextHint
    message.seq = records[at + Rec.Seq]
    message.route = records[at + Rec.Route]
    message.nameStart = records[at + Rec.NameStart]
    message.nameEnd = records[at + Rec.NameEnd]
    message.statusStart = records[at + Rec.StatusStart]
    message.statusEnd = records[at + Rec.StatusEnd]
    message.metaStart = records[at + Rec.MetaStart]
    message.metaEnd = records[at + Rec.MetaEnd]
    message.bodyStart = records[at + Rec.BodyStart]
    message.bodyEnd = records[at + Rec.BodyEnd]
    const large = records[at + Rec.Large]
    message.buffer = large < 0 ? this.#inbox : Buffer.from(this.addon.takeLarge(large) ?? new ArrayBuffer(0))
    return message
  }
}

class NativeWire implements Wire {
  sink!: WireSink
  localAddress = ''
  remoteAddress = ''
  readonly #transport: NativeTransport
  readonly #slot: number
  readonly generation: number
  readonly #maxMessage: number
  readonly #maxUnsent: number
  /** The outbox is drained when it holds this much, so that what a turn queues stays small beside `maxUnsent`. */
  readonly #outboxShare: number
  /** Messages may pass, both ways. */
  open = false
  /** Bytes the peer has not taken, as far as the core has told. */
  unsent = 0
  #waiting: Incoming[] | undefined = undefined
  /** Set while dialling: called with 0 or an errno. */
  connecting: ((errno: number) => void) | undefined = undefined

  constructor(transport: NativeTransport, slot: number, generation: number, options: WireOptions) {
    this.#transport = transport
    this.#slot = slot
    this.generation = generation
    this.#maxMessage = options.maxMessage
    this.#maxUnsent = options.maxUnsent
    this.#outboxShare = Math.min(OUTBOX_SIZE, options.maxUnsent / 4)
  }

  /**
   * Hands a message on, unless the peer leaves too much of our answers unread: the core has stopped reading then, and what
   * was read before waits here (at most one read's worth), so that its answers do not pile up as well.
   */
  receive(message: Incoming): void {
    this.#refreshUnsent()
    if (this.#waiting !== undefined || this.unsent > this.#maxUnsent / 2) {
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
    while (next < waiting.length && this.open && this.unsent <= this.#maxUnsent / 2) this.sink.onMessage(waiting[next++])
    this.#waiting = next < waiting.length && this.open ? waiting.slice(next) : undefined
  }

  readAddresses(): void {
    const { addon } = this.#transport
    this.localAddress = addon.localAddress(this.#slot, this.generation)
    this.remoteAddress = addon.remoteAddress(this.#slot, this.generation)
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
    const transport = this.#transport
    const { control, sends, outbox } = transport
    // UTF-8 takes at most three bytes per UTF-16 unit.
    const header = (status.length + meta.length + (route < 0 ? method.length : 0)) * 3
    const bodyBound = body === null ? 0 : typeof body === 'string' ? body.length * 3 + 2 : body.length
    if (header + bodyBound > OUTBOX_SIZE) {
      if (header > OUTBOX_SIZE) return SendResult.TooLarge
      return this.#sendLarge(type, seq, route, method, status, meta, codec, quoted ? `"${body}"` : body)
    }
    let count = control[Ctl.SendCount]
    if (count === MAX_SENDS || (count !== 0 && control[Ctl.OutboxUsed] + header + bodyBound > this.#outboxShare)) {
      transport.drain()
      count = 0
    }
    let at = control[Ctl.OutboxUsed]
    const send = count * SEND_WORDS
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
    control[Ctl.OutboxUsed] = at
    control[Ctl.SendCount] = count + 1
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
    const transport = this.#transport
    transport.drain() // so that this message is alone, and `unsent` is right
    this.unsent = transport.addon.unsent(this.#slot, this.generation)
    const name = route >= 0 ? nameBytes(route).length : Buffer.byteLength(method)
    const refused = this.#refuse(seq, name, Buffer.byteLength(status), Buffer.byteLength(meta), bytes.length)
    if (refused !== SendResult.Ok) return refused
    const sent = this.send(type, seq, route, method, status, meta, codec, null)
    if (sent === SendResult.Ok) transport.addon.drainWith(bytes)
    this.unsent = transport.addon.unsent(this.#slot, this.generation)
    return sent
  }

  /** Ok, or why a frame of these sizes may not be sent now. */
  #refuse(seq: number, name: number, status: number, meta: number, body: number): SendResult {
    let size = FRAME_FIXED - 1 + MAX_SEQ_BYTES + name + (status || STATUS_OK_BYTES) + (meta || META_NONE_BYTES) + body
    if (size > this.#maxMessage) size += seq.toString(36).length - MAX_SEQ_BYTES
    if (size > this.#maxMessage || name > MAX_METHOD_BYTES || status > MAX_STATUS_BYTES || meta > MAX_META_BYTES) {
      return SendResult.TooLarge
    }
    this.#refreshUnsent()
    return this.unsent !== 0 && this.unsent + size > this.#maxUnsent ? SendResult.Unsent : SendResult.Ok
  }

  /** After the outbox overflowed, what the last batch told is old. */
  #refreshUnsent(): void {
    if (this.#transport.overflowed) this.unsent = this.#transport.addon.unsent(this.#slot, this.generation)
  }

  end(): void {
    if (!this.open) return
    this.open = false
    this.#transport.addon.end(this.#slot, this.generation)
  }

  destroy(reason: number): void {
    this.open = false
    this.#transport.addon.destroy(this.#slot, this.generation, reason)
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

function limitsOf(options: WireOptions): NativeLimits {
  return [options.maxMessage, options.maxFilters, options.maxUnsent, options.frameTimeout, options.writeTimeout]
}
