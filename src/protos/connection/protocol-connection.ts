import type { Limits } from '../../base/limits.ts'
import { type Clock, microtask } from '../../base/time/clock.ts'
import type { TimerWheel } from '../../base/time/timer-wheel.ts'
import type { FilterTable } from '../../filters/filter-table.ts'
import { CloseReason } from '../../message/close-reason.ts'
import type { Filter } from '../../message/filter.ts'
import { Incoming, isReply, MessageType, UNPARSED } from '../../message/message.ts'
import type { Meta } from '../../message/meta.ts'
import { findNameText } from '../../message/names.ts'
import type { Outgoing, Packer } from '../../message/outgoing.ts'
import type { DecodedStatus } from '../../message/status-json.ts'
import type { TlsFacts } from '../../transports/tls/tls-facts.ts'
import {
  type Connection,
  type ConnectionHandler,
  NOT_SUPPORTED,
  SendResult,
  type SocketOption,
  type TransportConnection,
} from '../../transports/transport.ts'
import type { Envelope } from '../../wire/envelope.ts'
import { type Proto, ProtoError, type ProtoSession } from '../proto.ts'

/** The endpoint of a connection with a protocol other than raw. */
export interface ProtoOwner {
  readonly limits: Readonly<Limits>
  readonly filters: FilterTable
  readonly wheel: TimerWheel
  readonly clock: Clock
  /** Whether a route handles CALLs of this name. */
  readonly handles?: ((route: number) => boolean) | undefined
  /** Whether the handler of CALLs of this name is `safe`; undefined when there is none. */
  readonly isSafe?: ((route: number) => boolean | undefined) | undefined
}

/** Room for what a protocol writes around a body. */
const HEAD_ROOM = 512

/** The message that every `onMessage` borrows. Messages never nest. */
export const message = new Incoming()

/**
 * Connects a transport's connection, which carries bytes, and a session, which handles messages, by a protocol's `pack`
 * and `unpack`. The classes for the two framings are in `envelope-connection.ts` and `stream-connection.ts`.
 */
export abstract class ProtocolConnection implements Connection, ConnectionHandler {
  handler!: ConnectionHandler
  abstract readonly envelope: Envelope | undefined
  protected readonly connection: TransportConnection
  protected readonly owner: ProtoOwner
  protected readonly proto: ProtoSession
  /** Whether no message may be delivered any more. */
  protected over = false
  /** Why this side closed the session, if `unpack` was the cause. */
  #refused: CloseReason | undefined

  /** @param authority host and port that were dialled (`ProtoLink.authority`); undefined for an accepted connection */
  constructor(connection: TransportConnection, proto: Pick<Proto, 'open'>, owner: ProtoOwner, authority: string | undefined) {
    this.connection = connection
    this.owner = owner
    this.proto = proto.open({
      limits: owner.limits,
      accepted: authority === undefined,
      authority,
      clock: owner.clock,
      handles: owner.handles,
      isSafe: owner.isSafe,
      write: (bytes) => this.#write(bytes),
      end: (reason) => this.#endLater(reason),
    })
  }

  get localAddress(): string {
    return this.connection.localAddress
  }

  get remoteAddress(): string {
    return this.connection.remoteAddress
  }

  get tls(): TlsFacts | undefined {
    return this.connection.tls
  }

  get descriptor(): number | undefined {
    return this.connection.descriptor
  }

  setSocketOption(option: SocketOption, value: number): number {
    return this.connection.setSocketOption?.(option, value) ?? NOT_SUPPORTED
  }

  get unsentReplies(): number {
    return this.connection.unsentReplies ?? 0
  }

  get activity(): number {
    return this.connection.activity
  }

  send(message: Outgoing): SendResult {
    if (message.writer !== undefined && this.proto.write !== undefined) {
      const sent = this.#sendInPlace(message)
      if (sent !== undefined) return sent
    }
    message.encoded()
    // Checked before the protocol counts the request as answered, because a smaller reply follows a refused one.
    if (this.#tooLarge(message.body)) return SendResult.TooLarge
    const bytes = this.pack(message)
    if (bytes === undefined) return SendResult.Closed
    this.sending(message.type)
    return bytes.length === 0 && !this.enveloped ? SendResult.Ok : this.connection.sendBytes(bytes, this.enveloped, isReply(message.type))
  }

  /** Sends a usual message without making bytes of its own for it; undefined when it is no usual one. */
  #sendInPlace(message: Outgoing): SendResult | undefined {
    const room = message.room + HEAD_ROOM
    if (message.statusText !== '' || message.metaText !== '' || room > this.owner.limits.maxMessage) return undefined
    this.sending(message.type)
    return this.connection.sendInPlace(this.proto as Packer, message, room, this.enveloped, isReply(message.type))
  }

  /** Whether messages lie in envelopes, which the transport adds. */
  protected abstract readonly enveloped: boolean

  /** Called before a message is sent. */
  protected sending(_type: number): void {}

  sendFrame(frame: Uint8Array | string, reply: boolean): SendResult {
    return this.connection.sendBytes(frame, false, reply)
  }

  pauseReading(): void {
    this.connection.pauseReading()
  }

