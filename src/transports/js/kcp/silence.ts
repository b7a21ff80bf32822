import { distance } from '../../../wire/kcp/segment.ts'

/** Milliseconds of silence after which the side that dialled, and the other, ask whether the peer is there. */
const IDLE_DIALLED_MS = 25_000
const IDLE_ACCEPTED_MS = 60_000
/** Milliseconds between such questions, and of silence from then on, or of a dead link, that end the connection. */
const ASK_EVERY_MS = 2000
const UNANSWERED_MS = 10_000
const QUESTIONS = UNANSWERED_MS / ASK_EVERY_MS

/** Action about a silent peer. */
export const Verdict = { Wait: 0, Ask: 1, GiveUp: 2 } as const
export type Verdict = (typeof Verdict)[keyof typeof Verdict]

/**
 * For how long a peer has been silent, and how often it was asked since. A process that was stopped runs its timers
 * before it reads what has come: no peer is given up that was not asked. All times are u32 of the conversation's clock.
 */
export class Silence {
  readonly #idle: number
  #heard: number
  #asks = 0
  /** Time of the next question, when there was one. */
  #askAt = 0

  constructor(dialled: boolean, now: number) {
    this.#idle = dialled ? IDLE_DIALLED_MS : IDLE_ACCEPTED_MS
    this.#heard = now
  }

  /** Notes a sign of life. */
  end(now: number): void {
    this.#heard = now
    this.#asks = 0
  }

  /** Notes a question. */
  asked(now: number): void {
    this.#asks++
    this.#askAt = (now + ASK_EVERY_MS) >>> 0
  }

  /** Decides about an idle connection. */
  verdict(now: number): Verdict {
    if (this.wait(now) > 0) return Verdict.Wait
    const late = distance(now, this.#heard) >= this.#idle + UNANSWERED_MS
    return late && this.#asks >= QUESTIONS ? Verdict.GiveUp : Verdict.Ask
  }

  /**
   * Decides about a connection whose segments were sent too often.
   * @param since when there was something to acknowledge first: nobody was to answer before
   */
  verdictOfDead(now: number, since: number): Verdict {
    const silence = Math.min(distance(now, this.#heard), distance(now, since))
    if (silence < UNANSWERED_MS - ASK_EVERY_MS) return Verdict.Wait
    if (this.#asks === 0) return Verdict.Ask
    return silence >= UNANSWERED_MS && distance(now, this.#askAt) >= 0 ? Verdict.GiveUp : Verdict.Wait
  }

  /** Milliseconds until `verdict` is another than to wait. */
  wait(now: number): number {
    const at = this.#asks > 0 ? this.#askAt : this.#heard + this.#idle
    return Math.max(distance(at, now), 0)
  }
}
