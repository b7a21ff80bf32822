import { runInRoot, untouched } from '../../base/async/root-context.ts'
import { beginBatch } from '../../base/json/read.ts'
import { keepHere, keepsForGood } from '../../base/lent-memory.ts'
import { CloseReason } from '../../message/close-reason.ts'
import { Incoming, type TextHint } from '../../message/message.ts'
import { findName, watchNames } from '../../message/names.ts'
import { Framing } from '../../wire/framing.ts'
import { defaultKcp } from '../../wire/kcp/settings.ts'
import { type Address, parseAddress } from '../address.ts'
import { defaultSocket, keepAliveSeconds } from '../socket-options.ts'
import { systemError } from '../system-error.ts'
import type { ConnectionOptions, SocketOption, TransportConnection } from '../transport.ts'
import type { NativeAddon, NativeLimits } from './addon.ts'
import type { ConnectionPlace } from './begin-handshake.ts'
import { NativeConnection } from './connection.ts'
import type { ConnectionCore } from './connection-core.ts'
import { handshakes } from './deferred.ts'
import { Ctl, HINT_SHIFT, Kind, REC_WORDS, Rec } from './ring-layout.ts'

const BACKLOG = 4096
/** A generation that no connection has. */
const NO_GENERATION = -1

/** A listener above its cores. A core that accepts a connection reports the token. */
export interface Acceptor {
  readonly token: number
  readonly options: ConnectionOptions
  onConnection(connection: TransportConnection): void
}

/** All listeners on cores of this copy of the code, by token. */
const acceptors = new Map<number, Acceptor>()

/** Lets connections with the token of `acceptor` be accepted. */
export function acceptFor(acceptor: Acceptor): void {
  acceptors.set(acceptor.token, acceptor)
}

/**
 * Closes connections with the token of `acceptor` that are accepted from now on.
 * @returns false when they were closed already
 */
export function acceptNoMore(acceptor: Acceptor): boolean {
  return acceptors.delete(acceptor.token)
}

/**
 * One reactor of the C++ core, in this thread or on its own: reads batches of records out of shared memory, and appends
 * messages to send, so that no message needs a call across the boundary (ARCHITECTURE.md).
 */
export class NativeCore implements ConnectionCore {
  readonly control: Int32Array
  readonly sends: Int32Array
  readonly outbox: Buffer
  readonly unsent: Int32Array
  readonly replies: Int32Array
  readonly activity: Int32Array
  readonly #addon: NativeAddon
  readonly #number: number
  readonly #records: Int32Array
  readonly #inbox: Buffer
  readonly #message = new Incoming()
  readonly #connections: (NativeConnection | undefined)[] = []
  readonly #busy = new Map<object, number>()
  #detached = false
  /** Number of connections and listeners: while there are any, the process is kept alive. */
  #references = 0

