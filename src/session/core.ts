import type { StatusError } from '../base/errors/status.ts'
import type { TimerWheel } from '../base/time/timer-wheel.ts'
import type { Codec } from '../codecs/codec.ts'
import type { MessageHooks } from '../hooks/hooks.ts'
import type { CtxSession } from '../hooks/session-views.ts'
import type { CallOptions, PushOptions } from '../message/call-options.ts'
import type { Filter } from '../message/filter.ts'
import type { MessageType as BodyType } from '../message/message-type.ts'
import type { Meta } from '../message/meta.ts'
import type { SendResult } from '../transports/transport.ts'
import type { Settings } from './options.ts'
import type { PeerLink } from './peer-link.ts'
import type { CallOwner, CallRequest, PendingCall } from './pending-call.ts'
import type { Redial } from './redial.ts'
import type { SessionEvents } from './session-events.ts'
import type { SessionState } from './state.ts'

/** How the body of a request is made, and what it goes through. */
export interface RequestEncoding {
  readonly codec: Codec
  readonly filters: readonly Filter[] | undefined
  /** Type of the body, for codecs that need one. */
  readonly type: BodyType | undefined
  /** The method is a peer's word: its name is not kept in this process's table. */
  readonly forwarded: boolean
}

/** What the parts of a session ask of its calls. `OutgoingCalls` is it. */
export interface Calls extends CallOwner {
  nextSeq(): number
  /** Makes a call that has waited. @param left milliseconds of its deadline, 0 for none */
  makeCall(request: CallRequest, left: number): void
  push(method: string, arg: unknown, options: PushOptions | undefined): Promise<void>
  /** The call with this key is settled: the peer may forget it. */
  closeKey(key: number): void
  /**
   * Encodes and sends a CALL or PUSH. Undefined when that was done at once.
   *
   * @param meta JSON, '' for none
   * @throws (or rejects) StatusError 102 or 104, or what codec and filters throw
   */
  send(
    type: number,
    seq: number,
    method: string,
    meta: string,
    arg: unknown,
    encoding: RequestEncoding,
    call?: PendingCall,
  ): Promise<void> | undefined
  /** False once the call ended without its reply: its deadline, its signal, or the session's end. */
  isPending(call: PendingCall): boolean
  settle(call: PendingCall, failure: StatusError | undefined, body: unknown, meta: Meta, codec: number): void
  /** @throws StatusError 102 unless a PUSH that hooks kept since `link` was there may still be sent */
  requireSendable(link: PeerLink): void
  /**
   * Sends a message of our own to a reserved route.
   *
   * @throws (or rejects) TypeError for a filter that is unknown here, and what filters throw
   */
  sendReserved(
    type: number,
    seq: number,
    route: number,
    body: unknown,
    filters: readonly string[],
    meta?: Readonly<Record<string, string>>,
  ): SendResult | Promise<SendResult>
  /** Makes a CALL of our own, which no hook sees. */
  callReserved(
    route: number,
    body: unknown,
    filters: readonly string[],
    resolve: (body: unknown) => void,
    reject: (error: unknown) => void,
  ): void
}

/** What the parts of a session ask of it. `SessionEngine` is it. */
export interface SessionCore {
  readonly settings: Settings
  readonly hooks: MessageHooks
  readonly wheel: TimerWheel
  readonly redial: Redial | undefined
  /** Its protocol carries meta, and pushes both ways, and extensions are not switched off. */
  readonly extensible: boolean
  /** As users and their hooks see it. */
  readonly session: CtxSession
  readonly state: SessionState
  /** The connection that it has now, or had last. */
  readonly link: PeerLink
  readonly calls: Calls
  /** False once this side gave notice that it closes: new calls are refused. */
  readonly accepting: boolean
  /** This side closes, and its handlers that still run may need the peer. */
  readonly finishing: boolean
  /** Handlers run, calls are open, or messages are on their way to the connection. */
  readonly busy: boolean
  /** Something is done that a close may wait for. */
  checkIdle(): void
  /** What waits here may perhaps be started. */
  onRoom(): void
  /** Emits an event. A listener that throws is logged. */
  emitSafely<Name extends keyof SessionEvents>(name: Name, ...args: SessionEvents[Name]): void
  /** No connection comes any more: it closes. */
  abandonReconnect(reason: number, detail: string): void
  destroy(cause?: string): void
}

/** @param options of one call or push @throws TypeError that names the option */
export function readEncoding(settings: Settings, options: CallOptions | PushOptions): RequestEncoding {
  const { filters: names, arg: type, forwarded } = options
  const codec = codecNamed(settings, options.codec, 'codec')
  const filters = names === undefined ? undefined : settings.filters.append(undefined, names, settings.limits.maxFilters)
  return { codec, filters, type, forwarded: forwarded === true }
}

/** @throws TypeError that names the option */
export function codecNamed({ codec, codecs }: Settings, name: string | undefined, option: string): Codec {
  if (name === undefined) return codec
  const named = codecs.byName(name)
  if (named === undefined) throw new TypeError(`option ${option}: no codec is named ${JSON.stringify(name)}`)
  return named
}
