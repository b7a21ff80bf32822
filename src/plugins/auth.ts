import { nodeCrypto } from '../base/builtin.ts'
import { duration, requireMeta, requireNames, requireOptions, requireText } from '../base/check-options.ts'
import { Code, StatusError, statusText, toStatusError } from '../base/errors/status.ts'
import type { Plugin } from '../hooks/plugin.ts'
import type { EarlyMessage, EarlySession } from '../hooks/session-views.ts'
import { MessageType } from '../message/message.ts'

/** The view of a session whose peer is not authenticated yet. */
export type AuthSession = Pick<EarlySession, 'id' | 'setId' | 'localAddress' | 'remoteAddress' | 'protocol' | 'data'>

/** Options of `authBearer` and `authChecker`. */
export interface AuthOptions {
  /**
   * Name of the codec of what is sent. The two sides of a connection may use different ones. Default: the endpoint's
   * codec.
   */
  codec?: string | undefined
  /** String values to send beside it. Default: none. */
  meta?: Readonly<Record<string, string>> | undefined
  /** Names of transfer filters for it, outermost first. Default: none. */
  filters?: readonly string[] | undefined
  /**
   * Milliseconds to wait for the other side's message; Go waits forever (docs/spec/go-defects.md W20). The whole
   * exchange must end within the endpoint's `hookTimeout`. Default: the endpoint's `limits.frameTimeout`.
   */
  timeout?: number | undefined
}

/**
 * Sends the credentials and resolves to the checker's answer. May be called once.
 *
 * @throws StatusError (rejects) the checker's refusal; 104 for a second call
 */
export type SendOnce = (info: unknown) => Promise<unknown>
/**
 * Resolves to the credentials that the dialling side sent. May be called once.
 *
 * @throws StatusError (rejects) 102 when none arrive in time, 500 for a second call
 */
export type ReceiveOnce = () => Promise<unknown>

/**
 * Authenticates the sessions that an endpoint dials (docs/spec/plugins.md#auth). `send` runs before anything else and
 * calls `sendOnce` with the credentials. When it throws, the session closes and `dial` rejects with the checker's own
 * status; Go has a 105 there.
 *
 * @example
 * new Endpoint({ plugins: [authBearer((session, sendOnce) => sendOnce(token))] })
 */
export function authBearer(send: (session: AuthSession, sendOnce: SendOnce) => unknown, options: AuthOptions = {}): Plugin {
  requireFunction('authBearer', send)
  const { timeout, ...settings } = checked(options)
  return {
    name: 'auth-bearer',
    async afterDial(session) {
      let sent = false
      await send(session, async (info) => {
        if (sent) throw misuse(Code.WriteFailed, 'auth-bearer', 'SendOnce')
        sent = true
        await session.earlySend(MessageType.AuthCall, '', info, settings)
        return bodyOf(await session.earlyReceive({ timeout, type: MessageType.AuthReply }), MessageType.AuthReply)
      })
    },
  }
}

/**
 * Accepts only peers that `check` accepts (docs/spec/plugins.md#auth); none of their calls is handled before. What
 * `check` returns is sent to the peer. When it throws, best a StatusError, that is sent and the session closes; the
 * peer gets another error as a bare 500.
 *
 * @example
 * authChecker(async (session, receiveOnce) => {
 *   if (!constantTimeEqual(await receiveOnce(), secret)) throw new StatusError(403, 'auth fail')
 *   return 'pass'
 * })
 */
export function authChecker(check: (session: AuthSession, receiveOnce: ReceiveOnce) => unknown, options: AuthOptions = {}): Plugin {
  requireFunction('authChecker', check)
  const { timeout, ...settings } = checked(options)
  return {
    name: 'auth-checker',
    async afterAccept(session) {
      let received = false
      const receiveOnce = async (): Promise<unknown> => {
        if (received) throw misuse(Code.InternalServerError, 'auth-checker', 'ReCvOnce')
        received = true
        return bodyOf(await session.earlyReceive({ timeout, type: MessageType.AuthCall }), MessageType.AuthCall)
      }
      let result: unknown
      try {
        result = await check(session, receiveOnce)
      } catch (error) {
        const status = toStatusError(error, false)
        // A failure says only that the peer is gone.
        await session.earlySend(MessageType.AuthReply, '', undefined, { ...settings, status }).catch(() => {})
        throw error
      }
      await session.earlySend(MessageType.AuthReply, '', result, settings)
    },
  }
}

/**
 * Compares two secrets, texts or bytes, in a time that reveals neither where they differ nor how long they are. A value
 * that is neither text nor bytes equals nothing, so a value from a peer may be passed unchecked.
 */
export function constantTimeEqual(a: unknown, b: unknown): boolean {
  if (!isSecret(a) || !isSecret(b)) return false
  const { createHash, timingSafeEqual } = nodeCrypto()
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest())
}

function isSecret(value: unknown): value is string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array
}

/**
 * Returns the body of an authentication message. As in Go, its status is checked before its type.
 *
 * @throws StatusError the message's status, or 401 for another type
 */
function bodyOf(message: EarlyMessage, expected: number): unknown {
  if (message.status !== undefined) throw message.status
  if (message.type === expected) return message.body
  const cause = `auth message(1st) expect: ${typeNames[expected]}, but received: ${typeNames[message.type] ?? 'Undefined'}`
  throw new StatusError(Code.Unauthorized, statusText(Code.Unauthorized), cause, { stack: false })
}

const typeNames = ['Undefined', 'CALL', 'REPLY', 'PUSH', 'AUTH_CALL', 'AUTH_REPLY']

function misuse(code: number, plugin: string, what: string): StatusError {
  return new StatusError(code, `${plugin} plugin usage is incorrect`, `multiple call ${what} function`)
}

const known: ReadonlySet<string> = new Set(['codec', 'meta', 'filters', 'timeout'])

/**
 * Checks the options.
 *
 * @throws TypeError or RangeError that names the option
 */
function checked(options: AuthOptions): AuthOptions {
  requireOptions('options', options, known)
  duration('timeout', options.timeout, 1, 1)
  requireText('codec', options.codec)
  requireMeta('meta', options.meta)
  requireNames('filters', options.filters)
  return options
}

function requireFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`${name} needs a function`)
}
