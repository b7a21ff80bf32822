import assert from 'node:assert/strict'
import { test } from 'node:test'
import { protobufProto } from '../../../src/protos/protobuf.ts'
import { checkFilters, checkReading, payloadOf, written } from '../../support/golden.ts'
import { isMessage, readVectors } from '../../support/vectors.ts'

const GZIP = 122
const vectors = readVectors('protobuf')

test('protobuf: every frame captured from Go is read as it was meant', () => {
  assert.deepEqual([vectors.length, vectors.filter(isMessage).length], [218, 216])
  checkReading(protobufProto, vectors)
})

test('protobuf: what Go filtered comes out as it was', () => {
  assert.equal(checkFilters(vectors), 85)
})

test('protobuf: we write the bytes of Go, but for escapes in status and meta, values of meta that were no text, and what gzip chooses', () => {
  let frames = 0
  let payloads = 0
  let other = 0
  for (const vector of vectors) {
    const frame = written(protobufProto, vector)
    if (frame === undefined) continue
    if (frame.toString('hex') === vector.hex) frames++
    else if (vector.fields.filters.includes(GZIP) && payloadOf(frame) === vector.payloadHex) payloads++
    else other++
  }
  assert.deepEqual({ frames, payloads, other }, { frames: 147, payloads: 47, other: 22 })
})
