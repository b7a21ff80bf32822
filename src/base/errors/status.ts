import { marked } from '../mark.ts'
import { reasonOf, textOf } from './error-text.ts'

/**
 * Status codes (docs/spec/behaviour.md#status-codes). Codes below 1000 belong to the framework, applications use
 * numbers above 1000.
 */
export const Code = {
  /** A failure without a code of its own. */
  UnknownError: -1,
  Ok: 0,
  /** The operation is not allowed in this phase of the session, or on this transport. */
  InvalidOperation: 1,
  WrongConnection: 100,
  /** The session is closed, or closed before the reply came. */
  ConnectionClosed: 102,
  /** The message could not be sent: too large, or the peer does not read. */
  WriteFailed: 104,
  DialFailed: 105,
  /** The peer could not decode the message. */
  BadMessage: 400,
  Unauthorized: 401,
  /** No handler has this name. */
  NotFound: 404,
  /** The message has a type that is not allowed here. Local only, never sent. */
  MessageTypeNotAllowed: 405,
  /** The deadline of the call passed. Go defines the code and never produces it. */
  HandleTimeout: 408,
  /**
   * The peer's messages break the rules of a plugin: the default of `secureBody`. Go has no text for it
   * (docs/spec/go-defects.md P8).
   */
  Conflict: 409,
  /** The peer already runs as many of our calls as it allows. Go does not have this code. */
  TooManyRequests: 429,
  /** The caller's AbortSignal fired. Go does not have this code. */
  Canceled: 499,
  /** The handler threw something that is not a StatusError. */
  InternalServerError: 500,
  BadGateway: 502,
  /** The callee is shutting down or overloaded. Go does not have this code. */
  ServiceUnavailable: 503,
} as const
/** Any of the codes of `Code`. */
export type Code = (typeof Code)[keyof typeof Code]

const unknownText = 'Unknown Error'
const texts = new Map<number, string>([
  [Code.UnknownError, unknownText],
  [Code.Ok, ''],
  [Code.InvalidOperation, 'Invalid Operation'],
  [Code.WrongConnection, 'Wrong Connection'],
  [Code.ConnectionClosed, 'Connection Closed'],
  [Code.WriteFailed, 'Write Failed'],
  [Code.DialFailed, 'Dial Failed'],
  [Code.BadMessage, 'Bad Message'],
  [Code.Unauthorized, 'Unauthorized'],
  [Code.NotFound, 'Not Found'],
  [Code.MessageTypeNotAllowed, 'Message Type Not Allowed'],
  [Code.HandleTimeout, 'Handle Timeout'],
  [Code.Conflict, 'Conflict'],
  [Code.TooManyRequests, 'Too Many Requests'],
  [Code.Canceled, 'Canceled'],
  [Code.InternalServerError, 'Internal Server Error'],
  [Code.BadGateway, 'Bad Gateway'],
  [Code.ServiceUnavailable, 'Service Unavailable'],
])

/** The framework's text for `code`: '' for 0, 'Unknown Error' for a code it does not know. */
export function statusText(code: number): string {
  return texts.get(code) ?? unknownText
}

/**
 * Most UTF-16 units of a foreign error's text that are put into a cause: a status has 64 KiB on the wire, and one unit
 * may take 6 bytes there.
 */
const MAX_EXPOSED = 8192

/**
 * The error of a call that fails, and what a handler throws to fail a call. `code`, `message` and `cause` are sent to
 * the peer.
 *
 * `instanceof` accepts instances of another copy of this package too. A handler must not throw code 0, which means
 * success: `toStatusError` makes it a 500.
 */
