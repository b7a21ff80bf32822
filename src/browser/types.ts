// The types of `dmicro/browser`. They name what is in pages of the types of `dmicro`, and nothing of Node.js, so that a
// project for pages compiles without Node's types.
import type { StatusError } from '../base/errors/status.ts'
import type { Client, ClientOptions, ControllerClient, ServiceOf } from '../contract/types.ts'
import type { MessageType, RouteTypes } from '../message/message-type.ts'
import type { StandardSchemaV1 } from '../message/standard-schema.ts'

export type { MessageType, RouteTypes, StandardSchemaV1 }

/** Meta of a message: string values by key. */
export type Meta = Readonly<Record<string, string>>

/** Options of one push; see `PushOptions` of `dmicro`. */
export interface PushOptions {
  /** String values that are sent beside the body. Default: none. */
  meta?: Meta | undefined
  /** Name of the body's codec. Default: the endpoint's `codec`. */
  codec?: string | undefined
  /** Whether the method was received from a peer and is passed on. Default: false. */
  forwarded?: boolean | undefined
  /** Type of the value sent, for codecs that need one. Default: none. */
  arg?: MessageType | undefined
}

/** Options of one call; see `CallOptions` of `dmicro`. */
export interface CallOptions extends PushOptions {
  /** Milliseconds until the call fails with 408. Default: the endpoint's `timeout`. */
  timeout?: number | undefined
  /** Whether the call may be sent again after a resume: the peer runs it once. Default: false. */
  idempotent?: boolean | undefined
  /** Cancels the call, which fails with 499; a dmicro peer is notified. Default: none. */
  signal?: AbortSignal | undefined
  /** Name of the codec that the reply should have. Default: the choice of the callee. */
  acceptCodec?: string | undefined
  /** Type or schema of the reply's body, or `bytes`. A reply that does not match fails with 400. Default: none. */
  result?: MessageType | StandardSchemaV1 | undefined
}

/** Options of one call whose reply has a type of its own. */
export interface TypedCallOptions<Result> extends CallOptions {
  /** Type or schema of the reply's body, or `bytes`. A reply that does not match fails with 400. */
  result: MessageType<Result> | StandardSchemaV1<unknown, Result>
}

/** A reply with what was sent beside its body. */
export interface Reply<T> {
  /** The decoded body; undefined for an empty one. */
  body: T
  /** Meta of the reply; empty when there is none. */
  meta: Meta
  /** Id of the body's codec; 0 when the peer named none. */
  codec: number
}

/** Pushes that were lost with a connection; see `Gap` of `dmicro`. */
export interface Gap {
  /** Number of PUSHes sent by this side that the peer may not have received. */
  readonly sent: number
  /**
   * Number of the peer's PUSHes that this side did not receive; undefined when the peer does not know the session any
   * more and the number is unknown, perhaps 0.
   */
  readonly received: number | undefined
}

/**
 * State of a session.
 *
 * - `preparing`: hooks about the new connection run.
 * - `open`: calls and pushes may be made in both directions.
 * - `draining`: the peer is closing, or this side will reconnect. Nothing new is sent, and what runs finishes.
 * - `redialing`: the connection is lost, and this side reconnects.
 * - `disconnected`: only sessions that were accepted have it, so none of a page.
 * - `closing`: this side closes, and what runs finishes.
 * - `closed`: the session is closed for good.
 */
export type SessionState = 'preparing' | 'open' | 'draining' | 'redialing' | 'disconnected' | 'closing' | 'closed'

/** Events of a session, with the arguments of their listeners; see `SessionEvents` of `dmicro`. */
export interface SessionEvents {
  /**
   * The session makes no new calls on its connection: the peer announced that it will close, or a session with redial
   * reached its age. `redialing` or `close` follows.
   */
  draining: []
  /**
   * The connection is lost, and this side reconnects. Open calls have failed with 102, except those that are retried
   * after a resume.
   */
  redialing: [reason: StatusError]
  /** This side has reconnected: the session runs again. */
  redialed: []
  /** Pushes were lost with a connection, or may have been. */
  gap: [gap: Gap]
  /**
   * The session is closed for good. The error is the cause; undefined when this side closed the session without one.
   */
  close: [reason: StatusError | undefined]
}

interface Emitter<Events extends { [Name in keyof Events]: unknown[] }> {
  /** Calls `listener` at each event of the name. */
  on<Name extends keyof Events>(event: Name, listener: (...args: Events[Name]) => void): this
  /** Calls `listener` at the next event of the name. */
  once<Name extends keyof Events>(event: Name, listener: (...args: Events[Name]) => void): this
  /** Removes a listener. */
  off<Name extends keyof Events>(event: Name, listener: (...args: Events[Name]) => void): this
}

