import type { Limits } from '../base/limits.ts'
import type { FilterTable } from '../filters/filter-table.ts'
import { CloseReason } from '../message/close-reason.ts'
import type { Filter } from '../message/filter.ts'
import type { Incoming } from '../message/message.ts'
import type { Connection } from '../transports/transport.ts'
import { FilteredIn, type Receiver } from './inbound.ts'
import { FilteredOut } from './outbound.ts'

/** What filters need to know of their endpoint. */
export interface FilterSettings {
  readonly filters: FilterTable
  readonly limits: Readonly<Limits>
}

/** Both directions of one session's messages with transfer filters. Each is made with the first such message. */
export class FilterPipes {
  readonly #connection: Connection
  readonly #settings: FilterSettings
  readonly #protocol: string
  #receiver: Receiver
  #in: FilteredIn | undefined
  /** Undefined while no message went through filters: then none can wait either. */
  out: FilteredOut | undefined

  constructor(connection: Connection, settings: FilterSettings, protocol: string, receiver: Receiver) {
    this.#connection = connection
    this.#settings = settings
    this.#protocol = protocol
    this.#receiver = receiver
    this.#in = undefined
    this.out = undefined
  }

  /** Messages are worked on off the loop, or wait for such. */
  get busy(): boolean {
    return this.#in?.busy === true || this.out?.busy === true
  }

  /** Takes a message of type `UNPARSED`; it is borrowed. */
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
   * What a message goes through on its way to the wire; undefined, the usual case, for nothing.
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
      (on) => this.#receiver.onFiltersPressed(on),
    )
    return this.out
  }

  /** Another session goes on with the wire. */
  moveTo(receiver: Receiver): void {
    this.#receiver = receiver
    this.#in?.moveTo(receiver)
  }

  /** The session ends: what is still worked on comes to nothing. */
  drop(): void {
    this.#in?.drop()
    this.out?.drop()
  }
}
