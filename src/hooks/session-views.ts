import type { X509Certificate } from 'node:crypto'
import type { StatusError } from '../base/errors/status.ts'
import type { CallOptions, PushOptions, TypedCallOptions } from '../message/call-options.ts'
import type { MessageType } from '../message/message.ts'
import type { Meta } from '../message/meta.ts'
import type { Reply } from '../message/reply.ts'
import type { UpgradeRequest } from '../protos/websocket/upgrade-request.ts'
import type { SessionSocket } from './session-socket.ts'

/**
 * The view of a session that is always available (docs/spec/behaviour.md#session). It is all that a hook sees of a
 * session that is closed.
 */
export interface BaseSession {
  /** Id of the session, unique in its endpoint. */
  readonly id: string
  /** Address of this side: `host:port`, or the path of a Unix socket. */
  readonly localAddress: string
  /** Address of the peer: `host:port`, or the path of a Unix socket (`@` when it has none). */
  readonly remoteAddress: string
  /** Name of the protocol, such as 'raw'. */
  readonly protocol: string
  /** The HTTP request of a WebSocket that was accepted: its path, query and headers; undefined for other sessions. */
  readonly request: UpgradeRequest | undefined
  /** The application's own data about this session, empty at first. Go's `Swap`. */
  readonly data: Map<unknown, unknown>
  /** The socket of the session's connection, to inspect and to configure. */
  readonly socket: SessionSocket
  /**
   * Certificate that the peer has shown by TLS; undefined without TLS, and for a client that was not asked
   * (`requestCert` of the listener) or has none. With `rejectUnauthorized: false` it may be invalid: see `authorized`.
   */
  readonly peerCertificate: X509Certificate | undefined
  /** Whether TLS found the peer's certificate valid. */
  readonly authorized: boolean
  /** Protocol that was agreed upon by TLS (ALPN); undefined for none. */
  readonly alpn: string | undefined
}

/** The view of a session that runs, as hooks see it. */
export interface CtxSession extends BaseSession {
  /** Whether calls and pushes may be made: the session is in state `open`. Go's `Health`. */
  readonly isOpen: boolean
  /** Maximum lifetime of the session in milliseconds; 0 means unlimited. */
  readonly age: number
  /** Milliseconds that a handler of the peer's requests may run; 0 means no limit. */
  readonly handlerTimeout: number
  /** Calls `method` of the peer; as `Session.call`. */
  call<T>(method: string, arg: unknown, options: TypedCallOptions<T>): Promise<T>
  /** Calls `method` of the peer; as `Session.call`. */
  call<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<T>
  /** Calls `method` of the peer and resolves to the reply's body, meta and codec; as `Session.callReply`. */
  callReply<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<Reply<T>>
  /** Sends a message without an answer; as `Session.push`. */
  push(method: string, arg?: unknown, options?: PushOptions): Promise<void>
  /** Sequence number of the CALL or PUSH that this side sent last. */
  readonly lastSeq: number
  /**
   * Counter of the peer's activity. It changes when bytes of the peer arrive, even part of a message, and when the peer
   * takes bytes that had to wait for it. NaN while this side does not read the session; NaN is never equal to itself.
   */
  readonly activity: number
  /**
   * Closes the session at once.
   *
   * @param cause text for open calls and the log; default: that this side closed the session
   */
  destroy(cause?: string): void
}

/** Options of one early message. */
export interface EarlyOptions {
  /** String values that travel beside the body. Default: none. */
  meta?: Readonly<Record<string, string>> | undefined
  /** Name of the body's codec. Default: the endpoint's. */
  codec?: string | undefined
  /** Names of transfer filters, outermost first. Default: none. */
  filters?: readonly string[] | undefined
  /** Status to send with the message. Default: none, which means OK. */
  status?: StatusError | undefined
}

/** A message received before the session runs. */
export interface EarlyMessage {
  /** Type of the message. */
  readonly type: MessageType
  /** Sequence number of the message; a REPLY has that of its CALL. */
  readonly seq: number
  /** Service method; '' for authentication messages. */
  readonly serviceMethod: string
  /** Status of the message; undefined when OK. */
  readonly status: StatusError | undefined
  /** Meta of the message: string values by key. */
  readonly meta: Meta
  /** Name of the body's codec; '' for none. */
  readonly codec: string
  /** The body, decoded by its codec. */
  readonly body: unknown
}

/**
 * A session that has a connection and does not run yet, as `afterAccept` and `afterDial` see it
 * (docs/spec/behaviour.md#early-phase). Hooks do not see what is sent and received here. Once the hooks are done each
 * early method fails with status 1.
 */
export interface EarlySession extends BaseSession {
  /** Sets the id. Another session of the endpoint that has this id is closed, as in Go. */
  setId(id: string): void
  /**
   * Sends one message. Resolves when it is queued.
   *
   * @throws StatusError (rejects) 1 once the session runs, 102 when the connection is lost, 104 when the message
   *   cannot be sent
   */
  earlySend(type: MessageType, method: string, body: unknown, options?: EarlyOptions): Promise<void>
  /**
   * Receives the next message, of any type.
   *
   * @param options.timeout milliseconds; default: the endpoint's `limits.frameTimeout`
   * @param options.type the expected type: the body of a message of another type is dropped, not decoded
   * @throws StatusError (rejects) 102 when no message arrives in time, the connection is lost, or the body cannot be
   *   decoded
   */
  earlyReceive(options?: { timeout?: number | undefined; type?: MessageType | undefined }): Promise<EarlyMessage>
  /**
   * Sends a CALL and resolves to the body of its REPLY.
   *
   * @throws StatusError (rejects) the status of the REPLY, or as `earlySend` and `earlyReceive`
   */
  earlyCall(method: string, arg?: unknown, options?: EarlyOptions): Promise<unknown>
  /**
   * Sends the REPLY to a CALL that `earlyReceive` returned. Resolves when it is queued.
   *
   * @throws StatusError (rejects) as `earlySend`
   */
  earlyReply(request: EarlyMessage, body: unknown, options?: EarlyOptions): Promise<void>
  /** Maximum lifetime of the session in milliseconds; 0 means unlimited. */
  readonly age: number
  /**
   * Closes the session gracefully this many milliseconds from now; 0 means never. A session with redial reconnects
   * then.
   *
   * @throws RangeError for a bad value
   */
  setAge(ms: number): void
  /** Milliseconds that a handler of the peer's requests may run; 0 means no limit. */
  readonly handlerTimeout: number
  /**
   * Sets how many milliseconds a handler of the peer's requests may run; 0 means no limit. Applies to requests received
   * from now on.
   *
   * @throws RangeError for a bad value
   */
  setHandlerTimeout(ms: number): void
  /**
   * Sends a push that no hook sees, also before the session runs.
   *
   * @throws StatusError (rejects) 102 or 104
   */
  rawPush(method: string, arg?: unknown, options?: PushOptions): Promise<void>
  /** Closes the session at once. */
  destroy(): void
}
