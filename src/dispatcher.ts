import { RETRY_AFTER_KEY } from './announcement.ts'
import { CloseReason } from './close-reason.ts'
import { bodyText, type Codec, decodeBody } from './codec.ts'
import { Context } from './context.ts'
import { asBadMessage } from './failures.ts'
import type { Filter } from './filter.ts'
import { Inbound, Outbound } from './hooked-messages.ts'
import { inTurn, type MessageHooks, onlyLog, runHooks } from './hooks.ts'
import { handing } from './inherited.ts'
import { type Incoming, MessageType, TextHint } from './message.ts'
import { type MessageType as BodyType, bytes } from './message-type.ts'
import { encodeMeta, type Meta } from './meta.ts'
import { findNameText, nameText } from './names.ts'
import type { Settings } from './options.ts'
import type { AnyHandler, Route, Router } from './router.ts'
import type { Session } from './session.ts'
import { badMessage, Code, StatusError, statusText, textOf, toStatusError } from './status.ts'
import { decodeStatus, encodeStatus } from './status-json.ts'
import { isThenable } from './thenable.ts'
import { SendResult } from './transport.ts'

/** Milliseconds after which a call that was refused may be made again. */
const RETRY_AFTER = 1000

/** What a reply goes through. */
type Filters = readonly Filter[] | undefined

/**
 * From a CALL or PUSH to its handler and back to the REPLY (spec/behaviour.md §3.4). A handler that returns a plain value is
 * answered before the next message is looked at; one that returns a promise costs two closures more.
 */
export class Dispatcher {
  readonly #settings: Settings
  readonly #router: Router
  /** Of messages without a route. */
  readonly #hooks: MessageHooks

  constructor(settings: Settings, router: Router) {
    this.#settings = settings
    this.#router = router
    this.#hooks = router.plugins.hooks
  }

