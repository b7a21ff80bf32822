import type { PeerCertificate, SecureContext, SecureContextOptions } from 'node:tls'
import { duration, flag, optionNames, requireFunction, requireOptions, requireText, whole } from '../../base/check-options.ts'

type ContextName =
  | 'key'
  | 'cert'
  | 'pfx'
  | 'passphrase'
  | 'ca'
  | 'crl'
  | 'ciphers'
  | 'sigalgs'
  | 'ecdhCurve'
  | 'dhparam'
  | 'honorCipherOrder'
  | 'minVersion'
  | 'maxVersion'
  | 'secureOptions'
  | 'sessionTimeout'
  | 'ticketKeys'

/** Keys, certificates and what is negotiated: the options of `tls.createSecureContext` with these names. */
export type TlsContextOptions = { [Name in ContextName]?: SecureContextOptions[Name] | undefined }

/** TLS of a listener: the options of `tls.createServer` with these names, and `maxHandshakes`. */
export interface TlsListenOptions extends TlsContextOptions {
  /** Whether clients are asked for a certificate, which `session.peerCertificate` has then. Default: false. */
  requestCert?: boolean | undefined
  /** Whether a client without a valid certificate is refused. No effect without `requestCert`. Default: true. */
  rejectUnauthorized?: boolean | undefined
  /**
   * Names of protocols, the preferred first. A client that offers only others is refused; one that offers none is
   * served. Default: none.
   */
  ALPNProtocols?: readonly string[] | undefined
  /**
   * Chooses one of a client's protocols; undefined refuses the client. Not together with `ALPNProtocols`. Default:
   * none.
   */
  ALPNCallback?: ((offer: { servername: string; protocols: string[] }) => string | undefined) | undefined
  /**
   * Chooses keys and certificates by the name that the client asks for. Calls back with an error to refuse the client,
   * and without a context to use the listener's own. Default: none.
   */
  SNICallback?: ((servername: string, done: (error: Error | null, context?: SecureContext) => void) => void) | undefined
  /** Milliseconds in which a handshake must be done. Default: 10,000. */
  handshakeTimeout?: number | undefined
  /**
   * Most handshakes of the listener that run at the same time. Over it: new connections are closed at once, before they
   * are read. Default: 10,000, which is what a flood of half-open handshakes costs within `handshakeTimeout`.
   */
  maxHandshakes?: number | undefined
}

/** TLS of a session that is dialled: the options of `tls.connect` with these names. */
export interface TlsDialOptions extends TlsContextOptions {
  /** Name that the server is asked for, and that its certificate must have. Default: the host of the URL. */
  servername?: string | undefined
  /**
   * Checks that a valid certificate is that of `host`; an Error that is returned refuses the server. Default:
   * `tls.checkServerIdentity`.
   */
  checkServerIdentity?: ((host: string, certificate: PeerCertificate) => Error | undefined) | undefined
  /** Whether a server without a valid certificate of its name is refused. Default: true. */
  rejectUnauthorized?: boolean | undefined
  /** Names of protocols that are offered, the preferred first. Default: none. */
  ALPNProtocols?: readonly string[] | undefined
}

const contextNames: { [Name in ContextName]: true } = {
  key: true,
  cert: true,
  pfx: true,
  passphrase: true,
  ca: true,
  crl: true,
  ciphers: true,
  sigalgs: true,
  ecdhCurve: true,
  dhparam: true,
  honorCipherOrder: true,
  minVersion: true,
  maxVersion: true,
  secureOptions: true,
  sessionTimeout: true,
  ticketKeys: true,
}
const contextOptions = optionNames<TlsContextOptions>(contextNames)
const listenOptions = optionNames<TlsListenOptions>({
  ...contextNames,
  requestCert: true,
  rejectUnauthorized: true,
  ALPNProtocols: true,
  ALPNCallback: true,
  SNICallback: true,
  handshakeTimeout: true,
  maxHandshakes: true,
})
const dialOptions = optionNames<TlsDialOptions>({
  ...contextNames,
  servername: true,
  checkServerIdentity: true,
  rejectUnauthorized: true,
  ALPNProtocols: true,
})

