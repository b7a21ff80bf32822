import type { SecureContext, SecureContextOptions } from 'node:tls'
import { isThenable } from '../../base/async/thenable.ts'
import { nodeTls } from '../../base/builtin.ts'
import {
  checkTlsListen,
  contextOptionsOf,
  handshakeTimeoutOf,
  maxHandshakesOf,
  NO_TICKET,
  requireContextOptions,
  type TlsContextOptions,
  type TlsListenOptions,
} from './options.ts'

/** The wishes of a client, before its handshake is answered. */
export interface ClientHello {
  readonly servername: string
  readonly protocols: readonly string[]
}

/** The answer to a `ClientHello`. */
export interface HelloAnswer {
  /** Other keys and certificates; undefined for the listener's own. */
  readonly context: SecureContext | undefined
  /** The protocol that was chosen; undefined when no callback chooses. */
  readonly protocol: string | undefined
}

/** TLS of a listener, as its options say. */
export class ServerTls {
  readonly requestCert: boolean
  readonly rejectUnauthorized: boolean
  readonly protocols: readonly string[]
  readonly handshakeTimeout: number
  readonly maxHandshakes: number
  readonly choosesContext: boolean
  readonly choosesProtocol: boolean
  readonly #options: TlsListenOptions
  /** Options that say keys, certificates and versions, as they were given last. */
  #given: TlsContextOptions
  #context: SecureContextOptions

  /** @throws TypeError or RangeError that names the option; Error for keys and certificates that cannot be read */
  constructor(options: TlsListenOptions | undefined) {
    checkTlsListen(options)
    this.#options = { ...options }
    this.requestCert = options.requestCert ?? false
    this.rejectUnauthorized = options.rejectUnauthorized ?? true
    this.protocols = [...(options.ALPNProtocols ?? [])]
    this.handshakeTimeout = handshakeTimeoutOf(options)
    this.maxHandshakes = maxHandshakesOf(options)
    this.choosesContext = options.SNICallback !== undefined
    this.choosesProtocol = options.ALPNCallback !== undefined
    this.#given = options
    this.#context = this.#read(options)
  }

  /** Options of `tls.createSecureContext`, those of the last `setSecureContext`. */
  get contextOptions(): SecureContextOptions {
    return this.#context
  }

  /**
   * Replaces what `options` name for the handshakes that begin from now on. A key and its certificate replace those
   * before in whichever form they were given.
   *
   * @throws TypeError that names the option; Error for keys and certificates that cannot be read
   */
  setSecureContext(options: TlsContextOptions): void {
    requireContextOptions(options)
    const { key, cert, pfx, passphrase, ...rest } = this.#given
    const keepsOwn = options.key === undefined && options.cert === undefined && options.pfx === undefined
    const given = { ...rest, ...(keepsOwn && { key, cert, pfx, passphrase }), ...options }
    this.#context = this.#read(given)
    this.#given = given
  }

  /**
   * Asks the callbacks. `done` is called once, also when one of them throws or calls back twice.
   *
   * @param done gets an error when the client is refused
   */
  choose(hello: ClientHello, done: (error: Error | undefined, answer?: HelloAnswer) => void): void {
    let open = true
    const settle = (error: unknown, context?: SecureContext): void => {
      if (!open) return
      open = false
      try {
        if (error !== undefined && error !== null) throw error
        done(undefined, { context, protocol: this.chooseProtocol(hello) })
      } catch (thrown) {
        done(asError(thrown))
      }
    }
    this.chooseContext(hello.servername, settle)
  }

  /** Asks `SNICallback`, which may throw, or reject when it is async. */
  chooseContext(servername: string, done: (error: unknown, context?: SecureContext) => void): void {
    const { SNICallback } = this.#options
    const check = (error: unknown, context?: SecureContext | null): void => {
      if (error || context === undefined || context === null || isContext(context)) done(error, context ?? undefined)
      else done(new TypeError('SNICallback gave no SecureContext'))
    }
    if (SNICallback === undefined || servername === '') {
      done(undefined)
      return
    }
    try {
      const result: unknown = SNICallback(servername, check)
      if (isThenable(result)) result.then(undefined, (error: unknown) => done(asError(error)))
    } catch (error) {
      done(asError(error))
    }
  }

  /**
   * Asks `ALPNCallback`.
   *
   * @returns undefined when there is none, or the client offers nothing
   * @throws Error when the client is refused
   */
  chooseProtocol({ servername, protocols }: ClientHello): string | undefined {
    const { ALPNCallback } = this.#options
    if (ALPNCallback === undefined || protocols.length === 0) return undefined
    const chosen = ALPNCallback({ servername, protocols: [...protocols] })
    if (chosen === undefined || !protocols.includes(chosen)) throw new Error('ALPNCallback chose none of the protocols')
    return chosen
  }

  #read(options: TlsContextOptions): SecureContextOptions {
    const { key, cert, pfx } = options
    const own = pfx !== undefined || (key !== undefined && cert !== undefined)
    if (!own && !this.choosesContext) throw new TypeError('listening on tls:// needs the options tls.key and tls.cert, or tls.pfx')
    const context = { ...contextOptionsOf(options), sessionIdContext: 'dmicro' }
    // A session would be resumed under another name than it was made for, whose authorities have not seen the client.
    if (this.choosesContext && this.requestCert) context.secureOptions = (context.secureOptions ?? 0) | NO_TICKET
    nodeTls().createSecureContext(context) // throws for what cannot be read
    return context
  }
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value))
}

/** Whether `value` is what `tls.createSecureContext` returns. */
function isContext(value: unknown): value is SecureContext {
  return typeof value === 'object' && value !== null && typeof (value as { context?: unknown }).context === 'object'
}
