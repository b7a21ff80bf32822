import { marked } from '../mark.ts'
import { reasonOf, textOf } from './error-text.ts'

/** Status codes (docs/spec/behaviour.md#status-codes). Below 1000 belongs to the framework; applications use numbers above 1000. */
export const Code = {
  /** Text for every code without one of its own. */
  UnknownError: -1,
  Ok: 0,
  /** An operation outside the phase of a session that allows it. */
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
  /** Local only, never sent. */
  MessageTypeNotAllowed: 405,
  /** Ours: the deadline passed here. Go defines the code and never produces it. */
  HandleTimeout: 408,
  /** Default of the securebody plugin. Go has no text for it (docs/spec/go-defects.md P8). */
  Conflict: 409,
  /** Ours: the peer already runs as many of our calls as it allows. */
  TooManyRequests: 429,
  /** Ours: the caller's AbortSignal fired. */
  Canceled: 499,
  /** The handler threw something that is not a StatusError. */
  InternalServerError: 500,
  BadGateway: 502,
  /** Ours: shutting down or overloaded. */
  ServiceUnavailable: 503,
} as const
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

/** Most UTF-16 units of a stranger's text put into a cause: a status has 64 KiB on the wire, and one unit may take 6 bytes there. */
const MAX_EXPOSED = 8192

/**
 * How a call fails, and what a handler throws to fail one. `code`, `message` and `cause` travel to the other side.
 *
 * `instanceof` knows those of another copy of this package too. A handler must not throw code 0, which means success: `toStatusError` makes it a 500.
 */
export class StatusError extends Error {
  readonly code: number
  /** Text of the underlying error, '' when there is none. A string here, unlike in other errors, because it travels. */
  override readonly cause: string
  /** Milliseconds after which the call may be made again: it was refused before it began. Undefined: it may have had effects. */
  declare readonly retryAfter?: number | undefined

  /**
   * @param code an int32; own codes start above 1000
   * @param message default: `statusText(code)`
   * @param options.stack false leaves `stack` without frames, several times cheaper; default true
   * @param options.retryAfter see the field of this name
   * @throws TypeError when code is no number, RangeError when it is no int32
   */
  constructor(
    code: number,
    message: string = statusText(code),
    cause = '',
    options?: { stack?: boolean | undefined; retryAfter?: number | undefined },
  ) {
    checkCode(code)
    const text = typeof message === 'string' ? message : textOf(message)
    const limit = Error.stackTraceLimit
    const bare = options?.stack === false && limit !== 0 && setStackTraceLimit(0)
    super(text)
    if (bare) setStackTraceLimit(limit)
    this.code = code | 0
    // Callers without types often pass an Error here; on the wire a Go peer could read nothing but a string.
    this.cause = typeof cause === 'string' ? cause : textOf(cause)
    if (options?.retryAfter !== undefined) this.retryAfter = options.retryAfter
  }

  static {
    Object.defineProperty(StatusError.prototype, 'name', { value: 'StatusError', writable: true, configurable: true })
    marked(StatusError, 'StatusError')
  }
}

/** Most UTF-16 units of a parser's complaint put into a cause, since it may quote the peer. */
const MAX_COMPLAINT = 512

/** The 400 of bytes that cannot be read, or that break a limit. Without a stack: a peer may ask for many. */
export function badMessage(cause: string): StatusError {
  return new StatusError(Code.BadMessage, statusText(Code.BadMessage), cause.slice(0, MAX_COMPLAINT), { stack: false })
}

/**
 * What to tell the peer about anything thrown. Never throws, whatever it is given.
 * @param expose put the text of a foreign error into `cause` of the 500; otherwise nothing of it leaves this process
 */
export function toStatusError(thrown: unknown, expose: boolean): StatusError {
  let misuse = ''
  try {
    // The types are looked at again because a subclass or a caller without types may have changed them.
    if (thrown instanceof StatusError && typeof thrown.message === 'string' && typeof thrown.cause === 'string') {
      if (thrown.code !== 0 && isInt32(thrown.code)) return thrown
      misuse = `a handler threw a StatusError with code ${thrown.code}`
    }
  } catch {
    // A Proxy or a getter that throws: it is no StatusError of ours.
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

/** False where Error is frozen (`--frozen-intrinsics`): then a stack is taken, which is slower and harmless. */
function setStackTraceLimit(limit: number): boolean {
  return Reflect.set(Error, 'stackTraceLimit', limit)
}
