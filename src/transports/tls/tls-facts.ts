import type { X509Certificate } from 'node:crypto'

/** Results of the handshake of a TLS connection. */
export interface TlsFacts {
  /** Certificate of the peer; undefined when it has shown none. */
  readonly peerCertificate: X509Certificate | undefined
  /** Whether that certificate was found valid: with `rejectUnauthorized: false` it need not be. */
  readonly authorized: boolean
  /** The protocol that was agreed upon by ALPN; undefined for none. */
  readonly alpn: string | undefined
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string
  /** Whether an earlier session was resumed, without certificates. */
  readonly resumed: boolean
}

/** Detail of a connection that was lost because its peer ended it without TLS's own end (close_notify). */
export const NO_CLOSE_NOTIFY = 'TLS ended without close_notify'

/** Why a handshake failed, besides what OpenSSL says. */
export const CONNECTION_LOST = 'connection lost'
export const HANDSHAKE_TIMED_OUT = 'not done in time'
export const REFUSED = 'refused by a callback'

/** The error of a handshake, the same on both transports. */
export function handshakeError(text: string, code: string | undefined = undefined): Error {
  const error = new Error(`TLS handshake failed: ${text}`)
  return code === undefined ? error : Object.assign(error, { code })
}

/** The text of an error of node:tls, in the words of OpenSSL. */
export function textOfTlsError(error: Error): string {
  const { reason } = error as { reason?: unknown }
  // Some versions of Node.js add a hint about their own options to errors of verification.
  return typeof reason === 'string' && reason !== '' && 'library' in error ? reason : error.message.split(';', 1)[0]
}
