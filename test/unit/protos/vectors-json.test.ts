import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { jsonProto } from '../../../src/protos/json.ts'
import { checkFilters, checkReading, payloadOf, written } from '../../support/golden.ts'
import { ProtoPeer } from '../../support/proto-peer.ts'
import { isMessage, meant, readVectors, type Vector } from '../../support/vectors.ts'

const vectors = readVectors('json')

/** The text of a frame's document. */
function document(frame: Uint8Array): string {
  return Buffer.from(payloadOf(frame), 'hex').toString()
}

/** Members of a document, undefined when it is no JSON, as some of Go's are not. */
function members(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function hasText({ fields }: Vector): boolean {
  return isUtf8(Buffer.from(fields.bodyHex, 'hex'))
}

test('json: every frame captured from Go is read as it was meant, also where Go reads something else (W1, W2)', () => {
  assert.deepEqual([vectors.length, vectors.filter(isMessage).length, vectors.filter(({ goReads }) => !goReads).length], [198, 196, 36])
  checkReading(jsonProto, vectors)
})

test('json: what Go filtered comes out as it was', () => {
  assert.equal(checkFilters(vectors), 76)
})

test('json: we write JSON, whose members are those of Go but where escapes differ or values of meta were no text', () => {
  let same = 0
  let other = 0
  for (const vector of vectors) {
    if (!isMessage(vector) || !hasText(vector)) continue
    const ours = document(written(jsonProto, vector) as Buffer)
    assert.ok(ours.startsWith('{"mtype":') && members(ours) !== undefined, vector.name)
    if (isDeepStrictEqual(members(ours), members(document(Buffer.from(vector.hex, 'hex'))))) same++
    else other++
  }
  assert.deepEqual({ same, other }, { same: 150, other: 43 })
})

test('json: we do not write bodies that are no text', () => {
  const bytes = vectors.filter((vector) => isMessage(vector) && !hasText(vector))
  assert.equal(bytes.length, 3)
  for (const vector of bytes) assert.throws(() => new ProtoPeer(jsonProto).send(meant(vector)), TypeError, vector.name)
})
