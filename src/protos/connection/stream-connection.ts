import { immediate } from '../../base/time/clock.ts'
import { CloseReason } from '../../message/close-reason.ts'
import type { Filter } from '../../message/filter.ts'
import { Incoming, MessageType } from '../../message/message.ts'
import type { Outgoing } from '../../message/outgoing.ts'
import type { TransportConnection } from '../../transports/transport.ts'
import type { Envelope, Opened } from '../../wire/envelope.ts'
import type { Proto } from '../proto.ts'
import { FrameTimer } from './frame-timer.ts'
import { IdleWatch } from './idle-watch.ts'
import { message, ProtocolConnection, type ProtoOwner } from './protocol-connection.ts'
import { UnconsumedBytes } from './unconsumed-bytes.ts'

/**
 * Maximum number of messages of one connection that are delivered per turn. The rest waits for the next turn, so that
 * one peer cannot block the event loop (docs/spec/limits.md#messages-per-turn).
 */
const MAX_PER_TURN = 4096

const noBody = new Uint8Array(0)

/** Connection with a protocol that finds its messages in a stream of bytes. */
export class StreamConnection extends ProtocolConnection implements Envelope {
  readonly envelope: Envelope | undefined
  protected readonly enveloped = false
  readonly #proto: Proto
  readonly #timer: FrameTimer
  readonly #unconsumed = new UnconsumedBytes()
  #idleWatch: IdleWatch | undefined
  #pauses = 0
  /** Whether the transport's connection is paused by `pauseReading`. */
  #paused = false
  /** Whether the last `#unpack` delivered a message. */
  #delivered = false
  /** Whether the connection has used its share of this turn. */
  #yielded = false
  /** Whether this side has ever called its peer, so that replies must be read. */
  #asks = false
  /** Whether reading is paused until replies have drained. */
  #pausedForDrain = false

  constructor(connection: TransportConnection, proto: Proto, owner: ProtoOwner, authority: string | undefined) {
    super(connection, proto, owner, authority)
    this.#proto = proto
    this.envelope = proto.bodyFilters === undefined ? undefined : this
    this.#timer = new FrameTimer(owner.wheel, owner.limits.frameTimeout, () => this.#late())
    connection.handler = this
    const { idleTimeout = 0 } = this.proto
    if (authority === undefined && idleTimeout > 0) this.#idleWatch = new IdleWatch(owner.wheel, idleTimeout, this, () => this.end())
  }

  onMessage({ buffer, bodyStart, bodyEnd }: Incoming): void {
    if (this.over) return
    const unconsumed = this.#unconsumed
    if (unconsumed.length === 0 && !this.#stopped()) {
      const used = this.#unpack(buffer, bodyStart, bodyEnd)
      if (used < bodyEnd - bodyStart && !this.over) unconsumed.append(buffer, bodyStart + used, bodyEnd)
      this.#watch(bodyEnd - bodyStart)
    } else {
      unconsumed.append(buffer, bodyStart, bodyEnd)
      if (!this.#stopped()) this.#pump(bodyEnd - bodyStart)
    }
  }

  override onDrained(): void {
    super.onDrained()
    this.#continue()
    this.#resumeAfterDrain()
  }

  get idle(): boolean {
    return this.#unconsumed.length === 0 && this.proto.idle === true
  }

  override onClose(reason: number, detail: string): void {
    this.#timer.stop()
    this.#idleWatch?.stop()
    if (reason === CloseReason.Peer && this.#unconsumed.length === 0 && !this.over) this.#finish()
    this.#unconsumed.drop()
    super.onClose(reason, detail)
  }

  override pauseReading(): void {
    this.#pauses++
    if (this.#paused) return
    this.#paused = true
    this.connection.pauseReading()
  }

  override resumeReading(): void {
    if (--this.#pauses > 0) return
    this.#continue()
    // A handler that just started may pause reading again; then the connection stays paused.
    if (this.#pauses > 0) return
    this.#paused = false
    this.connection.resumeReading()
  }

  override end(): void {
    this.#timer.stop()
    this.#idleWatch?.stop()
    super.end()
  }

  protected override sending(type: number): void {
    if (type === MessageType.Call && !this.#asks) this.#beginAsking()
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

  /** Delivers the message that the end of the connection completes. */
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

  /**
   * Whether nothing may be delivered now. While replies must drain, messages are still delivered if there can be
   * replies to us among them; the session holds the rest.
   */
  #stopped(): boolean {
    return this.#pauses > 0 || this.#yielded || (!this.#asks && this.connection.needsDrain)
  }

  #beginAsking(): void {
    this.#asks = true
    if (!this.#pausedForDrain) return
    immediate(() => {
      this.#continue()
      this.#resumeAfterDrain()
    })
  }

  #resumeAfterDrain(): void {
    if (!this.#pausedForDrain || this.over || (!this.#asks && this.connection.needsDrain)) return
    this.#pausedForDrain = false
    this.connection.resumeReading()
  }

  #continue(): void {
    if (this.over || this.#stopped()) return
    if (this.#unconsumed.length === 0) {
      // The protocol may have used up half a message.
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

  /**
   * Delivers messages of the unconsumed bytes.
   *
   * @param fresh number of bytes just received
   */
  #pump(fresh: number): void {
    const unconsumed = this.#unconsumed
    const used = this.#unpack(unconsumed.buffer, unconsumed.start, unconsumed.end)
    unconsumed.consume(used)
    this.#watch(fresh)
  }

  /**
   * Delivers the messages in `bytes[start, end)`, as far as allowed.
   *
   * @returns number of bytes used up
   */
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
      // Bytes without a message count too, because the protocol may have answered them.
      if (--share === 0) this.#yieldTurn()
      if (this.#stopped()) break
    }
    return at - start
  }

  /**
   * Closes the connection when a message is late. While nothing is read its bytes cannot arrive; `#continue` starts the
   * timer again. After `end` the transport times the peer.
   */
  #late(): void {
    if (!this.over && !this.#stopped()) this.destroy(CloseReason.FrameTimeout)
  }

  /** Lets other connections have their turn first. */
  #yieldTurn(): void {
    this.#yielded = true
    this.pauseReading()
    immediate(() => {
      this.#yielded = false
      this.resumeReading()
    })
  }

  /** Updates the timer and limits after `#unpack`. */
  #watch(bytes: number): void {
    if (this.over) return
    if (!this.#pausedForDrain && !this.#asks && this.connection.needsDrain) {
      this.#pausedForDrain = true
      this.connection.pauseReading()
    }
    const { length } = this.#unconsumed
    if (this.#stopped() || (length === 0 && this.proto.unfinished !== true)) this.#timer.stop()
    else if (length > this.owner.limits.maxMessage) this.destroy(CloseReason.TooLarge)
    else this.#timer.unfinished(bytes, this.#delivered)
  }
}

const none: readonly Filter[] = []
