import type { Clock, ClockTimer } from '../base/time/clock.ts'
import { ResettableTimer } from '../base/time/timer-wheel.ts'
import type { SessionCore } from './core.ts'

/** Milliseconds more than it named that a peer may take to close. */
const DRAIN_GRACE = 5000

/**
 * How a connection of one session ends in peace: one side gives notice, the other one answers that it sends nothing new, what runs is done. Made for the
 * first that gives notice or waits.
 */
export class Draining {
  readonly #session: SessionCore
  readonly #clock: Clock
  /** Nothing new is accepted any more: the peer was told, if it understands. */
  noticeSent = false
  /** The peer answers our notice and has not done so yet. */
  awaitingAnswer = false
  /** The peer gave notice: what it sent before came, and it does not come back. */
  peerDraining = false
  /** The peer's notice is to be answered. */
  #answerQueued = false
  /** It closes, and waits for the first message of its peer. */
  #lingering = false
  /** Milliseconds that closing may take. */
  #limit = 0
  /** Ends a connection that the peer announced to close and does not. */
  #peerLimit: ResettableTimer | undefined
  #onIdle: (() => void) | undefined

  constructor(session: SessionCore) {
    this.#session = session
    this.#clock = session.settings.clock
  }

  /** A new connection, on which nobody gave notice. */
  resetPeerState(): void {
    this.awaitingAnswer = this.#answerQueued = this.peerDraining = false
  }

  /** The connection is lost. */
  stop(): void {
    this.#peerLimit?.stop()
  }

  /**
   * Gives notice and waits until all is done.
   * @param limit milliseconds @param linger milliseconds for a peer that has not announced itself yet @returns undefined when it is
   */
  finish(limit: number, linger: number): Promise<void> | undefined {
    this.#limit = limit
    this.#notify() // before the first refusal: who is refused knows why
    this.#lingering = linger > 0 && this.#session.link.extensions?.supported === false
    if (!this.#lingering) return this.untilIdle(limit)
    const timer = this.#clock.setTimeout(() => this.#onFirstMessage(), linger)
    return this.untilIdle(limit, timer)
  }

  /** Undefined when nothing is to be waited for. @param limit milliseconds @param timer to be cleared then */
  untilIdle(limit: number, timer?: ClockTimer): Promise<void> | undefined {
    if (this.#idle) return undefined
    return new Promise((resolve) => {
      const late = this.#clock.setTimeout(() => this.stopWaiting(), limit)
      this.#onIdle = () => {
        this.#clock.clearTimeout(late)
        this.#clock.clearTimeout(timer)
        this.#onIdle = undefined
        resolve()
      }
    })
  }

  /** Something is done. */
  check(): void {
    if (this.#onIdle !== undefined && this.#idle) this.#onIdle()
  }

  stopWaiting(): void {
    this.#onIdle?.()
  }

  /** The peer announced itself. What it sent before it could be told is still taken; it hears of our notice now. */
  onPeerKnown(): void {
    if (!this.noticeSent) return
    this.#notify()
    this.#onFirstMessage()
  }

  /** The peer answered our notice. */
  onAnswer(): void {
    this.peerDraining = true
    this.awaitingAnswer = false
    this.check()
  }

  /** The peer gave notice. It is answered once everything is written. @param written that is so */
  answer(written: boolean): void {
    if (written) this.#session.link.extensions?.drain(0)
    else this.#answerQueued = true
  }

  /** The peer has so many milliseconds, as it said, to close. */
  awaitClose(limit: number): void {
    this.#peerLimit ??= new ResettableTimer(this.#session.wheel, () =>
      this.#session.destroy('the peer said that it would close, and did not'),
    )
    this.#peerLimit.start(limit + DRAIN_GRACE)
  }

  /** What hooks or filters kept is written, or never will be. */
  onWritten(): void {
    if (this.#answerQueued) {
      this.#answerQueued = false
      this.#session.link.extensions?.drain(0)
    }
    this.check()
  }

  /** Tells the peer, if it understands, that nothing new is accepted from now on. */
  #notify(): void {
    this.noticeSent = true
    const told = this.#session.link.extensions?.drain(this.#limit) === true
    this.awaitingAnswer = told && !this.#answerQueued // what answers a notice has no answer itself
    this.#answerQueued = false
  }

  /** The time is over in which a peer may announce itself, or it did. */
  #onFirstMessage(): void {
    this.#lingering = false
    this.check()
  }

  get #idle(): boolean {
    return !this.#lingering && !this.awaitingAnswer && !this.#session.busy
  }
}
