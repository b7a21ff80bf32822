import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { http } from '../../../src/protos/http.ts'
import { checkReading, checkSplits, type Shown, written } from '../../support/golden.ts'
import { isMessage, readVectors } from '../../support/vectors.ts'

const vectors = readVectors('http')
const httpProto = http()

/** The case of these is restored. */
const reserved = new Map(['X-Accept-Body-Codec', 'X-Real-IP', 'hb_'].map((name) => [name.toLowerCase(), name]))

/** Other keys of meta come in lower case. An error has no codec, and its status is unzipped with the head. */
const shown: Shown = (message) => {
  const meta = Object.entries(message.meta).map(([key, value]) => [reserved.get(key.toLowerCase()) ?? key.toLowerCase(), value])
  return { ...message, meta: Object.fromEntries(meta), ...(message.status === undefined ? {} : { codec: 0, filters: [] }) }
}

/** A header cannot carry the white space around its value, a query can. */
const trimmed: Shown = (message) => {
  const { meta, ...rest } = shown(message)
  return { ...rest, meta: Object.fromEntries(Object.entries(meta).map(([key, value]) => [key, value.trim()])) }
}

/** A message without what Go and we may do differently: the order and case of header names, and what gzip makes of a body. */
function parts(bytes: Buffer): unknown[] {
  const end = bytes.indexOf('\r\n\r\n')
  const [start, ...lines] = bytes.toString('utf8', 0, end).split('\r\n')
  const headers = lines.map((line) => line.replace(/^[^:]*/, (name) => name.toLowerCase())).sort()
  const body = bytes.subarray(end + 4)
  if (!headers.includes('content-encoding: gzip')) return [start, headers, body]
  return [start, headers.filter((line) => !line.startsWith('content-length:')), gunzipSync(body)]
}

test('http: every message captured from Go is read as it was meant, also where Go reads something else (W2, W7)', () => {
  assert.deepEqual([vectors.length, vectors.filter(isMessage).length, vectors.filter(({ goReads }) => !goReads).length], [133, 133, 14])
  checkReading(httpProto, vectors, shown)
})

test('http: we write start line, headers and body of Go, but for escapes in a status, and what is encoded in a path', () => {
  let same = 0
  const other: string[] = []
  for (const vector of vectors) {
    const ours = written(httpProto, vector, trimmed) as Buffer
    assert.ok(ours.includes('\r\nX-MType: '), `${vector.name}: the spelling that Go reads`)
    if (isDeepStrictEqual(parts(ours), parts(Buffer.from(vector.hex, 'hex')))) same++
    else if (!vector.fields.status.code) other.push(vector.name)
  }
  // A query and a host are not in the service method of those who get them.
  assert.deepEqual(other, ['call-query', 'call-host', 'call-method-unicode', 'call-method-escaped'])
  assert.equal(same, 108)
})

test('http: messages cut in two anywhere are the same messages', () => {
  checkSplits(
    httpProto,
    vectors.map(({ hex }) => hex),
    512,
  )
})
