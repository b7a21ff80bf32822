import { runHandler } from '../base/async/call-context.ts'
import { isThenable } from '../base/async/thenable.ts'
import { describe, reasonOf } from '../base/errors/error-text.ts'
import { Code, StatusError, toStatusError } from '../base/errors/status.ts'
import type { TimerWheel } from '../base/time/timer-wheel.ts'
import { WarningThrottle } from '../base/warning-throttle.ts'
import { bodyText } from '../codecs/codec.ts'
import type { MessageHooks } from '../hooks/hooks.ts'
import { bodySize } from '../message/body-size.ts'
import { CloseReason } from '../message/close-reason.ts'
import { type Incoming, MessageType, TextHint } from '../message/message.ts'
import { encodeMeta, type Meta, noMeta } from '../message/meta.ts'
import { RETRY_AFTER, type Refusal, Refusals } from '../message/refusal.ts'
import { decodeStatus } from '../message/status-json.ts'
import { Admission } from '../overload/admission.ts'
import type { Ticket } from '../overload/concurrency-limit.ts'
import type { EndpointLoad, EndpointStats } from '../overload/endpoint-stats.ts'
import { countReceived, type RouteCounts } from '../overload/meter.ts'
import { outgoing } from '../session/channel.ts'
import type { SessionEngine } from '../session/engine.ts'
import type { HeldRequest } from '../session/held-requests.ts'
import { readExtensionMeta } from '../session/inbound.ts'
import type { Settings } from '../session/options.ts'
import { readMeta } from '../session/read-message.ts'
import type { TracedRequest, Tracer } from '../session/tracer.ts'
import { asBadMessage } from '../transports/failures.ts'
import { SendResult, type Transport } from '../transports/transport.ts'
import { Context, countEnd } from './context.ts'
import { HandlerCounter } from './handler-counter.ts'
import { HandlerTimer } from './handler-timer.ts'
import { Holding } from './holding.ts'
import { HookedDispatch } from './hooked-dispatch.ts'
import { codeOfSent, Replies } from './replies.ts'
import { decodeArg, methodOf, requireSafe, unknownHandler } from './requests.ts'
import type { AnyHandler, Route, Router } from './router.ts'

/**
 * Dispatches CALLs and PUSHes to their handlers, and results to REPLYs (docs/spec/behaviour.md#receiving). A handler
 * that returns a plain value is answered before the next message is read; one that returns a promise costs two more
 * closures.
 */
export class Dispatcher {
  readonly #settings: Settings
  readonly #router: Router
  readonly #replies: Replies
  readonly #hooked: HookedDispatch
  readonly #wheel: TimerWheel
  /** Hooks of messages without a route. */
  readonly #hooks: MessageHooks
  readonly #stats: EndpointStats
  readonly #warnings: WarningThrottle
  /** Overload protection; null when it is off. */
  readonly #admission: Admission<SessionEngine> | null
  readonly #handlers: HandlerCounter
  readonly #holding: Holding
  readonly #transport: Transport

  constructor(settings: Settings, router: Router, wheel: TimerWheel, stats: EndpointStats, transport: Transport) {
    this.#settings = settings
    this.#wheel = wheel
    this.#router = router
    this.#admission = settings.overload === null ? null : new Admission(settings.overload, stats, this, settings.clock)
    this.#handlers = new HandlerCounter(this.#admission)
    this.#holding = new Holding(settings.limits, this.#handlers, this)
    this.#replies = new Replies(settings)
    this.#hooked = new HookedDispatch(settings, router, this.#replies, this.#handlers, wheel)
    this.#hooks = router.plugins.hooks
    this.#stats = stats
    this.#warnings = new WarningThrottle(settings.log, settings.clock.now)
    this.#transport = transport
  }

  /** Number of handlers that have not settled. */
  get running(): number {
    return this.#handlers.running
  }

  /** State of overload protection; undefined when it is off. */
  get load(): EndpointLoad | undefined {
    return this.#admission?.load
  }

  /**
   * Forgets a closed session.
   *
   * @param local whether this side closed it
   */
  forget(session: SessionEngine, local: boolean): void {
    if (session.requests.gated) this.#holding.forget(session, local)
    this.#admission?.forget(session)
  }

  /** Starts held requests of `session` if it is possible now. */
  checkHeld(session: SessionEngine): void {
    this.#holding.checkHeld(session)
  }