  resumeReading(): void {
    this.connection.resumeReading()
  }

  destroy(reason: number): void {
    this.over = true
    this.connection.destroy(reason)
  }

  end(): void {
    this.over = true
    this.connection.end()
  }

  abstract onMessage(whole: Incoming): void

  onNeedsDrain(): void {
    this.handler.onNeedsDrain?.()
  }

  onDrained(): void {
    this.handler.onDrained?.()
  }

  onClose(reason: number, detail: string): void {
    this.over = true
    this.proto.close?.()
    this.handler.onClose(this.#refused ?? reason, detail)
  }

  /** Delivers the message that `unpack` put into `message`. */
  protected deliver(): void {
    const { type } = message
    const refused = this.place(message)
    if (refused !== CloseReason.Local) {
      this.refuse(new ProtoError('not a message', refused))
      return
    }
    if (message.bodyFilters !== undefined) {
      message.originalType = type
      message.type = UNPARSED
    } else if (message.replyFilters !== undefined) {
      message.filters = this.named(message.replyFilters)
    }
    this.handler.onMessage(message)
  }

  /**
   * Checks the fields that `unpack` set, and looks up the route.
   *
   * @returns `CloseReason.Local`, or why the session must close
   */
  protected place(into: Incoming): CloseReason {
    const { type, seq, method, status, meta } = into
    // The session checks whether authentication is still allowed.
    if (!Number.isInteger(type) || type < MessageType.Call || type > MessageType.AuthReply) return CloseReason.Type
    if (!Number.isSafeInteger(seq)) return CloseReason.Seq
    if (status !== undefined && !isStatus(status)) return CloseReason.Status
    if (meta !== undefined) {
      const checked = plainMeta(meta, this.owner.limits.maxMetaKeys)
      if (checked === undefined) return CloseReason.Meta
      into.meta = checked
    }
    if (method !== undefined) {
      if (typeof method !== 'string') return CloseReason.Malformed
      into.route = findNameText(method)
    }
    return CloseReason.Local
  }

  /** Finds the filters with these names; undefined when one is unknown. */
  protected named(names: readonly string[]): readonly Filter[] | undefined {
    const filters: Filter[] = []
    for (const name of names) {
      const filter = this.owner.filters.byName(name)
      if (filter === undefined) return undefined
      filters.push(filter)
    }
    return filters
  }

  /** Closes the session because `unpack` threw: the stream cannot be trusted any more. */
  protected refuse(error: unknown): void {
    const reason = (error instanceof ProtoError ? error.reason : undefined) ?? CloseReason.Malformed
    this.over = true
    if (error instanceof ProtoError && error.finalResponse !== '') {
      this.#refused = reason
      this.connection.sendBytes(error.finalResponse, false, true)
      this.connection.end()
    } else {
      this.connection.destroy(reason)
    }
  }

  /**
   * Handles an exception of a handler outside of the transport, which would catch it. A bug of dmicro costs this
   * connection and no other.
   */
  protected closeOnInternalError(error: unknown): void {
    process.emitWarning(error instanceof Error ? error : new Error(`a connection handler threw ${String(error)}`))
    this.destroy(CloseReason.Local)
  }

  /**
   * Packs a message.
   *
   * @returns undefined when the session closes instead
   */
  protected pack(out: Outgoing): string | Uint8Array | undefined {
    try {
      return this.proto.pack(out)
    } catch (error) {
      if (!(error instanceof ProtoError)) throw error
      this.refuse(error)
      return undefined
    }
  }

  /**
   * Sends the protocol's own bytes. If they cannot be queued the connection is destroyed, because the peer waits for
   * them.
   */
  #write(bytes: string | Uint8Array): void {
    if (this.connection.sendBytes(bytes, false, true) === SendResult.Unsent) this.destroy(CloseReason.Unsent)
  }

  /**
   * Closes the connection in a microtask, because the protocol asks for that inside `pack`, before its bytes are
   * queued.
   */
  #endLater(reason: CloseReason | undefined): void {
    this.#refused ??= reason
    this.over = true
    microtask(() => this.connection.end())
  }

  #tooLarge(body: string | Uint8Array | null): boolean {
    if (body === null || body.length * 3 <= this.owner.limits.maxMessage) return false
    return (typeof body === 'string' ? Buffer.byteLength(body) : body.length) > this.owner.limits.maxMessage
  }
}

// The protocol may be a user's, and may pass on what its peer sent unchecked.

function isStatus({ code, message: text, cause }: DecodedStatus): boolean {
  return (code | 0) === code && typeof text === 'string' && typeof cause === 'string'
}

/**
 * Returns `meta` as `Incoming.meta` must be; undefined when it is invalid. Meta without a prototype were made by
 * dmicro.
 */
function plainMeta(meta: Meta, maxKeys: number): Meta | undefined {
  if (typeof meta !== 'object' || meta === null) return undefined
  if (Object.getPrototypeOf(meta) === null) return meta
  const entries = Object.entries(meta)
  if (entries.length > maxKeys || entries.some(([, value]) => typeof value !== 'string')) return undefined
  const plain: Record<string, string> = Object.create(null)
  for (const [key, value] of entries) plain[key] = value
  return plain
}
