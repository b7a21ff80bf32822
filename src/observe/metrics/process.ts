import { readdir } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import timers from 'node:timers'
import { Durations } from './durations.ts'
import type { Buckets, Family, Visitor } from './family.ts'
import { Labels } from './labels.ts'

/** Milliseconds between two looks at how late the event loop is. */
const LOOP_PERIOD_MS = 50
const LOOP_BOUNDS = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500]
const loopBuckets: Buckets = {
  shown: LOOP_BOUNDS.map((_, i) => i),
  le: ['0.001', '0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1.0', '2.5', '+Inf'],
  scale: 1 / 1000,
}
const none = new Labels({})

const cpu: Family = { name: 'process_cpu_seconds_total', type: 'counter', help: 'CPU time of the process, user and system.' }
const rss: Family = { name: 'process_resident_memory_bytes', type: 'gauge', help: 'Resident memory of the process.' }
const fds: Family = { name: 'process_open_fds', type: 'gauge', help: 'Open file descriptors of the process.' }
const start: Family = {
  name: 'process_start_time_seconds',
  type: 'gauge',
  help: 'Start of the process, in seconds since 1970.',
  merging: 'min',
}
const delay: Family = { name: 'dmicro_event_loop_delay_seconds', type: 'histogram', help: 'How late a timer of the event loop was.' }
const idle: Family = { name: 'dmicro_event_loop_idle_seconds_total', type: 'counter', help: 'Time that the event loop has waited.' }

/** Names of metrics that another registry may have already. */
export const processNames: readonly string[] = [cpu, rss, fds, start].map(({ name }) => name)

/** Names of metrics of an event loop, which all plugins of one thread share. */
export const loopNames: readonly string[] = [delay, idle].map(({ name }) => name)

/** Metrics of the process and its event loop, which do not depend on endpoints. */
export class ProcessMetrics {
  readonly #delays = new Durations(new Float64Array(LOOP_BOUNDS))
  readonly #start = Math.round(performance.timeOrigin) / 1000
  #fds = -1
  #timer: NodeJS.Timeout | undefined

  /** Begins to look at the event loop. */
  start(): void {
    if (this.#timer !== undefined) return
    let due = performance.now() + LOOP_PERIOD_MS
    this.#timer = timers.setInterval(() => {
      const now = performance.now()
      this.#delays.add(Math.max(now - due, 0), 1)
      due = now + LOOP_PERIOD_MS
    }, LOOP_PERIOD_MS)
    this.#timer.unref()
  }

  stop(): void {
    timers.clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Reads what cannot be read at once. */
  async prepare(): Promise<void> {
    // One of them is that of the folder itself.
    this.#fds = await readdir('/proc/self/fd').then(
      ({ length }) => length - 1,
      () => -1,
    )
  }

  visit(visitor: Visitor): void {
    const { user, system } = process.cpuUsage()
    const show = (family: Family, value: number): void => {
      visitor.begin(family)
      visitor.value(none, value)
    }
    show(cpu, (user + system) / 1e6)
    show(rss, process.memoryUsage.rss())
    visitor.begin(fds)
    if (this.#fds >= 0) visitor.value(none, this.#fds)
    show(start, this.#start)
    show(idle, performance.eventLoopUtilization().idle / 1000)
    visitor.begin(delay)
    visitor.histogram(none, this.#delays, loopBuckets)
  }
}