  /**
   * Handles a received CALL or PUSH: reads meta, checks limits and admission, then starts it, holds it or refuses it.
   * `start` is next.
   *
   * @param message borrowed
   */
  dispatch(session: SessionEngine, message: Incoming): void {
    const meta = readMeta(message, session.link, this.#settings.limits)
    if (meta === undefined) return
    const left = readExtensionMeta(session, meta, message.seq)
    const expires = left === 0 ? 0 : this.#settings.clock.now() + left
    if (message.statusStart !== message.statusEnd && !this.#statusReads(message)) {
      session.link.fail(CloseReason.Status)
      return
    }
    const isCall = message.type === MessageType.Call
    const meter = this.#settings.meter
    if (meter !== null) message.arrived = meter.arrived()
    if (!session.accepting && (isCall || !session.acceptingPushes)) {
      if (isCall) this.#refuseClosing(session, message)
      else this.#countRefused(session, message, false, Code.ConnectionClosed)
      return
    }
    // A call that runs already or has run adds no load.
    if (meta !== noMeta && !session.requests.registerIdempotentCall(meta, message.seq)) return
    const { maxRunning, maxEndpointRunning } = this.#settings.limits
    if (session.requests.running >= maxRunning || this.#handlers.running >= maxEndpointRunning) {
      if (isCall) this.#refuseRunning(session, message)
      else this.#holding.hold(session, message, meta, false, expires)
      return
    }
    if (session.requests.gated) {
      this.#holding.hold(session, message, meta, isCall, expires)
      return
    }
    if (this.#admission !== null && !this.#admission.admit(session, message, meta, isCall, expires)) return
    this.start(session, message, meta, isCall, expires)
  }

  /** Starts or refuses a held request. */
  startHeld(session: SessionEngine, { message, meta, isCall, expires }: HeldRequest): void {
    if (isCall) {
      if (!session.accepting) {
        this.#refuseClosing(session, message)
        return
      }
      if ((expires !== 0 && this.#settings.clock.now() >= expires) || session.requests.isCanceled(message.seq)) {
        this.refuse(session, message, true, Refusals.Late, RETRY_AFTER)
        return
      }
      const { maxRunning, maxEndpointRunning } = this.#settings.limits
      if (session.requests.running >= maxRunning || this.#handlers.running >= maxEndpointRunning) {
        this.#refuseRunning(session, message)
        return
      }
    }
    if (this.#admission !== null && session.state !== 'closed' && !this.#admission.admit(session, message, meta, isCall, expires)) return
    this.start(session, message, meta, isCall, expires)
  }

  #refuseClosing(session: SessionEngine, message: Incoming): void {
    this.#countRefused(session, message, true, Refusals.Closing.code)
    this.#replies.refuse(session, message, Refusals.Closing, RETRY_AFTER)
  }

  #refuseRunning(session: SessionEngine, message: Incoming): void {
    const own = session.requests.running >= this.#settings.limits.maxRunning
    this.refuse(session, message, true, own ? Refusals.SessionRunning : Refusals.EndpointRunning, RETRY_AFTER)
  }

  /** Counts a request that waited and will not be started: its session or its connection is gone. */
  drop(session: SessionEngine, message: Incoming, isCall: boolean): void {
    this.#countRefused(session, message, isCall, Code.ConnectionClosed)
    if (isCall) return
    this.#stats.droppedPushes++
    this.#warnings.warn('a push was dropped', session.remoteAddress, 'its session closed before there was room for it')
  }

  /**
   * Routes a request, decodes its body and runs its handler.
   *
   * @param expires the caller's deadline by the clock; 0 for none or unknown
   */
  start(session: SessionEngine, message: Incoming, meta: Meta, isCall: boolean, expires: number): void {
    const found = this.#routeOf(message, isCall)
    const codec = this.#settings.codecs.byId(message.codec)
    const { tracer, meter } = this.#settings
    const trace = tracer === null ? null : tracer.serving(session, found, message, meta, isCall)
    const hooks = found === undefined ? this.#hooks : found.hooks
    if (isCall ? hooks.callsIn : hooks.pushesIn) {
      this.#hooked.dispatch(session, message, meta, codec, found, isCall, expires, trace)
      return
    }
    let counts = meter === null ? null : countReceived(meter, found, isCall, message.bodyEnd - message.bodyStart)
    if (trace !== null) counts = trace.counted(counts)
    let handler: AnyHandler
    let arg: unknown
    try {
      if (found !== undefined) {
        handler = found.handler
        if (message.safeOnly) requireSafe(message, found.safe)
        arg = decodeArg(message, codec, this.#settings.limits, found.argType)
      } else {
        handler = unknownHandler(this.#router, methodOf(message), isCall, message.namedOnly)
        requireSafe(message, this.#router.unknownSafe)
        // Borrowed memory ends with this message, so the handler gets a copy.
        arg = new Uint8Array(message.buffer.subarray(message.bodyStart, message.bodyEnd))
      }
    } catch (error) {
      this.#reject(session, message, isCall, error, counts)
      return
    }
    const name = found !== undefined ? found.name : methodOf(message)
    const ctx = new Context(session, name, message.seq, meta, codec, found?.resultType, message.filters)
    if (expires !== 0) ctx.expires = expires
    if (counts !== null) {
      ctx.counts = counts
      ctx.arrived = message.arrived
    }
    if (this.#run(ctx, handler, arg, isCall, trace) && found !== undefined) found.isAsync = true
  }

  #routeOf({ route, allowCallRoute }: Incoming, isCall: boolean): Route | undefined {
    const { calls, pushes } = this.#router
    const found = (isCall ? calls : pushes).get(route)
    return found === undefined && allowCallRoute ? calls.get(route) : found
  }

  /** Returns whether the handler has returned a promise. */
  #run(ctx: Context, handler: AnyHandler, arg: unknown, isCall: boolean, trace: TracedRequest | null): boolean {
    let result: unknown
    try {
      result =
        trace === null
          ? runHandler(ctx, handler, arg as never)
          : (this.#settings.tracer as Tracer).runHandler(trace, ctx, handler, arg as never)
      if (isThenable(result)) {
        this.#await(ctx, isCall, result)
        return true
      }
    } catch (error) {
      this.#failed(ctx, isCall, error)
      return false
    }
    if (isCall) this.#succeeded(ctx, result)
    else countEnd(ctx, Code.Ok, 0)
    ctx.finish()
    return false
  }

  /** A function of its own, so that `#run` is short enough to be inlined with what metrics and tracing add to it. */
  #await(ctx: Context, isCall: boolean, result: PromiseLike<unknown>): void {
    const ticket = this.#handlers.handlerStarted(ctx)
    // A thenable of the user's own may settle twice or throw; a promise around it settles once.
    const promise = result instanceof Promise ? result : Promise.resolve(result)
    const { handlerTimeout } = ctx.engine
    const late = handlerTimeout > 0 ? this.#age(ctx, isCall, handlerTimeout) : null
    promise.then(
      (value) => this.#settle(ctx, isCall, value, ticket, late),
      (error) => this.#settleFailed(ctx, isCall, error, ticket, late),
    )
  }

  /** Times a handler that may run for `age` milliseconds. */
  #age(ctx: Context, isCall: boolean, age: number): HandlerTimer {
    return new HandlerTimer(ctx, age, this.#wheel, (error) => {
      if (isCall) this.#failed(ctx, true, error)
      else this.#settings.log.warn('a push took too long', { method: ctx.serviceMethod, error: error.cause })
    })
  }

  #settle(ctx: Context, isCall: boolean, value: unknown, ticket: Ticket | null, late: HandlerTimer | null): void {
    const inTime = late === null || !late.end()
    if (!isCall) countEnd(ctx, Code.Ok, 0)
    else if (inTime) this.#succeeded(ctx, value)
    ctx.finish()
    this.#handlers.handlerFinished(ctx, ticket)
  }

  #settleFailed(ctx: Context, isCall: boolean, error: unknown, ticket: Ticket | null, late: HandlerTimer | null): void {
    if (late === null || !late.end()) this.#failed(ctx, isCall, error)
    else if (!isCall) countEnd(ctx, Code.InternalServerError, 0)
    ctx.finish()
    this.#handlers.handlerFinished(ctx, ticket)
  }

