import type { FilterTable } from '../filters/filter-table.ts'
import type { CloseReason } from '../message/close-reason.ts'
import type { Filter } from '../message/filter.ts'
import type { Incoming } from '../message/message.ts'
import type { Outgoing } from '../message/outgoing.ts'

/** How messages with transfer filters lie in the bytes of a protocol. */
export interface Envelope {
  /**
   * Which of `filters` the message goes through: all, or none where the protocol says that it is not worth while.
   * @throws TypeError for filters that the protocol cannot carry
   */
  choose(message: Outgoing, filters: readonly Filter[]): readonly Filter[]
  /** What the filters go around, in memory of its own; undefined when it would be over `maxMessage` or a field too wide. */
  payload(message: Outgoing, maxMessage: number): Uint8Array | undefined
  /** The frame of a payload that went through `filters`. Of `message` only the body may have changed since `payload`. */
  seal(message: Outgoing, filters: readonly Filter[], payload: Uint8Array): Uint8Array | string
  /** Finds filters and payload of a received message of type `UNPARSED`, which is borrowed; undefined when a filter is unknown. */
  open(frame: Incoming, table: FilterTable): Opened | undefined
}

/** A received message with its filters still around it. */
export interface Opened {
  readonly filters: readonly Filter[]
  /** Borrowed. */
  readonly payload: Uint8Array
  /** Takes the payload without its filters apart. 0, or why the session must close. */
  finish(payload: Buffer, into: Incoming): CloseReason
}