/** One peer: calls and pushes in both directions, over connections that come and go. */
export interface Session extends Emitter<SessionEvents> {
  /** Id of the session, unique in its endpoint: at first `@`, or `@#` and a number. */
  readonly id: string
  /** Sets the id. Another session of the endpoint that has this id is closed. */
  setId(id: string): void
  /** State of the session; `SessionState` describes each. */
  readonly state: SessionState
  /** Whether calls and pushes may be made: the session is in state `open`. */
  readonly isOpen: boolean
  /** Name of the protocol, such as 'raw'. */
  readonly protocol: string
  /** Address of the peer: `host:port`. */
  readonly remoteAddress: string
  /** Values of the application. */
  readonly data: Map<unknown, unknown>
  /** Number of handlers of the peer's requests that have not settled. */
  readonly running: number
  /** Number of our calls without a reply yet. */
  readonly pendingCalls: number
  /**
   * Calls `method` of the peer and resolves to the reply's body, undefined when that is empty.
   *
   * @throws StatusError (rejects) the peer's status; 102 when the session is closed or loses its connection, 104 when
   *   the message cannot be sent, 400 when the reply cannot be decoded or does not match its schema, 408 at the
   *   deadline, 499 when `signal` fires
   * @throws TypeError or RangeError (rejects) that names a bad option
   */
  call<T>(method: string, arg: unknown, options: TypedCallOptions<T>): Promise<T>
  call<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<T>
  /**
   * Calls `method` of the peer as `call` does, and resolves to the reply's body, meta and codec.
   *
   * @throws StatusError, TypeError or RangeError (rejects) as `call`
   */
  callReply<T>(method: string, arg: unknown, options: TypedCallOptions<T>): Promise<Reply<T>>
  callReply<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<Reply<T>>
  /**
   * Sends a message without an answer. Resolves when it is queued; whether it arrives stays unknown. A rejection that
   * is not handled causes no `unhandledrejection`.
   *
   * @throws StatusError (rejects) 102 when the session is closed or loses its connection, 104 when the message cannot
   *   be sent, 408 when no connection is made in time while it reconnects, 503 while the peer is closing
   * @throws TypeError (rejects) that names a bad option
   */
  push(method: string, arg?: unknown, options?: PushOptions): Promise<void>
  /** The peer's methods as functions: see `client` of `dmicro`. */
  client<Of>(service: ServiceOf<Of>, options?: ClientOptions): Client<Of, CallOptions, PushOptions>
  client<Controller extends object>(prefix: string): ControllerClient<Controller, CallOptions>
  /** Closes gracefully: what runs finishes first, within `timeout` milliseconds. */
  close(options?: { timeout?: number | undefined }): Promise<void>
  /** Closes at once. */
  destroy(cause?: string): void
}

/** The context of a received PUSH, for its handler. */
export interface PushContext {
  /** The session that received the message. */
  readonly session: Session
  /** Service method, such as `/log/add`. */
  readonly serviceMethod: string
  /** Sequence number that the sender gave the message. */
  readonly seq: number
  /** Meta of the message: string values by key. */
  readonly meta: Meta
  /** Name of the body's codec; '' when the message named none. */
  readonly codec: string
  /**
   * Fires when the caller cancels the call, at the caller's deadline, when the handler exceeds the endpoint's
   * `handlerTimeout`, and when the connection is lost. The reason is a StatusError 499, 408 or 102.
   */
  readonly signal: AbortSignal
  /**
   * The caller's deadline, in milliseconds of `performance.now()`. Calls that the handler makes do not inherit it.
   * Undefined when neither the call nor its endpoint set a timeout, the peer is a Go peer, or the handler has settled.
   */
  readonly deadline: number | undefined
}

/** The context of a received CALL, for its handler, which can also set up the reply with it. */
export interface CallContext extends PushContext {
  /**
   * Sets one entry of the reply's meta, which is also sent with errors.
   *
   * @throws TypeError when key or value is no string
   */
  setMeta(key: string, value: string): void
  /**
   * Sets the reply's codec by name or id, whatever the caller asked for.
   *
   * @throws TypeError for an unknown codec
   */
  setCodec(codec: string | number): void
}

/** Handles a CALL: returns the result or a promise of it. */
export type CallHandler<Arg, Result> = (arg: Arg, ctx: CallContext) => Result | Promise<Result>
/** Handles a PUSH. What it throws is logged. */
export type PushHandler<Arg> = (arg: Arg, ctx: PushContext) => unknown

/** Types or schemas of a route's bodies. */
export type RouteOptions<Arg = never, Result = unknown> = RouteTypes<Arg, Result>