export class StatusError extends Error {
  /** An int32 of `Code` or of the application; 0 never reaches a caller. */
  readonly code: number
  /**
   * Text of the underlying error, '' when there is none. A string, unlike the cause of other errors, because it is sent
   * to the peer.
   */
  override readonly cause: string
  /**
   * Milliseconds after which the call may be retried: the callee refused it before its handler started. Undefined when
   * the call may have had effects.
   */
  declare readonly retryAfter?: number | undefined
  /**
   * True when nothing of the message was sent and another connection may accept it: there was none, it was lost, or its
   * peer does not read. Undefined when the peer may have received the message, and on errors that came from the peer.
   * For an idempotent call that was retried it is about the last attempt.
   */
  declare readonly unsent?: true | undefined

  /**
   * @param code an int32; an application's own codes start above 1000
   * @param message default: `statusText(code)`
   * @param cause text of the underlying error; default ''
   * @param options.stack false leaves `stack` without frames, several times cheaper; default true
   * @param options.retryAfter milliseconds, see the field of this name; default undefined
   * @param options.unsent see the field of this name; default undefined
   * @throws TypeError when `code` is no number
   * @throws RangeError when `code` is no int32
   */
  constructor(
    code: number,
    message: string = statusText(code),
    cause = '',
    options?: { stack?: boolean | undefined; retryAfter?: number | undefined; unsent?: true | undefined },
  ) {
    checkCode(code)
    const text = typeof message === 'string' ? message : textOf(message)
    const limit = Error.stackTraceLimit
    const bare = options?.stack === false && limit !== 0 && setStackTraceLimit(0)
    super(text)
    if (bare) setStackTraceLimit(limit)
    this.code = code | 0
    // Callers without types often pass an Error here; a Go peer can read nothing but a string.
    this.cause = typeof cause === 'string' ? cause : textOf(cause)
    if (options?.retryAfter !== undefined) this.retryAfter = options.retryAfter
    if (options?.unsent !== undefined) this.unsent = options.unsent
  }

  static {
    Object.defineProperty(StatusError.prototype, 'name', { value: 'StatusError', writable: true, configurable: true })
    marked(StatusError, 'StatusError')
  }
}

/** Most UTF-16 units of a parser's message that are put into a cause, since the message may quote the peer's bytes. */
const MAX_COMPLAINT = 512

/**
 * A status 400 for bytes that cannot be read, or that break a limit. Made without a stack, because a peer can cause
 * many of them.
 */
export function badMessage(cause: string): StatusError {
  return new StatusError(Code.BadMessage, statusText(Code.BadMessage), cause.slice(0, MAX_COMPLAINT), { stack: false })
}

/**
 * The status that is sent to the peer for a thrown value. Never throws.
 * @param expose put the text of a foreign error into `cause` of the 500; otherwise nothing of it leaves this process
 */
export function toStatusError(thrown: unknown, expose: boolean): StatusError {
  let misuse = ''
  try {
    // The types are checked again because a subclass or a caller without types may have changed them.
    if (thrown instanceof StatusError && typeof thrown.message === 'string' && typeof thrown.cause === 'string') {
      if (thrown.code !== 0 && isInt32(thrown.code)) return thrown
      misuse = `a handler threw a StatusError with code ${thrown.code}`
    }
  } catch {
    // A Proxy or a getter that throws: not a StatusError of this package.
  }
  const cause = expose ? misuse || reasonOf(thrown).slice(0, MAX_EXPOSED) : ''
  return new StatusError(Code.InternalServerError, statusText(Code.InternalServerError), cause, { stack: false })
}

function isInt32(code: unknown): boolean {
  return typeof code === 'number' && (code | 0) === code
}

function checkCode(code: number): void {
  if (isInt32(code)) return
  if (typeof code !== 'number') throw new TypeError(`status code must be a number, got ${typeof code}`)
  throw new RangeError(`status code must be an int32, got ${code}`)
}

/**
 * Sets `Error.stackTraceLimit`. Returns false where Error is frozen (`--frozen-intrinsics`): then a stack is captured,
 * which is slower and harmless.
 */
function setStackTraceLimit(limit: number): boolean {
  return Reflect.set(Error, 'stackTraceLimit', limit)
}
