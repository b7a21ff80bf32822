import { immediate } from '../../base/time/clock.ts'
import { CloseReason } from '../../message/close-reason.ts'
import type { Filter } from '../../message/filter.ts'
import { Incoming, isReply, MessageType } from '../../message/message.ts'
import type { Outgoing } from '../../message/outgoing.ts'
import { SendResult, type TransportConnection } from '../../transports/transport.ts'
import type { Envelope, Opened } from '../../wire/envelope.ts'
import type { Proto } from '../proto.ts'
import { FrameTimer } from './frame-timer.ts'
import { IdleWatch } from './idle-watch.ts'
import { message, ProtocolConnection, type ProtoOwner } from './protocol-connection.ts'
import { UnconsumedBytes } from './unconsumed-bytes.ts'

/** Messages of one connection delivered per turn; the rest waits for the next, so that one peer cannot hold the loop (docs/spec/limits.md#messages-per-turn). */
const MAX_PER_TURN = 4096

const noBody = new Uint8Array(0)

/** Protocols that find their messages in a stream of bytes. */
export class StreamConnection extends ProtocolConnection implements Envelope {
  readonly envelope: Envelope | undefined
  readonly #proto: Proto
  readonly #clock: FrameTimer
  readonly #rest = new UnconsumedBytes()
  #idleWatch: IdleWatch | undefined
  #holds = 0
  /** `wire.hold` was called and `wire.release` was not. */
  #held = false
  /** The last `#unpack` brought a message. */
  #delivered = false
  /** Had its share of this turn. */
  #yielded = false
  /** It called its peer, ever: the replies must be read. */
  #asks = false
  /** Not read because replies pile up, with which nothing is to be done before they are fewer. */
  #braked = false

  constructor(connection: TransportConnection, proto: Proto, owner: ProtoOwner, authority: string | undefined) {
    super(connection, proto, owner, authority)
    this.#proto = proto
    this.envelope = proto.bodyFilters === undefined ? undefined : this
    this.#clock = new FrameTimer(owner.wheel, owner.limits.frameTimeout, () => this.#late())
    connection.handler = this
    const { idleTimeout = 0 } = this.proto
    if (authority === undefined && idleTimeout > 0) this.#idleWatch = new IdleWatch(owner.wheel, idleTimeout, this, () => this.end())
  }

