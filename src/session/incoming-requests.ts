import { Code, StatusError } from '../base/errors/status.ts'
import { type Codec, encodeBody } from '../codecs/codec.ts'
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
  /** Where keys of idempotent calls are, made with the first of them. */
  idempotency(): ResumeProtocol
}

/** What the peer of one session asks: requests that wait, handlers that run, their signals, and the replies. */
export class IncomingRequests {
  readonly #session: ServingSession
  /** Handlers that have not settled. */
  running = 0
  /** Requests have to wait: too many replies are unsent, or some wait already. */
  gated = false
  #held: HeldRequests | undefined
  #aborts: AbortRegistry | undefined

  constructor(session: ServingSession) {
    this.#session = session
  }

  /** Those that wait. */
  get held(): HeldRequests {
    this.#held ??= new HeldRequests()
    return this.#held
  }

  get waiting(): boolean {
    return this.#held !== undefined && this.#held.size > 0
  }

  /** The connection has too many unsent replies, or no more. */
  onConnectionDrain(needed: boolean): void {
    if (!needed && this.#held === undefined) return
    this.held.connectionNeedsDrain = needed
    if (needed) this.gated = true
    else this.#session.onRoom()
  }

  /** Too many replies wait for their filters, or no more. */
  onFiltersDrain(needed: boolean): void {
    this.held.filtersNeedDrain = needed
    if (needed) this.gated = true
    else this.#session.onRoom()
  }

  /** This session goes on with the connection of `other`. */
  inheritDrain(other: IncomingRequests): void {
    if (other.#held?.connectionNeedsDrain === true) this.onConnectionDrain(true)
    if (other.#held?.filtersNeedDrain === true) this.onFiltersDrain(true)
  }

  /** The connection is another session's, or gone: nothing waits for it any more. */
  releaseHeld(): void {
    const held = this.#held
    if (held === undefined) return
    held.connectionNeedsDrain = held.filtersNeedDrain = false
    held.readOn()
    if (this.gated) this.#session.onRoom()
  }

  /** Some of what waited was started. */
  onHeld(): void {
    this.gated = this.held.size > 0 || this.held.needsDrain
    this.#session.checkIdle()
  }

  /** False for an idempotent call that runs already, or ran: its reply goes to the CALL with number `seq`. */
  registerIdempotentCall(meta: Meta, seq: number): boolean {
    const text = meta[ONCE_KEY]
    if (text === undefined) return true
    delete (meta as Record<string, string>)[ONCE_KEY]
    const { link, resume, redial } = this.#session
    if (link.extensions?.supported !== true || (resume === undefined && redial !== undefined)) return true
    return this.#session.idempotency().registerIdempotentCall(text, seq)
  }

  /** A handler did not settle at once. */
  handlerStarted(): void {
    this.running++
  }

  handlerFinished(): void {
    this.running--
    if (this.running === 0) this.#aborts?.forget()
    if (this.gated) this.#session.onRoom()
    this.#session.checkIdle()
  }

  /**
   * The signal of request `seq` fires when its caller cancels it or waits no more, and when the connection is lost, unless `release` came first.
   *
   * @param expires when its caller waits no more, by the clock; undefined: it did not say
   */
  openAbort(seq: number, expires: number | undefined): Abort {
    const { settings, state } = this.#session
    const left = expires === undefined ? 0 : Math.max(expires - settings.clock.now(), 1)
    return this.#openAborts().open(seq, left, state === 'closed' ? new StatusError(Code.ConnectionClosed) : undefined)
  }

  release(abort: Abort): void {
    this.#aborts?.release(abort)
  }

  /** The peer waits no more for its request `seq`. @param code 408 or 499 */
  onCancel(seq: number, code: number): void {
    if (this.#aborts?.cancel(seq, code) === true || (this.running === 0 && !this.gated)) return
    this.#openAborts().remember(seq, code, this.#session.settings.limits.maxRunning)
  }

  /** The caller of request `seq`, which has waited here, does not wait for it any more. */
  isCanceled(seq: number): boolean {
    return this.#aborts?.wasCanceled(seq) === true
  }

  /** @param spares requests that go on */
  abortAll(reason: StatusError, spares: (seq: number) => boolean): void {
    this.#aborts?.cancelAll(reason, spares)
  }

  /** Numbers are those of another connection now. */
  forgetCanceled(): void {
    this.#aborts?.forget()
  }

  #openAborts(): AbortRegistry {
    this.#aborts ??= new AbortRegistry(this.#session.wheel)
    return this.#aborts
  }

  /** The reply to request `seq` that came by `link` is still wanted. */
  wantsReply(link: PeerLink, seq: number): boolean {
    return link === this.#session.link || this.#session.resume?.running(seq) !== undefined
  }

  /** Sends a REPLY with status OK. @throws (or rejects) what codec and filters throw */
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
      return resume.reply(once, { filters, status: '', meta, codec: codec.id, body: encodeBody(codec, value, type) })
    }
    const plain = typeof value === 'string' && codec.isPlainJsonString?.(value) === true
    const body = plain ? value : encodeBody(codec, value, type)
    return link.send(filters, outgoing.head(MessageType.Reply, seq, -1, '', '', meta).content(codec.id, body, plain))
  }

  /** Sends a REPLY with another status, which has codec 0 and no body (docs/spec/wire.md#replies). */
  replyStatus(filters: readonly Filter[] | undefined, seq: number, status: string, meta: string): SendResult | Promise<SendResult> {
    const { resume, link } = this.#session
    const once = resume?.running(seq)
    if (resume !== undefined && once !== undefined) {
      if (!meta.includes(RETRY_AFTER_KEY)) return resume.reply(once, { filters, status, meta, codec: 0, body: null })
      resume.refuse(once) // it never began
      seq = once.seq
    }
    return link.send(filters, outgoing.head(MessageType.Reply, seq, -1, '', status, meta).content(0, null))
  }
}
