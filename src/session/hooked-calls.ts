import { type StatusError, toStatusError } from '../base/errors/status.ts'
import type { Codec } from '../codecs/codec.ts'
import { decodeBody } from '../codecs/codec.ts'
import { InboundReply, Outbound } from '../hooks/hooked-messages.ts'
import { hookFailed, logLateFailure, type MessageHooks, pendingResult, runHooks, type WriteContext } from '../hooks/hooks.ts'
import { ANNOUNCEMENT_KEY } from '../message/announcement.ts'
import { bodySize } from '../message/body-size.ts'
import { type Incoming, MessageType } from '../message/message.ts'
import type { Meta } from '../message/meta.ts'
import type { DecodedStatus } from '../message/status-json.ts'
import { receivedFailure, refuseToSend } from '../transports/failures.ts'
import { outgoing } from './channel.ts'
import type { RequestEncoding, SessionCore } from './core.ts'
import { PendingCall } from './pending-call.ts'
import type { TracedCall, TraceScope } from './tracer.ts'

/** A pending call whose CALL passed hooks. The hooks of its REPLY see it as `request`. */
export class HookedCall extends PendingCall {
  request: WriteContext | undefined = undefined
  /** Size of its body in bytes; 0 while its hooks delay it. */
  size = 0
  /** Context of the hooks; undefined without a tracer. */
  scope: TraceScope = undefined
}

/** The hooks that a REPLY waits for. */
const Stage = { Header: 0, BeforeBody: 1, AfterBody: 2 } as const
type Stage = (typeof Stage)[keyof typeof Stage]

/**
 * Hooks on the caller's side (docs/spec/plugins.md#order-of-hooks). Hooks that return no promise run in one go, without
 * a closure or promise of ours.
 */
export class HookedCalls {
  readonly #session: SessionCore
  readonly #hooks: MessageHooks

  constructor(session: SessionCore) {
    this.#session = session
    this.#hooks = session.hooks
  }