  onMessage({ buffer, bodyStart, bodyEnd }: Incoming): void {
    if (this.over) return
    const rest = this.#rest
    if (rest.length === 0 && !this.#stopped()) {
      const used = this.#unpack(buffer, bodyStart, bodyEnd)
      if (used < bodyEnd - bodyStart && !this.over) rest.append(buffer, bodyStart + used, bodyEnd)
      this.#watch(bodyEnd - bodyStart)
    } else {
      rest.append(buffer, bodyStart, bodyEnd)
      if (!this.#stopped()) this.#pump(bodyEnd - bodyStart)
    }
  }

  override onDrained(): void {
    super.onDrained()
    this.#goOn()
    this.#unbrake()
  }

  get idle(): boolean {
    return this.#rest.length === 0 && this.proto.idle === true
  }

  override onClose(reason: number, detail: string): void {
    this.#clock.stop()
    this.#idleWatch?.stop()
    if (reason === CloseReason.Peer && this.#rest.length === 0 && !this.over) this.#finish()
    this.#rest.drop()
    super.onClose(reason, detail)
  }

  pauseReading(): void {
    this.#holds++
    if (this.#held) return
    this.#held = true
    this.connection.pauseReading()
  }

  resumeReading(): void {
    if (--this.#holds > 0) return
    this.#goOn()
    // What a handler began may hold again: then the wire stays held, once.
    if (this.#holds > 0) return
    this.#held = false
    this.connection.resumeReading()
  }

  override end(): void {
    this.#clock.stop()
    this.#idleWatch?.stop()
    super.end()
  }

  protected sendPacked(bytes: string | Uint8Array, type: number): SendResult {
    if (type === MessageType.Call && !this.#asks) this.#beginAsking()
    return bytes.length === 0 ? SendResult.Ok : this.connection.sendBytes(bytes, false, isReply(type))
  }

  choose(out: Outgoing, filters: readonly Filter[]): readonly Filter[] {
    for (const { name } of filters) {
      if (this.#proto.bodyFilters?.includes(name) !== true)
        throw new TypeError(`protocol ${this.#proto.name} has no transfer filter ${name}`)
    }
    return this.proto.shouldFilter?.(out) === false ? none : filters
  }

  payload({ body }: Outgoing, maxMessage: number): Uint8Array | undefined {
    const bytes = body === null ? noBody : Buffer.from(body as string)
    return bytes.length > maxMessage ? undefined : bytes
  }

  seal(out: Outgoing, filters: readonly Filter[], payload: Uint8Array): Uint8Array | string {
    out.body = payload.length === 0 ? null : payload
    out.filters = filters.map(({ name }) => name)
    return this.pack(out) ?? noBody
  }

  open(whole: Incoming): Opened | undefined {
    const filters = this.named(whole.bodyFilters ?? [])
    if (filters === undefined) return undefined
    const head = Object.assign(new Incoming(), whole)
    head.type = whole.originalType
    head.bodyFilters = undefined
    return {
      filters,
      payload: whole.buffer.subarray(whole.bodyStart, whole.bodyEnd),
      finish(payload, into) {
        Object.assign(into, head)
        into.setBody(payload)
        return CloseReason.Local
      },
    }
  }

  /** Hands on the message that the end of the connection completes. */
  #finish(): void {
    message.clear()
    try {
      this.proto.finish?.(message)
    } catch (error) {
      this.refuse(error)
      return
    }
    if (message.type !== 0) this.deliver()
  }

  /** Nothing may be handed on now. What is read while replies pile up the session sorts out, if there can be replies to us in it. */
  #stopped(): boolean {
    return this.#holds > 0 || this.#yielded || (!this.#asks && this.connection.needsDrain)
  }

  #beginAsking(): void {
    this.#asks = true
    if (!this.#braked) return
    immediate(() => {
      this.#goOn()
      this.#unbrake()
    })
  }

  #unbrake(): void {
    if (!this.#braked || this.over || (!this.#asks && this.connection.needsDrain)) return
    this.#braked = false
    this.connection.resumeReading()
  }

  #goOn(): void {
    if (this.over || this.#stopped()) return
    if (this.#rest.length === 0) {
      // The protocol may have a message half used up.
      this.#delivered = false
      this.#watch(0)
      return
    }
    try {
      this.#pump(0)
    } catch (error) {
      this.closeOnInternalError(error)
    }
  }

  /** @param fresh bytes that just came */
  #pump(fresh: number): void {
    const rest = this.#rest
    const used = this.#unpack(rest.buffer, rest.start, rest.end)
    rest.consume(used)
    this.#watch(fresh)
  }

  /** Hands on what `bytes[start, end)` holds, as far as may be. Returns how many bytes were used up. */
  #unpack(bytes: Buffer, start: number, end: number): number {
    let at = start
    let share = MAX_PER_TURN
    this.#delivered = false
    while (at < end && !this.over) {
      message.clear()
      let used: number
      try {
        used = this.proto.unpack(bytes, at, end, message)
      } catch (error) {
        this.refuse(error)
        break
      }
      at += used
      if (message.type !== 0) {
        this.#delivered = true
        if (this.connection.needsDrain) this.onNeedsDrain()
        this.deliver()
        if (this.over) break
      } else if (used === 0) {
        break
      }
      // What is no message counts as well: the protocol may have answered it.
      if (--share === 0) this.#yield()
      if (this.#stopped()) break
    }
    return at - start
  }

  /** While nothing is read, its bytes cannot come: `#goOn` begins anew. When we said goodbye, the transport gives the peer its time. */
  #late(): void {
    if (!this.over && !this.#stopped()) this.destroy(CloseReason.FrameTimeout)
  }

  /** The others come first. */
  #yield(): void {
    this.#yielded = true
    this.pauseReading()
    immediate(() => {
      this.#yielded = false
      this.resumeReading()
    })
  }

  /** Looks at what `#unpack` left. */
  #watch(bytes: number): void {
    if (this.over) return
    if (!this.#braked && !this.#asks && this.connection.needsDrain) {
      this.#braked = true
      this.connection.pauseReading()
    }
    const { length } = this.#rest
    if (this.#stopped() || (length === 0 && this.proto.unfinished !== true)) this.#clock.stop()
    else if (length > this.owner.limits.maxMessage) this.destroy(CloseReason.TooLarge)
    else this.#clock.unfinished(bytes, this.#delivered)
  }
}

const none: readonly Filter[] = []
