import type { Clock, ClockTimer } from '../../base/time/clock.ts'
import type { Child } from './child.ts'
import type { ProcessSettings } from './process-options.ts'
import { readUsage } from './stats.ts'

/** Which limit a process has exceeded. */
type LimitName = 'memory' | 'heartbeat'

/** Looks at the memory and the heartbeats of a child while it runs. */
export class LimitWatch {
  readonly #child: Child
  readonly #name: string
  readonly #settings: ProcessSettings
  readonly #clock: Clock
  readonly #onLimit: (limit: LimitName, text: string) => void
  readonly #end = new AbortController()
  #memoryTimer: ClockTimer | undefined
  #heartbeatTimer: ClockTimer | undefined
  #pingTimer: ClockTimer | undefined

  /** @param onLimit called once at most */
  constructor(child: Child, name: string, settings: ProcessSettings, clock: Clock, onLimit: (limit: LimitName, text: string) => void) {
    this.#child = child
    this.#name = name
    this.#settings = settings
    this.#clock = clock
    this.#onLimit = onLimit
    child.exited.then(() => this.stop())
    if (settings.memoryLimit > 0) this.#checkMemoryLater()
    if (settings.heartbeat !== undefined) {
      this.beat()
      if (settings.heartbeat.ping !== undefined) this.#ping()
    }
  }

  /** The process is alive. */
  beat(): void {
    const { heartbeat } = this.#settings
    if (heartbeat === undefined || this.#end.signal.aborted) return
    this.#clock.clearTimeout(this.#heartbeatTimer)
    this.#heartbeatTimer = this.#clock.setTimeout(
      () => this.#exceeded('heartbeat', `no heartbeat in ${heartbeat.timeout} ms`),
      heartbeat.timeout,
    )
    this.#heartbeatTimer.unref()
  }

  stop(): void {
    this.#end.abort()
    for (const timer of [this.#memoryTimer, this.#heartbeatTimer, this.#pingTimer]) this.#clock.clearTimeout(timer)
  }

  #exceeded(limit: LimitName, text: string): void {
    if (this.#end.signal.aborted) return
    this.stop()
    this.#onLimit(limit, text)
  }

  #checkMemory(): void {
    const { memoryLimit } = this.#settings
    const memory = readUsage(this.#child.pid)?.memory ?? 0
    if (memory > memoryLimit) {
      this.#exceeded('memory', `${memory} bytes of memory, at most ${memoryLimit} are allowed`)
      return
    }
    this.#checkMemoryLater()
  }

  #checkMemoryLater(): void {
    this.#memoryTimer = this.#clock.setTimeout(() => this.#checkMemory(), this.#settings.memoryInterval)
    this.#memoryTimer.unref()
  }

  async #ping(): Promise<void> {
    const { ping, interval } = this.#settings.heartbeat as NonNullable<ProcessSettings['heartbeat']>
    try {
      const alive = await ping?.({ name: this.#name, pid: this.#child.pid }, this.#end.signal)
      if (alive !== false) this.beat()
    } catch {
      // No answer is no heartbeat.
    }
    if (this.#end.signal.aborted) return
    this.#pingTimer = this.#clock.setTimeout(() => void this.#ping(), interval)
    this.#pingTimer.unref()
  }
}