  /**
   * Sends a CALL through its hooks.
   *
   * @throws (or rejects) as `Calls.send`, and what a hook before the write throws
   */
  sendCall(
    call: HookedCall,
    meta: Readonly<Record<string, string>> | undefined,
    arg: unknown,
    encoding: RequestEncoding,
    trace: TracedCall | null,
  ): Promise<void> | undefined {
    const { tracer } = this.#session.settings
    if (trace === null || tracer === null) return this.#sendCall(call, meta, arg, encoding)
    call.scope = trace.scope
    return tracer.run(trace.scope, this.#sendCall, this, call, meta, arg, encoding)
  }

  #sendCall(
    call: HookedCall,
    meta: Readonly<Record<string, string>> | undefined,
    arg: unknown,
    encoding: RequestEncoding,
  ): Promise<void> | undefined {
    const { seq, method } = call
    const out = new Outbound(this.#session, 'call', seq, method, undefined, undefined, meta, encoding.codec, arg, encoding.type)
    call.request = out
    const before = this.#hooks.beforeWriteCall
    const { hookTimeout } = this.#session.settings
    let waiting: Promise<unknown> | undefined
    if (before !== null) waiting = before.length === 1 ? pendingResult(before[0](out), hookTimeout) : runHooks(before, out, hookTimeout)
    if (waiting === undefined) return this.#writeCall(out, encoding, call)
    out.retain()
    return waiting.then(() => {
      // A call that ended meanwhile is not sent.
      return this.#session.calls.isPending(call) ? this.#writeCall(out, encoding, call) : undefined
    })
  }

  /** Sends a PUSH through its hooks, as `sendCall`. */
  sendPush(
    seq: number,
    method: string,
    meta: Readonly<Record<string, string>> | undefined,
    arg: unknown,
    encoding: RequestEncoding,
    trace: TracedCall | null,
  ): Promise<void> | undefined {
    const { tracer } = this.#session.settings
    return trace === null || tracer === null
      ? this.#sendPush(seq, method, meta, arg, encoding)
      : tracer.run(trace.scope, this.#sendPush, this, seq, method, meta, arg, encoding)
  }

  #sendPush(
    seq: number,
    method: string,
    meta: Readonly<Record<string, string>> | undefined,
    arg: unknown,
    encoding: RequestEncoding,
  ): Promise<void> | undefined {
    const out = new Outbound(this.#session, 'push', seq, method, undefined, undefined, meta, encoding.codec, arg, encoding.type)
    const before = this.#hooks.beforeWritePush
    const { hookTimeout } = this.#session.settings
    let waiting: Promise<unknown> | undefined
    if (before !== null) waiting = before.length === 1 ? pendingResult(before[0](out), hookTimeout) : runHooks(before, out, hookTimeout)
    if (waiting === undefined) return this.#writePush(out, encoding)
    out.retain()
    const { link } = this.#session
    return waiting
      .then(() => {
        this.#session.calls.requireSendable(link)
        // The announcement was for the connection before.
        if (link !== this.#session.link) delete (out.meta as Record<string, string>)[ANNOUNCEMENT_KEY]
        return this.#writePush(out, encoding)
      })
      .catch(refuseToSend)
  }

  /** Sends `out` as the hooks left it. */
  #writeCall(out: Outbound, encoding: RequestEncoding, call: HookedCall): Promise<void> | undefined {
    const sent = this.#send(MessageType.Call, out, encoding, call)
    call.size = bodySize(outgoing)
    if (call.counts !== null) call.counts.sized(call.size)
    const after = this.#hooks.afterWriteCall
    if (after === null) return sent
    if (sent !== undefined) return sent.then(() => this.#runAfterWrite(out, after))
    this.#runAfterWrite(out, after)
    return undefined
  }

  #writePush(out: Outbound, encoding: RequestEncoding): Promise<void> | undefined {
    const sent = this.#send(MessageType.Push, out, encoding, undefined)
    const after = this.#hooks.afterWritePush
    if (after === null) return sent
    if (sent !== undefined) return sent.then(() => this.#runAfterWrite(out, after))
    this.#runAfterWrite(out, after)
    return undefined
  }

  #send(type: number, out: Outbound, encoding: RequestEncoding, call: PendingCall | undefined): Promise<void> | undefined {
    const { seq, serviceMethod, metaText, body, bodyCodec, bodyType } = out
    const changed = bodyCodec !== encoding.codec || bodyType !== encoding.type
    const left = changed ? { ...encoding, codec: bodyCodec as Codec, type: bodyType } : encoding
    const sent = this.#session.calls.send(type, seq, serviceMethod, metaText, body, left, call)
    if (sent !== undefined) out.retain()
    return sent
  }

  #runAfterWrite(out: Outbound, after: NonNullable<MessageHooks['afterWriteCall' | 'afterWritePush']>): void {
    const { hookTimeout, log } = this.#session.settings
    try {
      const waiting = after.length === 1 ? pendingResult(after[0](out), hookTimeout) : runHooks(after, out, hookTimeout)
      if (waiting !== undefined) logLateFailure(out, waiting, log)
    } catch (error) {
      hookFailed(out, error, log)
    }
  }

  /**
   * Handles the REPLY to `call`. The hook after the body runs only for a success. A hook that fails makes the call
   * fail.
   */
  receive(call: PendingCall, message: Incoming, meta: Meta, status: DecodedStatus | undefined): void {
    const { tracer } = this.#session.settings
    if (tracer === null || !(call instanceof HookedCall) || call.scope === undefined) this.#receive(call, message, meta, status)
    else tracer.run(call.scope, this.#receive, this, call, message, meta, status)
  }

  #receive(call: PendingCall, message: Incoming, meta: Meta, status: DecodedStatus | undefined): void {
    const failed = status === undefined || status.code === 0 ? undefined : receivedFailure(status, meta, call.method)
    const session = this.#session
    const request = call instanceof HookedCall ? call.request : undefined
    const codec = session.settings.codecs.byId(message.codec)
    const reply = new InboundReply(session.session, message, call.method, meta, codec, failed, request)
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

  /**
   * Runs the hooks and decodes the body.
   *
   * @returns false when a hook returned a promise
   * @throws what makes the call fail
   */
  #read(call: PendingCall, reply: InboundReply): boolean {
    const { hookTimeout: limit, limits } = this.#session.settings
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

  /** Continues `#read` after the hooks of `stage`. The session is not read meanwhile. */
  async #readLater(call: PendingCall, reply: InboundReply, stage: Stage, waiting: Promise<unknown>): Promise<void> {
    const session = this.#session
    const { hookTimeout, limits } = this.#session.settings
    const { beforeReadReplyBody, afterReadReplyBody } = this.#hooks
    const resume = session.link.pauseReading()
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

  /** Settles the call, unless its hooks took so long that it has ended. */
  #settle(call: PendingCall, { body, meta, codecId }: InboundReply, failure: StatusError | undefined): void {
    const { calls } = this.#session
    if (calls.isPending(call)) calls.settle(call, failure, body, meta, codecId)
  }
}
