import type { Clock } from '../base/time/clock.ts'
import { type Incoming, MessageType } from './message.ts'

/** Milliseconds that a dialler may be silent until it says what it speaks. */
const SILENCE = 50

/** A dialled session. */
export interface Speaker {
  readonly link: object
  readonly lastSeq: number
  readonly activity: number
  /** Sends the first word, when it runs. */
  breakSilence(): void
}

/**
 * A listener that takes several protocols sees nobody who is silent: it cannot know how to speak to him. So a dialler that has nothing to say sends a REPLY
 * that answers nothing, which every peer reads and passes by. Where either side spoke before there is none.
 */
export class FirstWord {
  readonly #speaker: Speaker
  // Of its connection, of which these are the beginning.
  readonly #link: object
  readonly #seq: number
  readonly #activity: number

  /** @param speaker has a new connection */
  constructor(speaker: Speaker) {
    this.#speaker = speaker
    this.#link = speaker.link
    this.#seq = speaker.lastSeq
    this.#activity = speaker.activity
  }

  /** The session runs. The process need not live for it. */
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

/** No call has this number. */
export const FIRST_WORD_SEQ = 0

/** It says nothing, and needs no filter. */
export function isFirstWord({ type, seq, status, statusStart, statusEnd, metaStart, metaEnd, bodyStart, bodyEnd }: Incoming): boolean {
  const empty = (status === undefined || status.code === 0) && statusStart === statusEnd && metaStart === metaEnd && bodyStart === bodyEnd
  return type === MessageType.Reply && seq === FIRST_WORD_SEQ && empty
}
