import type { Logger } from './log.ts'

/** Milliseconds between two lines about the same. */
const PERIOD = 1000

/** Warnings that a peer can cause as often as it likes: one line a second of each kind, which tells how many there were since the last. */
export class WarningThrottle {
  readonly #log: Logger
  readonly #now: () => number
  /** By text, then by reason: to make one key of them would cost more than all else. */
  readonly #kinds = new Map<string, Map<string, { next: number; times: number }>>()

  /** @param now monotonic milliseconds */
  constructor(log: Logger, now: () => number) {
    this.#log = log
    this.#now = now
  }

  /** @param text, @param reason of ours: together they are a kind */
  warn(text: string, remote: string, reason: string): void {
    let kinds = this.#kinds.get(text)
    if (kinds === undefined) this.#kinds.set(text, (kinds = new Map()))
    let kind = kinds.get(reason)
    if (kind === undefined) kinds.set(reason, (kind = { next: -Infinity, times: 0 }))
    kind.times++
    const now = this.#now()
    if (now < kind.next) return
    this.#log.warn(text, kind.times === 1 ? { remote, reason } : { remote, reason, times: kind.times })
    kind.times = 0
    kind.next = now + PERIOD
  }
}
