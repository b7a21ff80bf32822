import type { X509Certificate } from 'node:crypto'
import { nodeCrypto } from '../../base/builtin.ts'
import type { ClientHello } from '../tls/server-tls.ts'
import type { TlsFacts } from '../tls/tls-facts.ts'

/** Kinds of events of TLS in records of kind Layer. native/layer/tls_layer.h has the same, and what they contain. */
export const TlsEvent = { Hello: 1, Secure: 2 } as const

export function readHello(payload: Buffer): ClientHello {
  const end = 2 + payload.readUInt16BE(0)
  const protocols: string[] = []
  for (let at = end; at < payload.length; at += payload[at] + 1) protocols.push(payload.toString('latin1', at + 1, at + 1 + payload[at]))
  return { servername: payload.toString('latin1', 2, end), protocols }
}

export function readFacts(payload: Buffer): TlsFacts {
  const end = 8 + payload[7]
  return new NativeTlsFacts(
    payload.readUInt16BE(0),
    payload[2] === 1,
    payload.readInt32BE(3) === 0,
    end === 8 ? undefined : payload.toString('latin1', 8, end),
    payload.length === end ? undefined : Buffer.from(payload.subarray(end)),
  )
}

/** `TlsFacts` whose certificate is read when it is asked for. */
class NativeTlsFacts implements TlsFacts {
  readonly version: string
  readonly resumed: boolean
  readonly authorized: boolean
  readonly alpn: string | undefined
  #der: Buffer | undefined
  #certificate: X509Certificate | undefined

  constructor(version: number, resumed: boolean, valid: boolean, alpn: string | undefined, der: Buffer | undefined) {
    this.version = version === 0x304 ? 'TLSv1.3' : 'TLSv1.2'
    this.resumed = resumed
    this.authorized = valid && der !== undefined
    this.alpn = alpn
    this.#der = der
  }

  get peerCertificate(): X509Certificate | undefined {
    if (this.#der !== undefined) {
      this.#certificate = new (nodeCrypto().X509Certificate)(this.#der)
      this.#der = undefined
    }
    return this.#certificate
  }
}
