import { nodeCrypto } from '../base/builtin.ts'
import { requireOptions } from '../base/check-options.ts'
import type { WriteContext } from '../hooks/hooks.ts'
import type { Plugin } from '../hooks/plugin.ts'
import { type BodyCipherOptions, bodyPlugin, cipherOptions, fromBase64 } from './body-cipher.ts'

/** The IV, which is the same for every message of every Go service. That makes the plugin insecure. */
const IV = Buffer.from('I Love Go Frame!')
const SECURE = 'X-Secure-Body'
const REPLY_SECURE = 'X-Reply-Secure-Body'
/** Texts that Go converts to false. */
const falsy = new Set(['', '0', 'no', 'off', 'false', 'null'])

let warned = false

/**
 * Go's plugin `secure(encrypt/decrypt)` (docs/spec/plugins.md#body-encryption), for codecs json and protobuf: AES-CBC
 * with a constant IV and without authentication. Equal bodies look equal, anyone between the peers can change them
 * unnoticed, and the MD5 of the key is sent with each. Only for Go peers; use `secureBody` between dmicro peers. Warns
 * once per process.
 *
 * A message is encrypted when its meta say so: `{ meta: secureMeta }` for a call or push, `ctx.setMeta('X-Secure-Body',
 * 'true')` for a reply. The reply to an encrypted call is encrypted unless the call has `{ meta: replySecureMeta(false)
 * }`; a plain call may request an encrypted reply.
 *
 * @param key 16, 24 or 32 bytes, used as they are
 * @throws TypeError or RangeError for another key or bad options
 */
export function insecureSecureBody(key: Uint8Array | string, options: BodyCipherOptions = {}): Plugin {
  requireOptions('options', options, cipherOptions)
  const bytes = Buffer.from(key as Uint8Array)
  if (![16, 24, 32].includes(bytes.length)) throw new RangeError(`an AES key has 16, 24 or 32 bytes, got ${bytes.length}`)
  if (!warned) {
    warned = true
    const text = 'the plugin secure(encrypt/decrypt) has a constant IV and no authentication: use it only to reach Go peers'
    process.emitWarning(text, 'SecurityWarning')
  }
  const algorithm = `aes-${bytes.length * 8}-cbc`
  const version = nodeCrypto().createHash('md5').update(bytes).digest('hex')
  const cipher = {
    name: 'secure(encrypt/decrypt)',
    wanted(message: WriteContext) {
      const { meta, request } = message
      if (isTrue(meta[SECURE])) return true
      delete meta[SECURE]
      if (request === undefined) return false
      const requested = request.meta[REPLY_SECURE]
      if (isTrue(request.meta[SECURE]) ? requested === 'false' : requested !== 'true') return false
      meta[SECURE] = 'true'
      return true
    },
    seal(message: WriteContext) {
      const encoded = message.encode()
      const aes = nodeCrypto().createCipheriv(algorithm, bytes, IV)
      const ciphertext = Buffer.concat([aes.update(encoded), aes.final()]).toString('base64')
      message.body = writeEnvelope(message.codec, version, ciphertext)
    },
    isSealed: ({ meta }: { meta: Readonly<Record<string, string>> }) => isTrue(meta[SECURE]),
    open({ codec, bytes: sealed }: { codec: string; bytes: Uint8Array }) {
      const envelope = readEnvelope(codec, Buffer.from(sealed))
      // As in Go, an empty version means an empty body. With `require` it is not accepted as encrypted.
      if (envelope.cipherVersion === '' && options.require !== true) return new Uint8Array()
      if (envelope.cipherVersion !== version) throw new Error('another key')
      const aes = nodeCrypto().createDecipheriv(algorithm, bytes, IV)
      return Buffer.concat([aes.update(fromBase64(envelope.ciphertext)), aes.final()])
    },
  }
  return bodyPlugin(cipher, options)
}

/** Meta of a call or push that `insecureSecureBody` encrypts. */
export const secureMeta: Readonly<Record<string, string>> = Object.freeze({ [SECURE]: 'true' })

/** Makes the meta of a call that says whether its reply is encrypted. */
export function replySecureMeta(secure: boolean): Record<string, string> {
  return { [REPLY_SECURE]: String(secure) }
}

function isTrue(text: string | undefined): boolean {
  return text !== undefined && !falsy.has(text.toLowerCase())
}

interface Envelope {
  cipherVersion: string
  ciphertext: string
}

function writeEnvelope(codec: string, cipherVersion: string, ciphertext: string): Buffer {
  if (codec === 'json') return Buffer.from(JSON.stringify({ cipherVersion, ciphertext }))
  if (codec !== 'protobuf') throw new TypeError(`the codec ${codec} has no form for it, json and protobuf have`)
  return Buffer.concat([field(0x0a, cipherVersion), field(0x12, ciphertext)])
}

function field(tag: number, text: string): Buffer {
  const head = [tag]
  let size = text.length
  for (; size > 0x7f; size >>>= 7) head.push((size & 0x7f) | 0x80)
  return Buffer.concat([Buffer.from([...head, size]), Buffer.from(text)])
}

function readEnvelope(codec: string, bytes: Buffer): Envelope {
  const envelope: Envelope = { cipherVersion: '', ciphertext: '' }
  if (codec === 'json') {
    const parsed = JSON.parse(bytes.toString()) as Partial<Envelope> | null
    envelope.cipherVersion = parsed?.cipherVersion ?? ''
    envelope.ciphertext = parsed?.ciphertext ?? ''
  } else if (codec === 'protobuf') {
    for (let at = 0; at < bytes.length; ) {
      const tag = bytes[at++]
      let size = 0
      for (let shift = 0; ; shift += 7) {
        if (at === bytes.length || shift > 28) throw new Error('a length that is none')
        size += (bytes[at] & 0x7f) * 2 ** shift
        if (bytes[at++] < 0x80) break
      }
      if (size > bytes.length - at) throw new Error('a field past the end')
      const text = bytes.toString('latin1', at, (at += size))
      if (tag === 0x0a) envelope.cipherVersion = text
      else if (tag === 0x12) envelope.ciphertext = text
      else throw new Error('a field that is unknown')
    }
  } else {
    throw new Error('a codec without envelopes')
  }
  if (typeof envelope.cipherVersion !== 'string' || typeof envelope.ciphertext !== 'string') throw new Error('no text')
  return envelope
}
