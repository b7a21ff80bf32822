import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonrpcProto } from '../../../src/protos/jsonrpc.ts'
import { checkReading, checkSplits, type Shown, written } from '../../support/golden.ts'
import { isMessage, readVectors } from '../../support/vectors.ts'

const vectors = readVectors('jsonrpc')

/** An error has no codec, and `params` of null are an empty body. */
const shown: Shown = (message) => {
  if (message.status !== undefined) return { ...message, codec: 0 }
  return message.type === 1 && message.body.toString() === 'null' ? { ...message, body: Buffer.alloc(0) } : message
}

test('jsonrpc: every line captured from Go is read as it was meant, also where Go reads something else (W10)', () => {
  assert.deepEqual([vectors.length, vectors.filter(isMessage).length, vectors.filter(({ goReads }) => !goReads).length], [88, 88, 6])
  checkReading(jsonrpcProto, vectors, shown)
})

test("jsonrpc: we write the bytes of Go, but for its escapes of <>& and U+2028 in an error's message", () => {
  const other = vectors.filter((vector) => written(jsonrpcProto, vector, shown)?.toString('hex') !== vector.hex)
  assert.equal(vectors.length - other.length, 85)
  assert.deepEqual(
    other.map(({ name }) => name),
    ['reply-error-everything', 'reply-error-invisible', 'reply-error-quotes'],
  )
})

test('jsonrpc: lines cut in two anywhere are the same messages', () => {
  checkSplits(
    jsonrpcProto,
    vectors.map(({ hex }) => hex),
    512,
  )
})