  dispatch(session: Session, message: Incoming): void {
    const meta = session.readMeta(message)
    if (meta === undefined) return
    const left = session.heed(meta, message.seq)
    const expires = left === 0 ? 0 : this.#settings.clock.now() + left
    if (message.statusStart !== message.statusEnd && !this.#statusReads(message)) {
      session.fail(CloseReason.Status)
      return
    }
    const isCall = message.type === MessageType.Call
    if (!session.accepting) {
      if (isCall) this.#refuse(session, message, Code.ServiceUnavailable, 'shutting down')
      return
    }
    if (session.running >= this.#settings.limits.maxRunning) {
      this.#overload(session, message, isCall)
      return
    }
    const { route } = message
    const table = isCall ? this.#router.calls : this.#router.pushes
    let found = route >= 0 && route < table.length ? table[route] : undefined
    if (found === undefined && message.orCall && route >= 0) found = this.#router.calls[route]
    const codec = this.#settings.codecs.byId(message.codec)
    const hooks = found === undefined ? this.#hooks : found.hooks
    if (!hooks.silent && (isCall ? readsCalls(this.#hooks, hooks) : readsPushes(this.#hooks, hooks))) {
      this.#readThrough(session, message, meta, codec, isCall, expires)
      return
    }
    let handler: AnyHandler
    let arg: unknown
    try {
      if (found !== undefined) {
        handler = found.handler
        arg = this.#decode(message, codec, found.argType)
      } else {
        handler = this.#unknown(methodOf(message), isCall)
        // Borrowed memory ends with this message: the handler gets a copy.
        arg = new Uint8Array(message.buffer.subarray(message.bodyStart, message.bodyEnd))
      }
    } catch (error) {
      this.#reject(session, message, replyHooks(hooks), isCall, error)
      return
    }
    const name = found !== undefined ? found.name : methodOf(message)
    const ctx = new Context(
      session,
      name,
      message.seq,
      meta,
      this.#settings.codecs,
      codec,
      found?.resultType,
      message.filters,
      replyHooks(hooks),
      undefined,
    )
    if (expires !== 0) ctx.expires = expires
    this.#run(ctx, handler, arg, isCall)
  }

  /** The same for a message that hooks see (spec/plugins.md §1.3). While one before the body takes its time the session is not read. */
  #readThrough(session: Session, message: Incoming, meta: Meta, codec: Codec | undefined, isCall: boolean, expires: number): void {
    const { hookTimeout } = this.#settings
    const inbound = new Inbound(session, isCall ? 'call' : 'push', message, methodOf(message), meta, codec)
    const { filters, orCall } = message
    let found: Route | undefined
    let hooks = this.#hooks
    let handler: AnyHandler | undefined
    let resume = (): void => {}
    const steps = [
      () => runHooks(isCall ? hooks.afterReadCallHeader : hooks.afterReadPushHeader, inbound, hookTimeout),
      () => {
        found = this.#find(inbound.serviceMethod, isCall, orCall)
        if (found !== undefined) hooks = found.hooks
        handler = found?.handler ?? this.#unknown(inbound.serviceMethod, isCall)
        return runHooks(isCall ? hooks.beforeReadCallBody : hooks.beforeReadPushBody, inbound, hookTimeout)
      },
      () => {
        try {
          inbound.body = found === undefined ? inbound.bytes : this.#decode(inbound.incoming, codec, found.argType)
        } catch (error) {
          throw asBadMessage(error)
        }
        return undefined
      },
    ]
    const run = (): void => {
      const name = inbound.serviceMethod
      const { codecs } = this.#settings
      const ctx = new Context(session, name, inbound.seq, meta, codecs, codec, found?.resultType, filters, replyHooks(hooks), inbound)
      if (expires !== 0) ctx.expires = expires
      if (expires === 0 || this.#settings.clock.now() < expires) this.#run(ctx, handler as AnyHandler, inbound.body, isCall)
      else refuse(new StatusError(Code.HandleTimeout, undefined, 'the deadline passed before the handler began', { stack: false }))
    }
    const refuse = (error: unknown): void => this.#rejectHooked(session, inbound, filters, hooks, isCall, error)
    const worked = (): void => {
      const after = runHooks(isCall ? hooks.afterReadCallBody : hooks.afterReadPushBody, inbound, hookTimeout)
      if (after === undefined) {
        run()
        return
      }
      session.began()
      inbound.own()
      void after
        .then(run)
        .catch(refuse)
        .finally(() => session.ended())
    }
    try {
      const waiting = inTurn(steps, () => {
        inbound.own()
        session.began()
        resume = session.holdReading()
      })
      if (waiting === undefined) {
        worked()
      } else {
        void waiting
          .then(worked)
          .catch(refuse)
          .finally(() => {
            session.ended()
            resume()
          })
      }
    } catch (error) {
      refuse(error)
    }
  }

  #find(name: string, isCall: boolean, orCall: boolean): Route | undefined {
    const route = findNameText(name)
    if (route < 0) return undefined
    return (isCall ? this.#router.calls : this.#router.pushes)[route] ?? (orCall ? this.#router.calls[route] : undefined)
  }

  #rejectHooked(session: Session, inbound: Inbound, filters: Filters, hooks: MessageHooks, isCall: boolean, thrown: unknown): void {
    const { log, exposeErrors } = this.#settings
    if (!(thrown instanceof StatusError)) log.error('a plugin failed', { method: inbound.serviceMethod, error: describe(thrown) })
    if (isCall) {
      const status = toStatusError(thrown, exposeErrors)
      this.#sendStatus(session, filters, inbound.seq, status, undefined, replyHooks(hooks), inbound.serviceMethod, inbound)
    } else if (thrown instanceof StatusError) {
      log.warn('a push was dropped', { method: inbound.serviceMethod, error: thrown.cause || thrown.message })
    }
  }

  #run(ctx: Context, handler: AnyHandler, arg: unknown, isCall: boolean): void {
    let result: unknown
    try {
      result = ctx.expires === undefined ? handler(arg as never, ctx) : handing(ctx, handler, arg as never)
      if (isThenable(result)) {
        const { session } = ctx
        session.began()
        if (ctx.hooks !== null) ctx.inbound?.own() // the hooks of the reply may look at the CALL's bytes
        // A thenable of the user's own may settle twice or throw: a promise around it may not.
        const promise = result instanceof Promise ? result : Promise.resolve(result)
        promise.then(
          (value) => this.#settle(ctx, isCall, value),
          (error) => this.#settleFailed(ctx, isCall, error),
        )
        return
      }
    } catch (error) {
      this.#failed(ctx, isCall, error)
      return
    }
    if (isCall) this.#succeeded(ctx, result)
    ctx.finish()
  }

