import type { Logger } from './log.ts'

/** Milliseconds between two lines of the same kind. */
const PERIOD = 1000

/**
 * Logs warnings that a peer can cause as often as it likes: one line a second of each kind, with the number of warnings
 * since the last line.
 */
export class WarningThrottle {
  readonly #log: Logger
  readonly #now: () => number
  /** Kinds by text, then by reason, because joining both into one key would cost more than everything else. */
  readonly #kinds = new Map<string, Map<string, { next: number; times: number }>>()

  /** @param now monotonic milliseconds */
  constructor(log: Logger, now: () => number) {
    this.#log = log
    this.#now = now
  }

  /**
   * Logs the warning, or counts it for the next line of its kind.
   * @param text constant text; together with `reason` it is the kind
   * @param remote address of the peer
   * @param reason one of a fixed set
   */
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
