import type { Incoming } from '../message/message.ts'
import type { Meta } from '../message/meta.ts'
import type { Refusal } from '../message/refusal.ts'

/** A session as admission sees it. */
export interface AdmittedSession {
  readonly state: string
  /** The session's current link. */
  readonly link: object
  readonly requests: {
    wantsReply(link: never, seq: number): boolean
    isCanceled(seq: number): boolean
    handlerStarted(): void
    handlerFinished(): void
  }
  destroy(cause: string): void
}

/** A message that waits for its turn. */
export interface Waiting<S> {
  readonly session: S
  /** An undecoded copy that owns its memory. */
  readonly message: Incoming
  readonly meta: Meta
  readonly isCall: boolean
  /** The caller's deadline by the clock; 0 for none. */
  readonly expires: number
  readonly since: number
  /** Link that it was received on. */
  readonly link: object
}

/** Starts or refuses messages as admission decides. The dispatcher implements it. */
export interface AdmissionTarget<S> {
  start(session: S, message: Incoming, meta: Meta, isCall: boolean, expires: number): void
  /**
   * Refuses a message.
   *
   * @param retryAfter milliseconds
   */
  refuse(session: S, message: Incoming, isCall: boolean, refusal: Refusal, retryAfter: number): void
  /** Handles a message that waited and will not be started: its session or its connection is gone. */
  drop(session: S, message: Incoming, isCall: boolean): void
  /** Sends what this turn has produced so far, before work that takes time. */
  flush(): void
}

/** Bytes of a message that waits. */
export function sizeOf(message: Incoming): number {
  return message.bodyEnd - message.nameStart
}

/** Bytes that a waiting message counts in its lane. */
export const weightOf = ({ message }: Waiting<unknown>): number => sizeOf(message)
