import { flag, requireOptions } from '../base/check-options.ts'
import { badMessage, Code, StatusError, statusText } from '../base/errors/status.ts'
import type { CallContext, PushContext } from '../endpoint/context.ts'
import type { Plugin } from '../hooks/plugin.ts'
import type { CtxSession } from '../hooks/session-views.ts'
import type { PushOptions } from '../message/call-options.ts'
import { bytes } from '../message/message-type.ts'
import { replyMeta } from '../message/reply.ts'

/** The properties of a message by which its target is chosen. */
export interface ProxyLabel {
  /** Id of the session that received the message. */
  readonly sessionId: string
  /** Meta `X-Real-IP`, which any peer can claim, else the peer's address with its port, as in Go. */
  readonly realIp: string
  /** Service method of the message. */
  readonly serviceMethod: string
}

/** Chooses the session that a message is forwarded to; undefined for none, which is a 502. */
export type ProxyTarget<Forwarder> = (label: ProxyLabel) => Forwarder | undefined | Promise<Forwarder | undefined>
/** Target of a CALL: a session, a `MultiClient`, or an object like them. */
export type CallForwarder = Pick<CtxSession, 'callReply'>
/** Target of a PUSH: a session, a `MultiClient`, or an object like them. */
export type PushForwarder = Pick<CtxSession, 'push'>

/** Options of `proxy`. At least one of `call` and `push` is required. */
export interface ProxyOptions {
  /** Chooses the target of CALLs without a route. Default: none, which means that they fail with 404. */
  call?: ProxyTarget<CallForwarder> | undefined
  /** Chooses the target of PUSHes without a route. Default: none, which means that they are dropped. */
  push?: ProxyTarget<PushForwarder> | undefined
  /**
   * Whether forwarded messages go through the transfer filters that they arrived through, which the target must
   * support. Default: true.
   */
  filters?: boolean | undefined
}

const known: ReadonlySet<string> = new Set(['call', 'push', 'filters'])

/**
 * Forwards messages without a route (docs/spec/plugins.md#proxy): the body's bytes as they are, with the codec they
 * arrived with (docs/spec/go-defects.md W22), all meta, and `X-Real-IP` if it is missing. The target's reply is
 * returned the same way; a target that cannot be reached is a 502.
 *
 * @throws TypeError for bad options
 * @example
 * new Endpoint({ plugins: [proxy(() => upstream)] })
 */
export function proxy(target: ProxyTarget<CallForwarder & PushForwarder> | ProxyOptions): Plugin {
  if (typeof target !== 'function') requireOptions('options', target, known)
  const { call, push, filters = true } = typeof target === 'function' ? { call: target, push: target } : target
  for (const forward of [call, push])
    if (forward !== undefined && typeof forward !== 'function') throw new TypeError('proxy needs functions that choose a session')
  if (call === undefined && push === undefined) throw new TypeError('proxy needs a function that chooses a session')
  flag('filters', filters, true)
  return {
    name: 'proxy',
    afterNewEndpoint(endpoint) {
      if (call !== undefined) endpoint.setUnknownCall((body, ctx) => forwardCall(call, filters, body, ctx as CallContext))
      if (push !== undefined) endpoint.setUnknownPush((body, ctx) => forwardPush(push, filters, body, ctx as PushContext))
    },
  }
}

async function forwardCall(
  choose: ProxyTarget<CallForwarder>,
  filters: boolean,
  body: Uint8Array,
  ctx: CallContext,
): Promise<Uint8Array | undefined> {
  const label = labelOf(ctx)
  const target = await chosen(choose, label)
  try {
    const options = { ...optionsOf(ctx, label, body, filters), signal: ctx.signal, result: bytes }
    const reply = await target.callReply<Uint8Array>(ctx.serviceMethod, body, options)
    copyMeta(reply.meta, ctx)
    if (reply.codec !== 0) ctx.setCodec(reply.codec)
    return reply.body
  } catch (error) {
    if (error instanceof StatusError) copyMeta(replyMeta(error), ctx)
    throw asGateway(error)
  }
}

async function forwardPush(choose: ProxyTarget<PushForwarder>, filters: boolean, body: Uint8Array, ctx: PushContext): Promise<void> {
  const label = labelOf(ctx)
  const target = await chosen(choose, label)
  try {
    await target.push(ctx.serviceMethod, body, optionsOf(ctx, label, body, filters))
  } catch (error) {
    throw asGateway(error)
  }
}

function labelOf(ctx: PushContext): ProxyLabel {
  return { sessionId: ctx.session.id, realIp: ctx.meta['X-Real-IP'] || ctx.session.remoteAddress, serviceMethod: ctx.serviceMethod }
}

async function chosen<Forwarder>(choose: ProxyTarget<Forwarder>, label: ProxyLabel): Promise<Forwarder> {
  const target = await choose(label)
  if (target === undefined) throw badGateway('no target to forward to')
  return target
}

function optionsOf(ctx: PushContext, label: ProxyLabel, body: Uint8Array, filters: boolean): PushOptions {
  // With the name of another codec the bytes would mean something else.
  if (ctx.codec === '' && body.length > 0) throw badMessage('the codec of a body to forward is unknown here')
  return {
    meta: { ...ctx.meta, 'X-Real-IP': label.realIp },
    forwarded: true,
    ...(ctx.codec !== '' && { codec: ctx.codec }),
    ...(filters && ctx.filters.length > 0 && { filters: ctx.filters }),
  }
}

function copyMeta(meta: Readonly<Record<string, string>>, ctx: CallContext): void {
  for (const key of Object.keys(meta)) ctx.setMeta(key, meta[key])
}

/**
 * Turns failures of the target's connection into a 502, because they are the gateway's and not the caller's. Makes a
 * new error, because the old one may be shared (docs/spec/go-defects.md H14).
 */
function asGateway(error: unknown): unknown {
  return error instanceof StatusError && error.code >= 100 && error.code < 200 ? badGateway(error.cause) : error
}

function badGateway(cause: string): StatusError {
  return new StatusError(Code.BadGateway, statusText(Code.BadGateway), cause, { stack: false })
}
