import { runHandler } from '../base/async/call-context.ts'
import { isThenable } from '../base/async/thenable.ts'
import { describe } from '../base/errors/error-text.ts'
import { Code, StatusError, statusText, toStatusError } from '../base/errors/status.ts'
import type { TimerWheel } from '../base/time/timer-wheel.ts'
import { WarningThrottle } from '../base/warning-throttle.ts'
import type { Codec } from '../codecs/codec.ts'
import { type MessageHooks, pendingResult, runHooks } from '../hooks/hooks.ts'
import type { Incoming } from '../message/message.ts'
import { bytes } from '../message/message-type.ts'
import type { Meta } from '../message/meta.ts'
import { countReceived } from '../overload/meter.ts'
import type { SessionEngine } from '../session/engine.ts'
import type { Settings } from '../session/options.ts'
import type { TracedRequest } from '../session/tracer.ts'
import { asBadMessage } from '../transports/failures.ts'
import { countEnd } from './context.ts'
import type { HandlerCounter } from './handler-counter.ts'
import { HandlerTimer } from './handler-timer.ts'
import { HookedContext } from './hooked-context.ts'
import { HookedReplies } from './hooked-replies.ts'
import type { Replies } from './replies.ts'
import { decodeArg, findRoute, methodOf, requireSafe, unknownHandler } from './requests.ts'
import type { Route, Router } from './router.ts'

/** The hooks that a message waits for. */
const Stage = { Header: 0, BeforeBody: 1, AfterBody: 2 } as const
type Stage = (typeof Stage)[keyof typeof Stage]

/**
 * Dispatches CALLs and PUSHes that have hooks (docs/spec/plugins.md#order-of-hooks); `Dispatcher` handles those
 * without. Hooks that return no promise run in one go, without a closure or promise of ours; the first that returns one
 * sends the message to `#readLater`, which continues there.
 */
export class HookedDispatch {
  readonly #settings: Settings
  readonly #router: Router
  readonly #replies: HookedReplies
  readonly #handlers: HandlerCounter
  readonly #wheel: TimerWheel
  readonly #warnings: WarningThrottle
  /** Hooks of headers, and of messages without a route. */
  readonly #hooks: MessageHooks

  constructor(settings: Settings, router: Router, replies: Replies, handlers: HandlerCounter, wheel: TimerWheel) {
    this.#handlers = handlers
    this.#wheel = wheel
    this.#warnings = new WarningThrottle(settings.log, settings.clock.now)
    this.#settings = settings
    this.#router = router
    this.#hooks = router.plugins.hooks
    this.#replies = new HookedReplies(settings, replies, this.#hooks)
  }

  /**
   * Handles a received CALL or PUSH.
   *
   * @param found route of the message, unless hooks change the service method
   */
  dispatch(
    session: SessionEngine,
    message: Incoming,
    meta: Meta,
    codec: Codec | undefined,
    found: Route | undefined,
    isCall: boolean,
    expires: number,
    trace: TracedRequest | null,
  ): void {
    const { tracer } = this.#settings
    if (trace === null || tracer === null) this.#dispatch(session, message, meta, codec, found, isCall, expires, null)
    else tracer.run(trace.scope, this.#dispatch, this, session, message, meta, codec, found, isCall, expires, trace)
  }

  #dispatch(
    session: SessionEngine,
    message: Incoming,
    meta: Meta,
    codec: Codec | undefined,
    found: Route | undefined,
    isCall: boolean,
    expires: number,
    trace: TracedRequest | null,
  ): void {
    const name = found !== undefined ? found.name : methodOf(message)
    const ctx = new HookedContext(session, isCall ? 'call' : 'push', message, name, meta, codec)
    if (expires !== 0) ctx.expires = expires
    ctx.arrived = message.arrived
    ctx.trace = trace
    let read: boolean
    try {
      read = isCall ? this.#readCall(ctx, found) : this.#readPush(ctx, found)
    } catch (error) {
      this.#refuse(ctx, error)
      ctx.releaseBorrowed()
      return
    }
    if (!read) return
    this.#run(ctx)
    ctx.releaseBorrowed()
  }

