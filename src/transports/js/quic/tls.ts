import type { SecureContextOptions } from 'node:tls'
import { nodeCrypto, nodeTls } from '../../../base/builtin.ts'
import { defaultQuic, type QuicSettings } from '../../quic-options.ts'
import type { ClientTls, TlsTarget } from '../../tls/client-tls.ts'
import type { ServerTls } from '../../tls/server-tls.ts'
import { handshakeError, type TlsFacts } from '../../tls/tls-facts.ts'
import { MAX_SENT } from './carrier.ts'
import { Refusal } from './close-error.ts'
import { type QuicheConfig, type QuicheConnection, quiche } from './quiche.ts'

/** The ALPN names of Go DMicro, whose listeners refuse clients with none of them. */
const GO_PROTOCOLS = ['http/1.1', 'h2']
/** The ALPN name of two dmicro peers. A connection that has agreed upon it begins its stream with a preamble. */
const OWN_PROTOCOL = 'dmicro/1'

/** Bytes that the peer may send before they are read, as in Go. */
const WINDOW = 786_432
/** The most that this number grows to, for links that are fast and long. */
const MAX_WINDOW = 6 * 1024 * 1024
const MAX_RECEIVED = 1472

const SIGNATURES = [
  'ecdsa_secp256r1_sha256',
  'ecdsa_secp384r1_sha384',
  'ecdsa_secp521r1_sha512',
  'ed25519',
  'rsa_pss_rsae_sha256',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
  'rsa_pkcs1_sha256',
  'rsa_pkcs1_sha384',
  'rsa_pkcs1_sha512',
].join(':')

/** Options of TLS that QUIC has, and those whose value it cannot but keep. */
const supported = new Set(['key', 'cert', 'passphrase', 'ca', 'minVersion', 'secureOptions', 'sessionIdContext'])

/**
 * TLS of the connections that are dialled with the same settings.
 *
 * @throws TypeError for an option that QUIC does not have
 */
export function clientConfig(tls: ClientTls, settings: QuicSettings = defaultQuic): QuicheConfig {
  let configs = clientConfigs.get(tls)
  if (configs === undefined) clientConfigs.set(tls, (configs = new Map()))
  let config = configs.get(settings.idleTimeout)
  if (config === undefined) {
    const ca = tls.rejectUnauthorized ? (tls.contextOptions.ca ?? rootCertificates()) : undefined
    config = makeConfig(tls.contextOptions, tls.protocols, { verify: tls.rejectUnauthorized, allowFail: false, ca }, settings)
    configs.set(settings.idleTimeout, config)
  }
  return config
}

/** By `idleTimeout`. Reading the root certificates takes milliseconds. */
const clientConfigs = new WeakMap<ClientTls, Map<number, QuicheConfig>>()

/**
 * TLS of a listener, for the connections that it accepts from now on.
 *
 * @throws TypeError for an option that QUIC does not have
 */
export function serverConfig(tls: ServerTls, settings: QuicSettings = defaultQuic): QuicheConfig {
  if (tls.choosesContext) throw unsupported('SNICallback')
  if (tls.choosesProtocol) throw unsupported('ALPNCallback')
  const { requestCert, rejectUnauthorized, contextOptions } = tls
  const ca = requestCert ? (contextOptions.ca ?? rootCertificates()) : undefined
  return makeConfig(contextOptions, tls.protocols, { verify: requestCert, allowFail: !rejectUnauthorized, ca }, settings)
}

interface Verification {
  readonly verify: boolean
  readonly allowFail: boolean
  readonly ca: SecureContextOptions['ca'] | readonly string[]
}

