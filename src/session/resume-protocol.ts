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

/** Acknowledgments are sent after so many PUSHes, or so many milliseconds after the first of them. */
const ACK_COUNT = 64
const ACK_DELAY = 100

/**
 * How one session goes on after its connection was lost (docs/resume.md): both sides agree on a name, tell each other what came, and send again what did
 * not. A session has one once it may be resumed, or has seen the key of an idempotent call.
 */
export class ResumeProtocol {
  readonly #session: SessionCore
  readonly #limits: Readonly<Limits>
  #kept: ResumeState
  /** PUSHes that come are this session's: those from before the peer went on with it are not. */
  counts = true
  /** Until the next acknowledgment. */
  #ackAlarm: ResettableTimer | undefined
  /** While away: until the peer must be back. */
  #peerLimit: ResettableTimer | undefined
  #ended = false

  constructor(session: SessionCore) {
    this.#session = session
    this.#limits = session.settings.limits
    this.#kept = newResumption(this.#limits)
  }

  /** Names the session to the side that accepted it. Undefined: not agreed upon yet, or no more. */
  get token(): string | undefined {
    return this.#kept.token
  }

  /** The peer is none that resumes: nothing is kept, only counted. */
  stopBuffering(): void {
    this.#kept.stopBuffering()
  }

  /** The connection is lost. @param parted the peer had given notice: nothing is missing */
  lost(parted: boolean): void {
    this.stop()
    this.#kept.peerDraining = parted
  }

