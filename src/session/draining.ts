import type { Clock, ClockTimer } from '../base/time/clock.ts'
import { ResettableTimer } from '../base/time/timer-wheel.ts'
import type { SessionCore } from './core.ts'

/** Milliseconds that a draining peer gets in addition to the limit that it announced. */
const DRAIN_GRACE = 5000

/**
 * The graceful end of a session's connection: one side notifies, the other answers that it sends nothing new, and
 * running work finishes. Made when the first side notifies or waits.
 */
export class Draining {
  readonly #session: SessionCore
  readonly #clock: Clock
  /** Whether this side accepts no new requests any more and has notified the peer, if it supports that. */
  noticeSent = false
  /** Whether the peer still has to answer our notice. */
  awaitingAnswer = false
  /** Whether the peer notified us. All it sent before was received, and it will not resume the session. */
  peerDraining = false
  /** Whether our answer to the peer's notice waits for delayed messages. */
  #answerQueued = false
  /** Runs while a close waits for the first message of a peer that has not announced itself. */
  #lingering: ClockTimer | undefined
  /** Milliseconds that closing may take, as the notice says. */
  #limit = 0
  /** Destroys a connection that the peer said it would close but did not. */
  #peerLimit: ResettableTimer | undefined
  #onIdle: (() => void) | undefined

  constructor(session: SessionCore) {
    this.#session = session
    this.#clock = session.settings.clock
  }

  /** Resets what belongs to a connection: on the new one neither side has notified. */
  resetPeerState(): void {
    this.awaitingAnswer = this.#answerQueued = this.peerDraining = false
  }

  /** Stops the timer: the connection is lost. */
  stop(): void {
    this.#peerLimit?.stop()
  }

  /**
   * Notifies the peer and waits until everything has finished.
   *
   * @param limit milliseconds
   * @param linger milliseconds to wait for a peer that has not announced itself, so that it can be notified
   * @returns undefined when there is nothing to wait for
   */
  finish(limit: number, linger: number): Promise<void> | undefined {
    this.#limit = limit
    this.#notify() // before the first refusal, so that the refused caller knows why
    if (linger > 0) this.linger(linger)
    return this.untilIdle(limit)
  }

  /**
   * Waits for the announcement of a peer that has made none, in place of an earlier wait.
   *
   * @param ms milliseconds
   */
  linger(ms: number): void {
    if (this.#session.link.extensions?.supported !== false) return
    this.#clock.clearTimeout(this.#lingering)
    this.#lingering = this.#clock.setTimeout(() => this.#onFirstMessage(), ms)
  }

  /**
   * Waits until nothing runs.
   *
   * @param limit milliseconds
   * @returns undefined when there is nothing to wait for
   */
  untilIdle(limit: number): Promise<void> | undefined {
    if (this.#idle) return undefined
    return new Promise((resolve) => {
      const late = this.#clock.setTimeout(() => this.stopWaiting(), limit)
      this.#onIdle = () => {
        this.#clock.clearTimeout(late)
        this.#clock.clearTimeout(this.#lingering)
        this.#onIdle = undefined
        resolve()
      }
    })
  }

  /** Ends the wait if nothing runs any more. */
  check(): void {
    if (this.#onIdle !== undefined && this.#idle) this.#onIdle()
  }

  /** Ends the wait: the time is over, or the session is closed otherwise. */
  stopWaiting(): void {
    this.#onIdle?.()
  }

  /**
   * Notifies a peer that announces itself while this side is closing. Requests that it sent before are still accepted.
   */
  onPeerKnown(): void {
    if (!this.noticeSent) return
    this.#notify()
    this.#onFirstMessage()
  }

  /** Handles the peer's answer to our notice. */
  onAnswer(): void {
    this.peerDraining = true
    this.awaitingAnswer = false
    this.check()
  }

  /**
   * Answers the peer's notice, once all messages are written.
   *
   * @param written whether they are written now
   */
  answer(written: boolean): void {
    if (written) this.#session.link.extensions?.drain(0)
    else this.#answerQueued = true
  }

  /**
   * Starts the time within which the peer must close.
   *
   * @param limit milliseconds that the peer announced
   */
  awaitClose(limit: number): void {
    this.#peerLimit ??= new ResettableTimer(this.#session.wheel, () =>
      this.#session.destroy('the peer said that it would close, and did not'),
    )
    this.#peerLimit.start(limit + DRAIN_GRACE)
  }

  /** Sends a waiting answer: messages that hooks or filters delayed are written, or never will be. */
  onWritten(): void {
    if (this.#answerQueued) {
      this.#answerQueued = false
      this.#session.link.extensions?.drain(0)
    }
    this.check()
  }

  /** Notifies the peer, if it supports that, that no new requests are accepted. */
  #notify(): void {
    this.noticeSent = true
    const willAnswer = this.#session.link.extensions?.drain(this.#limit) === true
    this.awaitingAnswer = willAnswer && !this.#answerQueued // an answer to the peer's notice is not answered itself
    this.#answerQueued = false
  }

  /** Ends the wait for the first message: it was received, or the time is over. */
  #onFirstMessage(): void {
    this.#clock.clearTimeout(this.#lingering)
    this.#lingering = undefined
    this.check()
  }

  get #idle(): boolean {
    return this.#lingering === undefined && !this.awaitingAnswer && !this.#session.busy
  }
}
