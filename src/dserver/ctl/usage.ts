import { type ClockTimer, realClock } from '../../base/time/clock.ts'
import { openSockets } from '../../transports/handover/sockets.ts'
import type { ProcessUsage } from './commands.ts'

/** Milliseconds between looks at the event loop: of a delay at most this much is not seen. */
const INTERVAL_MS = 100
/** The greatest delays of this many seconds are kept. */
const SECONDS = 60

/** Measures this process while it runs. */
export class UsageMeter {
  #timer: ClockTimer | undefined
  #due = 0
  /** Greatest delay of each of the last seconds, in milliseconds. */
  readonly #delays: number[] = [0]
  #looks = 0
  #asked = realClock.now() - process.uptime() * 1000
  #cpu = 0

  constructor() {
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
    const loopDelay = round(Math.max(realClock.now() - this.#due, ...this.#delays))
    return { memory: rss, heap: heapUsed, cpu: round(percent), loopDelay, sessions, calls }
  }

  close(): void {
    realClock.clearTimeout(this.#timer)
  }

  #schedule(): void {
    this.#due = realClock.now() + INTERVAL_MS
    this.#timer = realClock.setTimeout(() => this.#look(), INTERVAL_MS)
    this.#timer.unref()
  }

  #look(): void {
    const last = this.#delays.length - 1
    this.#delays[last] = Math.max(this.#delays[last], realClock.now() - this.#due)
    if (++this.#looks % (1000 / INTERVAL_MS) === 0) this.#delays.push(0)
    if (this.#delays.length > SECONDS) this.#delays.shift()
    this.#schedule()
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
