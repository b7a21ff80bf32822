import type { Clock } from '../base/time/clock.ts'

/** Milliseconds that a dialled session may be silent before it sends its first word. */
const SILENCE = 50

/** The session that sends first words. */
interface Speaker {
  readonly link: object
  readonly lastSeq: number
  readonly activity: number
  /** Sends the first word, provided that the session runs. */
  breakSilence(): void
}

/**
 * The empty REPLY that a silent dialling side sends. A listener with several protocols detects the protocol by the
 * first bytes, so without them it could not send anything. The REPLY answers no call, and every peer ignores it. It is
 * not sent when either side has sent something already.
 */
export class FirstWord {
  readonly #speaker: Speaker
  // State of the connection when it was new: any change means that one side has sent something.
  readonly #link: object
  readonly #seq: number
  readonly #activity: number

  /** @param speaker a session with a new connection */
  constructor(speaker: Speaker) {
    this.#speaker = speaker
    this.#link = speaker.link
    this.#seq = speaker.lastSeq
    this.#activity = speaker.activity
  }

  /** Starts the wait for `SILENCE` milliseconds, once the session runs. The timer does not keep the process alive. */
  start(clock: Clock): void {
    if (!this.#silent) return
    const speak = (): void => {
      if (this.#silent) this.#speaker.breakSilence()
    }
    clock.setTimeout(speak, SILENCE).unref()
  }

  get #silent(): boolean {
    const { link, lastSeq, activity } = this.#speaker
    return link === this.#link && lastSeq === this.#seq && activity === this.#activity
  }
}

/** Sequence number of first words; no call has it. */
export const FIRST_WORD_SEQ = 0
