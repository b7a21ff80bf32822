import { AsyncResource } from 'node:async_hooks'
import { currentCall } from '../base/async/call-context.ts'
import { timeLimit } from '../base/check-options.ts'
import { Code, StatusError } from '../base/errors/status.ts'
import { encodeBody, fillBody } from '../codecs/codec.ts'
import { bodySize } from '../message/body-size.ts'
import { type CallOptions, checkCallOptions, checkPushOptions, type PushOptions, requireMethod } from '../message/call-options.ts'
import { MessageType } from '../message/message.ts'
import type { MessageType as BodyType } from '../message/message-type.ts'
import { encodeMeta, type Meta, noMeta } from '../message/meta.ts'
import { findNameText, internCalled, nameText } from '../message/names.ts'
import { setReplyMeta } from '../message/reply.ts'
import { isSchema } from '../message/standard-schema.ts'
import { asWriteFailure, refuseToSend, requireSent, sendFailure } from '../transports/failures.ts'
import { SendResult } from '../transports/transport.ts'
import { callMeta, getsKey } from './call-meta.ts'
import { CallTable } from './call-table.ts'
import { outgoing } from './channel.ts'
import { type Calls, codecNamed, defaultEncoding, type RequestEncoding, readEncoding, type SessionCore } from './core.ts'
import type { Draining } from './draining.ts'
import { guardReply } from './guard.ts'
import { HookedCall, HookedCalls } from './hooked-calls.ts'
import { OfflineCalls, requireWaiting } from './offline-calls.ts'
import type { PeerLink } from './peer-link.ts'
import { CallRequest, canceled, NO_KEY, PendingCall, type Reject, type Settle } from './pending-call.ts'
import { ignoreRejection, PUSHED } from './push-result.ts'
import { countNotCalled, countNotPushed, countSent, countUnsent } from './request-counts.ts'
import { sendReserved } from './reserved-message.ts'
import type { ResumeProtocol } from './resume-protocol.ts'
import type { CallOrigin, TracedCall } from './tracer.ts'

/** A session that may make idempotent calls. */
interface CallingSession extends SessionCore {
  readonly draining: Draining | undefined
  readonly resume: ResumeProtocol | undefined
  /** Returns the keys of idempotent calls; made with the first of them. */
  idempotency(): ResumeProtocol
}

/**
 * Sends what asks something of the peer, from options to message: `push` and `call` check and read their options,
 * `send` encodes, and `PeerLink.send` continues.
 *
 * Also has what outlives a connection: the table of calls without a reply, their deadlines and keys, and the calls that
 * wait for a connection.
 */
export class OutgoingCalls implements Calls {
  readonly #session: CallingSession
  readonly open: CallTable
  /** Encoding of calls and pushes without options. */
  readonly #default: RequestEncoding
  #hooked: HookedCalls | undefined
  #offline: OfflineCalls | undefined
  /** Number of calls and pushes that hooks or filters delay. */
  #pendingWrites = 0
  /** Whether this side has ever called its peer. Then replies must be read. */
  asks = false

  constructor(session: CallingSession) {
    this.#session = session
    this.open = new CallTable(session.wheel)
    this.#default = defaultEncoding(session.settings)
  }

