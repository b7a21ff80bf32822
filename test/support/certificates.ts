import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

// Certificates for tests, made on the spot: an authority, and what it issues. X.509 (RFC 5280) in just enough DER.

export interface Issued {
  /** PEM. */
  readonly key: string
  readonly cert: string
}

export interface Wishes {
  /** Names for the subject's alternative name: DNS names, IPv4 addresses, ::1. Default: localhost and its addresses. */
  names?: readonly string[]
  from?: Date
  until?: Date
}

const DAY = 86_400_000

export class Authority {
  readonly cert: string
  readonly #key: KeyObject
  readonly #name: string

  constructor(name: string) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.#key = privateKey
    this.#name = name
    this.cert = certificate(name, name, publicKey, privateKey, { names: [] }, true)
  }

  issue(name: string, wishes: Wishes = {}): Issued {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    return { key, cert: certificate(name, this.#name, publicKey, this.#key, wishes, false) }
  }
}

function certificate(
  subject: string,
  issuer: string,
  publicKey: KeyObject,
  signer: KeyObject,
  wishes: Wishes,
  isAuthority: boolean,
): string {
  const { names = ['localhost', '127.0.0.1', '::1'], from = new Date(Date.now() - DAY), until = new Date(Date.now() + DAY) } = wishes
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const extensions = [
    extension('2.5.29.19', true, sequence(...(isAuthority ? [der(0x01, Buffer.from([0xff]))] : []))),
    extension('2.5.29.14', false, der(0x04, createHash('sha1').update(spki).digest())),
  ]
  if (names.length > 0) {
    const general = names.map((name) => {
      if (name === '::1') return der(0x87, Buffer.from([...Array(15).fill(0), 1]))
      return /^[0-9.]+$/.test(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name))
    })
    extensions.push(extension('2.5.29.17', false, sequence(...general)))
  }
  const algorithm = sequence(oid('1.2.840.10045.4.3.2')) // ecdsa-with-SHA256
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(8)])),
    algorithm,
    distinguishedName(issuer),
    sequence(time(from), time(until)),
    distinguishedName(subject),
    spki,
    der(0xa3, sequence(...extensions)),
  )
  const signature = sign('sha256', body, signer)
  const whole = sequence(body, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), signature])))
  return `-----BEGIN CERTIFICATE-----\n${whole.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
}

function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

function sequence(...parts: Uint8Array[]): Buffer {
  return der(0x30, Buffer.concat(parts))
}

function oid(text: string): Buffer {
  const [first, second, ...rest] = text.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const digits = [arc & 0x7f]
    for (let left = arc >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80)
    bytes.push(...digits)
  }
  return der(0x06, Buffer.from(bytes))
}

function extension(id: string, critical: boolean, content: Uint8Array): Buffer {
  return sequence(oid(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, content))
}

function distinguishedName(name: string): Buffer {
  return sequence(der(0x31, sequence(oid('2.5.4.3'), der(0x0c, Buffer.from(name)))))
}

function time(date: Date): Buffer {
  return der(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]|\.\d+/g, '')}`))
}

let shared: { authority: Authority; server: Issued; client: Issued } | undefined

/** An authority, a server's certificate for localhost and 127.0.0.1, and a client's, made once per process. */
export function certificates(): { authority: Authority; server: Issued; client: Issued } {
  if (shared === undefined) {
    const authority = new Authority('test authority')
    shared = { authority, server: authority.issue('server'), client: authority.issue('client', { names: [] }) }
  }
  return shared
}
