// The aes-gcm filter against the least that Node's cipher can be asked for the same: no head, no key id, bytes in pieces.
import assert from 'node:assert/strict'
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { report, throughput } from './measure.mjs'
import { load } from './modules.mjs'

const { aesGcm } = await load('filters/aes-gcm')

const BATCH = 16
const BYTES = 64 * 1024
const NONCE = 12
const cipherName = 'aes-256-gcm'
const key = randomBytes(32)
const plain = randomBytes(BYTES)

const filter = aesGcm({ keys: { 0: key }, current: 0 })
const sealed = filter.pack(plain)
assert.deepEqual(Buffer.from(filter.unpack(sealed)), plain)

const nonce = randomBytes(NONCE)
let count = 0
function encrypt() {
  nonce.writeUInt32BE(count++, NONCE - 4) // a nonce must not repeat
  const cipher = createCipheriv(cipherName, key, nonce)
  const body = cipher.update(plain)
  cipher.final()
  return { body, tag: cipher.getAuthTag() }
}
const { body, tag } = encrypt()
const used = Buffer.from(nonce)
function decrypt() {
  const decipher = createDecipheriv(cipherName, key, used)
  decipher.setAuthTag(tag)
  const opened = decipher.update(body)
  decipher.final()
  return opened
}
assert.deepEqual(decrypt(), plain)

const repeat = (operation) => () => {
  let sum = 0
  for (let i = 0; i < BATCH; i++) sum += operation()
  return sum
}
await throughput('aes-gcm', 'pack 64 KiB', BYTES, BATCH, {
  ours: repeat(() => filter.pack(plain).length),
  bare: repeat(() => encrypt().tag.length),
})
await throughput('aes-gcm', 'unpack 64 KiB', BYTES, BATCH, {
  ours: repeat(() => filter.unpack(sealed).length),
  bare: repeat(() => decrypt().length),
})
// What a session does with a message of more than 64 KiB: slice by slice, other work between them.
const jobs = (operation) => async () => {
  let sum = 0
  for (let i = 0; i < BATCH; i++) sum += (await operation()).length
  return sum
}
await throughput('aes-gcm job', 'pack 64 KiB', BYTES, BATCH, {
  ours: jobs(() => filter.packAsync(plain)),
  bare: repeat(() => encrypt().tag.length),
})
await throughput('aes-gcm job', 'unpack 64 KiB', BYTES, BATCH, {
  ours: jobs(() => filter.unpackAsync(sealed)),
  bare: repeat(() => decrypt().length),
})
report()
