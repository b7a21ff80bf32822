import { Code, StatusError } from '../base/errors/status.ts'
import { type Codec, encodeBody, fillBody } from '../codecs/codec.ts'
import { ONCE_KEY, RETRY_AFTER_KEY } from '../message/announcement.ts'
import type { Filter } from '../message/filter.ts'
import { MessageType } from '../message/message.ts'
import type { MessageType as BodyType } from '../message/message-type.ts'
import type { Meta } from '../message/meta.ts'
import type { SendResult } from '../transports/transport.ts'
import { type Abort, AbortRegistry } from './abort-registry.ts'
import { outgoing } from './channel.ts'
import type { SessionCore } from './core.ts'
import { HeldRequests } from './held-requests.ts'
import type { PeerLink } from './peer-link.ts'
import type { ResumeProtocol } from './resume-protocol.ts'

/** A session whose peer may make idempotent calls. */
interface ServingSession extends SessionCore {
  readonly resume: ResumeProtocol | undefined
  /** Returns the keys of idempotent calls; made with the first of them. */
  idempotency(): ResumeProtocol
}

/** The requests of the peer of one session: held requests, running handlers, their signals, and replies. */
export class IncomingRequests {
  readonly #session: ServingSession
  /** Number of handlers that have not settled. */
  running = 0
  /** Whether requests have to wait: too many replies are unsent, or requests are held already. */
  gated = false
  #held: HeldRequests | undefined
  #aborts: AbortRegistry | undefined

  constructor(session: ServingSession) {
    this.#session = session
  }

  /** The held requests. */
  get held(): HeldRequests {
    this.#held ??= new HeldRequests()
    return this.#held
  }

  get waiting(): boolean {
    return this.#held !== undefined && this.#held.size > 0
  }

  /** Notes that the connection has too many unsent replies, or has drained. */
  onConnectionDrain(needed: boolean): void {
    if (!needed && this.#held === undefined) return
    this.held.connectionNeedsDrain = needed
    if (needed) this.gated = true
    else this.#session.onRoom()
  }

  /** Notes that too many replies wait for their filters, or no longer. */
  onFiltersDrain(needed: boolean): void {
    this.held.filtersNeedDrain = needed
    if (needed) this.gated = true
    else this.#session.onRoom()
  }

  /** Takes over the drain state of `other`, whose connection this session uses now. */
  inheritDrain(other: IncomingRequests): void {
    if (other.#held?.connectionNeedsDrain === true) this.onConnectionDrain(true)
    if (other.#held?.filtersNeedDrain === true) this.onFiltersDrain(true)
  }

  /** Resumes reading: the connection is lost or belongs to another session. */
  releaseHeld(): void {
    const held = this.#held
    if (held === undefined) return
    held.connectionNeedsDrain = held.filtersNeedDrain = false
    held.readOn()
    if (this.gated) this.#session.onRoom()
  }

  /** Updates the gate after held requests were started. */
  onHeld(): void {
    this.gated = this.held.size > 0 || this.held.needsDrain
    this.#session.checkIdle()
  }

  /**
   * Registers the key of an idempotent call.
   *
   * @returns false when the call runs already or has run: its reply goes to the CALL with number `seq`
   */
  registerIdempotentCall(meta: Meta, seq: number): boolean {
    const text = meta[ONCE_KEY]
    if (text === undefined) return true
    delete (meta as Record<string, string>)[ONCE_KEY]
    const { link, resume, redial } = this.#session
    if (link.extensions?.supported !== true || (resume === undefined && redial !== undefined)) return true
    return this.#session.idempotency().registerIdempotentCall(text, seq)
  }

  /** Counts a handler that did not settle at once. */
  handlerStarted(): void {
    this.running++
  }

  /** Counts a handler that has settled, which may start held requests. */
  handlerFinished(): void {
    this.running--
    if (this.running === 0) this.#aborts?.forget()
    if (this.gated) this.#session.onRoom()
    this.#session.checkIdle()
  }

  /**
   * Makes the signal of request `seq`. It fires when the caller cancels, at the caller's deadline, and when the
   * connection is lost, unless `release` is called before.
   *
   * @param expires the caller's deadline by the clock; undefined when it is not known
   */
  openAbort(seq: number, expires: number | undefined): Abort {
    const { settings, state } = this.#session
    const left = expires === undefined ? 0 : Math.max(expires - settings.clock.now(), 1)
    return this.#openAborts().open(seq, left, state === 'closed' ? new StatusError(Code.ConnectionClosed) : undefined)
  }

  release(abort: Abort): void {
    this.#aborts?.release(abort)
  }

  /**
   * Handles the peer's cancellation of its request `seq`.
   *
   * @param code 408 or 499
   */
  onCancel(seq: number, code: number): void {
    if (this.#aborts?.cancel(seq, code) === true || (this.running === 0 && !this.gated)) return
    this.#openAborts().remember(seq, code, this.#session.settings.limits.maxRunning)
  }

  /** Whether request `seq`, which was held here, was cancelled by its caller. */
  isCanceled(seq: number): boolean {
    return this.#aborts?.wasCanceled(seq) === true
  }

  /**
   * Fires all signals.
   *
   * @param spares whether a request goes on
   */
  abortAll(reason: StatusError, spares: (seq: number) => boolean): void {
    this.#aborts?.cancelAll(reason, spares)
  }

  /** Forgets cancellations: their numbers belong to another connection. */
  forgetCanceled(): void {
    this.#aborts?.forget()
  }

  #openAborts(): AbortRegistry {
    this.#aborts ??= new AbortRegistry(this.#session.wheel)
    return this.#aborts
  }

  /** Whether the reply to request `seq`, received on `link`, can still be delivered. */
  wantsReply(link: PeerLink, seq: number): boolean {
    return link === this.#session.link || this.#session.resume?.running(seq) !== undefined
  }

  /**
   * Sends a REPLY with status OK.
   *
   * @throws (or rejects) what codec and filters throw
   */
  reply(
    filters: readonly Filter[] | undefined,
    seq: number,
    meta: string,
    codec: Codec,
    value: unknown,
    type: BodyType | undefined,
  ): SendResult | Promise<SendResult> {
    const { resume, link } = this.#session
    const once = resume?.running(seq)
    if (resume !== undefined && once !== undefined) {
      const body = encodeBody(codec, value, type)
      outgoing.content(codec.id, body) // for its size, also while there is no connection
      return resume.reply(once, { filters, status: '', meta, codec: codec.id, body })
    }
    return link.send(filters, fillBody(outgoing.head(MessageType.Reply, seq, -1, '', '', meta), codec, value, type))
  }

  /** Sends a REPLY with a failure, which has codec 0 and no body (docs/spec/wire.md#replies). */
  replyStatus(filters: readonly Filter[] | undefined, seq: number, status: string, meta: string): SendResult | Promise<SendResult> {
    const { resume, link } = this.#session
    const once = resume?.running(seq)
    if (resume !== undefined && once !== undefined) {
      if (!meta.includes(RETRY_AFTER_KEY)) return resume.reply(once, { filters, status, meta, codec: 0, body: null })
      resume.refuse(once) // never started
      seq = once.seq
    }
    return link.send(filters, outgoing.head(MessageType.Reply, seq, -1, '', status, meta).content(0, null))
  }
}
