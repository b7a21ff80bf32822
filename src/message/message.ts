import type { Filter } from './filter.ts'
import type { Meta } from './meta.ts'
import type { DecodedStatus } from './status-json.ts'

/** Message types in a frame (docs/spec/wire.md#types). AuthCall and AuthReply are legal only before a session runs. */
export const MessageType = { Call: 1, Reply: 2, Push: 3, AuthCall: 4, AuthReply: 5 } as const
export type MessageType = (typeof MessageType)[keyof typeof MessageType]

/** True for REPLY and AUTHREPLY: the message answers one of our own calls. */
export function isReply(type: number): boolean {
  return type === MessageType.Reply || type === MessageType.AuthReply
}

/**
 * Type of an `Incoming` whose body is bytes that were not parsed, such as a frame with transfer filters. Never sent.
 */
export const UNPARSED = 0

/** Knowledge of a body without decoding it (native/wire/json_hint.h). `Nothing` is always correct. */
export const TextHint = {
  Nothing: 0,
  /** Every byte is below 0x80. */
  Ascii: 1,
  /** Every byte is below 0x80, and the whole body is a JSON string without escapes. */
  Quoted: 2,
} as const
export type TextHint = (typeof TextHint)[keyof typeof TextHint]

const empty = Buffer.alloc(0)

/**
 * One received message, as offsets into borrowed memory. A transport fills the same object for every message, so
 * nothing of it may be kept after `ConnectionHandler.onMessage` returns: decode or copy. A protocol whose fields are
 * not contiguous bytes fills `method`, `status` and `meta` in place of the offsets.
 */
export class Incoming {
  /** A `MessageType`, or `UNPARSED`. */
  type = 0
  /** Sequence number, an int32: of a REPLY that of the CALL it answers. */
  seq = 0
  /**
   * Id of the service method in this process's table (`names.ts`). -1 when this process never named the method: then
   * `name*` has its bytes.
   */
  route = -1
  /** Id of the body's codec; 0 for none. */
  codec = 0
  /** Time at which the message arrived, by the endpoint's meter; 0 without one. */
  arrived = 0
  /** A `TextHint`: knowledge of the body that the transport already has. */
  hint: TextHint = TextHint.Nothing
  /** Memory that all offsets below point into. Ends are exclusive; an empty range means that the field is absent. */
  buffer: Buffer = empty
  /** Offset of the service method. */
  nameStart = 0
  /** Offset of the end of the service method. */
  nameEnd = 0
  /** Offset of the status JSON; empty range when the status is OK. */
  statusStart = 0
  /** Offset of the end of the status JSON. */
  statusEnd = 0
  /** Offset of the meta JSON; empty range when the meta is `{}`. */
  metaStart = 0
  /** Offset of the end of the meta JSON. */
  metaEnd = 0
  /** Offset of the body; empty range when there is none. */
  bodyStart = 0
  /** Offset of the end of the body. */
  bodyEnd = 0
  /** The filters that the message went through, in wire order; undefined for none. */
  filters: readonly Filter[] | undefined = undefined
  /** The service method, in place of `name*`. */
  method: string | undefined = undefined
  /** The status, in place of `status*`. */
  status: DecodedStatus | undefined = undefined
  /** The meta, in place of `meta*`: string values, no prototype, at most `limits.maxMetaKeys` keys. */
  meta: Meta | undefined = undefined
  /** Names of filters that only the body went through, outermost first (`Proto.bodyFilters`); undefined for none. */
  bodyFilters: readonly string[] | undefined = undefined
  /** The `type` that the message has once `bodyFilters` are removed. */
  originalType = 0
  /**
   * Names of filters that the reply to this CALL goes through though the body of the CALL went through none; undefined
   * for none.
   */
  replyFilters: readonly string[] | undefined = undefined
  /** True for a PUSH that a route for CALLs may handle when there is none for PUSHes. */
  allowCallRoute = false
  /** True when only a route that is registered as `safe` may handle the message. */
  safeOnly = false
  /**
   * True when only a route of its name may handle the message, not the route for unknown calls: without one, its
   * protocol answers it.
   */
  namedOnly = false
  /** The sender's name for the format of the body, where no codec is known for that name; '' otherwise. */
  mediaType = ''

  /** Resets all fields, for the next message. */
  clear(): void {
    this.type = 0
    this.seq = 0
    this.route = -1
    this.codec = 0
    this.hint = TextHint.Nothing
    this.buffer = empty
    this.nameStart = this.nameEnd = this.statusStart = this.statusEnd = this.metaStart = this.metaEnd = this.bodyStart = this.bodyEnd = 0
    this.filters = undefined
    this.method = undefined
    this.status = undefined
    this.meta = undefined
    this.bodyFilters = undefined
    this.originalType = 0
    this.replyFilters = undefined
    this.allowCallRoute = false
    this.safeOnly = false
    this.namedOnly = false
    this.mediaType = ''
  }

  /** Makes `bytes` the body. They are borrowed for as long as the message is. */
  setBody(bytes: Uint8Array): void {
    this.buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.bodyStart = 0
    this.bodyEnd = bytes.length
  }

  /** Makes this a message of type `UNPARSED` whose body is `buffer[start, end)`. */
  setUnparsed(buffer: Buffer, start: number, end: number): void {
    this.type = UNPARSED
    this.seq = 0
    this.route = -1
    this.codec = 0
    this.buffer = buffer
    this.nameStart = this.nameEnd = this.statusStart = this.statusEnd = this.metaStart = this.metaEnd = this.bodyStart = start
    this.bodyEnd = end
  }

  /**
   * A copy that owns its memory, for a message that has to wait. Requires that the fields lie in wire order: name,
   * status, meta, body.
   */
  owned(): Incoming {
    const copy = Object.assign(new Incoming(), this)
    const base = this.nameStart
    copy.buffer = Buffer.from(this.buffer.subarray(base, this.bodyEnd))
    copy.nameStart -= base
    copy.nameEnd -= base
    copy.statusStart -= base
    copy.statusEnd -= base
    copy.metaStart -= base
    copy.metaEnd -= base
    copy.bodyStart -= base
    copy.bodyEnd -= base
    return copy
  }
}
