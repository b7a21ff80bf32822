import { handshakeError } from '../../tls/tls-facts.ts'
import type { QuicheClose, QuicheConnection } from './quiche.ts'

/** First code of a failed handshake: an alert of TLS is added to it (RFC 9001 §4.8). */
const CRYPTO_ERROR = 0x100

/** Codes of handshakes that we refuse. */
export const Refusal = { BadCertificate: CRYPTO_ERROR + 42, CertificateRequired: CRYPTO_ERROR + 116 } as const

/** Texts of the alerts of TLS that handshakes end with (RFC 8446 §6.2). */
const alerts: Readonly<Record<number, string>> = {
  40: 'handshake failure',
  42: 'bad certificate',
  43: 'unsupported certificate',
  44: 'certificate revoked',
  45: 'certificate has expired',
  46: 'certificate unknown',
  48: 'unknown certificate authority',
  51: 'decrypt error',
  70: 'protocol version',
  80: 'internal error',
  112: 'unrecognized name',
  116: 'certificate required',
  120: 'no application protocol',
}

/** The error of a connection that has ended, otherwise than by the peer's code 0. */
export function closeError(connection: QuicheConnection): NodeJS.ErrnoException {
  const peer = connection.peerError()
  if (peer !== null) return errorOf(peer, 'the peer')
  if (connection.isTimedOut()) return Object.assign(new Error('QUIC: no packet within the idle timeout'), { code: 'ETIMEDOUT' })
  const local = connection.localError()
  if (local !== null) return errorOf(local, 'this side')
  return Object.assign(new Error('QUIC: connection lost'), { code: 'ECONNRESET' })
}

function errorOf({ isApp, errorCode, reason }: QuicheClose, who: string): NodeJS.ErrnoException {
  if (!isApp && errorCode >= CRYPTO_ERROR && errorCode < CRYPTO_ERROR * 2) {
    const alert = errorCode - CRYPTO_ERROR
    return handshakeError(`${alerts[alert] ?? `alert ${alert}`} (alert of ${who})`)
  }
  const text = Buffer.from(reason).toString().slice(0, 200)
  const kind = isApp ? 'application' : 'transport'
  return new Error(`QUIC: ${who} closed with ${kind} error 0x${errorCode.toString(16)}${text === '' ? '' : `: ${text}`}`)
}
