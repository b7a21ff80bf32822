import type { Clock } from '../../src/base/time/clock.ts'
import { seeded } from '../../src/testing/random.ts'
import { type Happening, VirtualTime } from '../../src/testing/virtual-time.ts'

/** A clock that a test moves, also backwards. Timers fire while it advances. */
export interface TestClock extends Clock {
  /** Moves the clock by so many milliseconds, and runs the timers that are due. */
  advance(ms: number): void
}

export function testClock(seed = 'clock'): TestClock {
  const time = new VirtualTime()
  let offset = 0
  return {
    now: () => time.now + offset,
    setTimeout: (run, ms) => time.at(time.now + ms, run),
    clearTimeout: (timer) => time.cancel(timer as Happening | undefined),
    random: seeded(seed),
    advance(ms) {
      if (ms < 0) {
        offset += ms
        return
      }
      const end = time.now + ms
      while (time.next !== undefined && time.next <= end) time.step()
      time.skipTo(end)
    },
  }
}
