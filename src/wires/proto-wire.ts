import { CloseReason } from '../close-reason.ts'
import type { Envelope } from '../envelope.ts'
import type { Filter } from '../filter.ts'
import type { FilterTable } from '../filter-table.ts'
import type { Limits } from '../limits.ts'
import { Incoming, MessageType, WHOLE } from '../message.ts'
import { findNameText } from '../names.ts'
import { Outgoing } from '../outgoing.ts'
import { type Proto, ProtoError, type ProtoSession } from '../proto.ts'
import type { TimerWheel } from '../timer-wheel.ts'
import { SendResult, type SocketWire, type Wire, type WireSink } from '../transport.ts'

/** What wires of all protocols but raw share with their endpoint. */
export interface ProtoOwner {
  readonly limits: Readonly<Limits>
  readonly filters: FilterTable
  readonly wheel: TimerWheel
}

/** Borrowed by every `onMessage`. Messages never nest. */
export const message = new Incoming()

/** Filled anew for every `pack`. */
const outgoing = new Outgoing()

/**
 * Between a transport's wire, which carries bytes, and a session, which deals in messages: a protocol's `pack` and `unpack`. What differs
 * by the protocol's framing is in `envelope-wire.ts` and `stream-wire.ts`.
 */
export abstract class ProtoWire implements Wire, WireSink {
  sink!: WireSink
  abstract readonly envelope: Envelope | undefined
  protected readonly wire: SocketWire
  protected readonly owner: ProtoOwner
  protected readonly proto: ProtoSession
  /** No message may be delivered any more. */
  protected over = false
  /** Why we closed the session, when that was for what `unpack` found. */
  #refused: CloseReason | undefined

  constructor(wire: SocketWire, proto: Proto, owner: ProtoOwner, accepted: boolean) {
    this.wire = wire
    this.owner = owner
    this.proto = proto.open({
      limits: owner.limits,
      accepted,
      write: (bytes) => void wire.sendBytes(bytes, false),
      end: () => this.#endLater(),
    })
  }

  get localAddress(): string {
    return this.wire.localAddress
  }

  get remoteAddress(): string {
    return this.wire.remoteAddress
  }

  send(
    type: number,
    seq: number,
    _route: number,
    method: string,
    status: string,
    meta: string,
    codec: number,
    body: string | Uint8Array | null,
    quoted = false,
  ): SendResult {
    // Before the protocol notes that it was answered: a reply that is refused here is followed by a smaller one.
    if (this.#tooLarge(body)) return SendResult.TooLarge
    outgoing.type = type
    outgoing.seq = seq
    outgoing.method = method
    outgoing.statusText = status
    outgoing.metaText = meta
    outgoing.codec = codec
    outgoing.body = quoted ? `"${body}"` : body
    return this.sendPacked(this.proto.pack(outgoing))
  }

  /** Queues what `pack` made. */
  protected abstract sendPacked(bytes: string | Uint8Array): SendResult

  sendFrame(frame: Uint8Array | string): SendResult {
    return this.wire.sendBytes(frame, false)
  }

  abstract hold(): void
  abstract release(): void

  destroy(reason: number): void {
    this.over = true
    this.wire.destroy(reason)
  }

  end(): void {
    this.over = true
    this.wire.end()
  }

  abstract onMessage(whole: Incoming): void

  onClose(reason: number, detail: string): void {
    this.over = true
    this.proto.close?.()
    this.sink.onClose(this.#refused ?? reason, detail)
  }

  /** Hands on what `unpack` put into `message`. */
  protected deliver(): void {
    const { type } = message
    const refused = this.place(message)
    if (refused !== CloseReason.Local) {
      this.refuse(new ProtoError('not a message', refused))
      return
    }
    if (message.packed !== undefined) {
      message.packedType = type
      message.type = WHOLE
    } else if (message.replyThrough !== undefined) {
      message.filters = this.named(message.replyThrough)
    }
    this.sink.onMessage(message)
  }

  /** Looks the route of what `unpack` made up. `Local`, or why the session must close. */
  protected place(into: Incoming): CloseReason {
    if (into.type < MessageType.Call || into.type > MessageType.Push) return CloseReason.Type
    if (into.method !== undefined) into.route = findNameText(into.method)
    return CloseReason.Local
  }

  /** The filters of these names, as far as the endpoint has them. */
  protected named(names: readonly string[]): readonly Filter[] | undefined {
    const filters: Filter[] = []
    for (const name of names) {
      const filter = this.owner.filters.byName(name)
      if (filter === undefined) return undefined
      filters.push(filter)
    }
    return filters
  }

  /** `unpack` threw: the stream can no longer be trusted. */
  protected refuse(error: unknown): void {
    const reason = (error instanceof ProtoError ? error.reason : undefined) ?? CloseReason.Malformed
    this.over = true
    if (error instanceof ProtoError && error.farewell !== '') {
      this.#refused = reason
      this.wire.sendBytes(error.farewell, false)
      this.wire.end()
    } else {
      this.wire.destroy(reason)
    }
  }

  /** A sink threw, outside of the transport that catches it: a bug of ours, which costs this connection and no other. */
  protected blame(error: unknown): void {
    process.emitWarning(error instanceof Error ? error : new Error(`a wire sink threw ${String(error)}`))
    this.destroy(CloseReason.Local)
  }

  /** The protocol asks in the middle of `pack`, before the bytes are queued. */
  #endLater(): void {
    this.over = true
    queueMicrotask(() => this.wire.end())
  }

  #tooLarge(body: string | Uint8Array | null): boolean {
    if (body === null || body.length * 3 <= this.owner.limits.maxMessage) return false
    return (typeof body === 'string' ? Buffer.byteLength(body) : body.length) > this.owner.limits.maxMessage
  }
}
