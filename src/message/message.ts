import type { Filter } from './filter.ts'
import type { Meta } from './meta.ts'
import type { DecodedStatus } from './status-json.ts'

/** Message types on the wire (docs/spec/wire.md#types). */
export const MessageType = { Call: 1, Reply: 2, Push: 3, AuthCall: 4, AuthReply: 5 } as const
export type MessageType = (typeof MessageType)[keyof typeof MessageType]

/** Whether a message of this type answers its receiver. */
export function isReply(type: number): boolean {
  return type === MessageType.Reply || type === MessageType.AuthReply
}

/** Not on the wire: the type of an `Incoming` whose body is bytes that were not taken apart, such as a frame with transfer filters. */
export const UNPARSED = 0

/** What is known of a body without decoding it (native/wire/json_hint.h). Nothing is always right. */
export const TextHint = {
  Nothing: 0,
  /** Every byte is below 0x80. */
  Ascii: 1,
  /** And the whole is a JSON string without escapes. */
  Quoted: 2,
} as const
export type TextHint = (typeof TextHint)[keyof typeof TextHint]

const empty = Buffer.alloc(0)

/**
 * One received message, as offsets into borrowed memory. A transport fills the same object for every message,
 * so nothing of it may be kept after `ConnectionHandler.onMessage` returns: decode or copy. Protocols whose fields are not simply there as bytes
 * fill `method`, `status` and `meta` in place of the offsets.
 */
export class Incoming {
  type = 0
  seq = 0
  /** Interned id of the service method (`names.ts`), or -1 when this process never named it: then `name*` has its bytes. */
  route = -1
  codec = 0
  /** What the transport already knows of the body; a `TextHint`. */
  hint: TextHint = TextHint.Nothing
  /** Memory that all offsets below point into. Ends are exclusive; an empty range means "absent". */
  buffer: Buffer = empty
  nameStart = 0
  nameEnd = 0
  /** Empty when the status is OK. */
  statusStart = 0
  statusEnd = 0
  /** Empty when the meta is `{}`. */
  metaStart = 0
  metaEnd = 0
  bodyStart = 0
  bodyEnd = 0
  /** The filters it came through, in wire order; undefined for none. */
  filters: readonly Filter[] | undefined = undefined
  /** In place of `name*`: the service method. */
  method: string | undefined = undefined
  /** In place of `status*`. */
  status: DecodedStatus | undefined = undefined
  /** In place of `meta*`: string values, no prototype, at most `limits.maxMetaKeys` of them. */
  meta: Meta | undefined = undefined
  /** Names of filters that only the body went through, outermost first (`Proto.bodyFilters`); undefined for none. */
  bodyFilters: readonly string[] | undefined = undefined
  /** What `type` will be when those are removed. */
  originalType = 0
  /** A CALL whose reply goes through these filters though its own body went through none; undefined for none. */
  replyFilters: readonly string[] | undefined = undefined
  /** A PUSH that may go to a route for CALLs when there is none for PUSHes. */
  allowCallRoute = false
  /** Only a route that is registered as `safe` may take it. */
  safeOnly = false
  /** Only a route of its name may take it, and not what takes unknown calls: its protocol answers it otherwise. */
  namedOnly = false
  /** How its sender names the format of the body, where no codec is known for that; '' otherwise. */
  mediaType = ''

  /** As new, for the next message. */
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

  /** Makes `bytes` the body; they are borrowed for as long as the message is. */
  setBody(bytes: Uint8Array): void {
    this.buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.bodyStart = 0
    this.bodyEnd = bytes.length
  }

  /** Makes this the bytes `buffer[start, end)`, which are not taken apart. */
  setUnparsed(buffer: Buffer, start: number, end: number): void {
    this.type = UNPARSED
    this.seq = 0
    this.route = -1
    this.codec = 0
    this.buffer = buffer
    this.nameStart = this.nameEnd = this.statusStart = this.statusEnd = this.metaStart = this.metaEnd = this.bodyStart = start
    this.bodyEnd = end
  }

  /** A copy that owns its memory, for a message that has to wait. Its fields lie in wire order: name, status, meta, body. */
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