  #settle(ctx: Context, isCall: boolean, value: unknown): void {
    if (isCall) this.#succeeded(ctx, value)
    ctx.finish()
    ctx.session.ended()
  }

  #settleFailed(ctx: Context, isCall: boolean, error: unknown): void {
    this.#failed(ctx, isCall, error)
    ctx.session.ended()
  }

  #succeeded(ctx: Context, value: unknown): void {
    const codec = ctx.replyCodec(this.#settings.codec)
    if (ctx.hooks === null) {
      this.#reply(ctx, ctx.replyMeta, codec, value, ctx.resultType)
      return
    }
    const { session, seq, serviceMethod, inbound, replyMeta, resultType } = ctx
    const out = new Outbound(
      session,
      this.#settings.codecs,
      'reply',
      seq,
      serviceMethod,
      undefined,
      inbound,
      replyMeta,
      codec.name,
      value,
      resultType,
    )
    this.#writeThrough(session, ctx.hooks, out, () => {
      if (out.status !== undefined) this.#sendStatusNow(session, ctx.replyFilters, seq, out.status, encodeMeta(out.meta))
      else this.#reply(ctx, out.meta, this.#settings.codecs.byName(out.codec) ?? codec, out.body, out.bodyType)
    })
  }

  /** The hooks around a reply (spec/plugins.md §1.2): whatever they do, it is sent. */
  #writeThrough(session: Session, hooks: MessageHooks, out: Outbound, send: () => void): void {
    const { hookTimeout, log } = this.#settings
    const failed = (error: unknown): void => log.warn('a plugin failed', { method: out.serviceMethod, error: describe(error) })
    const sendNow = (): void => {
      send()
      onlyLog(hooks.afterWriteReply, out, hookTimeout, log)
    }
    let waiting: Promise<void> | undefined
    try {
      waiting = runHooks(hooks.beforeWriteReply, out, hookTimeout)
    } catch (error) {
      failed(error)
    }
    if (waiting === undefined) {
      sendNow()
      return
    }
    session.began()
    void waiting
      .catch(failed)
      .then(sendNow)
      .finally(() => session.ended())
  }

  #reply(
    ctx: Context,
    metaOut: Readonly<Record<string, string>> | undefined,
    codec: Codec,
    value: unknown,
    type: BodyType | undefined,
  ): void {
    if (ctx.epoch !== ctx.session.epoch) return // its caller is gone, and the new peer would take it for another's
    let sent: SendResult | Promise<SendResult>
    try {
      const meta = metaOut === undefined ? '' : encodeMeta(metaOut)
      sent = ctx.session.reply(ctx.replyFilters, ctx.seq, meta, codec, value, type)
    } catch (error) {
      this.#failed(ctx, true, error)
      return
    }
    if (sent === SendResult.Ok) return
    if (typeof sent === 'number') this.#notSent(ctx.session, ctx.replyFilters, ctx.seq, sent)
    else this.#later(ctx, sent)
  }

  /** A reply waits for its filters, or for one before it. */
  #later(ctx: Context, sent: Promise<SendResult>): void {
    sent.then(
      (result) => this.#notSent(ctx.session, ctx.replyFilters, ctx.seq, result),
      (error) => this.#failed(ctx, true, error),
    )
  }

  #failed(ctx: Context, isCall: boolean, thrown: unknown): void {
    ctx.finish()
    const { log, exposeErrors } = this.#settings
    if (!(thrown instanceof StatusError)) log.error('a handler failed', { method: ctx.serviceMethod, error: describe(thrown) })
    if (!isCall) {
      if (thrown instanceof StatusError) log.warn('a push was refused', { method: ctx.serviceMethod, error: thrown.message })
      return
    }
    if (ctx.epoch !== ctx.session.epoch) return
    const status = toStatusError(thrown, exposeErrors)
    this.#sendStatus(ctx.session, ctx.replyFilters, ctx.seq, status, ctx.replyMeta, ctx.hooks, ctx.serviceMethod, ctx.inbound)
  }

  /** A request that reached no handler: CALLs are told why, PUSHes are logged. */
  #reject(session: Session, message: Incoming, hooks: MessageHooks | null, isCall: boolean, error: unknown): void {
    const status = asBadMessage(error)
    if (isCall) {
      this.#sendStatus(session, message.filters, message.seq, status, undefined, hooks, hooks === null ? '' : methodOf(message), undefined)
    } else {
      this.#settings.log.warn('a push was dropped', {
        method: methodOf(message),
        remote: session.remoteAddress,
        error: status.cause || status.message,
      })
    }
  }

  #overload(session: Session, message: Incoming, isCall: boolean): void {
    if (isCall) {
      this.#refuse(session, message, Code.TooManyRequests, 'too many calls of this session are running')
    } else {
      this.#settings.log.warn('a push was dropped', {
        remote: session.remoteAddress,
        error: 'too many handlers of this session are running',
      })
    }
  }

  #refuse(session: Session, message: Incoming, code: number, cause: string): void {
    const meta = encodeMeta({ [RETRY_AFTER_KEY]: String(RETRY_AFTER) })
    this.#sendStatusNow(session, message.filters, message.seq, new StatusError(code, statusText(code), cause, { stack: false }), meta)
  }

  #sendStatus(
    session: Session,
    filters: Filters,
    seq: number,
    status: StatusError,
    meta: Readonly<Record<string, string>> | undefined,
    hooks: MessageHooks | null,
    method: string,
    inbound: Inbound | undefined,
  ): void {
    if (status.retryAfter !== undefined) meta = { ...meta, [RETRY_AFTER_KEY]: String(Math.ceil(status.retryAfter)) }
    if (hooks === null) {
      this.#sendStatusNow(session, filters, seq, status, meta === undefined ? '' : encodeMeta(meta))
      return
    }
    const out = new Outbound(session, this.#settings.codecs, 'reply', seq, method, status, inbound, meta, '', undefined, undefined)
    this.#writeThrough(session, hooks, out, () => this.#sendStatusNow(session, filters, seq, status, encodeMeta(out.meta)))
  }

  /** @param last nothing more is tried when it cannot be sent */
  #sendStatusNow(session: Session, filters: Filters, seq: number, status: StatusError, meta: string, last = false): void {
    const text = encodeStatus(status.code, status.message, status.cause)
    const onError = (error: unknown): void => {
      // Its filters fail on any bytes. Without them it might tell what they should hide: the caller learns that the session is gone.
      this.#settings.log.error('a reply could not be filtered', { remote: session.remoteAddress, error: describe(error) })
      session.fail(CloseReason.Local)
    }
    try {
      const sent = session.replyStatus(filters, seq, text, meta)
      if (sent === SendResult.Ok) return
      if (typeof sent === 'number') this.#notSent(session, filters, seq, sent, last)
      else sent.then((result) => this.#notSent(session, filters, seq, result, last), onError)
    } catch (error) {
      onError(error)
    }
  }

  /** A reply that cannot be sent must not leave its caller waiting (spec/wire.md §2.6). */
  #notSent(session: Session, filters: Filters, seq: number, result: SendResult, last = false): void {
    if (result === SendResult.TooLarge) {
      const status = new StatusError(Code.InternalServerError, undefined, 'the reply is over the size limit', { stack: false })
      if (!last) this.#sendStatusNow(session, filters, seq, status, '', true)
    } else if (result === SendResult.Unsent) {
      session.fail(CloseReason.Unsent)
    }
  }

  #decode(message: Incoming, codec: Codec | undefined, type: BodyType | undefined): unknown {
    if (codec === undefined && message.codec !== 0 && type !== bytes) throw badMessage(`unsupported codec id: ${message.codec}`)
    return decodeBody(message, codec, this.#settings.limits, type)
  }

  #unknown(method: string, isCall: boolean): AnyHandler {
    if (method === '') throw badMessage('invalid service method for message')
    const handler = isCall ? this.#router.unknownCall : this.#router.unknownPush
    if (handler === undefined) throw new StatusError(Code.NotFound, statusText(Code.NotFound), '', { stack: false })
    return handler as AnyHandler
  }

  #statusReads(message: Incoming): boolean {
    const text = bodyText(message.buffer, message.statusStart, message.statusEnd, TextHint.Nothing)
    return decodeStatus(text, this.#settings.limits.maxDepth) !== undefined
  }
}

function methodOf(message: Incoming): string {
  if (message.route >= 0) return nameText(message.route)
  return message.method ?? bodyText(message.buffer, message.nameStart, message.nameEnd, TextHint.Nothing)
}

/** @param ours of the endpoint, which sees headers; @param theirs of the route */
function readsCalls(ours: MessageHooks, theirs: MessageHooks): boolean {
  return ours.afterReadCallHeader !== null || theirs.beforeReadCallBody !== null || theirs.afterReadCallBody !== null
}

function readsPushes(ours: MessageHooks, theirs: MessageHooks): boolean {
  return ours.afterReadPushHeader !== null || theirs.beforeReadPushBody !== null || theirs.afterReadPushBody !== null
}

/** The same when something of a reply is hooked, else null. */
function replyHooks(hooks: MessageHooks): MessageHooks | null {
  return hooks.silent || (hooks.beforeWriteReply === null && hooks.afterWriteReply === null) ? null : hooks
}

function describe(thrown: unknown): string {
  try {
    return thrown instanceof Error && thrown.stack !== undefined ? thrown.stack : textOf(thrown)
  } catch {
    return ''
  }
}