  push(method: string, arg: unknown, options: PushOptions | undefined): Promise<void> {
    let read = false
    let trace: TracedCall | null = null
    try {
      requireMethod(method)
      if (options !== undefined) checkPushOptions(options)
      const session = this.#session
      const encoding = options === undefined ? this.#default : readEncoding(session.settings, options)
      read = true
      if (this.#mustWait()) return ignoreRejection(this.#requireOffline().push(method, arg, options))
      const announcement = session.link.announcing ? this.#announce() : undefined
      const seq = announcement === undefined ? this.nextSeq() : announcement.seq
      let meta = announcement === undefined ? options?.meta : { ...options?.meta, ...announcement.meta }
      const { tracer } = session.settings
      if (tracer !== null && (trace = tracer.calling(session.session, method, false, undefined)) !== null) meta = trace.addTo(meta)
      const sent = session.hooks.pushesOut
        ? this.#trackWrite(this.hooked.sendPush(seq, method, meta, arg, encoding, trace))
        : this.send(MessageType.Push, seq, method, meta === undefined ? '' : encodeMeta(meta), arg, encoding)
      if (trace !== null) trace.pushed(sent)
      return sent === undefined ? PUSHED : ignoreRejection(countUnsent(session, method, sent, options))
    } catch (error) {
      const failure = read ? countNotPushed(this.#session, method, asWriteFailure(error), options) : error
      if (trace !== null) trace.finished((failure as StatusError).code)
      return ignoreRejection(Promise.reject(failure))
    }
  }

  rawPush(method: string, arg: unknown, options: PushOptions | undefined): Promise<void> {
    let read = false
    try {
      requireMethod(method)
      if (options !== undefined) checkPushOptions(options)
      const { settings, link } = this.#session
      const encoding = options === undefined ? this.#default : readEncoding(settings, options)
      read = true
      if (link.early === undefined) this.requireSendable(link)
      const meta = options?.meta === undefined ? '' : encodeMeta(options.meta)
      const sent = this.send(MessageType.Push, this.nextSeq(), method, meta, arg, encoding)
      return sent === undefined ? PUSHED : ignoreRejection(countUnsent(this.#session, method, sent, options))
    } catch (error) {
      const failure = read ? countNotPushed(this.#session, method, asWriteFailure(error), options) : error
      return ignoreRejection(Promise.reject(failure))
    }
  }

  /**
   * Makes a call.
   *
   * @param full whether the caller wants a Reply, not just its body
   * @param key key of an idempotent call that is retried, 0 for a new call
   * @param origin of a call that waited or is retried
   * @param waited the request of a call that waited or is retried
   */
  call(
    method: string,
    arg: unknown,
    options: CallOptions | undefined,
    full: boolean,
    resolve: Settle,
    reject: Reject,
    key = 0,
    origin: CallOrigin = undefined,
    waited: CallRequest | undefined = undefined,
  ): void {
    const session = this.#session
    const { settings } = session
    const settled = resolve
    let encoding = this.#default
    let { timeout } = settings
    const { tracer } = settings
    let signal: AbortSignal | undefined
    let resultType: BodyType | undefined
    let read = false
    let trace: TracedCall | null = null
    try {
      requireMethod(method)
      if (options !== undefined) {
        checkCallOptions(options)
        timeout = timeLimit('timeout', options.timeout, timeout)
        encoding = readEncoding(settings, options)
        codecNamed(settings, options.acceptCodec, 'acceptCodec')
        signal = options.signal
        if (isSchema(options.result)) resolve = guardReply(options.result, full, resolve, reject)
        else resultType = options.result
      }
      read = true
      if (this.#mustWait()) {
        const request = new CallRequest(method, arg, options, full, settled, reject, key)
        if (tracer !== null) request.origin = tracer.origin(origin)
        if (waited !== undefined) request.begun = waited.begun
        this.#requireOffline().call(request)
        return
      }
      if (signal?.aborted) throw canceled(signal)
      let sentTimeout = options?.timeout === undefined ? -1 : timeout
      const parentCall = currentCall()
      if (parentCall !== undefined) {
        const left = (parentCall.expires as number) - settings.clock.now()
        if (left <= 0) throw new StatusError(Code.HandleTimeout, undefined, 'the deadline of the call that made this one')
        if (timeout === 0 || left < timeout) sentTimeout = timeout = left
        signal ??= parentCall.signal
        if (signal.aborted) throw canceled(signal)
      }
      if (options?.idempotent === true && key === 0) key = getsKey(session) ? session.idempotency().openKey() : NO_KEY
      const announcement = session.link.announcing ? this.#announce() : undefined
      const seq = announcement === undefined ? this.nextSeq() : announcement.seq
      const hooked = session.hooks.callsOut
      const call = new (hooked ? HookedCall : PendingCall)(this, seq, method, full, resultType, resolve, reject)
      call.key = key
      if (session.redial?.wait === true || key > 0) {
        call.retryRequest = new CallRequest(method, arg, options, full, settled, reject, key)
        if (hooked) call.retryRequest.caller = new AsyncResource('dmicro')
      }
      const plain = options === undefined && sentTimeout < 0 && announcement === undefined
      let meta = plain ? undefined : callMeta(session, options, sentTimeout, key, announcement)
      if (tracer !== null && (trace = tracer.calling(session.session, method, true, origin)) !== null) meta = trace.addTo(meta)
      const sent = hooked
        ? this.#trackWrite(this.hooked.sendCall(call as HookedCall, meta, arg, encoding, trace))
        : this.send(MessageType.Call, seq, method, meta === undefined ? '' : encodeMeta(meta), arg, encoding, call)
      this.open.set(call)
      if (settings.meter !== null)
        settings.meter.calling(call, hooked ? (call as HookedCall).size : bodySize(outgoing), waited?.begun, encoding.forwarded)
      if (trace !== null) trace.begun(call)
      if (!this.asks) {
        this.asks = true
        session.onRoom()
      }
      if (sent !== undefined) this.#failCallOnSendError(sent, call)
      this.open.limit(call, timeout)
      if (signal !== undefined) call.listen(signal)
    } catch (error) {
      this.closeKey(key)
      const failure = read ? countNotCalled(session, method, asWriteFailure(error), options, waited) : error
      if (trace !== null) trace.finished((failure as StatusError).code)
      reject(failure)
    }
  }

  /** Whether a new call or push must not be sent now. */
  #mustWait(): boolean {
    return this.#session.state !== 'open' && !this.#session.finishing
  }

  /**
   * Returns the queue of calls that wait for a connection.
   *
   * @throws StatusError 102 or 503 when calls and pushes may not wait for one
   */
  #requireOffline(): OfflineCalls {
    const { state, redial } = this.#session
    requireWaiting(state, redial?.wait === true)
    return this.offline
  }

  /** Returns number and meta of the first message on a connection; undefined when there is nothing to announce. */
  #announce(): ReturnType<PeerLink['announce']> {
    const announcement = this.#session.link.announce()
    if (announcement !== undefined) this.nextSeq() // `lastSeq` must change with this message too
    return announcement
  }

  send(
    type: number,
    seq: number,
    method: string,
    meta: string,
    arg: unknown,
    { codec, filters, type: argType, forwarded }: RequestEncoding,
    call?: PendingCall,
  ): Promise<void> | undefined {
    requireMethod(method)
    const { link, resume } = this.#session
    const meter = type === MessageType.Push ? this.#session.settings.meter : null
    if (type === MessageType.Push && resume !== undefined && link.early === undefined) {
      const body = encodeBody(codec, arg, argType)
      const route = forwarded ? findNameText(method) : internCalled(method)
      const sent = resume.sendPush(seq, { filters, method, route, meta, codec: codec.id, body })
      return countSent(meter, method, bodySize(outgoing), sent, forwarded)
    }
    const route = forwarded ? findNameText(method) : internCalled(method)
    const result = link.send(filters, fillBody(outgoing.head(type, seq, route, method, '', meta), codec, arg, argType))
    if (result === SendResult.Ok) {
      meter?.pushed(method, bodySize(outgoing), forwarded)
      return undefined
    }
    if (result === SendResult.Closed && call !== undefined && call.retryRequest !== null && this.#session.state === 'open') {
      // The session learns of the lost connection next, and then retries the call.
      if (call.key === 0) call.key = NO_KEY
      return undefined
    }
    if (typeof result === 'number') throw sendFailure(result)
    return countSent(meter, method, bodySize(outgoing), result.then(requireSent, refuseToSend), forwarded)
  }

  sendReserved(
    type: number,
    seq: number,
    route: number,
    body: unknown,
    filters: readonly string[],
    meta?: Readonly<Record<string, string>>,
  ): SendResult | Promise<SendResult> {
    return sendReserved(this.#session, type, seq, route, body, filters, meta)
  }

  callReserved(route: number, body: unknown, filters: readonly string[], resolve: (body: unknown) => void, reject: Reject): void {
    const call = new PendingCall(this, this.nextSeq(), nameText(route), false, undefined, resolve, reject)
    this.open.set(call)
    try {
      const sent = this.sendReserved(MessageType.Call, call.seq, route, body, filters)
      if (typeof sent !== 'number') this.#failCallOnSendError(sent, call)
    } catch (error) {
      this.#onSendError(call, error)
    }
  }

  /** Counts a delayed write, which a close waits for. */
  #trackWrite(sent: Promise<void> | undefined): Promise<void> | undefined {
    if (sent === undefined) return undefined
    this.#pendingWrites++
    const written = (): void => {
      this.#pendingWrites--
      if (this.#pendingWrites === 0) this.#session.draining?.onWritten()
    }
    sent.then(written, written)
    return sent
  }

  /**
   * Fails the call when a delayed send fails. A function of its own, because a closure in `call` would cost the hot
   * path an allocation.
   */
  #failCallOnSendError(sent: Promise<unknown>, call: PendingCall): void {
    sent.catch((error) => this.#onSendError(call, error))
  }

  #onSendError(call: PendingCall, error: unknown): void {
    if (!this.isPending(call)) return // its deadline passed before, or the session ended
    this.#forget(call)
    call.fail(asWriteFailure(error))
  }

  isPending(call: PendingCall): boolean {
    return this.open.peek(call.seq) === call
  }

  settle(call: PendingCall, failure: StatusError | undefined, body: unknown, meta: Meta, codec: number): void {
    const session = this.#session
    this.open.remove(call)
    if (failure?.retryAfter === undefined) {
      session.link.answered = true
    } else if (session.state === 'draining' && call.retryRequest !== null) {
      call.retry(session.wheel.now()) // the peer never started it
      session.checkIdle()
      return
    }
    if (call.key > 0) this.closeKey(call.key)
    if (failure !== undefined) {
      if (call.full && meta !== noMeta) setReplyMeta(failure, meta)
      call.fail(failure)
    } else {
      call.succeed(call.full ? { body, meta, codec } : body)
    }
    if (session.draining !== undefined) session.draining.check()
  }

  abandon(call: PendingCall, code: number): void {
    this.#forget(call)
    this.#session.link.extensions?.cancel(call.seq, code)
  }

  #forget(call: PendingCall): void {
    this.closeKey(call.key)
    this.open.remove(call)
    this.#session.checkIdle()
  }

  closeKey(key: number): void {
    if (key > 0) this.#session.resume?.closeKey(key)
  }

  makeCall(request: CallRequest, left: number): void {
    const { method, arg, options, full, resolve, reject, key, origin } = request
    this.call(method, arg, { ...options, timeout: left }, full, resolve, reject, key, origin, request)
  }

  requeueCall(request: CallRequest, left: number): void {
    try {
      this.#requireOffline().add(request, left)
    } catch (error) {
      this.closeKey(request.key)
      request.reject(countNotCalled(this.#session, request.method, error as StatusError, request.options, request))
    }
  }

  requireSendable(link: PeerLink): void {
    const { state } = this.#session
    // A closing session still sends it: the close waits for it, on either side.
    const gone = link === this.#session.link ? state === 'redialing' || state === 'disconnected' || state === 'closed' : state !== 'open'
    if (gone) throw new StatusError(Code.ConnectionClosed, undefined, undefined, { unsent: true })
  }

  nextSeq(): number {
    return this.open.nextSeq()
  }

  get writing(): boolean {
    return this.#pendingWrites > 0
  }

  get offline(): OfflineCalls {
    this.#offline ??= new OfflineCalls(this.#session)
    return this.#offline
  }

  /** Sends the calls that waited: there is a connection. */
  runOffline(): void {
    this.#offline?.run()
  }

  /** Fails the calls that wait: there will be no connection. */
  failOffline(error: StatusError): void {
    this.#offline?.fail(error)
  }

  get hooked(): HookedCalls {
    this.#hooked ??= new HookedCalls(this.#session)
    return this.#hooked
  }
}
