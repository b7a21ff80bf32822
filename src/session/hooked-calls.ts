import { ANNOUNCEMENT_KEY } from '../message/announcement.ts'
import type { TimeLimit } from '../base/time/clock.ts'
import type { Codec } from '../codecs/codec.ts'
import { decodeBody } from '../codecs/codec.ts'
import { receivedFailure, refuseToSend } from '../transports/failures.ts'
import type { Filter } from '../message/filter.ts'
import { type HookedSession, InboundReply, Outbound } from '../hooks/hooked-messages.ts'
import { hookFailed, logLateFailure, type MessageHooks, pendingResult, runHooks, type WriteContext } from '../hooks/hooks.ts'
import type { Limits } from '../base/limits.ts'
import type { Logger } from '../base/log.ts'
import { type Incoming, MessageType } from '../message/message.ts'
import type { MessageType as BodyType } from '../message/message-type.ts'
import type { Meta } from '../message/meta.ts'
import { PendingCall } from './pending-call.ts'
import { type StatusError, toStatusError } from '../base/errors/status.ts'
import type { DecodedStatus } from '../message/status-json.ts'

/**
 * The session of CALLs and PUSHes that go out through hooks, and of REPLYs that come in. Its members are internal as the session's are, whose
 * declaration would lack them otherwise.
 */
export interface HookedCallsOwner extends HookedSession {
  /** As `Session` sends what has no hooks. @internal */
  sendMessage(
    filters: readonly Filter[] | undefined,
    type: number,
    seq: number,
    method: string,
    meta: string,
    codec: Codec,
    arg: unknown,
    argType: BodyType | undefined,
    forwarded: boolean | undefined,
    call?: PendingCall,
  ): Promise<void> | undefined
  /** Counts connections. @internal */
  readonly epoch: number
  /** False once the call ended without its reply: its deadline, its signal, or the session's end. @internal */
  isPending(call: PendingCall): boolean
  /** @internal */
  settle(call: PendingCall, failure: StatusError | undefined, body: unknown, meta: Meta, codec: number): void
  /** @throws StatusError 102 unless a PUSH that hooks kept since connection `epoch` may still be sent @internal */
  requireSendable(epoch: number): void
  /** @internal */
  holdReading(): () => void
}

/** A call that hooks saw go out, for those of its REPLY. */
export class HookedCall extends PendingCall {
  request: WriteContext | undefined = undefined
}

interface HookedCallsSettings {
  readonly hookTimeout: TimeLimit
  readonly limits: Pick<Limits, 'maxDepth'>
  readonly log: Logger
}

/** The hooks about to run when a REPLY began to wait. */
const Stage = { Header: 0, BeforeBody: 1, AfterBody: 2 } as const
type Stage = (typeof Stage)[keyof typeof Stage]

/** Hooks on the caller's side (spec/plugins.md §1.3). Those that return no promise run in one go, without a closure or a promise of ours. */
export class HookedCalls {
  readonly #session: HookedCallsOwner
  readonly #settings: HookedCallsSettings
  readonly #hooks: MessageHooks

  constructor(session: HookedCallsOwner, settings: HookedCallsSettings, hooks: MessageHooks) {
    this.#session = session
    this.#settings = settings
    this.#hooks = hooks
  }

  /** @throws (or rejects) as `HookedCallsOwner.sendMessage`, and what a hook before the write throws */
  sendCall(
    call: HookedCall,
    filters: readonly Filter[] | undefined,
    meta: Readonly<Record<string, string>> | undefined,
    codec: Codec,
    arg: unknown,
    argType: BodyType | undefined,
    forwarded: boolean | undefined,
  ): Promise<void> | undefined {
    const { seq, method } = call
    const out = new Outbound(this.#session, 'call', seq, method, undefined, undefined, meta, codec, arg, argType)
    call.request = out
    const before = this.#hooks.beforeWriteCall
    const { hookTimeout } = this.#settings
    let waiting: Promise<unknown> | undefined
    if (before !== null) waiting = before.length === 1 ? pendingResult(before[0](out), hookTimeout) : runHooks(before, out, hookTimeout)
    if (waiting === undefined) return this.#writeCall(filters, out, forwarded, call)
    out.retain()
    return waiting.then(() => {
      // One that ended meanwhile is not started.
      return this.#session.isPending(call) ? this.#writeCall(filters, out, forwarded, call) : undefined
    })
  }

  /** As `sendCall`. */
  sendPush(
    seq: number,
    method: string,
    filters: readonly Filter[] | undefined,
    meta: Readonly<Record<string, string>> | undefined,
    codec: Codec,
    arg: unknown,
    argType: BodyType | undefined,
    forwarded: boolean | undefined,
  ): Promise<void> | undefined {
    const out = new Outbound(this.#session, 'push', seq, method, undefined, undefined, meta, codec, arg, argType)
    const before = this.#hooks.beforeWritePush
    const { hookTimeout } = this.#settings
    let waiting: Promise<unknown> | undefined
    if (before !== null) waiting = before.length === 1 ? pendingResult(before[0](out), hookTimeout) : runHooks(before, out, hookTimeout)
    if (waiting === undefined) return this.#writePush(filters, out, forwarded)
    out.retain()
    const { epoch } = this.#session
    return waiting
      .then(() => {
        this.#session.requireSendable(epoch)
        if (epoch !== this.#session.epoch) delete (out.meta as Record<string, string>)[ANNOUNCEMENT_KEY] // that was for another connection
        return this.#writePush(filters, out, forwarded)
      })
      .catch(refuseToSend)
  }

  /** Sends what the hooks left of `out`. */
  #writeCall(
    filters: readonly Filter[] | undefined,
    out: Outbound,
    forwarded: boolean | undefined,
    call: PendingCall,
  ): Promise<void> | undefined {
    const sent = this.#send(MessageType.Call, filters, out, forwarded, call)
    const after = this.#hooks.afterWriteCall
    if (after === null) return sent
    if (sent !== undefined) return sent.then(() => this.#afterCall(out, after))
    this.#afterCall(out, after)
    return undefined
  }

  #writePush(filters: readonly Filter[] | undefined, out: Outbound, forwarded: boolean | undefined): Promise<void> | undefined {
    const sent = this.#send(MessageType.Push, filters, out, forwarded, undefined)
    const after = this.#hooks.afterWritePush
    if (after === null) return sent
    if (sent !== undefined) return sent.then(() => this.#afterPush(out, after))
    this.#afterPush(out, after)
    return undefined
  }

  #send(
    type: number,
    filters: readonly Filter[] | undefined,
    out: Outbound,
    forwarded: boolean | undefined,
    call: PendingCall | undefined,
  ): Promise<void> | undefined {
    const { seq, serviceMethod, metaText, body, bodyType } = out
    const codec = out.bodyCodec as Codec
    const sent = this.#session.sendMessage(filters, type, seq, serviceMethod, metaText, codec, body, bodyType, forwarded, call)
    if (sent !== undefined) out.retain()
    return sent
  }

  #afterCall(out: Outbound, after: NonNullable<MessageHooks['afterWriteCall']>): void {
    const { hookTimeout, log } = this.#settings
    try {
      const waiting = after.length === 1 ? pendingResult(after[0](out), hookTimeout) : runHooks(after, out, hookTimeout)
      if (waiting !== undefined) logLateFailure(out, waiting, log)
    } catch (error) {
      hookFailed(out, error, log)
    }
  }

  #afterPush(out: Outbound, after: NonNullable<MessageHooks['afterWritePush']>): void {
    const { hookTimeout, log } = this.#settings
    try {
      const waiting = after.length === 1 ? pendingResult(after[0](out), hookTimeout) : runHooks(after, out, hookTimeout)
      if (waiting !== undefined) logLateFailure(out, waiting, log)
    } catch (error) {
      hookFailed(out, error, log)
    }
  }