  #succeeded(ctx: Context, value: unknown): void {
    // The caller is gone, and another peer would take the reply for that of its own call.
    if (!ctx.engine.requests.wantsReply(ctx.link, ctx.seq)) {
      countEnd(ctx, Code.ConnectionClosed, 0)
      return
    }
    const codec = ctx.replyCodec(this.#settings.codec)
    let sent: SendResult | Promise<SendResult>
    try {
      const meta = ctx.replyMeta === undefined ? '' : encodeMeta(ctx.replyMeta)
      sent = ctx.engine.requests.reply(ctx.replyFilters, ctx.seq, meta, codec, value, ctx.resultType)
    } catch (error) {
      this.#failed(ctx, true, error)
      return
    }
    if (sent !== SendResult.Ok) this.#later(ctx, sent)
    else if (ctx.counts !== null) countEnd(ctx, Code.Ok, bodySize(outgoing))
  }

  /** Handles a reply that could not be sent, or is delayed by its filters or by a reply before it. */
  #later(ctx: Context, sent: SendResult | Promise<SendResult>): void {
    if (typeof sent === 'number') {
      this.#notSent(ctx, sent)
      return
    }
    const bytes = bodySize(outgoing)
    sent.then(
      (result) => (result === SendResult.Ok ? countEnd(ctx, Code.Ok, bytes) : this.#notSent(ctx, result)),
      (error) => this.#failed(ctx, true, error),
    )
  }