function makeConfig(
  options: SecureContextOptions,
  protocols: readonly string[],
  { verify, allowFail, ca }: Verification,
  { idleTimeout }: QuicSettings,
): QuicheConfig {
  for (const [name, value] of Object.entries(options)) if (value !== undefined && !supported.has(name)) throw unsupported(name)
  const key = single('key', options.key)
  const cert = single('cert', options.cert)
  const config = quiche().Config.withBoringSslCtx(
    verify,
    allowFail,
    ca === undefined ? undefined : Buffer.from([ca].flat().map(String).join('\n')),
    key === undefined ? undefined : [plainKey(key, options.passphrase)],
    cert === undefined ? undefined : [Buffer.from(cert as string)],
    SIGNATURES,
  )
  config.grease(true)
  config.setApplicationProtos(protocols.length > 0 ? [...protocols] : [OWN_PROTOCOL, ...GO_PROTOCOLS])
  config.setMaxIdleTimeout(idleTimeout)
  config.setMaxRecvUdpPayloadSize(MAX_RECEIVED)
  config.setMaxSendUdpPayloadSize(MAX_SENT)
  config.setInitialMaxData(WINDOW)
  config.setInitialMaxStreamDataBidiLocal(WINDOW)
  config.setInitialMaxStreamDataBidiRemote(WINDOW)
  config.setMaxStreamWindow(MAX_WINDOW)
  config.setMaxConnectionWindow(MAX_WINDOW)
  config.setInitialMaxStreamsBidi(1)
  config.setDisableActiveMigration(true)
  // Node.js cannot send a datagram at a given time.
  config.enablePacing(false)
  return config
}

function single<T>(name: string, value: T | T[] | undefined): T | undefined {
  if (!Array.isArray(value)) return value
  if (value.length !== 1) throw new TypeError(`option tls.${name} must be one ${name} for quic://, not a list of ${value.length}`)
  return value[0]
}

/** A private key as PEM without passphrase. */
function plainKey(key: string | object, passphrase: string | undefined): Buffer {
  const given = (typeof key === 'object' && 'pem' in key ? key : { pem: key }) as { pem: string | Buffer; passphrase?: string }
  const read = nodeCrypto().createPrivateKey({ key: given.pem, passphrase: given.passphrase ?? passphrase })
  return Buffer.from(read.export({ type: 'pkcs8', format: 'pem' }))
}

function rootCertificates(): readonly string[] {
  const tls = nodeTls() as ReturnType<typeof nodeTls> & { getCACertificates?: (type: 'default') => string[] }
  return tls.getCACertificates?.('default') ?? tls.rootCertificates
}

function unsupported(name: string): TypeError {
  return new TypeError(`option tls.${name} is not available on quic://`)
}

/** Whether two dmicro peers have met. */
export function hasPreamble(connection: QuicheConnection): boolean {
  return Buffer.from(connection.applicationProto()).toString('latin1') === OWN_PROTOCOL
}

/**
 * Checks what BoringSSL has not: that the certificate is that of the host, which has no name when it is an address.
 *
 * @returns why the server is refused; undefined when it is not
 */
export function checkServer(connection: QuicheConnection, { tls, host }: TlsTarget): { code: number; error: Error } | undefined {
  if (!tls.rejectUnauthorized) return undefined
  const { peerCertificate } = factsOf(connection, true)
  const error = peerCertificate === undefined ? new Error('no certificate') : tls.check(host, peerCertificate.toLegacyObject())
  return error && { code: Refusal.BadCertificate, error: handshakeError(error.message) }
}

/** @returns why the client is refused; undefined when it is not */
export function checkClient(connection: QuicheConnection, tls: ServerTls): { code: number; error: Error } | undefined {
  if (!tls.requestCert || !tls.rejectUnauthorized || connection.peerCertChain() !== null) return undefined
  return { code: Refusal.CertificateRequired, error: handshakeError('no certificate') }
}

/** @param authorized whether an invalid certificate would have been refused */
export function factsOf(connection: QuicheConnection, authorized: boolean): TlsFacts {
  const [certificate] = connection.peerCertChain() ?? []
  const { X509Certificate } = nodeCrypto()
  return {
    peerCertificate: certificate && new X509Certificate(certificate),
    authorized: authorized && certificate !== undefined,
    alpn: Buffer.from(connection.applicationProto()).toString('latin1') || undefined,
    version: 'TLSv1.3',
    resumed: false,
  }
}
