/** Milliseconds: the timeout before the first round trip is known, its bounds, and the lower bound without delay. */
const FIRST_RTO = 200
const MIN_RTO = 100
const MIN_RTO_NO_DELAY = 30
const MAX_RTO = 60_000
/** Milliseconds: the least that an answer may be late before it is missed. */
const MIN_PATIENCE = 20

/** Estimates round trips, and the retransmission timeout that follows from them (RFC 6298, as kcp-go has it). */
export class RoundTrip {
  /** Retransmission timeout in milliseconds. */
  rto = FIRST_RTO
  /** Smoothed round trip in milliseconds; 0 before the first. */
  srtt = 0
  #variation = 0
  readonly #interval: number
  readonly #min: number

  constructor(noDelay: boolean, interval: number) {
    this.#interval = interval
    this.#min = noDelay ? MIN_RTO_NO_DELAY : MIN_RTO
  }

  /**
   * Milliseconds after which the answer of a peer that acknowledges at once is missed; 0 before the first round trip.
   * Unlike the timeout it has no part for acknowledgements that wait.
   */
  get patience(): number {
    return this.srtt === 0 ? 0 : this.srtt + Math.max(MIN_PATIENCE, this.srtt >> 2, this.#variation << 2)
  }

  /** @param ms a round trip, a signed 32-bit number from 0 on */
  sample(ms: number): void {
    if (this.srtt === 0) {
      this.srtt = ms
      this.#variation = ms >> 1
    } else {
      let delta = (ms - this.srtt) | 0
      this.srtt = (this.srtt + (delta >> 3)) | 0
      if (delta < 0) delta = -delta
      // A sample below what was to be expected weighs an eighth of the others.
      const shift = ms < this.srtt - this.#variation ? 5 : 2
      this.#variation = (this.#variation + ((delta - this.#variation) >> shift)) | 0
    }
    const rto = ((this.srtt >>> 0) + Math.max(this.#interval, (this.#variation << 2) >>> 0)) >>> 0
    this.rto = Math.min(Math.max(this.#min, rto), MAX_RTO)
  }
}
