import { type Clock, realClock } from './clock.ts'

const resolved = Promise.resolve()
let time = 0
let isRead = false
const forget = (): void => {
  isRead = false
}

/** Reads the clock unless it was read since the code that runs now began, or since the last of its microtasks did. */
function now(): number {
  if (!isRead) {
    isRead = true
    time = realClock.now()
    void resolved.then(forget)
  }
  return time
}

/**
 * `now` of a clock, for what is asked once or more for each of many messages that arrive together: a look at the
 * system's clock takes 60 ns, so all of them share one. The time may be too early by as long as the code that runs
 * meanwhile takes. Other clocks, whose time may jump at any point, are read each time.
 */
export function turnNow(clock: Clock): () => number {
  return clock === realClock ? now : clock.now
}
