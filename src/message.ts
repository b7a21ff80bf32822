/** Message types on the wire (spec/wire.md §1.1). */
export const MessageType = { Call: 1, Reply: 2, Push: 3, AuthCall: 4, AuthReply: 5 } as const
export type MessageType = (typeof MessageType)[keyof typeof MessageType]

const empty = Buffer.alloc(0)

/**
 * One received message, as offsets into borrowed memory. A transport fills the same object for every message,
 * so nothing of it may be kept after `WireSink.onMessage` returns: decode or copy.
 */
export class Incoming {
  type = 0
  seq = 0
  /** Interned id of the service method (`names.ts`), or -1 when this process never named it: then `name*` has its bytes. */
  route = -1
  codec = 0
  /** True when the transport already knows that every body byte is below 0x80; false says nothing. */
  ascii = false
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
}
