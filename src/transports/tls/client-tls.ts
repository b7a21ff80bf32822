import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { PeerCertificate, SecureContext, SecureContextOptions } from 'node:tls'
import { nodeTls } from '../../base/builtin.ts'
import { checkTlsDial, contextOptionsOf, type TlsDialOptions } from './options.ts'

/** Most sessions kept for resumption, of as many servers. */
const MAX_SESSIONS = 256
const none: TlsDialOptions = Object.freeze({})

/** A session of TLS, and the certificate that its server has shown when it began. */
interface KeptSession {
  readonly session: Buffer
  readonly certificate: X509Certificate | undefined
}

/** TLS of the sessions that are dialled with the same options. */
export class ClientTls {
  readonly rejectUnauthorized: boolean
  readonly protocols: readonly string[]
  /** Sessions of the JavaScript transport for resumption, by server. */
  readonly sessions = new Map<string, KeptSession>()
  readonly #options: TlsDialOptions
  readonly #context: SecureContextOptions
  readonly #contexts = new Map<'native' | 'js', SecureContext>()

  constructor(options: TlsDialOptions) {
    this.#options = options
    this.rejectUnauthorized = options.rejectUnauthorized ?? true
    this.protocols = [...(options.ALPNProtocols ?? [])]
    this.#context = contextOptionsOf(options)
  }

  /**
   * The context of one kind of transport. Each has its own, because Node.js sets callbacks on those it uses.
   *
   * @throws Error for keys and certificates that cannot be read, TypeError for a bad option
   */
  context(kind: 'native' | 'js'): SecureContext {
    let context = this.#contexts.get(kind)
    if (context === undefined) this.#contexts.set(kind, (context = nodeTls().createSecureContext(this.#context)))
    return context
  }

  /** Options of `tls.createSecureContext`. */
  get contextOptions(): SecureContextOptions {
    return this.#context
  }

  /** Whether these are the settings of `options`, which its owner may have changed. */
  isOf(options: TlsDialOptions): boolean {
    const names = new Set([...Object.keys(options), ...Object.keys(this.#options)]) as Set<keyof TlsDialOptions>
    return [...names].every((name) => options[name] === this.#options[name])
  }

  /** The name that the certificate of `host` must have. */
  nameOf(host: string): string {
    return this.#options.servername || host
  }

  /** The name that the server of `host` is asked for; undefined for none, as for an IP address. */
  servernameOf(host: string): string | undefined {
    const name = this.nameOf(host)
    return isIP(name) === 0 ? name : undefined
  }

  /** Why a valid certificate is not that of `host`; undefined when it is. Never throws. */
  check(host: string, certificate: PeerCertificate): Error | undefined {
    try {
      const { checkServerIdentity = nodeTls().checkServerIdentity } = this.#options
      const error = checkServerIdentity(this.nameOf(host), certificate)
      return error === undefined || error === null || error instanceof Error ? (error ?? undefined) : new Error(String(error))
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  /** Keeps a session for the next connection with the same server. */
  keepSession(server: string, session: KeptSession): void {
    this.sessions.delete(server)
    this.sessions.set(server, session)
    if (this.sessions.size > MAX_SESSIONS) this.sessions.delete(this.sessions.keys().next().value as string)
  }
}

/** The server of a dial, and TLS with it. */
export interface TlsTarget {
  readonly tls: ClientTls
  /** Host as in the URL, before it was resolved. */
  readonly host: string
  readonly port: number
}

const known = new WeakMap<TlsDialOptions, ClientTls>()

/**
 * The settings for `options`. The same for the same options, so that root certificates are read once, and sessions of
 * one server are resumed by the next dial.
 *
 * @throws TypeError that names the option; Error for keys and certificates that cannot be read
 */
export function clientTls(options: TlsDialOptions = none): ClientTls {
  checkTlsDial(options)
  let settings = known.get(options)
  if (settings === undefined || !settings.isOf(options)) known.set(options, (settings = new ClientTls({ ...options })))
  return settings
}
