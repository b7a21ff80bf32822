import type { Receiver } from '../filtering/inbound.ts'
import { FilterPipes, type FilterSettings } from '../filtering/pipes.ts'
import type { CloseReason } from '../message/close-reason.ts'
import type { Filter } from '../message/filter.ts'
import { Outgoing } from '../message/outgoing.ts'
import type { Connection, SendResult } from '../transports/transport.ts'

/**
 * The one outgoing message, filled again for each send. A connection borrows it during `send`; to keep a message it is
 * copied.
 */
export const outgoing = new Outgoing()

/** A connection with the transfer filters of its messages. All that a session sends passes here. */
export class Channel {
  readonly connection: Connection
  readonly filters: FilterPipes

  /**
   * @param protocol name of the protocol
   * @param receiver gets the messages whose filters were removed
   */
  constructor(connection: Connection, settings: FilterSettings, protocol: string, receiver: Receiver) {
    this.connection = connection
    this.filters = new FilterPipes(connection, settings, protocol, receiver)
  }

  /**
   * Sends `message` through `filters`, in order after messages that wait for their filters.
   *
   * @param message borrowed during the call
   * @throws (or rejects) TypeError when the protocol has no filters, and what a filter throws
   */
  send(filters: readonly Filter[] | undefined, message: Outgoing): SendResult | Promise<SendResult> {
    const { out } = this.filters
    if (filters === undefined && out === undefined) return this.connection.send(message)
    const pipe = this.filters.outFor(filters)
    return pipe === undefined ? this.connection.send(message) : pipe.send(filters, message)
  }

  /**
   * Pauses reading.
   *
   * @returns a function that resumes reading
   */
  pauseReading(): () => void {
    const { connection } = this
    connection.pauseReading()
    return () => connection.resumeReading()
  }

  /** Destroys the connection: a message cannot be read or breaks a limit, so the stream cannot be trusted any more. */
  fail(reason: CloseReason): void {
    this.connection.destroy(reason)
  }
}
