import type { Receiver } from '../filtering/inbound.ts'
import { FilterPipes, type FilterSettings } from '../filtering/pipes.ts'
import type { CloseReason } from '../message/close-reason.ts'
import type { Filter } from '../message/filter.ts'
import { Outgoing } from '../message/outgoing.ts'
import type { Connection, SendResult } from '../transports/transport.ts'

/** The message on its way down, filled again for each: a connection borrows it, and what keeps one copies it. */
export const outgoing = new Outgoing()

/** A connection with the filters of its messages: the one way down for all that a session sends. */
export class Channel {
  readonly connection: Connection
  readonly filters: FilterPipes

  /** @param protocol its name @param receiver gets the messages that came through filters */
  constructor(connection: Connection, settings: FilterSettings, protocol: string, receiver: Receiver) {
    this.connection = connection
    this.filters = new FilterPipes(connection, settings, protocol, receiver)
  }

  /**
   * Sends `message`, which is borrowed, through `filters`; behind what waits for its own.
   *
   * @throws (or rejects) TypeError when the protocol has no filters, and what a filter throws
   */
  send(filters: readonly Filter[] | undefined, message: Outgoing): SendResult | Promise<SendResult> {
    const { out } = this.filters
    if (filters === undefined && out === undefined) return this.connection.send(message)
    const pipe = this.filters.outFor(filters)
    return pipe === undefined ? this.connection.send(message) : pipe.send(filters, message)
  }

  /** Reads no message until what this returns is called. */
  pauseReading(): () => void {
    const { connection } = this
    connection.pauseReading()
    return () => connection.resumeReading()
  }

  /** A message is unreadable, or would break a limit: the stream can no longer be trusted. */
  fail(reason: CloseReason): void {
    this.connection.destroy(reason)
  }
}
