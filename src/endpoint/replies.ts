import { describe } from '../base/errors/error-text.ts'
import { Code, StatusError } from '../base/errors/status.ts'
import { RETRY_AFTER_KEY } from '../message/announcement.ts'
import { CloseReason } from '../message/close-reason.ts'
import type { Filter } from '../message/filter.ts'
import type { Incoming } from '../message/message.ts'
import { encodeMeta } from '../message/meta.ts'
import { type Refusal, retryMeta } from '../message/refusal.ts'
import { encodeStatus } from '../message/status-json.ts'
import type { SessionEngine } from '../session/engine.ts'
import type { Settings } from '../session/options.ts'
import { SendResult } from '../transports/transport.ts'

/** Transfer filters of a reply; undefined for none. */
type Filters = readonly Filter[] | undefined

/** Status that stands for what became of a reply: OK, 500 for one that is too large, 102 for one that was not sent. */
export function codeOfSent(result: SendResult): number {
  if (result === SendResult.Ok) return Code.Ok
  return result === SendResult.TooLarge ? Code.InternalServerError : Code.ConnectionClosed
}

/** Sends REPLYs with a failure, and handles REPLYs that cannot be sent. */
export class Replies {
  readonly #settings: Settings

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /**
   * Sends a REPLY with a failure.
   *
   * @param last whether nothing more is tried when it cannot be sent
   * @returns whether it was sent or waits for its filters
   */
  sendStatus(
    session: SessionEngine,
    filters: Filters,
    seq: number,
    status: StatusError,
    meta: Readonly<Record<string, string>> | undefined,
    last = false,
  ): boolean {
    const { retryAfter } = status
    if (retryAfter !== undefined) meta = { ...meta, [RETRY_AFTER_KEY]: String(Math.ceil(retryAfter)) }
    const text = encodeStatus(status.code, status.message, status.cause)
    return this.#send(session, filters, seq, text, meta === undefined ? '' : encodeMeta(meta), last)
  }

  /**
   * Refuses a CALL.
   *
   * @param retryAfter milliseconds
   */
  refuse(session: SessionEngine, message: Incoming, refusal: Refusal, retryAfter: number): void {
    this.#send(session, message.filters, message.seq, refusal.text, retryMeta(retryAfter), true)
  }

  #send(session: SessionEngine, filters: Filters, seq: number, text: string, meta: string, last: boolean): boolean {
    try {
      const sent = session.requests.replyStatus(filters, seq, text, meta)
      if (sent === SendResult.Ok) return true
      if (typeof sent === 'number') {
        this.notSent(session, filters, seq, sent, last)
        return false
      }
      sent.then(
        (result) => this.notSent(session, filters, seq, result, last),
        (error) => this.#unfiltered(session, error),
      )
      return true
    } catch (error) {
      this.#unfiltered(session, error)
      return false
    }
  }

  /**
   * Closes the connection when the filters of a reply fail on any bytes. An unfiltered reply might reveal what the
   * filters should hide, so the caller only learns that the session is closed.
   */
  #unfiltered(session: SessionEngine, error: unknown): void {
    this.#settings.log.error('a reply could not be filtered', { remote: session.remoteAddress, error: describe(error) })
    session.link.fail(CloseReason.Local)
  }

  /** Handles a REPLY that cannot be sent, because it must not leave its caller waiting (docs/spec/wire.md#replies). */
  notSent(session: SessionEngine, filters: Filters, seq: number, result: SendResult, last = false): void {
    if (result === SendResult.TooLarge) {
      const status = new StatusError(Code.InternalServerError, undefined, 'the reply is over the size limit', { stack: false })
      if (!last) this.sendStatus(session, filters, seq, status, undefined, true)
    } else if (result === SendResult.Unsent) {
      session.link.fail(CloseReason.Unsent)
    }
  }
}
