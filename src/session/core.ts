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

/** How the body of a request is encoded and filtered. */
export interface RequestEncoding {
  readonly codec: Codec
  readonly filters: readonly Filter[] | undefined
  /** Type of the body, for codecs that need one. */
  readonly type: BodyType | undefined
  /**
   * Whether the request is forwarded. Its method was chosen by a peer and is not added to this process's name table.
   */
  readonly forwarded: boolean
}

/** The calls of a session as its other parts see them. `OutgoingCalls` implements it. */
export interface Calls extends CallOwner {
  nextSeq(): number
  /**
   * Makes a call that was queued.
   *
   * @param left milliseconds until its deadline, 0 for none
   */
  makeCall(request: CallRequest, left: number): void
  push(method: string, arg: unknown, options: PushOptions | undefined): Promise<void>
  /** Marks the call with this key as settled: the peer may forget its reply. */
  closeKey(key: number): void
  /**
   * Encodes and sends a CALL or PUSH.
   *
   * @param meta JSON, '' for none
   * @returns undefined when it was sent at once
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
  /** Whether the call still waits for its reply. False after its deadline, its signal, or the end of the session. */
  isPending(call: PendingCall): boolean
  settle(call: PendingCall, failure: StatusError | undefined, body: unknown, meta: Meta, codec: number): void
  /**
   * Checks that a PUSH may still be sent that hooks delayed since `link` was the session's link.
   *
   * @throws StatusError 102 when it may not
   */
  requireSendable(link: PeerLink): void
  /**
   * Sends a message of dmicro itself to a reserved route.
   *
   * @throws (or rejects) TypeError for an unknown filter, and what filters throw
   */
  sendReserved(
    type: number,
    seq: number,
    route: number,
    body: unknown,
    filters: readonly string[],
    meta?: Readonly<Record<string, string>>,
  ): SendResult | Promise<SendResult>
  /** Makes a CALL of dmicro itself, which no hook sees. */
  callReserved(
    route: number,
    body: unknown,
    filters: readonly string[],
    resolve: (body: unknown) => void,
    reject: (error: unknown) => void,
  ): void
}

/** A session as its parts see it. `SessionEngine` implements it. */
export interface SessionCore {
  readonly settings: Settings
  readonly hooks: MessageHooks
  readonly wheel: TimerWheel
  readonly redial: Redial | undefined
  /**
   * Whether dmicro's extensions can be used: the protocol carries meta and pushes in both directions, and the option is
   * on.
   */
  readonly extensible: boolean
  /** The session as users and hooks see it. */
  readonly session: CtxSession
  readonly state: SessionState
  /** Link of the current connection, or of the last one. */
  readonly link: PeerLink
  readonly calls: Calls
  /** Whether requests of the peer are accepted. False once this side notified the peer that it closes. */
  readonly accepting: boolean
  /** Whether this side is closing while its handlers run, which may still call the peer. */
  readonly finishing: boolean
  /** Whether handlers run, calls are open, or messages wait for hooks or filters. */
  readonly busy: boolean
  /** Checks whether a close that waits may go on: something has finished. */
  checkIdle(): void
  /** Starts held requests if it is possible now. */
  onRoom(): void
  /** Emits an event. An exception of a listener is logged. */
  emitSafely<Name extends keyof SessionEvents>(name: Name, ...args: SessionEvents[Name]): void
  /** Closes the session: there will be no further connection. */
  abandonReconnect(reason: number, detail: string): void
  destroy(cause?: string): void
}

/**
 * Reads the encoding options of one call or push.
 *
 * @throws TypeError that names the option
 */
export function readEncoding(settings: Settings, options: CallOptions | PushOptions): RequestEncoding {
  const { filters: names, arg: type, forwarded } = options
  const codec = codecNamed(settings, options.codec, 'codec')
  const filters = names === undefined ? undefined : settings.filters.append(undefined, names, settings.limits.maxFilters)
  return { codec, filters, type, forwarded: forwarded === true }
}

/**
 * Finds a codec by name; undefined gives the default codec.
 *
 * @throws TypeError that names the option
 */
export function codecNamed({ codec, codecs }: Settings, name: string | undefined, option: string): Codec {
  return name === undefined ? codec : codecs.named(name, `option ${option}: `)
}

const defaults = new WeakMap<Settings, RequestEncoding>()

/** Encoding of a call or push without options; one object for all sessions of an endpoint. */
export function defaultEncoding(settings: Settings): RequestEncoding {
  let encoding = defaults.get(settings)
  if (encoding === undefined) {
    encoding = { codec: settings.codec, filters: undefined, type: undefined, forwarded: false }
    defaults.set(settings, encoding)
  }
  return encoding
}
