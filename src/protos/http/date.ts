import { type Clock, wallTime } from '../../base/time/clock.ts'

/** The header `Date` (RFC 9110 §6.6.1), formatted once per second. */
export class DateLine {
  readonly #clock: Clock
  #second = Number.NaN
  #line = ''

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The header line with its CRLF. */
  get line(): string {
    const second = Math.floor(wallTime(this.#clock) / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#line = `Date: ${new Date(second * 1000).toUTCString()}\r\n`
    }
    return this.#line
  }
}

const lines = new WeakMap<Clock, DateLine>()

/** The date line of a clock. */
export function dateOf(clock: Clock): DateLine {
  let line = lines.get(clock)
  if (line === undefined) lines.set(clock, (line = new DateLine(clock)))
  return line
}
