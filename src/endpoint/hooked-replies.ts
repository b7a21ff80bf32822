import { describe, reasonOf } from '../base/errors/error-text.ts'
import { Code, StatusError, toStatusError } from '../base/errors/status.ts'
import type { Codec } from '../codecs/codec.ts'
import { Outbound } from '../hooks/hooked-messages.ts'
import { hookFailed, logLateFailure, type MessageHooks, pendingResult, runHooks } from '../hooks/hooks.ts'
import { bodySize } from '../message/body-size.ts'
import { encodeMeta } from '../message/meta.ts'
import { outgoing } from '../session/channel.ts'
import type { Settings } from '../session/options.ts'
import { SendResult } from '../transports/transport.ts'
import { countEnd } from './context.ts'
import type { HookedContext } from './hooked-context.ts'
import { codeOfSent, type Replies } from './replies.ts'

/** Ends CALLs and PUSHes that have hooks: the reply of a CALL passes its own hooks (docs/spec/plugins.md#the-hooks). */
export class HookedReplies {
  readonly #settings: Settings
  readonly #replies: Replies
  /** Hooks of messages without a route. */
  readonly #hooks: MessageHooks

  constructor(settings: Settings, replies: Replies, hooks: MessageHooks) {
    this.#settings = settings
    this.#replies = replies
    this.#hooks = hooks
  }

  /** Handles what a handler returned. */
  succeeded(ctx: HookedContext, value: unknown): void {
    if (ctx.kind === 'call') {
      const { engine, seq, serviceMethod, replyMeta, resultType } = ctx
      const codec = ctx.replyCodec(this.#settings.codec)
      this.#write(ctx, new Outbound(engine, 'reply', seq, serviceMethod, undefined, ctx, replyMeta, codec, value, resultType))
    } else {
      countEnd(ctx, Code.Ok, 0)
    }
    ctx.finish()
  }

  /** Handles what a handler threw. */
  failed(ctx: HookedContext, thrown: unknown): void {
    const { log, exposeErrors } = this.#settings
    const { serviceMethod: method } = ctx
    ctx.finish()
    if (!(thrown instanceof StatusError)) log.error('a handler failed', { method, error: describe(thrown), ...ctx.counts?.logFields })
    if (ctx.kind !== 'call') countEnd(ctx, Code.InternalServerError, 0)
    if (ctx.kind === 'call') this.writeStatus(ctx, toStatusError(thrown, exposeErrors))
    else if (thrown instanceof StatusError) log.warn('a push was refused', { method, error: reasonOf(thrown) })
  }

  /** Answers a CALL with a failure. */
  writeStatus(ctx: HookedContext, status: StatusError): void {
    const { engine, seq, serviceMethod, replyMeta } = ctx
    this.#write(ctx, new Outbound(engine, 'reply', seq, serviceMethod, status, ctx, replyMeta, undefined, undefined, undefined))
  }

  /** Runs the hooks around a reply (docs/spec/plugins.md#the-hooks) and sends it, whatever the hooks do. */
  #write(ctx: HookedContext, out: Outbound): void {
    const { hookTimeout, log } = this.#settings
    const hooks = ctx.route === undefined ? this.#hooks : ctx.route.hooks
    const { status } = out
    let waiting: Promise<unknown> | undefined
    try {
      const before = hooks.beforeWriteReply
      if (before !== null) waiting = before.length === 1 ? pendingResult(before[0](out), hookTimeout) : runHooks(before, out, hookTimeout)
    } catch (error) {
      hookFailed(out, error, log)
    }
    if (waiting === undefined) {
      this.#send(ctx, out, status, hooks)
    } else {
      out.retain()
      void this.#writeLater(ctx, out, status, hooks, waiting)
    }
  }

  async #writeLater(
    ctx: HookedContext,
    out: Outbound,
    status: StatusError | undefined,
    hooks: MessageHooks,
    waiting: Promise<unknown>,
  ): Promise<void> {
    ctx.engine.requests.handlerStarted()
    try {
      await waiting
    } catch (error) {
      hookFailed(out, error, this.#settings.log)
    }
    this.#send(ctx, out, status, hooks)
    ctx.engine.requests.handlerFinished()
  }

  /**
   * Sends the reply.
   *
   * @param status status before the hooks: they may change how a reply fails, but not whether it does
   */
  #send(ctx: HookedContext, out: Outbound, status: StatusError | undefined, hooks: MessageHooks): void {
    // The caller is gone, and another peer would take the reply for that of its own call.
    if (!ctx.engine.requests.wantsReply(ctx.link, ctx.seq)) {
      countEnd(ctx, Code.ConnectionClosed, 0)
      return
    }
    const failure = out.status ?? status
    if (failure !== undefined) {
      if (this.#sendStatus(ctx, out, failure)) this.#wrote(out, hooks)
      return
    }
    let sent: SendResult | Promise<SendResult>
    try {
      sent = ctx.engine.requests.reply(ctx.replyFilters, ctx.seq, out.metaText, out.bodyCodec as Codec, out.body, out.bodyType)
    } catch (error) {
      this.failed(ctx, error)
      return
    }
    if (sent === SendResult.Ok) {
      if (ctx.counts !== null) countEnd(ctx, Code.Ok, bodySize(outgoing))
      this.#wrote(out, hooks)
    } else if (typeof sent === 'number') this.#notSent(ctx, sent)
    else this.#sendLater(ctx, out, hooks, sent)
  }

  /** Handles a reply that is delayed by its filters, or by a reply before it. */
  #sendLater(ctx: HookedContext, out: Outbound, hooks: MessageHooks, sent: Promise<SendResult>): void {
    const bytes = bodySize(outgoing)
    out.retain()
    sent.then(
      (result) => {
        if (result === SendResult.Ok) {
          countEnd(ctx, Code.Ok, bytes)
          this.#wrote(out, hooks)
        } else {
          this.#notSent(ctx, result)
        }
      },
      (error) => this.failed(ctx, error),
    )
  }

  #sendStatus(ctx: HookedContext, out: Outbound, status: unknown): boolean {
    const { log, exposeErrors } = this.#settings
    let meta: Readonly<Record<string, string>> | undefined
    try {
      encodeMeta(out.meta)
      meta = out.meta
    } catch (error) {
      hookFailed(out, error, log)
    }
    const failure = toStatusError(status, exposeErrors)
    countEnd(ctx, failure.code, 0)
    return this.#replies.sendStatus(ctx.engine, ctx.replyFilters, ctx.seq, failure, meta)
  }

  #notSent(ctx: HookedContext, result: SendResult): void {
    countEnd(ctx, codeOfSent(result), 0)
    this.#replies.notSent(ctx.engine, ctx.replyFilters, ctx.seq, result)
  }

  #wrote(out: Outbound, hooks: MessageHooks): void {
    const after = hooks.afterWriteReply
    if (after === null) return
    const { hookTimeout, log } = this.#settings
    try {
      const waiting = after.length === 1 ? pendingResult(after[0](out), hookTimeout) : runHooks(after, out, hookTimeout)
      if (waiting !== undefined) logLateFailure(out, waiting, log)
    } catch (error) {
      hookFailed(out, error, log)
    }
  }
}
