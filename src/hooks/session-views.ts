import type { StatusError } from '../base/errors/status.ts'
import type { CallOptions, PushOptions, TypedCallOptions } from '../message/call-options.ts'
import type { MessageType } from '../message/message.ts'
import type { Meta } from '../message/meta.ts'
import type { Reply } from '../message/reply.ts'
import type { SessionSocket } from './session-socket.ts'

/** What is always there of a session (docs/spec/behaviour.md#session): all that a hook sees of one that is gone. */
export interface BaseSession {
  /** Unique in its endpoint. */
  readonly id: string
  readonly localAddress: string
  readonly remoteAddress: string
  /** Name of the protocol it speaks. */
  readonly protocol: string
  /** The application's own data about this session. */
  readonly data: Map<unknown, unknown>
  /** The socket below it, to look at and to set up. */
  readonly socket: SessionSocket
}

/** A session as hooks see it while it runs. */
export interface CtxSession extends BaseSession {
  /** Calls and pushes may be made. */
  readonly isOpen: boolean
  /** Milliseconds it may live, 0 for no limit. */
  readonly age: number
  /** Milliseconds a handler of its requests may run, 0 for no limit. */
  readonly handlerTimeout: number
  call<T>(method: string, arg: unknown, options: TypedCallOptions<T>): Promise<T>
  call<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<T>
  callReply<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<Reply<T>>
  push(method: string, arg?: unknown, options?: PushOptions): Promise<void>
  /** Changes with every CALL and PUSH that this side sends. */
  readonly lastSeq: number
  /**
   * Changes when bytes of the peer came, if only part of a message, or it took some of ours that waited for it. NaN while this side does not read
   * for reasons of its own: NaN is not equal to itself.
   */
  readonly activity: number
  /** Closes at once. @param cause what open calls and the log are told; default: that this side closed it */
  destroy(cause?: string): void
}

/** What one early message may say. */
export interface EarlyOptions {
  /** String values that travel beside the body. */
  meta?: Readonly<Record<string, string>> | undefined
  /** Name of the body's codec; default: the endpoint's. */
  codec?: string | undefined
  /** Names of transfer filters, outermost first. */
  filters?: readonly string[] | undefined
  status?: StatusError | undefined
}

/** A message received before the session runs. */
export interface EarlyMessage {
  readonly type: MessageType
  readonly seq: number
  readonly serviceMethod: string
  /** Undefined when OK. */
  readonly status: StatusError | undefined
  readonly meta: Meta
  /** Name of the body's codec, '' for none. */
  readonly codec: string
  /** Decoded by its codec. */
  readonly body: unknown
}

/**
 * A session that has its connection and does not run yet, as `afterAccept` and `afterDial` see it (docs/spec/behaviour.md#early-phase). No hook runs for what is sent
 * and received here. Once the hooks are done each of these fails with status 1.
 */
export interface EarlySession extends BaseSession {
  setId(id: string): void
  /** Resolves when the message is queued. */
  earlySend(type: MessageType, method: string, body: unknown, options?: EarlyOptions): Promise<void>
  /**
   * The next message, whatever it is.
   * @param options.timeout milliseconds, default the endpoint's `limits.frameTimeout`
   * @param options.type what is expected: a message of another type comes without its body, which is not even decoded
   * @throws StatusError (rejects) 102 when none comes in time, the connection is lost, or the body cannot be decoded
   */
  earlyReceive(options?: { timeout?: number | undefined; type?: MessageType | undefined }): Promise<EarlyMessage>
  /** Sends a CALL and waits for its REPLY; a failed one is thrown. */
  earlyCall(method: string, arg?: unknown, options?: EarlyOptions): Promise<unknown>
  earlyReply(request: EarlyMessage, body: unknown, options?: EarlyOptions): Promise<void>
  readonly age: number
  /** Closes it gracefully after so many milliseconds from now, 0 for never; a session with redial is dialled anew then. */
  setAge(ms: number): void
  readonly handlerTimeout: number
  /** Milliseconds a handler of its requests may run, 0 for no limit. Counts for what comes from now on. */
  setHandlerTimeout(ms: number): void
  /**
   * Sends a push that no hook sees; also before the session runs.
   * @throws StatusError (rejects): 102 or 104
   */
  rawPush(method: string, arg?: unknown, options?: PushOptions): Promise<void>
  /** Closes at once. */
  destroy(): void
}
