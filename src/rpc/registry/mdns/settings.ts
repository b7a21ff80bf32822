import type { Logger } from '../../../base/log.ts'
import type { Clock } from '../../../base/time/clock.ts'

/** Options of `mdnsRegistry` with their defaults filled in. Durations are milliseconds. */
export interface MdnsSettings {
  readonly domain: string
  readonly hostName: string
  /** '' for an address of this host. */
  readonly advertise: string
  readonly timeout: number
  readonly quiet: number
  readonly clock: Clock
  readonly log: Logger
}

/** Work that anybody in the network may cause, of which there is only so much in a second. */
export class Budget {
  readonly #clock: Clock
  readonly #perSecond: number
  #end = Number.NEGATIVE_INFINITY
  #left = 0

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    this.#perSecond = perSecond
  }

  /** Whether there was some left. */
  take(): boolean {
    const now = this.#clock.now()
    if (now >= this.#end) {
      this.#end = now + 1_000
      this.#left = this.#perSecond
    }
    return this.#left-- > 0
  }
}
