import { nodeCrypto } from '../base/builtin.ts'
import type { Filter } from '../message/filter.ts'
import { mapSlices } from './slices.ts'

/** The initialization vector of every message of every Go service: the reason why the filter is insecure. */
const IV = Buffer.from('I Love Go Frame!')
const BLOCK = 16
const none = Buffer.alloc(0)

let warned = false

/**
 * Go's filter `aes`, id 0x61 (docs/spec/wire.md#filters): AES-CBC with a constant IV and no authentication. Equal
 * messages look equal, and an attacker between the peers can change them unnoticed. For Go peers only; between dmicro
 * peers use `aesGcm`. Warns once per process.
 * @param key 16, 24 or 32 bytes, used as they are
 * @throws TypeError for a key of another type
 * @throws RangeError for a key of another length
 */
export function insecureAes(key: Uint8Array | string): Filter {
  const bytes = Buffer.from(key as Uint8Array)
  if (![16, 24, 32].includes(bytes.length)) throw new RangeError(`an AES key has 16, 24 or 32 bytes, got ${bytes.length}`)
  if (!warned) {
    warned = true
    process.emitWarning('the transfer filter aes has a constant IV and no authentication: use it only to reach Go peers', 'SecurityWarning')
  }
  const algorithm = `aes-${bytes.length * 8}-cbc`
  const decipher = (size: number) => {
    if (size === 0 || size % BLOCK !== 0) throw new Error('aes: not a whole number of blocks')
    return nodeCrypto().createDecipheriv(algorithm, bytes, IV)
  }
  return {
    id: 0x61,
    name: 'aes',
    pack(plain) {
      const cipher = nodeCrypto().createCipheriv(algorithm, bytes, IV)
      return Buffer.concat([cipher.update(plain), cipher.final()])
    },
    packAsync(plain) {
      const cipher = nodeCrypto().createCipheriv(algorithm, bytes, IV)
      return mapSlices(
        plain,
        none,
        (slice) => cipher.update(slice),
        () => [cipher.final()],
      )
    },
    unpack(sealed) {
      const opened = decipher(sealed.length)
      return Buffer.concat([opened.update(sealed), opened.final()])
    },
    async unpackAsync(sealed) {
      const opened = decipher(sealed.length)
      return mapSlices(
        sealed,
        none,
        (slice) => opened.update(slice),
        () => [opened.final()],
      )
    },
  }
}
