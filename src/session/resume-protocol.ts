import { Code, statusText } from '../base/errors/status.ts'
import type { Limits } from '../base/limits.ts'
import { ResettableTimer } from '../base/time/timer-wheel.ts'
import { ANNOUNCEMENT_KEY } from '../message/announcement.ts'
import { CloseReason } from '../message/close-reason.ts'
import { MessageType } from '../message/message.ts'
import { Reserved } from '../message/names.ts'
import { encodeStatus } from '../message/status-json.ts'
import { refuseToSend, requireSent, sendFailure } from '../transports/failures.ts'
import { SendResult } from '../transports/transport.ts'
import { outgoing } from './channel.ts'
import type { SessionCore } from './core.ts'
import type { EarlyPhase } from './early-phase.ts'
import { fieldsOf, type PeerExtensions } from './peer-extensions.ts'
import type { PeerLink } from './peer-link.ts'
import { type Gap, type IdempotentCall, type KeptPush, type KeptReply, ResumeState } from './resume-state.ts'

/** Acknowledgments are sent after this many PUSHes, or this many milliseconds after the first of them. */
const ACK_COUNT = 64
const ACK_DELAY = 100

/**
 * Resumes one session after its connection was lost (docs/resume.md): both sides agree on a token, acknowledge what
 * they received, and send again what was lost. A session has one once it may be resumed, or has received the key of an
 * idempotent call.
 */
export class ResumeProtocol {
  readonly #session: SessionCore
  readonly #limits: Readonly<Limits>
  #kept: ResumeState
  /**
   * Whether received PUSHes belong to this session. Those from before the peer resumed it on the connection do not.
   */
  counts = true
  /** Times the next acknowledgment. */
  #ackTimer: ResettableTimer | undefined
  /** While disconnected: times out when the peer does not resume the session. */
  #peerLimit: ResettableTimer | undefined
  #ended = false
  #tokenSent = false

  constructor(session: SessionCore) {
    this.#session = session
    this.#limits = session.settings.limits
    this.#kept = newResumption(this.#limits)
  }

  /** Token that identifies the session to the accepting side; undefined while none is agreed upon. */
  get token(): string | undefined {
    return this.#kept.token
  }

  /** Accepting side: whether a reply with the token was sent. Before that no peer can resume the session. */
  get tokenSent(): boolean {
    return this.#tokenSent
  }

  /** Stops buffering pushes, because the peer cannot resume; they are only counted. */
  stopBuffering(): void {
    this.#kept.stopBuffering()
  }

  /**
   * Handles the loss of the connection.
   *
   * @param peerDraining whether the peer had sent its notice before, so that nothing is missing
   */
  lost(peerDraining: boolean): void {
    this.stop()
    this.#kept.peerDraining = peerDraining
  }