  constructor(addon: NativeAddon, ownThread: boolean) {
    this.#addon = addon
    // The core's callbacks run in the async context it was made in.
    const rings = runInRoot(addon.start, addon, ownThread, !keepsForGood(), () => this.#onBatch())
    this.#number = rings.number
    for (const arena of Object.values(rings)) if (arena instanceof ArrayBuffer) keepHere(arena)
    this.control = new Int32Array(rings.control)
    this.sends = new Int32Array(rings.sends)
    this.outbox = Buffer.from(rings.outbox)
    this.unsent = new Int32Array(rings.unsent)
    this.replies = new Int32Array(rings.replies)
    this.activity = new Int32Array(rings.activity)
    this.#records = new Int32Array(rings.records)
    this.#inbox = Buffer.from(rings.inbox)
    watchNames((id, bytes) => addon.intern(rings.number, id, bytes))
  }

  /**
   * Listens. Connections are spread over `cores`, unless this is the only one.
   * @param descriptor of a socket that listens already, which stays the caller's; -1 for a new one
   * @returns the listener's id, or an errno
   */
  listen(address: Address, acceptor: Acceptor, cores: readonly NativeCore[], reusePort: boolean, descriptor: number): number {
    const id = this.#listen(address, acceptor, cores, reusePort, descriptor)
    if (id < 0) return id
    acceptFor(acceptor)
    this.#countReference(1)
    return id
  }

  #listen(address: Address, { token, options }: Acceptor, cores: readonly NativeCore[], reusePort: boolean, descriptor: number): number {
    const limits = limitsOf(options)
    if (address.kind === 'udp')
      return this.#addon.listenKcp(this.#number, address.host, address.port, reusePort, token, kcpOf(options), ...limits)
    const [host, port, path] = targetOf(address)
    const adopters = cores.length > 1 ? cores.map((core) => core.#number) : []
    return this.#addon.listen(this.#number, host, port, path, BACKLOG, reusePort, token, adopters, descriptor, ...limits)
  }

  /**
   * Passes a connection that was accepted elsewhere to `acceptor`, unless descriptors have run out. The descriptor
   * stays the caller's.
   */
  adopt(descriptor: number, pipe: boolean, acceptor: Acceptor): void {
    this.#addon.adopt(this.#number, descriptor, pipe, acceptor.token, ...limitsOf(acceptor.options))
  }

  /** Host and port that a listener is bound to. */
  listenerAddress(id: number): { host: string; port: number } {
    const { host, port } = parseAddress(`tcp://${this.#addon.listenerAddress(this.#number, id)}`) as Extract<Address, { kind: 'tcp' }>
    return { host, port }
  }

  /** The descriptor of a listener, -1 when it is closed. */
  listenerDescriptor(id: number): number {
    return this.#addon.listenerDescriptor(this.#number, id)
  }

  /**
   * Closes a listener. What it accepted before is still passed on, until `acceptNoMore`. Requires that it is open.
   * @param keepPath whether the path of a Unix socket stays
   */
  closeListener(id: number, keepPath: boolean): void {
    this.#addon.closeListener(this.#number, id, keepPath)
    this.#countReference(-1)
  }

  dial(address: Address, options: ConnectionOptions, signal: AbortSignal): Promise<TransportConnection> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const slot =
        address.kind === 'udp'
          ? this.#addon.dialKcp(this.#number, address.host, address.port, kcpOf(options), ...limitsOf(options))
          : this.#addon.dial(this.#number, ...targetOf(address), ...limitsOf(options))
      if (slot < 0) throw systemError('connect', slot, address)
      const connection = this.#addConnection(slot, this.control[Ctl.Generation], options)
      const aborted = (): void => {
        connection.destroy(CloseReason.Local)
        reject(signal.reason)
      }
      signal.addEventListener('abort', aborted, { once: true })
      connection.connecting = (errno) => {
        connection.connecting = undefined
        const done = (): void => {
          signal.removeEventListener('abort', aborted)
          if (signal.aborted) return
          connection.connected()
          resolve(connection)
        }
        if (errno !== 0) {
          signal.removeEventListener('abort', aborted)
          reject(systemError('connect', errno, address))
        } else if (options.tls === undefined) {
          done()
        } else if (!signal.aborted) {
          handshakes.module.beginClient(this.#placeOf(connection, slot), options.tls, done, reject)
        }
      }
    })
  }

  /**
   * Sets how long the loop polls before it blocks: the longest of all owners' values.
   * @param microseconds 0 removes the owner's value
   */
  busyPoll(owner: object, microseconds: number): void {
    if (microseconds === 0 && !this.#busy.delete(owner)) return
    if (microseconds !== 0) this.#busy.set(owner, microseconds)
    this.#addon.busyPoll(this.#number, Math.max(0, ...this.#busy.values()))
  }

  drain(): void {
    this.#addon.drain(this.#number)
  }

  drainWith(body: Uint8Array): void {
    this.#addon.drainWith(this.#number, body)
  }

  end(slot: number, generation: number): void {
    this.#addon.end(this.#number, slot, generation)
  }

  pauseReading(slot: number, generation: number, on: boolean): void {
    if (on) this.#addon.pauseReading(this.#number, slot, generation)
    else this.#addon.resumeReading(this.#number, slot, generation)
  }

  setSocketOption(slot: number, generation: number, option: SocketOption, value: number): number {
    return this.#addon.setSocketOption(this.#number, slot, generation, option, value)
  }

  /**
   * Makes the core's thread accept waiting connections. When this returns the second time, the thread has looked at all
   * sockets that were ready.
   */
  drainAcceptQueue(): void {
    this.#addon.descriptor(this.#number, 0, NO_GENERATION)
  }

  descriptor(slot: number, generation: number): number {
    return this.#addon.descriptor(this.#number, slot, generation)
  }

  setFraming(slot: number, generation: number, framing: Framing, skip: number, webSocket: number): void {
    this.#addon.setFraming(this.#number, slot, generation, framing, skip, webSocket)
  }

  destroy(slot: number, generation: number, reason: number): void {
    this.#addon.destroy(this.#number, slot, generation, reason)
  }

  #countReference(change: number): void {
    const before = this.#references
    this.#references += change
    if ((before === 0) !== (this.#references === 0)) this.#addon.keepAlive(this.#number, this.#references !== 0)
  }

  #addConnection(slot: number, generation: number, options: ConnectionOptions): NativeConnection {
    const connection = new NativeConnection(this, slot, generation, options)
    this.#connections[slot] = connection
    this.#countReference(1)
    return connection
  }

  #onBatch(): void {
    const first = this.control[Ctl.First]
    const last = first + this.control[Ctl.Count]
    if (last > first) beginBatch(this.#inbox, this.#endOfBodies((last - 1) * REC_WORDS))
    for (let i = first; i < last; ) i = runInRoot(this.#onRecords, this, i, last)
  }

  /** Where the body in the record at `at` ends in the inbox; 0 when it has none there. */
  #endOfBodies(at: number): number {
    const records = this.#records
    return records[at + Rec.Kind] === Kind.Message && records[at + Rec.Large] < 0 ? records[at + Rec.BodyEnd] : 0
  }

  /**
   * Processes records from `i` on, up to the first whose handler enters a store of the async context.
   * @returns the index of the next record
   */
  #onRecords(i: number, last: number): number {
    do {
      try {
        this.#onRecord(i * REC_WORDS)
      } catch (error) {
        this.#closeOnInternalError(i * REC_WORDS, error)
      }
      i++
    } while (untouched && i < last)
    return i
  }

  /**
   * Closes the connection of a record over an internal error, or a logger that throws: the session layer catches what
   * handlers throw. No other connection is affected; the JavaScript transport does the same.
   */
  #closeOnInternalError(at: number, error: unknown): void {
    process.emitWarning(error instanceof Error ? error : new Error(`a connection handler threw ${String(error)}`))
    this.#connections[this.#records[at + Rec.Slot]]?.destroy(CloseReason.Local)
  }

  #onRecord(at: number): void {
    const records = this.#records
    const slot = records[at + Rec.Slot]
    const kind = records[at + Rec.Kind]
    if (kind === Kind.Accept) {
      this.#onAccept(slot, at)
      return
    }
    const connection = this.#connections[slot]
    if (connection === undefined || connection.generation !== records[at + Rec.Generation]) return
    if (kind === Kind.Message) {
      if (this.#inbox.length === 0) this.#onDetached(connection)
      else if (connection.open) connection.receive(this.#read(at))
    } else if (kind === Kind.Writable) {
      connection.drained()
    } else if (kind === Kind.Connect) {
      this.#readAddresses(connection, at)
      connection.connecting?.(0)
    } else if (kind === Kind.Layer) {
      const payload = this.#addon.takeLarge(this.#number, records[at + Rec.Large])
      if (payload !== undefined) connection.handshake?.onEvent(records[at + Rec.Bits], Buffer.from(payload))
    } else {
      this.#connections[slot] = undefined
      this.#countReference(-1)
      const errno = records[at + Rec.Route]
      const code = records[at + Rec.Bits]
      connection.onClosed(records[at + Rec.Seq], errno, code === 0 ? undefined : this.#addon.tlsErrorText(code))
    }
  }

  #onAccept(slot: number, at: number): void {
    const generation = this.#records[at + Rec.Generation]
    const acceptor = acceptors.get(this.#records[at + Rec.Seq])
    if (acceptor === undefined) {
      this.destroy(slot, generation, CloseReason.Local) // the listener was closed meanwhile
      return
    }
    const connection = this.#addConnection(slot, generation, acceptor.options)
    this.#readAddresses(connection, at)
    const { serverTls, gate } = acceptor.options
    const done = (): void => {
      connection.open = true
      acceptor.onConnection(connection)
    }
    if (serverTls === undefined) done()
    else handshakes.module.beginServer(this.#placeOf(connection, slot), serverTls, gate, done)
  }

  #placeOf(connection: NativeConnection, slot: number): ConnectionPlace {
    return { addon: this.#addon, number: this.#number, slot, connection }
  }

  /**
   * Closes a connection because the inbox is gone: a codec, protocol or filter that borrowed a message's bytes
   * transferred the memory away, which Node.js 22 allows by `ArrayBuffer.prototype.transfer`. The core still writes to
   * that memory, and it cannot be read here any longer.
   */
  #onDetached(connection: NativeConnection): void {
    if (!this.#detached) process.emitWarning('memory that was lent to a codec, protocol or filter was transferred: its sessions are lost')
    this.#detached = true
    connection.destroy(CloseReason.Local)
  }

  #readAddresses(connection: NativeConnection, at: number): void {
    const records = this.#records
    connection.localAddress = this.#inbox.toString('utf8', records[at + Rec.MetaStart], records[at + Rec.MetaEnd])
    connection.remoteAddress = this.#inbox.toString('utf8', records[at + Rec.NameStart], records[at + Rec.NameEnd])
  }

  #read(at: number): Incoming {
    const records = this.#records
    const message = this.#message
    const bits = records[at + Rec.Bits]
    message.type = bits & 0xff
    message.codec = (bits >> 8) & 0xff
    message.hint = (bits >> HINT_SHIFT) as TextHint
    message.seq = records[at + Rec.Seq]
    message.nameStart = records[at + Rec.NameStart]
    message.nameEnd = records[at + Rec.NameEnd]
    message.statusStart = records[at + Rec.StatusStart]
    message.statusEnd = records[at + Rec.StatusEnd]
    message.metaStart = records[at + Rec.MetaStart]
    message.metaEnd = records[at + Rec.MetaEnd]
    message.bodyStart = records[at + Rec.BodyStart]
    message.bodyEnd = records[at + Rec.BodyEnd]
    const large = records[at + Rec.Large]
    message.buffer = large < 0 ? this.#inbox : Buffer.from(this.#addon.takeLarge(this.#number, large) ?? new ArrayBuffer(0))
    message.route = records[at + Rec.Route]
    // The core's thread may not know yet what was added to the table of names a moment ago.
    if (message.route < 0 && message.nameStart !== message.nameEnd)
      message.route = findName(message.buffer, message.nameStart, message.nameEnd)
    return message
  }
}

function limitsOf(options: ConnectionOptions): NativeLimits {
  const { noDelay, keepAlive, keepAliveIdle, receiveBuffer, sendBuffer } = options.socket ?? defaultSocket
  return [
    options.maxMessage,
    options.maxFilters,
    options.maxUnsent,
    options.frameTimeout,
    options.writeTimeout,
    options.framing ?? Framing.Raw,
    noDelay,
    keepAliveSeconds(keepAlive, keepAliveIdle),
    receiveBuffer,
    sendBuffer,
    options.tls !== undefined || options.serverTls !== undefined,
  ]
}

/** The settings of KCP in the order of native/node/kcp.cc. */
function kcpOf({ kcp = defaultKcp }: ConnectionOptions): Uint32Array {
  const { fecData, fecParity, noDelay, interval, resend, congestion, window, mtu, deadLink } = kcp
  return Uint32Array.of(fecData, fecParity, Number(noDelay), interval, resend, Number(congestion), window, mtu, deadLink)
}

function targetOf(address: Exclude<Address, { kind: 'udp' }>): [host: string | null, port: number, path: string | null] {
  return address.kind === 'unix' ? [null, 0, address.path] : [address.host, address.port, null]
}
