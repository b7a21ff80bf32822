import type { Limits } from '../base/limits.ts'
import type { FilterTable } from '../filters/filter-table.ts'
import { CloseReason } from '../message/close-reason.ts'
import type { Filter } from '../message/filter.ts'
import type { Incoming } from '../message/message.ts'
import type { Connection } from '../transports/transport.ts'
import { FilteredIn, type Receiver } from './inbound.ts'
import { FilteredOut } from './outbound.ts'

/** The settings of an endpoint that filters need. */
export interface FilterSettings {
  readonly filters: FilterTable
  readonly limits: Readonly<Limits>
}

/**
 * Both directions of one session's messages with transfer filters. Each direction is made with the first such message.
 */
export class FilterPipes {
  readonly #connection: Connection
  readonly #settings: FilterSettings
  readonly #protocol: string
  #receiver: Receiver
  #in: FilteredIn | undefined
  /** Undefined until a message is sent through filters; until then no message can wait either. */
  out: FilteredOut | undefined

  constructor(connection: Connection, settings: FilterSettings, protocol: string, receiver: Receiver) {
    this.#connection = connection
    this.#settings = settings
    this.#protocol = protocol
    this.#receiver = receiver
    this.#in = undefined
    this.out = undefined
  }

  /** Whether messages are processed off the loop, or wait for such messages. */
  get busy(): boolean {
    return this.#in?.busy === true || this.out?.busy === true
  }

  /** Receives a message of type `UNPARSED`. Borrowed until this returns. */
  receive(message: Incoming): void {
    const { envelope } = this.#connection
    if (envelope === undefined) {
      this.#receiver.fail(CloseReason.Filter)
      return
    }
    const { filters, limits } = this.#settings
    this.#in ??= new FilteredIn(this.#connection, envelope, filters, limits.maxMessage, this.#receiver)
    this.#in.receive(message)
  }

  /**
   * The queue that a message must go through before it is sent; undefined, the usual case, when it can be sent
   * directly.
   * @throws TypeError when the protocol has no filters
   */
  outFor(filters: readonly Filter[] | undefined): FilteredOut | undefined {
    if (filters === undefined) return this.out?.busy === true ? this.out : undefined
    const { envelope } = this.#connection
    if (envelope === undefined) throw new TypeError(`protocol ${this.#protocol} has no transfer filters`)
    this.out ??= new FilteredOut(
      this.#connection,
      envelope,
      this.#settings.limits,
      () => this.#receiver.onFiltersIdle(),
      (on) => this.#receiver.onFiltersNeedDrain(on),
    )
    return this.out
  }

  /** Replaces the receiver, when another session resumes on this connection. */
  moveTo(receiver: Receiver): void {
    this.#receiver = receiver
    this.#in?.moveTo(receiver)
  }

  /** The session is closed: results of running jobs and waiting messages are dropped. */
  drop(): void {
    this.#in?.drop()
    this.out?.drop()
  }
}
