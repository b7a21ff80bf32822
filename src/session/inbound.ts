import { runInRoot, untouched } from '../base/async/root-context.ts'
import type { StatusError } from '../base/errors/status.ts'
import { defaultLimits } from '../base/limits.ts'
import { decodeBody } from '../codecs/codec.ts'
import { type EarlyContext, runHooks } from '../hooks/hooks.ts'
import { ANNOUNCEMENT_KEY, readTimeout, TIMEOUT_KEY } from '../message/announcement.ts'
import { CloseReason } from '../message/close-reason.ts'
import type { Filter } from '../message/filter.ts'
import { type Incoming, MessageType, UNPARSED } from '../message/message.ts'
import { type Meta, noMeta } from '../message/meta.ts'
import { nameText, RESERVED_NAMES, Reserved } from '../message/names.ts'
import { asBadMessage, receivedFailure } from '../transports/failures.ts'
import { ReadThrottle } from '../transports/read-throttle.ts'
import type { EarlyPhase } from './early-phase.ts'
import type { SessionEngine } from './engine.ts'
import { readMeta, readStatus } from './read-message.ts'
import type { InboundHandler } from './session-owner.ts'
import { answerResumeCall } from './takeover.ts'

/**
 * Handles what is received on a session's connection, in the order of a message: `onMessage` checks whether it may be
 * received at all, `#deliver` separates replies from requests, a REPLY settles its call, and a request goes to
 * `Dispatcher.dispatch`. Below are the events of the connection, its filters and the peer's extensions.
 */
export class Inbound implements InboundHandler {
  readonly session: SessionEngine
  /** Limits how fast the peer may send; null for no limit. */
  readonly #throttle: ReadThrottle | null

  constructor(session: SessionEngine) {
    const { settings, wheel, endpoint } = session
    const { maxMessageRate } = settings.limits
    this.session = session
    const limited = maxMessageRate < defaultLimits.maxMessageRate
    this.#throttle = limited ? new ReadThrottle(wheel, maxMessageRate, () => endpoint.onSessionThrottled(session)) : null
  }

  onMessage(message: Incoming): void {
    const session = this.session
    const { link, settings } = session
    if (this.#throttle !== null && !this.#answersUs(message)) this.#throttle.count(link.connection)
    if (message.type === UNPARSED) {
      link.filters.receive(message) // arrives again without its filters
    } else if (settings.required !== null && this.#lacksFilter(message, settings.required)) {
      if (!link.takeFirstWord(message)) link.fail(CloseReason.FilterMissing)
    } else if (link.early !== undefined) {
      // The first word must not reach a hook that waits for the peer's message.
      if (!link.takeFirstWord(message)) link.early.take(message)
    } else {
      this.#deliver(message)
      if (session.hooks.beforeReadHeader !== null) runBeforeReadHeader(session.successor ?? session)
    }
  }

  #answersUs(message: Incoming): boolean {
    return message.type === MessageType.Reply && this.session.calls.open.peek(message.seq) !== undefined
  }