  /** Waits for the peer to resume the session, for at most `limits.resumeTimeout`. */
  awaitPeer(): void {
    this.#peerLimit ??= new ResettableTimer(this.#session.wheel, () =>
      this.#session.abandonReconnect(CloseReason.Peer, 'the session was not resumed in time'),
    )
    this.#peerLimit.start(this.#limits.resumeTimeout)
  }

  /** Ends the protocol: another session has the connection now. */
  end(): void {
    this.stop()
    this.#ended = true
  }

  /** Stops all timers. */
  stop(): void {
    this.#peerLimit?.stop()
    this.#ackTimer?.stop()
  }

  /**
   * Dialling side: requests a token from a dmicro peer, with which this session can be resumed after its connection is
   * lost.
   */
  requestToken({ filters }: PeerExtensions): void {
    const kept = this.#kept
    if (kept.token !== undefined || kept.asking) return
    kept.asking = true
    kept.startBuffering()
    kept.filters = filters
    const session = this.#session
    const { link } = session
    const mark = kept.sent
    const named = (body: unknown): void => {
      const { token, from } = fieldsOf(body)
      kept.asking = false
      if (typeof token !== 'string' || link !== session.link) return
      kept.token = token
      kept.confirm(mark)
      kept.beginAt(from)
    }
    const refused = (): void => {
      kept.asking = false
    }
    session.calls.callReserved(Reserved.Resume, { sent: mark }, filters, named, refused)
  }

  /**
   * Accepting side: answers CALL `seq`, which requests a token.
   *
   * @param sent number of PUSHes that the peer sent before its request
   */
  grantToken(token: string, seq: number, sent: unknown): void {
    // Calls with keys may have been received before.
    if (this.#kept.token !== undefined) this.#kept = newResumption(this.#limits)
    const kept = this.#kept
    kept.token = token
    kept.startBuffering()
    kept.beginHere()
    kept.beginAt(typeof sent === 'number' ? sent + 1 : undefined)
    this.#answer(seq, kept.received)
  }

  /**
   * Dialling side: requests that the peer of a new connection resumes this session, which has a token. When the peer
   * does not know the token, the session starts fresh.
   */
  async requestResume(extensions: PeerExtensions, early: EarlyPhase): Promise<void> {
    const kept = this.#kept
    const { token } = kept
    const seq = extensions.nextAnnouncementSeq()
    const body = { token, received: kept.received, from: kept.from, settled: kept.settledKeys }
    const sent = this.#session.calls.sendReserved(MessageType.Call, seq, Reserved.Resume, body, kept.filters, {
      [ANNOUNCEMENT_KEY]: extensions.announcement,
    })
    requireSent(await sent)
    const reply = await early.reply(seq, this.#limits.frameTimeout)
    const answer = fieldsOf(reply.status === undefined ? reply.body : undefined)
    const next = typeof answer.token === 'string' ? answer.token : undefined
    if (next !== token) this.startFresh(next)
    else this.reportGap(this.#goOn(answer.received, answer.from))
  }

  /**
   * Accepting side: answers CALL `seq`, which resumes this session on a connection of another one.
   *
   * @returns what was lost
   */
  acceptResume(seq: number, { received, from, settled }: Readonly<Record<string, unknown>>): Gap {
    this.#kept.forget(settled)
    const gap = this.#goOn(received, from)
    this.#answer(seq, this.#kept.receivedContiguous)
    return gap
  }

  /**
   * Starts to count from zero, because the peer does not know this session any more.
   *
   * @param token the new token; undefined for none
   */
  startFresh(token: string | undefined): void {
    const kept = this.#kept
    const gap = { sent: kept.unconfirmed, received: kept.token === undefined || kept.peerDraining ? 0 : undefined }
    kept.restart(token)
    this.reportGap(gap)
  }

  /** Emits the event `gap` if something was lost. */
  reportGap(gap: Gap): void {
    if (gap.sent > 0 || gap.received !== 0) this.#session.emitSafely('gap', gap)
  }

  /**
   * Continues to count where the connection was lost.
   *
   * @returns what was lost in both directions
   */
  #goOn(received: unknown, from: unknown): Gap {
    this.#kept.confirm(received)
    return { sent: this.#kept.skipLost(), received: this.#kept.skipTo(from) }
  }

  /**
   * Sends the reply to CALL `seq`.
   *
   * @param received number of the peer's last PUSH received, without those that it cannot send again
   */
  #answer(seq: number, received: number): void {
    const { calls, link } = this.#session
    const { token, from } = this.#kept
    const check = (result: SendResult): void => {
      if (result === SendResult.Ok) this.#tokenSent = true
    }
    const failed = (): void => link.fail(CloseReason.Local) // the peer would wait for the reply forever
    try {
      const sent = calls.sendReserved(MessageType.Reply, seq, -1, { token, received, from }, link.extensions?.filters ?? [], undefined)
      if (typeof sent === 'number') check(sent)
      else sent.then(check, failed)
    } catch {
      failed()
    }
  }

  /** Counts a received PUSH of this session. */
  countPush(): void {
    const kept = this.#kept
    // A PUSH received while this side is closing is dropped, so it must not be acknowledged.
    if (kept.token === undefined || !this.counts || !this.#session.accepting) return
    kept.received++
    if (kept.received - kept.acknowledged >= ACK_COUNT) this.acknowledge()
    else this.#acknowledgeSoon()
  }

  #acknowledgeSoon(): void {
    if (this.#ackTimer?.active === true || this.#kept.token === undefined || !this.#session.accepting) return
    this.#ackTimer ??= new ResettableTimer(this.#session.wheel, () => this.acknowledge())
    this.#ackTimer.start(ACK_DELAY)
  }

  /** Acknowledges the pushes received, and the keys that are settled. */
  acknowledge(): void {
    this.#ackTimer?.stop()
    const kept = this.#kept
    if (kept.token === undefined) return
    kept.acknowledged = kept.received
    this.#session.link.extensions?.acknowledge(kept.received, kept.settledKeys)
  }

  /**
   * Handles an acknowledgment of the peer.
   *
   * @param skip whether to count a PUSH that the peer could not send
   */
  onAck(received: unknown, settled: unknown, skip: boolean): void {
    if (skip) this.#kept.received++
    this.#kept.confirm(received)
    this.#kept.forget(settled)
  }

  /**
   * Sends a PUSH and buffers it until the peer has acknowledged it.
   *
   * @returns undefined when it was sent at once
   * @throws (or rejects) StatusError 102 or 104, and what filters throw
   */
  sendPush(seq: number, push: KeptPush): Promise<void> | undefined {
    const kept = this.#kept
    const session = this.#session
    const number = kept.buffer(push)
    const { link } = session
    const failed = (error: unknown): never => {
      // Later pushes may have been sent already, so the peer must count this one too. After a reconnect it is sent
      // again.
      if (link === session.link && !kept.unbuffer(number)) session.link.extensions?.skip()
      return refuseToSend(error)
    }
    let result: SendResult | Promise<SendResult>
    try {
      result = sendEncoded(session.link, MessageType.Push, seq, push)
    } catch (error) {
      return failed(error)
    }
    if (result === SendResult.Ok) return undefined
    // The session learns of the lost connection next; then buffered pushes are sent again.
    if (result === SendResult.Closed && kept.token !== undefined && session.state === 'open') return undefined
    if (typeof result === 'number') return failed(sendFailure(result))
    return result
      .then((sent) => {
        if (sent !== SendResult.Closed || kept.token === undefined || session.state === 'closed') requireSent(sent)
      })
      .catch(failed)
  }

  /** Sends the buffered pushes again. */
  resendPushes(): void {
    const session = this.#session
    for (const push of this.#kept.kept) this.#sentAgain(() => sendEncoded(session.link, MessageType.Push, session.calls.nextSeq(), push))
  }

  /** Makes the key of an idempotent call. */
  openKey(): number {
    return this.#kept.openKey()
  }

  /** Idempotency header for the meta of that call. */
  idempotencyHeader(key: number): string {
    return this.#kept.idempotencyHeader(key)
  }

  /**
   * Marks a key as settled: the peer may forget its reply. It learns that with the next idempotent call or
   * acknowledgment.
   */
  closeKey(key: number): void {
    this.#kept.closeKey(key)
    this.#acknowledgeSoon()
  }

  /**
   * Registers the peer's CALL `seq`, whose idempotency header is `text`.
   *
   * @returns false when the call runs already or has run: its reply goes to this CALL
   */
  registerIdempotentCall(text: string, seq: number): boolean {
    const begun = this.#kept.begin(text, seq, this.#limits.maxRunning)
    if (begun === undefined || !begun.repeated) return true
    const { once } = begun
    if (once.reply !== undefined) this.#sentAgain(() => this.#sendOnce(once))
    return false
  }

  /** The idempotent call that CALL `seq` started, while it runs. */
  running(seq: number): IdempotentCall | undefined {
    return this.#kept.running(seq)
  }

  /** Forgets a call that was refused before it started: it may be retried with its key. */
  refuse(once: IdempotentCall): void {
    this.#kept.refuse(once)
  }

  /** Buffers the reply of an idempotent call, and sends it when there is a connection. */
  reply(once: IdempotentCall, reply: KeptReply): SendResult | Promise<SendResult> {
    const kept = this.#kept
    kept.answer(once, reply)
    const { state } = this.#session
    if (state === 'disconnected' || state === 'redialing') return SendResult.Ok
    const failed = (error: unknown): never => {
      kept.reopen(once)
      throw error
    }
    try {
      const sent = this.#sendOnce(once)
      return typeof sent === 'number' ? sent : sent.catch(failed)
    } catch (error) {
      return failed(error)
    }
  }

  #sendOnce(once: IdempotentCall): SendResult | Promise<SendResult> {
    const reply = once.reply as KeptReply
    const session = this.#session
    const check = (result: SendResult): SendResult | Promise<SendResult> => {
      if (result !== SendResult.TooLarge || reply.status !== '' || this.#ended) return result
      // A reply that cannot be sent must not leave its caller waiting (docs/spec/wire.md#replies).
      this.#kept.reopen(once)
      const status = encodeStatus(Code.InternalServerError, statusText(Code.InternalServerError), 'the reply is over the size limit')
      this.#kept.answer(once, { filters: reply.filters, status, meta: '', codec: 0, body: null })
      return sendEncoded(session.link, MessageType.Reply, once.seq, once.reply as KeptReply)
    }
    const sent = sendEncoded(session.link, MessageType.Reply, once.seq, reply)
    return typeof sent === 'number' ? check(sent) : sent.then(check)
  }

  /**
   * Sends something again. The connection is destroyed when it does not accept that, because the peer would miss it.
   */
  #sentAgain(send: () => SendResult | Promise<SendResult>): void {
    const { connection } = this.#session.link
    const failed = (): void => connection.destroy(CloseReason.Local)
    const check = (result: SendResult): void => {
      if (result === SendResult.Unsent) connection.destroy(CloseReason.Unsent)
      else if (result === SendResult.TooLarge) failed()
    }
    try {
      const sent = send()
      if (typeof sent === 'number') check(sent)
      else sent.then(check, failed)
    } catch {
      failed()
    }
  }
}

function sendEncoded(link: PeerLink, type: MessageType, seq: number, message: KeptPush | KeptReply): SendResult | Promise<SendResult> {
  const { route = -1, method = '', status = '', meta, codec, body } = message as KeptPush
  return link.send(message.filters, outgoing.head(type, seq, route, method, status, meta).content(codec, body))
}

function newResumption({ maxUnconfirmed, maxUnsent }: Readonly<Limits>): ResumeState {
  // Half of `maxUnsent`, because all that is buffered must be accepted at once when it is sent again.
  return new ResumeState(Math.min(maxUnconfirmed, maxUnsent / 2))
}
