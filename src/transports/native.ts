import { constants } from 'node:os'
import { type Address, parseAddress } from '../address.ts'
import { CloseReason } from '../close-reason.ts'
import { Incoming, type TextHint } from '../message.ts'
import { watchNames } from '../names.ts'
import type { NativeAddon, NativeLimits } from '../native.ts'
import type { Transport, Wire, WireListener, WireOptions } from '../transport.ts'
import { removeStaleSocket } from './js/stale-socket.ts'
import { Ctl, checkLayout, HINT_SHIFT, Kind, REC_WORDS, Rec } from './native/ring-layout.ts'
import { type NativeCore, NativeWire } from './native/wire.ts'
import { systemError } from './system-error.ts'

const BACKLOG = 4096

/**
 * The C++ core behind the seam. One per environment: reads batches of records out of shared memory and appends messages to
 * send to it, so that no call crosses the boundary per message (design §4).
 */
export class NativeTransport implements Transport, NativeCore {
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

function limitsOf(options: WireOptions): NativeLimits {
  return [options.maxMessage, options.maxFilters, options.maxUnsent, options.frameTimeout, options.writeTimeout]
}
