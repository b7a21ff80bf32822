import type { FilterTable } from '../filters/filter-table.ts'
import type { CloseReason } from '../message/close-reason.ts'
import type { Filter } from '../message/filter.ts'
import type { Incoming } from '../message/message.ts'
import type { Outgoing } from '../message/outgoing.ts'

/** Where filters and payload lie in the frames of one protocol. */
export interface Envelope {
  /**
   * The part of `filters` that the message goes through: all, or none where the protocol has it that filtering is not
   * worth while.
   * @throws TypeError for filters that the protocol cannot carry
   */
  choose(message: Outgoing, filters: readonly Filter[]): readonly Filter[]
  /**
   * The bytes that the filters are applied to, in memory of their own; undefined when the frame would exceed
   * `maxMessage` or a field its width.
   */
  payload(message: Outgoing, maxMessage: number): Uint8Array | undefined
  /**
   * The frame of a payload that went through `filters`. Requires that nothing but the body of `message` has changed
   * since `payload`.
   */
  seal(message: Outgoing, filters: readonly Filter[], payload: Uint8Array): Uint8Array | string
  /**
   * Finds filters and payload of a received message of type `UNPARSED`; undefined when a filter is unknown.
   * @param frame borrowed for as long as the result is used
   */
  open(frame: Incoming, table: FilterTable): Opened | undefined
}

/** A received message whose filters are not removed yet. */
export interface Opened {
  readonly filters: readonly Filter[]
  /** The payload with its filters, in the memory of the frame: borrowed as long as that. */
  readonly payload: Uint8Array
  /**
   * Parses a payload without its filters into `into`.
   * @returns 0, or why the session must be closed
   */
  finish(payload: Buffer, into: Incoming): CloseReason
}