const HANDSHAKE_TIMEOUT_MS = 10_000
const MAX_HANDSHAKES = 10_000
/** OpenSSL's SSL_OP_NO_RENEGOTIATION: a peer that begins a second handshake of TLS 1.2 is refused. */
const NO_RENEGOTIATION = 1 << 30
/** OpenSSL's SSL_OP_NO_TICKET: a server gives no tickets, by which clients would resume sessions. */
export const NO_TICKET = 1 << 14
const versions: readonly unknown[] = [undefined, 'TLSv1.2', 'TLSv1.3']

/**
 * The options for `tls.createSecureContext`.
 *
 * @throws TypeError for a bad version or number, RangeError for versions that exclude all; `tls.createSecureContext`
 *   checks the rest
 */
export function contextOptionsOf(options: TlsContextOptions): SecureContextOptions {
  for (const name of ['minVersion', 'maxVersion'] as const)
    if (!versions.includes(options[name])) throw new TypeError(`option tls.${name} must be 'TLSv1.2' or 'TLSv1.3'`)
  const { minVersion, maxVersion, secureOptions = 0 } = options
  if (minVersion === 'TLSv1.3' && maxVersion === 'TLSv1.2') throw new RangeError('option tls.maxVersion must not be below tls.minVersion')
  if (!Number.isInteger(secureOptions)) throw new TypeError('option tls.secureOptions must be a whole number')
  const given = Object.entries(options).filter(([name, value]) => contextOptions.has(name) && value !== undefined)
  return { minVersion: 'TLSv1.2', ...Object.fromEntries(given), secureOptions: secureOptions | NO_RENEGOTIATION }
}

/** @throws TypeError that names the option */
export function requireContextOptions(options: TlsContextOptions): void {
  requireOptions('option tls', options, contextOptions, 'tls.')
}

/** @throws TypeError or RangeError that names the option */
export function checkTlsListen(options: TlsListenOptions | undefined): asserts options is TlsListenOptions {
  requireOptions('option tls', options, listenOptions, 'tls.')
  const { requestCert, rejectUnauthorized, ALPNProtocols, ALPNCallback, SNICallback } = options as TlsListenOptions
  flag('tls.requestCert', requestCert, false)
  flag('tls.rejectUnauthorized', rejectUnauthorized, true)
  checkAlpn(ALPNProtocols)
  requireFunction('tls.ALPNCallback', ALPNCallback)
  requireFunction('tls.SNICallback', SNICallback)
  if (ALPNProtocols !== undefined && ALPNCallback !== undefined)
    throw new TypeError('options tls.ALPNProtocols and tls.ALPNCallback exclude each other')
  handshakeTimeoutOf(options as TlsListenOptions)
  maxHandshakesOf(options as TlsListenOptions)
}

export function handshakeTimeoutOf({ handshakeTimeout }: TlsListenOptions): number {
  return duration('tls.handshakeTimeout', handshakeTimeout, HANDSHAKE_TIMEOUT_MS, 1)
}

export function maxHandshakesOf({ maxHandshakes = MAX_HANDSHAKES }: TlsListenOptions): number {
  return whole('tls.maxHandshakes', maxHandshakes, 1, Number.MAX_SAFE_INTEGER)
}

/** @throws TypeError that names the option */
export function checkTlsDial(options: TlsDialOptions): void {
  requireOptions('option tls', options, dialOptions, 'tls.')
  requireText('tls.servername', options.servername)
  requireFunction('tls.checkServerIdentity', options.checkServerIdentity)
  flag('tls.rejectUnauthorized', options.rejectUnauthorized, true)
  checkAlpn(options.ALPNProtocols)
}

function checkAlpn(protocols: unknown): void {
  if (protocols === undefined) return
  const fits = (name: unknown): boolean => typeof name === 'string' && name !== '' && Buffer.byteLength(name, 'latin1') <= 255
  if (!Array.isArray(protocols) || protocols.length === 0 || !protocols.every(fits))
    throw new TypeError('option tls.ALPNProtocols must be a list of names of 1 to 255 bytes')
}
