import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { type ClockTimer, realClock } from '../../base/time/clock.ts'
import { openSockets } from '../../transports/handover/sockets.ts'
import type { ProcessUsage } from './commands.ts'

/** Milliseconds between looks at the event loop: shorter delays are not seen. */
const RESOLUTION_MS = 50
/** The greatest delays of this many seconds are kept. */
const SECONDS = 60

/** Measures this process while it runs. */
export class UsageMeter {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  #timer: ClockTimer | undefined
  #due = 0
  /** Greatest delay of each of the last seconds, in milliseconds. */
  readonly #delays: number[] = []
  #asked = realClock.now() - process.uptime() * 1000
  #cpu = 0

  constructor() {
    this.#delay.enable()
    this.#schedule()
  }

  /** Usage and load of this process. CPU is measured since the last call, at first since the start of the process. */
  read(): ProcessUsage {
    const { rss, heapUsed } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    const now = realClock.now()
    const cpu = (user + system) / 1000
    const percent = (100 * (cpu - this.#cpu)) / Math.max(now - this.#asked, 1)
    this.#cpu = cpu
    this.#asked = now
    const owners = new Set([...openSockets].map(({ owner }) => owner))
    let sessions = 0
    let calls = 0
    for (const owner of owners) {
      const load = owner.load?.()
      sessions += load?.sessions ?? 0
      calls += load?.calls ?? 0
    }
    const loopDelay = round(Math.max(this.#greatest(), ...this.#delays))
    return { memory: rss, heap: heapUsed, cpu: round(percent), loopDelay, sessions, calls }
  }

  close(): void {
    realClock.clearTimeout(this.#timer)
    this.#delay.disable()
  }

  #schedule(): void {
    this.#due = realClock.now() + 1000
    this.#timer = realClock.setTimeout(() => this.#next(), 1000)
    this.#timer.unref()
  }

  #next(): void {
    // A delay that began before both timers were due may not be in the histogram yet, and a reset would hide it.
    const late = realClock.now() - this.#due
    this.#schedule()
    this.#delays.push(Math.max(this.#greatest(), late))
    if (this.#delays.length > SECONDS) this.#delays.shift()
    this.#delay.reset()
  }

  /** The histogram has times between looks, the wait between them included. */
  #greatest(): number {
    return this.#delay.count === 0 ? 0 : Math.max(this.#delay.max / 1e6 - RESOLUTION_MS, 0)
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