  #lacksFilter({ filters }: Incoming, required: readonly Filter[]): boolean {
    return !required.every((filter) => filters?.includes(filter))
  }

  /** Runs each message in an async context of its own, so that it sees no `AsyncLocalStorage` store of another one. */
  #deliver(message: Incoming): void {
    if (untouched) this.#take(message)
    else runInRoot(this.#take, this, message)
  }

  #take(message: Incoming): void {
    const session = this.session
    if (message.type === MessageType.Reply) {
      this.#onReply(message)
    } else if (!isRequest(message.type)) {
      session.link.fail(CloseReason.Type) // authentication is over once the session runs (docs/spec/wire.md#types)
    } else if (message.route >>> 0 >= RESERVED_NAMES || !this.#onReserved(message)) {
      if (session.resume !== undefined && message.type === MessageType.Push) session.resume.countPush()
      session.endpoint.onRequest(session, message)
    }
  }

  /**
   * Handles a message to a reserved route.
   *
   * @returns false when it is no message of dmicro's extensions
   */
  #onReserved(message: Incoming): boolean {
    const { extensions } = this.session.link
    if (extensions === undefined) return false
    return message.type === MessageType.Call ? answerResumeCall(this.session, extensions, message) : extensions.receive(message)
  }

  #onReply(message: Incoming): void {
    const session = this.session
    const { calls, link, resume, settings } = session
    const call = calls.open.peek(message.seq)
    if (call === undefined) {
      link.takeFirstWord(message)
      return // answered before, or its deadline passed: ignored as in Go (docs/spec/wire.md#replies)
    }
    const meta = readMeta(message, link, settings.limits)
    if (meta === undefined) return // the session is closing, which fails the call
    // A dmicro peer announces itself before its first reply. This peer did not, so it cannot resume: stop buffering
    // pushes for it.
    if (resume !== undefined && resume.token === undefined && link.extensions?.supported !== true) resume.stopBuffering()
    if (call.counts !== null) call.counts.replied(message.bodyEnd - message.bodyStart)
    let failure: StatusError | undefined
    let body: unknown
    let status = message.status
    if (status !== undefined || message.statusStart !== message.statusEnd) {
      status = readStatus(message, settings.limits)
      if (status === undefined) {
        link.fail(CloseReason.Status)
        return
      }
    }
    if (session.hooks.repliesIn && call.method !== nameText(Reserved.Resume)) {
      calls.hooked.receive(call, message, meta, status)
      return
    }
    if (status !== undefined && status.code !== 0) failure = receivedFailure(status, meta, call.method)
    if (failure === undefined) {
      try {
        body = decodeBody(message, settings.codecs.byId(message.codec), settings.limits, call.resultType)
      } catch (error) {
        failure = asBadMessage(error)
      }
    }
    calls.settle(call, failure, body, meta, message.codec)
  }

  deliverEarly(early: EarlyPhase): void {
    const session = this.session
    if (session.hooks.beforeReadHeader !== null) runBeforeReadHeader(session)
    const { before } = early
    early.end((message, index) => {
      if (session.successor !== undefined) {
        session.successor.handler.onMessage(message)
        return
      }
      if (session.state === 'closed' || session.state === 'redialing') return
      if (session.resume !== undefined) session.resume.counts = index >= before
      this.#deliver(message)
    })
    if (session.resume !== undefined) session.resume.counts = true
  }

  // Events of the connection and its filters.

  onNeedsDrain(): void {
    this.session.requests.onConnectionDrain(true)
  }

  onDrained(): void {
    this.session.requests.onConnectionDrain(false)
  }

  onFiltersNeedDrain(on: boolean): void {
    this.session.requests.onFiltersDrain(on)
  }

  onFiltersIdle(): void {
    this.session.checkIdle()
  }

  fail(reason: CloseReason): void {
    this.session.link.fail(reason)
  }

  onClose(reason: number, detail: string): void {
    this.session.onDisconnect(reason, detail)
  }

  stop(): void {
    this.#throttle?.stop()
  }

  // Messages of dmicro's extensions.

  pushReserved(route: number, body: unknown, filters: readonly string[]): void {
    const { calls } = this.session
    try {
      const sent = calls.sendReserved(MessageType.Push, calls.nextSeq(), route, body, filters)
      if (typeof sent !== 'number') sent.catch(() => {})
    } catch {
      // An unknown filter, or a lost connection: the peer goes without the message.
    }
  }

  /** Dialling side: requests a token with which the session can be resumed after its connection is lost. */
  onPeerKnown(): void {
    const { state, draining, redial, link, resume } = this.session
    if (state === 'closing') draining?.onPeerKnown()
    if (redial !== undefined && link.extensions !== undefined) resume?.requestToken(link.extensions)
  }

  onCancel(seq: number, code: number): void {
    this.session.requests.onCancel(seq, code)
  }

  onAck(received: unknown, settled: unknown, skip: boolean): void {
    this.session.resume?.onAck(received, settled, skip)
  }

  onPeerDrain(asked: boolean, limit: number): void {
    const session = this.session
    const draining = session.openDraining()
    draining.peerDraining = true
    session.resume?.acknowledge()
    if (asked) {
      draining.onAnswer()
      return
    }
    if (session.state === 'open') {
      session.machine.to('draining')
      draining.awaitClose(limit)
      session.emitSafely('draining')
    }
    draining.answer(!session.calls.writing)
  }
}

function isRequest(type: number): boolean {
  return type === MessageType.Call || type === MessageType.Push
}

/** Runs the hooks before a message, which run before it is received. A failure closes the session. */
function runBeforeReadHeader({ link, session, hooks, settings }: SessionEngine): void {
  let waiting: Promise<unknown> | undefined
  try {
    waiting = runInRoot(runHooks<EarlyContext>, undefined, hooks.beforeReadHeader, { session }, settings.hookTimeout)
  } catch {
    link.fail(CloseReason.Hook)
    return
  }
  if (waiting === undefined) return
  const resume = link.pauseReading()
  waiting.catch(() => link.fail(CloseReason.Hook)).finally(resume)
}

/**
 * Reads and removes dmicro's own keys from the meta of a request, so that handlers do not see them and proxies do not
 * forward them.
 *
 * @returns milliseconds until the caller's deadline; 0 when it has none or did not say
 */
export function readExtensionMeta({ link }: SessionEngine, meta: Meta, seq: number): number {
  const { extensions } = link
  if (extensions === undefined) return 0
  if (meta === noMeta) return extensions.peerTimeout
  const announced = meta[ANNOUNCEMENT_KEY]
  if (announced !== undefined) extensions.onAnnouncement(announced, seq)
  const timeout = meta[TIMEOUT_KEY]
  if (announced !== undefined) delete (meta as Record<string, string>)[ANNOUNCEMENT_KEY]
  if (timeout !== undefined) delete (meta as Record<string, string>)[TIMEOUT_KEY]
  return (timeout === undefined ? undefined : readTimeout(timeout)) ?? extensions.peerTimeout
}
