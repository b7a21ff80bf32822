import { nodeCrypto } from '../base/builtin.ts'
import type { Filter } from '../message/filter.ts'
import { inSlices } from './slices.ts'

const DIGEST = 16

/**
 * Go's filter `md5`, id 0x35 (docs/spec/wire.md#filters): the digest after the bytes. It detects accidents only, since
 * an attacker can change the digest too.
 */
export const md5: Filter = {
  id: 0x35,
  name: 'md5',
  pack: (bytes) => Buffer.concat([bytes, digest(bytes)]),
  packAsync: async (bytes) => Buffer.concat([bytes, await digestLarge(bytes)]),
  unpack: (bytes) => {
    const body = bytes.subarray(0, Math.max(0, bytes.length - DIGEST))
    return check(body, bytes, digest(body))
  },
  unpackAsync: async (bytes) => {
    const body = bytes.subarray(0, Math.max(0, bytes.length - DIGEST))
    return check(body, bytes, await digestLarge(body))
  },
}

function digest(bytes: Uint8Array): Buffer {
  return nodeCrypto().hash('md5', bytes, 'buffer')
}

async function digestLarge(bytes: Uint8Array): Promise<Buffer> {
  const sum = nodeCrypto().createHash('md5')
  await inSlices(bytes, (slice) => sum.update(slice))
  return sum.digest()
}

function check(body: Uint8Array, bytes: Uint8Array, expected: Buffer): Uint8Array {
  if (bytes.length < DIGEST || !expected.equals(bytes.subarray(body.length))) throw new Error('md5: check failed')
  return body
}
