import { nodeCrypto } from '../base/builtin.ts'
import { optionNames, requireObject, requireOptions } from '../base/check-options.ts'
import type { Filter, Unpacker } from '../message/filter.ts'
import { mapSlices } from './slices.ts'

/**
 * Layout of a message: one byte of key id, the nonce (a prefix and a counter of 4 bytes), the encrypted bytes, the tag.
 */
const PREFIX = 8
const NONCE = 12
const HEAD = 1 + NONCE
const TAG = 16
const KEY = 32
const MAX_COUNT = 0xffff_ffff
/** Most nonce prefixes that a session may have seen: a sender changes its prefix after 2^32 messages. */
const MAX_RETIRED = 16
const none: Buffer = Buffer.alloc(0)

/** Options of `aesGcm`. */
export interface AesGcmOptions {
  /** Keys of 32 bytes by their id, 0 to 255. Messages under any of them are accepted. Required. */
  keys: Readonly<Record<number, Uint8Array>>
  /** Id of the key that messages are sent under. Required. */
  current: number
}

/** The filter of `aesGcm`, whose keys can be replaced. */
export interface AesGcm extends Filter {
  /**
   * Replaces the keys, for messages from now on. To rotate without a gap: give every peer the new key, then make it
   * current everywhere, then remove the old one.
   * @throws TypeError, RangeError as `aesGcm` does; then the keys stay as they were
   */
  setKeys(options: AesGcmOptions): void
}

interface Keys {
  byId: (Buffer | undefined)[]
  current: number
}

/**
 * AES-256-GCM, id 0x67, name `aes-gcm`, for dmicro peers: encrypted and authenticated. A message with any bit changed
 * is refused, and so is a message that the session received before. A nonce is 8 random bytes, chosen when the filter
 * is made, and a counter: it never repeats.
 *
 * Only messages that name the filter are protected. An attacker between the peers can still drop messages, and send
 * plain ones: use TLS too where that matters.
 * @throws TypeError for keys or ids of a wrong type
 * @throws RangeError for keys of a wrong length and ids out of range
 */
export function aesGcm(options: AesGcmOptions): AesGcm {
  let keys = readKeys(options)
  const nextNonce = nonces()
  const seal = () => {
    const head = Buffer.allocUnsafe(HEAD)
    head[0] = keys.current
    nextNonce(head, 1)
    const cipher = nodeCrypto().createCipheriv('aes-256-gcm', keys.byId[keys.current] as Buffer, head.subarray(1), { authTagLength: TAG })
    cipher.setAAD(head.subarray(0, 1))
    return { head, cipher }
  }
  const open = (sealed: Uint8Array) => {
    const key = keys.byId[sealed[0]]
    if (sealed.length < HEAD + TAG || key === undefined) throw new Error('aes-gcm: too short, or of an unknown key')
    const decipher = nodeCrypto().createDecipheriv('aes-256-gcm', key, sealed.subarray(1, HEAD), { authTagLength: TAG })
    decipher.setAAD(sealed.subarray(0, 1))
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG))
    return { decipher, body: sealed.subarray(HEAD, sealed.length - TAG) }
  }
  const unpack = (sealed: Uint8Array): Buffer => {
    const { decipher, body } = open(sealed)
    const plain = decipher.update(body)
    decipher.final() // throws when any bit was changed
    return plain
  }
  const unpackAsync = async (sealed: Uint8Array): Promise<Buffer> => {
    const { decipher, body } = open(sealed)
    return mapSlices(
      body,
      none,
      (slice) => decipher.update(slice),
      () => [decipher.final()],
    )
  }
  return {
    id: 0x67,
    name: 'aes-gcm',
    setKeys(next) {
      keys = readKeys(next)
    },
    pack(plain) {
      const { head, cipher } = seal()
      return Buffer.concat([head, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    },
    packAsync(plain) {
      const { head, cipher } = seal()
      return mapSlices(
        plain,
        head,
        (slice) => cipher.update(slice),
        () => [cipher.final(), cipher.getAuthTag()],
      )
    },
    unpack,
    unpackAsync,
    receiver: () => onceEach(unpack, unpackAsync),
  }
}

/**
 * Refuses messages that were received before. All messages of one session come from one filter, whose counter only
 * rises.
 */
function onceEach(unpack: (sealed: Uint8Array) => Buffer, unpackAsync: (sealed: Uint8Array) => Promise<Buffer>): Unpacker {
  let prefix: Buffer = none
  let last = 0
  const retired = new Set<string>()
  // The nonce is noted only after the tag was checked, because before that it may be forged.
  const note = (nonce: Buffer): void => {
    const from = nonce.subarray(0, PREFIX)
    const count = nonce.readUInt32BE(PREFIX)
    if (prefix.equals(from)) {
      if (count <= last) throw new Error('aes-gcm: a message that came before')
    } else {
      if (retired.has(from.toString('hex'))) throw new Error('aes-gcm: a message that came before')
      if (retired.size === MAX_RETIRED) throw new Error('aes-gcm: a sender that starts anew too often')
      if (prefix.length > 0) retired.add(prefix.toString('hex'))
      prefix = from
    }
    last = count
  }
  return {
    unpack(sealed) {
      const nonce = Buffer.from(sealed.subarray(1, HEAD))
      const plain = unpack(sealed)
      note(nonce)
      return plain
    },
    async unpackAsync(sealed) {
      const nonce = Buffer.from(sealed.subarray(1, HEAD))
      const plain = await unpackAsync(sealed)
      note(nonce)
      return plain
    },
  }
}

/** Makes a function that writes a nonce it has not written before, and that no other filter is likely to write. */
function nonces(): (target: Buffer, at: number) => void {
  let prefix = nodeCrypto().randomBytes(PREFIX)
  let count = 0
  return (target, at) => {
    if (count === MAX_COUNT) {
      prefix = nodeCrypto().randomBytes(PREFIX)
      count = 0
    }
    target.set(prefix, at)
    target.writeUInt32BE(++count, at + PREFIX)
  }
}

const known = optionNames<AesGcmOptions>({ keys: true, current: true })

function readKeys(options: AesGcmOptions): Keys {
  requireOptions('options', options, known)
  requireObject('option keys', options.keys)
  const byId: (Buffer | undefined)[] = new Array<Buffer | undefined>(256).fill(undefined)
  for (const [id, key] of Object.entries(options.keys)) {
    if (!/^[0-9]{1,3}$/.test(id) || Number(id) > 255) throw new RangeError(`a key id must be 0 to 255, got ${id}`)
    if (!(key instanceof Uint8Array) || key.length !== KEY) throw new TypeError(`key ${id} must be a Uint8Array of ${KEY} bytes`)
    byId[Number(id)] = Buffer.from(key)
  }
  if (byId[options.current] === undefined) throw new RangeError(`option current must be the id of a key, got ${String(options.current)}`)
  return { byId, current: options.current }
}