  #notSent(ctx: Context, result: SendResult): void {
    countEnd(ctx, codeOfSent(result), 0)
    this.#replies.notSent(ctx.engine, ctx.replyFilters, ctx.seq, result)
  }

  #failed(ctx: Context, isCall: boolean, thrown: unknown): void {
    ctx.finish()
    const { log, exposeErrors } = this.#settings
    if (!(thrown instanceof StatusError))
      log.error('a handler failed', { method: ctx.serviceMethod, error: describe(thrown), ...ctx.counts?.logFields })
    if (!isCall) {
      countEnd(ctx, Code.InternalServerError, 0)
      if (thrown instanceof StatusError) log.warn('a push was refused', { method: ctx.serviceMethod, error: reasonOf(thrown) })
      return
    }
    const isWanted = ctx.engine.requests.wantsReply(ctx.link, ctx.seq)
    const status = toStatusError(thrown, exposeErrors)
    countEnd(ctx, isWanted ? status.code : Code.ConnectionClosed, 0)
    if (!isWanted) return
    this.#replies.sendStatus(ctx.engine, ctx.replyFilters, ctx.seq, status, ctx.replyMeta)
  }

  /** Rejects a request that reached no handler: a CALL is answered with the error, a PUSH is logged. */
  #reject(session: SessionEngine, message: Incoming, isCall: boolean, error: unknown, counts: RouteCounts | null): void {
    const status = asBadMessage(error)
    if (counts !== null) counts.ended(message.arrived, status.code, 0, undefined, session)
    if (isCall) {
      this.#replies.sendStatus(session, message.filters, message.seq, status, undefined)
    } else {
      this.#settings.log.warn('a push was dropped', {
        method: methodOf(message),
        remote: session.remoteAddress,
        error: status.cause || status.message,
      })
    }
  }

  /**
   * Refuses a request over a limit, before it is decoded.
   *
   * @param retryAfter milliseconds
   */
  refuse(session: SessionEngine, message: Incoming, isCall: boolean, refusal: Refusal, retryAfter: number): void {
    this.#warnings.warn(isCall ? 'a call was refused' : 'a push was dropped', session.remoteAddress, refusal.cause)
    this.#countRefused(session, message, isCall, refusal.code)
    if (isCall) {
      this.#stats.refusedCalls++
      this.#replies.refuse(session, message, refusal, retryAfter)
    } else {
      this.#stats.droppedPushes++
    }
  }

  #countRefused(session: SessionEngine, message: Incoming, isCall: boolean, code: number): void {
    const meter = this.#settings.meter
    if (meter === null) return
    const size = message.bodyEnd - message.bodyStart
    countReceived(meter, this.#routeOf(message, isCall), isCall, size).ended(message.arrived, code, 0, undefined, session)
  }

  /** Flushes what the transport buffers. */
  flush(): void {
    this.#transport.flush?.()
  }

  #statusReads(message: Incoming): boolean {
    const text = bodyText(message.buffer, message.statusStart, message.statusEnd, TextHint.Nothing)
    return decodeStatus(text, this.#settings.limits.maxDepth) !== undefined
  }
}
