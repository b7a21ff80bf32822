import { nodeCrypto } from '../base/builtin.ts'
import { duration, requireMeta, requireNames, requireOptions, requireText } from '../base/check-options.ts'
import { Code, StatusError, statusText, toStatusError } from '../base/errors/status.ts'
import type { Plugin } from '../hooks/plugin.ts'
import type { EarlyMessage, EarlySession } from '../hooks/session-views.ts'
import { MessageType } from '../message/message.ts'

/** What there is of a session before its peer is known. */
export type AuthSession = Pick<EarlySession, 'id' | 'setId' | 'localAddress' | 'remoteAddress' | 'protocol' | 'data'>

export interface AuthOptions {
  /** Codec of what is sent; default: the endpoint's. Both sides of a connection may differ. */
  codec?: string | undefined
  /** String values that travel beside it. */
  meta?: Readonly<Record<string, string>> | undefined
  /** Names of transfer filters it goes through, outermost first. */
  filters?: readonly string[] | undefined
  /**
   * Milliseconds to wait for the other side's message; default: the endpoint's `limits.frameTimeout`. All of the exchange must end within
   * the endpoint's `hookTimeout`. Go waits for ever (docs/spec/go-defects.md W20).
   */
  timeout?: number | undefined
}

/** Sends what proves who we are and resolves to the checker's answer; what the checker refuses with is thrown. Once only. */
export type SendOnce = (info: unknown) => Promise<unknown>
/** Resolves to what the dialler sent. Once only. */
export type ReceiveOnce = () => Promise<unknown>

/**
 * Authenticates what an endpoint dials (docs/spec/plugins.md#auth): before anything else, `send` gives its `sendOnce` what proves who we are.
 * When it throws, the session closes and `dial` rejects with the checker's own status; Go has a 105 there.
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
 * Lets in only peers that `check` lets in (docs/spec/plugins.md#auth): none of their calls is served before it is done. What it returns is
 * sent to the peer; when it throws, best a StatusError, the peer is told so and the session closes. Anything else than a StatusError
 * reaches the peer as a bare 500.
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
        // The peer may be gone: that says nothing new.
        await session.earlySend(MessageType.AuthReply, '', undefined, { ...settings, status }).catch(() => {})
        throw error
      }
      await session.earlySend(MessageType.AuthReply, '', result, settings)
    },
  }
}

/**
 * Whether two secrets are the same text or bytes, in a time that tells nothing of where they differ, nor of their lengths. What is
 * neither text nor bytes equals nothing, so what a peer sent may be passed as it is.
 */
export function constantTimeEqual(a: unknown, b: unknown): boolean {
  if (!isSecret(a) || !isSecret(b)) return false
  const { createHash, timingSafeEqual } = nodeCrypto()
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest())
}

function isSecret(value: unknown): value is string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array
}

/** Go's order: first a status, then the type. */
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

/** @throws TypeError, RangeError that name the option */
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