  /**
   * Runs the hooks and decodes the body.
   *
   * @returns false when a hook returned a promise
   * @throws what the message is refused with
   */
  #readCall(ctx: HookedContext, found: Route | undefined): boolean {
    const limit = this.#settings.hookTimeout
    const name = ctx.serviceMethod
    const header = this.#hooks.afterReadCallHeader
    let waiting: Promise<unknown> | undefined
    if (header !== null) waiting = header.length === 1 ? pendingResult(header[0](ctx), limit) : runHooks(header, ctx, limit)
    if (waiting !== undefined) return this.#wait(ctx, Stage.Header, waiting)
    const { hooks } = found !== undefined && ctx.serviceMethod === name ? this.#take(ctx, found, found) : this.#route(ctx)
    const before = hooks.beforeReadCallBody
    if (before !== null) waiting = before.length === 1 ? pendingResult(before[0](ctx), limit) : runHooks(before, ctx, limit)
    if (waiting !== undefined) return this.#wait(ctx, Stage.BeforeBody, waiting)
    this.#decode(ctx)
    const after = hooks.afterReadCallBody
    if (after !== null) waiting = after.length === 1 ? pendingResult(after[0](ctx), limit) : runHooks(after, ctx, limit)
    return waiting === undefined || this.#wait(ctx, Stage.AfterBody, waiting)
  }

  /** Runs the hooks and decodes the body, as `#readCall`. */
  #readPush(ctx: HookedContext, found: Route | undefined): boolean {
    const limit = this.#settings.hookTimeout
    const name = ctx.serviceMethod
    const header = this.#hooks.afterReadPushHeader
    let waiting: Promise<unknown> | undefined
    if (header !== null) waiting = header.length === 1 ? pendingResult(header[0](ctx), limit) : runHooks(header, ctx, limit)
    if (waiting !== undefined) return this.#wait(ctx, Stage.Header, waiting)
    const { hooks } = found !== undefined && ctx.serviceMethod === name ? this.#take(ctx, found, found) : this.#route(ctx)
    const before = hooks.beforeReadPushBody
    if (before !== null) waiting = before.length === 1 ? pendingResult(before[0](ctx), limit) : runHooks(before, ctx, limit)
    if (waiting !== undefined) return this.#wait(ctx, Stage.BeforeBody, waiting)
    this.#decode(ctx)
    const after = hooks.afterReadPushBody
    if (after !== null) waiting = after.length === 1 ? pendingResult(after[0](ctx), limit) : runHooks(after, ctx, limit)
    return waiting === undefined || this.#wait(ctx, Stage.AfterBody, waiting)
  }

  #wait(ctx: HookedContext, stage: Stage, waiting: Promise<unknown>): false {
    if (stage === Stage.AfterBody) ctx.retainBytes()
    else ctx.retainMessage()
    ctx.engine.requests.handlerStarted()
    void this.#readLater(ctx, stage, waiting)
    return false
  }

  /**
   * Continues `#readCall` or `#readPush` after the hooks of `stage`. The session is not read while a hook before the
   * body is waited for.
   */
  async #readLater(ctx: HookedContext, stage: Stage, waiting: Promise<unknown>): Promise<void> {
    const { engine } = ctx
    const { hookTimeout } = this.#settings
    const isCall = ctx.kind === 'call'
    let resume = stage === Stage.AfterBody ? undefined : engine.link.pauseReading()
    let read = false
    try {
      await waiting
      if (stage === Stage.Header) {
        const { hooks } = this.#route(ctx)
        await runHooks(isCall ? hooks.beforeReadCallBody : hooks.beforeReadPushBody, ctx, hookTimeout)
      }
      if (stage !== Stage.AfterBody) {
        this.#decode(ctx)
        const { hooks } = ctx.route as Route
        const after = runHooks(isCall ? hooks.afterReadCallBody : hooks.afterReadPushBody, ctx, hookTimeout)
        if (after !== undefined) {
          resume?.()
          resume = undefined
          await after
        }
      }
      this.#requireWanted(ctx)
      read = true
    } catch (error) {
      this.#refuse(ctx, error)
    }
    if (read) this.#run(ctx)
    engine.requests.handlerFinished()
    resume?.()
  }

  /**
   * Checks that the caller still waits for a message that hooks delayed.
   *
   * @throws StatusError 102, 408 or 499
   */
  #requireWanted({ engine, kind, link, seq, expires }: HookedContext): void {
    const failure = (code: number, cause: string): StatusError => new StatusError(code, undefined, cause, { stack: false })
    // A push must still be handled.
    if (kind === 'call' && (engine.state === 'closed' || !engine.requests.wantsReply(link, seq)))
      throw failure(Code.ConnectionClosed, 'before the handler began')
    if (engine.requests.isCanceled(seq)) throw failure(Code.Canceled, 'before the handler began')
    if (expires !== undefined && this.#settings.clock.now() >= expires)
      throw failure(Code.HandleTimeout, 'the deadline passed before the handler began')
  }

  #route(ctx: HookedContext): Route {
    const { serviceMethod: name, incoming } = ctx
    const isCall = ctx.kind === 'call'
    const found = findRoute(this.#router, name, isCall, incoming.allowCallRoute)
    // A hook may have changed the service method.
    const namedOnly = incoming.namedOnly && methodOf(incoming) === name
    const handler = found !== undefined ? undefined : unknownHandler(this.#router, name, isCall, namedOnly)
    return this.#take(
      ctx,
      found ?? {
        name,
        handler: handler as Route['handler'],
        argType: bytes,
        resultType: undefined,
        safe: this.#router.unknownSafe,
        hooks: this.#router.plugins.hooks,
        counts: null,
        isAsync: true,
      },
      found,
    )
  }

  /** @param known the route, unless `route` is a stand-in */
  #take(ctx: HookedContext, route: Route, known: Route | undefined): Route {
    this.#measure(ctx, known)
    requireSafe(ctx.incoming, route.safe)
    ctx.route = route
    ctx.resultType = route.resultType
    return route
  }

  #measure(ctx: HookedContext, route: Route | undefined): void {
    const { meter } = this.#settings
    if (meter !== null) ctx.counts = countReceived(meter, route, ctx.kind === 'call', ctx.size)
    if (ctx.trace !== null) ctx.counts = ctx.trace.counted(ctx.counts)
  }

  #decode(ctx: HookedContext): void {
    try {
      ctx.body = decodeArg(ctx.incoming, ctx.bodyCodec, this.#settings.limits, ctx.route?.argType)
    } catch (error) {
      throw asBadMessage(error)
    }
  }

  /** Refuses a message before its handler: a CALL is answered with the error, a PUSH is logged. */
  #refuse(ctx: HookedContext, thrown: unknown): void {
    const { log, exposeErrors } = this.#settings
    const { serviceMethod: method } = ctx
    if (!(thrown instanceof StatusError)) log.error('a plugin failed', { method, error: describe(thrown) })
    if (ctx.counts === null) this.#measure(ctx, findRoute(this.#router, method, ctx.kind === 'call', false))
    if (ctx.kind !== 'call') countEnd(ctx, Code.InternalServerError, 0)
    if (ctx.kind === 'call') {
      this.#replies.writeStatus(ctx, toStatusError(thrown, exposeErrors))
    } else if (thrown instanceof StatusError) {
      const remote = ctx.engine.remoteAddress
      // A limit drops as many as the peer sends.
      if (thrown.retryAfter !== undefined) this.#warnings.warn('a push was dropped', remote, statusText(thrown.code))
      else log.warn('a push was dropped', { method, remote, error: thrown.cause || thrown.message })
    }
    ctx.end()
  }

  #run(ctx: HookedContext): void {
    let result: unknown
    try {
      result = runHandler(ctx, (ctx.route as Route).handler, ctx.body as never)
      if (isThenable(result)) {
        ctx.retainBytes() // the hooks of the reply may read them
        const ticket = this.#handlers.handlerStarted(ctx)
        // A thenable of the user's own may settle twice or throw; a promise around it settles once.
        const promise = result instanceof Promise ? result : Promise.resolve(result)
        const { handlerTimeout } = ctx.engine
        const late = handlerTimeout > 0 ? this.#age(ctx, handlerTimeout) : undefined
        promise.then(
          (value) => {
            if (late?.end() !== true) this.#replies.succeeded(ctx, value)
            else if (ctx.kind !== 'call') countEnd(ctx, Code.Ok, 0)
            ctx.finish()
            ctx.end()
            this.#handlers.handlerFinished(ctx, ticket)
          },
          (error) => {
            if (late?.end() !== true) this.#replies.failed(ctx, error)
            else if (ctx.kind !== 'call') countEnd(ctx, Code.InternalServerError, 0)
            ctx.finish()
            ctx.end()
            this.#handlers.handlerFinished(ctx, ticket)
          },
        )
        return
      }
    } catch (error) {
      this.#replies.failed(ctx, error)
      ctx.end()
      return
    }
    this.#replies.succeeded(ctx, result)
    ctx.end()
  }

  /** Times a handler that may run for `age` milliseconds. */
  #age(ctx: HookedContext, age: number): HandlerTimer {
    return new HandlerTimer(ctx, age, this.#wheel, (error) => {
      if (ctx.kind === 'call') this.#replies.failed(ctx, error)
      else this.#settings.log.warn('a push took too long', { method: ctx.serviceMethod, error: error.cause })
    })
  }
}
