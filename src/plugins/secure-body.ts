import { nodeCrypto } from '../base/builtin.ts'
import { requireObject, requireOptions } from '../base/check-options.ts'
import type { MessageKind, ReadContext, WriteContext } from '../hooks/hooks.ts'
import type { Plugin } from '../hooks/plugin.ts'
import { type BodyCipherOptions, bodyPlugin, cipherOptions, fromBase64, isHeartbeat } from './body-cipher.ts'

/** Format of a sealed body: a version byte, a key id byte, the nonce, the encrypted bytes, the tag. */
const VERSION = 1
const NONCE = 12
const HEAD = 2 + NONCE
const TAG = 16
const KEY = 32
const SEALED = 'X-Sealed-Body'
/** Meta key of Go's plugin, whose messages are left to that plugin. */
const SECURE = 'X-Secure-Body'
/** Protocols whose bodies may be any bytes. With others the bytes are sent as a JSON string of base64. */
const binary = new Set(['raw', 'protobuf', 'http'])
const QUOTE = 0x22

/** The keys of `secureBody`. */
export interface SecureBodyKeys {
  /** Keys of 32 bytes by id, 0 to 255. Messages encrypted with any of them are accepted. */
  keys: Readonly<Record<number, Uint8Array>>
  /** Id of the key that messages are encrypted with. A key must be replaced after at most 2^32 messages. */
  current: number
}

/** Options of `secureBody`: the keys, `status` and `require`. */
export type SecureBodyOptions = SecureBodyKeys & BodyCipherOptions

/** The plugin that `secureBody` makes. */
export interface SecureBody extends Plugin {
  /**
   * Replaces the keys, for messages from now on. `AesGcm.setKeys` says how to rotate keys without a gap.
   *
   * @throws TypeError or RangeError for bad keys; the old ones then stay
   */
  setKeys(keys: SecureBodyKeys): void
}

const ofKeys: ReadonlySet<string> = new Set(['keys', 'current'])
const known: ReadonlySet<string> = new Set([...ofKeys, ...cipherOptions])

/**
 * Encrypts and authenticates bodies with AES-256-GCM between dmicro peers, with any codec. It encrypts the bodies of
 * all calls and pushes of this endpoint, except those with meta `X-Sealed-Body: false`, and of replies to encrypted
 * calls. A body can be decrypted only as the kind of message, for the service method and in the codec that it was sent
 * as. Routes, meta, and the status of a failure stay readable; proxies forward bodies encrypted.
 *
 * Put it before plugins that change service methods. Replayed messages are not detected; the filter `aesGcm` on a
 * session, or TLS, does that. Set `require`, because otherwise unencrypted bodies are accepted.
 *
 * @throws TypeError or RangeError for bad keys or options
 */
export function secureBody(options: SecureBodyOptions): SecureBody {
  requireOptions('options', options, known)
  let keys = readKeys(options)
  /** Service methods as sent, for messages whose service method a hook may have changed. */
  const sent = new WeakMap<ReadContext, string>()
  const remember = (message: ReadContext): void => void sent.set(message, message.serviceMethod)
  const cipher = {
    name: 'secure-body',
    wanted({ kind, meta, request, serviceMethod, body }: WriteContext) {
      const requested = meta[SEALED]
      delete meta[SEALED]
      if (requested === 'false' || meta[SECURE] !== undefined) return false
      if (kind === 'reply') return requested === 'true' || request?.meta[SEALED] === 'true'
      return !isHeartbeat(serviceMethod, body === undefined)
    },
    seal(message: WriteContext) {
      const { kind, request, codec } = message
      const head = Buffer.concat([Buffer.from([VERSION, keys.current]), nodeCrypto().randomBytes(NONCE)])
      const aes = nodeCrypto().createCipheriv('aes-256-gcm', keys.byId[keys.current] as Buffer, head.subarray(2), { authTagLength: TAG })
      const method = (request === undefined ? undefined : sent.get(request)) ?? message.serviceMethod
      aes.setAAD(place(head, kind, method, codec))
      const sealed = Buffer.concat([head, aes.update(message.encode()), aes.final(), aes.getAuthTag()])
      message.body = binary.has(message.session.protocol) ? sealed : Buffer.from(`"${sealed.toString('base64')}"`)
      message.meta[SEALED] = 'true'
    },
    isSealed: ({ meta }: ReadContext) => meta[SEALED] === 'true',
    open(message: ReadContext) {
      const { bytes, kind, codec } = message
      const sealed = bytes[0] === QUOTE ? fromBase64(Buffer.from(bytes).toString('latin1', 1, bytes.length - 1)) : bytes
      const key = keys.byId[sealed[1]]
      if (sealed.length < HEAD + TAG || sealed[0] !== VERSION || key === undefined) throw new Error('too short, or of an unknown key')
      const head = sealed.subarray(0, HEAD)
      const aes = nodeCrypto().createDecipheriv('aes-256-gcm', key, head.subarray(2), { authTagLength: TAG })
      aes.setAAD(place(head, kind, sent.get(message) ?? message.serviceMethod, codec))
      aes.setAuthTag(sealed.subarray(sealed.length - TAG))
      return Buffer.concat([aes.update(sealed.subarray(HEAD, sealed.length - TAG)), aes.final()])
    },
  }
  return {
    ...bodyPlugin(cipher, options),
    afterReadCallHeader: remember,
    afterReadPushHeader: remember,
    setKeys(next) {
      requireOptions('options', next, ofKeys)
      keys = readKeys(next)
    },
  }
}

/** The associated data: what a body belongs to, so that it cannot be decrypted in another place. */
function place(head: Uint8Array, kind: MessageKind, method: string, codec: string): Buffer {
  return Buffer.from(`${head[0]} ${head[1]} ${kind} ${codec} ${method}`)
}

function readKeys(options: SecureBodyKeys): { byId: (Buffer | undefined)[]; current: number } {
  const { keys, current } = options
  requireObject('option keys', keys)
  const byId = new Array<Buffer | undefined>(256).fill(undefined)
  for (const [id, key] of Object.entries(keys)) {
    if (!/^[0-9]{1,3}$/.test(id) || Number(id) > 255) throw new RangeError(`a key id must be 0 to 255, got ${id}`)
    if (!(key instanceof Uint8Array) || key.length !== KEY) throw new TypeError(`key ${id} must be a Uint8Array of ${KEY} bytes`)
    byId[Number(id)] = Buffer.from(key)
  }
  if (byId[current] === undefined) throw new RangeError(`option current must be the id of a key, got ${String(current)}`)
  return { byId, current }
}