  /** The peer has so long to come back. */
  awaitPeer(): void {
    this.#peerLimit ??= new ResettableTimer(this.#session.wheel, () =>
      this.#session.abandonReconnect(CloseReason.Peer, 'it did not come back'),
    )
    this.#peerLimit.start(this.#limits.resumeTimeout)
  }

  /** Another session has the connection now. */
  end(): void {
    this.stop()
    this.#ended = true
  }

  /** Nothing is waited for any more. */
  stop(): void {
    this.#peerLimit?.stop()
    this.#ackAlarm?.stop()
  }

  /** Dialling side: asks a peer that is one of ours for a name by which it will know this session after its connection was lost. */
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

  /** Accepting side: CALL `seq` asks for a name. @param sent PUSHes that the peer sent before it asked */
  grantToken(token: string, seq: number, sent: unknown): void {
    // Calls with keys may have come before.
    if (this.#kept.token !== undefined) this.#kept = newResumption(this.#limits)
    const kept = this.#kept
    kept.token = token
    kept.startBuffering()
    kept.beginHere()
    kept.beginAt(typeof sent === 'number' ? sent + 1 : undefined)
    this.#answer(seq, kept.received)
  }

  /** Dialling side: asks the peer of a new connection to go on with this session, which has a name. A peer that is a stranger to it is fine. */
  async requestResume(peering: PeerExtensions, early: EarlyPhase): Promise<void> {
    const kept = this.#kept
    const { token } = kept
    const seq = peering.nextAnnouncementSeq()
    const body = { token, received: kept.received, from: kept.from, settled: kept.settledKeys }
    const sent = this.#session.calls.sendReserved(MessageType.Call, seq, Reserved.Resume, body, kept.filters, {
      [ANNOUNCEMENT_KEY]: peering.announcement,
    })
    requireSent(await sent)
    const reply = await early.reply(seq, this.#limits.frameTimeout)
    const told = fieldsOf(reply.status === undefined ? reply.body : undefined)
    const next = typeof told.token === 'string' ? told.token : undefined
    if (next !== token) this.startFresh(next)
    else this.reportGap(this.#goOn(told.received, told.from))
  }

  /** Accepting side: CALL `seq` on another connection wants to go on with this session, which has that connection now. */
  acceptResume(seq: number, { received, from, settled }: Readonly<Record<string, unknown>>): Gap {
    this.#kept.forget(settled)
    const gap = this.#goOn(received, from)
    this.#answer(seq, this.#kept.receivedContiguous)
    return gap
  }

  /** The peer does not know this session. @param token its new name, undefined for none */
  startFresh(token: string | undefined): void {
    const kept = this.#kept
    const gap = { sent: kept.unconfirmed, received: kept.token === undefined || kept.peerDraining ? 0 : undefined }
    kept.restart(token)
    this.reportGap(gap)
  }

  reportGap(gap: Gap): void {
    if (gap.sent > 0 || gap.received !== 0) this.#session.emitSafely('gap', gap)
  }

  /** @returns what is lost on both ways */
  #goOn(received: unknown, from: unknown): Gap {
    this.#kept.confirm(received)
    return { sent: this.#kept.skipLost(), received: this.#kept.skipTo(from) }
  }

  /** @param received PUSHes of the peer's that came, those that it cannot send again left out */
  #answer(seq: number, received: number): void {
    const session = this.#session
    const { token, from } = this.#kept
    try {
      const sent = session.calls.sendReserved(
        MessageType.Reply,
        seq,
        -1,
        { token, received, from },
        session.link.extensions?.filters ?? [],
        undefined,
      )
      if (typeof sent !== 'number') sent.catch(() => {})
    } catch {
      session.link.fail(CloseReason.Local) // the peer would wait in vain
    }
  }

  /** A PUSH came that is this session's own. */
  countPush(): void {
    const kept = this.#kept
    // What comes while this side closes is dropped: the peer must not believe that it was taken.
    if (kept.token === undefined || !this.counts || !this.#session.accepting) return
    kept.received++
    if (kept.received - kept.acknowledged >= ACK_COUNT) this.acknowledge()
    else this.#acknowledgeSoon()
  }

  #acknowledgeSoon(): void {
    if (this.#ackAlarm?.active === true || this.#kept.token === undefined || !this.#session.accepting) return
    this.#ackAlarm ??= new ResettableTimer(this.#session.wheel, () => this.acknowledge())
    this.#ackAlarm.start(ACK_DELAY)
  }

  /** Tells the peer what came, and which keys are settled. */
  acknowledge(): void {
    this.#ackAlarm?.stop()
    const kept = this.#kept
    if (kept.token === undefined) return
    kept.acknowledged = kept.received
    this.#session.link.extensions?.acknowledge(kept.received, kept.settledKeys)
  }

  /** The peer told so. @param skip a PUSH of its own could not be sent, and counts all the same */
  onAck(received: unknown, settled: unknown, skip: boolean): void {
    if (skip) this.#kept.received++
    this.#kept.confirm(received)
    this.#kept.forget(settled)
  }

  /**
   * Sends a PUSH that is kept until the peer has confirmed it. Undefined when it was sent at once.
   * @throws (or rejects) StatusError 102 or 104, and what filters throw
   */
  sendPush(seq: number, push: KeptPush): Promise<void> | undefined {
    const kept = this.#kept
    const session = this.#session
    const number = kept.buffer(push)
    const { link } = session
    const failed = (error: unknown): never => {
      // Behind it others may have been sent: the peer must count it all the same. On a later connection it is sent again.
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
    // The connection is gone, which the session learns next: then what is kept is sent again.
    if (result === SendResult.Closed && kept.token !== undefined && session.state === 'open') return undefined
    if (typeof result === 'number') return failed(sendFailure(result))
    return result
      .then((sent) => {
        if (sent !== SendResult.Closed || kept.token === undefined || session.state === 'closed') requireSent(sent)
      })
      .catch(failed)
  }

  /** What was sent in vain goes out again. */
  resendPushes(): void {
    const session = this.#session
    for (const push of this.#kept.kept) this.#sentAgain(() => sendEncoded(session.link, MessageType.Push, session.calls.nextSeq(), push))
  }

  /** The key of an idempotent call that begins. */
  openKey(): number {
    return this.#kept.openKey()
  }

  /** For the meta of that call. */
  idempotencyHeader(key: number): string {
    return this.#kept.idempotencyHeader(key)
  }

  /** It is settled. The peer may forget it, and is told with the next such call, or soon. */
  closeKey(key: number): void {
    this.#kept.closeKey(key)
    this.#acknowledgeSoon()
  }

  /** CALL `seq` of the peer's has the key in `text`. False when it runs already, or ran: its reply goes to this CALL. */
  registerIdempotentCall(text: string, seq: number): boolean {
    const begun = this.#kept.begin(text, seq, this.#limits.maxRunning)
    if (begun === undefined || !begun.repeated) return true
    const { once } = begun
    if (once.reply !== undefined) this.#sentAgain(() => this.#sendOnce(once))
    return false
  }

  /** The call that CALL `seq` began, while it runs. */
  running(seq: number): IdempotentCall | undefined {
    return this.#kept.running(seq)
  }

  /** It never began: it may be called again under its key. */
  refuse(once: IdempotentCall): void {
    this.#kept.refuse(once)
  }

  /** Keeps the reply of a call that must not run twice, and sends it where there is a connection. */
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

  /** A connection that does not take what was sent before is of no use. */
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
  // What is kept must go out at once when it is sent again.
  return new ResumeState(Math.min(maxUnconfirmed, maxUnsent / 2))
}