  /** A REPLY to `call`. The hook after the body runs for what succeeded. A hook that fails fails the call. */
  receive(call: PendingCall, message: Incoming, meta: Meta, status: DecodedStatus | undefined): void {
    const failed = status === undefined || status.code === 0 ? undefined : receivedFailure(status, meta)
    const session = this.#session
    const request = call instanceof HookedCall ? call.request : undefined
    const reply = new InboundReply(session, message, call.method, meta, session.codecs.byId(message.codec), failed, request)
    let read: boolean
    try {
      read = this.#read(call, reply)
    } catch (error) {
      this.#settle(call, reply, toStatusError(error, true))
      reply.releaseBorrowed()
      return
    }
    if (!read) return
    this.#settle(call, reply, failed)
    reply.releaseBorrowed()
  }

  /** False when a hook takes its time. @throws what fails the call */
  #read(call: PendingCall, reply: InboundReply): boolean {
    const { hookTimeout: limit, limits } = this.#settings
    const header = this.#hooks.afterReadReplyHeader
    let waiting: Promise<unknown> | undefined
    if (header !== null) waiting = header.length === 1 ? pendingResult(header[0](reply), limit) : runHooks(header, reply, limit)
    if (waiting !== undefined) return this.#wait(call, reply, Stage.Header, waiting)
    const before = this.#hooks.beforeReadReplyBody
    if (before !== null) waiting = before.length === 1 ? pendingResult(before[0](reply), limit) : runHooks(before, reply, limit)
    if (waiting !== undefined) return this.#wait(call, reply, Stage.BeforeBody, waiting)
    if (reply.status !== undefined) return true
    reply.body = decodeBody(reply.incoming, reply.bodyCodec, limits, call.resultType)
    const after = this.#hooks.afterReadReplyBody
    if (after !== null) waiting = after.length === 1 ? pendingResult(after[0](reply), limit) : runHooks(after, reply, limit)
    return waiting === undefined || this.#wait(call, reply, Stage.AfterBody, waiting)
  }

  #wait(call: PendingCall, reply: InboundReply, stage: Stage, waiting: Promise<unknown>): false {
    if (stage === Stage.AfterBody) reply.retainBytes()
    else reply.retainMessage()
    void this.#readLater(call, reply, stage, waiting)
    return false
  }

  /** `#read` from behind the hooks of `stage`. Meanwhile the session is not read. */
  async #readLater(call: PendingCall, reply: InboundReply, stage: Stage, waiting: Promise<unknown>): Promise<void> {
    const session = this.#session
    const { hookTimeout, limits } = this.#settings
    const { beforeReadReplyBody, afterReadReplyBody } = this.#hooks
    const resume = session.holdReading()
    let failure = reply.status
    try {
      await waiting
      if (stage === Stage.Header) await runHooks(beforeReadReplyBody, reply, hookTimeout)
      if (stage !== Stage.AfterBody && reply.status === undefined) {
        reply.body = decodeBody(reply.incoming, reply.bodyCodec, limits, call.resultType)
        await runHooks(afterReadReplyBody, reply, hookTimeout)
      }
    } catch (error) {
      failure = toStatusError(error, true)
    }
    this.#settle(call, reply, failure)
    resume()
  }

  /** Its hooks may have ended the call. */
  #settle(call: PendingCall, { body, meta, codecId }: InboundReply, failure: StatusError | undefined): void {
    if (this.#session.isPending(call)) this.#session.settle(call, failure, body, meta, codecId)
  }
}
