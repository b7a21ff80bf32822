import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { packLayers, unpackLayers } from '../../../src/filtering/layers.ts'
import { insecureAes } from '../../../src/filters/aes.ts'
import { makeFilters } from '../../../src/filters/filter-table.ts'
import { CloseReason } from '../../../src/message/close-reason.ts'
import type { Filter } from '../../../src/message/filter.ts'
import { UNPARSED } from '../../../src/message/message.ts'
import { decodeMeta } from '../../../src/message/meta.ts'
import { decodeStatus } from '../../../src/message/status-json.ts'
import { rawCodecs } from '../../support/raw-codecs.ts'

interface Vector {
  name: string
  hex: string
  /** Before filters. */
  payloadHex?: string
  fields: {
    size: number
    version: number
    filters: number[]
    seq: number
    type: number
    serviceMethod: string
    status: { code: number; msg: string; cause: string }
    statusText: string
    meta: Record<string, unknown>
    metaText: string
    codec: number
    bodyHex: string
  }
}

const OK = '{"code":0,"msg":"","cause":""}'
const vectors: Vector[] = JSON.parse(readFileSync(new URL('../../vectors/raw.json', import.meta.url), 'utf8'))
const latin1 = (text: string): string => Buffer.from(text).toString('latin1')

const filters = makeFilters([insecureAes('1234567890123456')])

const pipeOf = (ids: number[]): Filter[] => ids.map((id) => filters.byId(id) as Filter)

/** A frame without filters around `payload`. */
function plainFrame(payload: Uint8Array): Buffer {
  const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, 1, 0]), payload])
  frame.writeUInt32BE(frame.length)
  return frame
}

for (const { name, unpack, pack } of rawCodecs) {
  test(`every frame captured from Go unpacks to its fields and packs to its bytes (${name})`, () => {
    assert.ok(vectors.length >= 100)
    for (const { name, hex, fields } of vectors) {
      let bytes: Buffer = Buffer.from(hex, 'hex')
      if (fields.filters.length > 0) {
        const whole = unpack(bytes, 1 << 24, 4)
        assert.deepEqual(
          whole,
          { size: bytes.length, seq: 0, type: UNPARSED, codec: 0, method: '', status: '', meta: '', body: bytes.toString('latin1') },
          name,
        )
        bytes = plainFrame(unpackLayers(pipeOf(fields.filters), bytes.subarray(6 + fields.filters.length), 1 << 20) as Uint8Array)
      }
      const got = unpack(bytes, 1 << 24, 4)
      if (fields.type < 1 || fields.type > 5) {
        assert.equal(got, -CloseReason.Type, name)
      } else {
        assert.ok(typeof got === 'object', `${name}: ${got}`)
        const { seq, type, codec } = fields
        const size = bytes.length
        // An invalid byte of Go's own text is not text: statuses are compared byte by byte below.
        const status = fields.statusText === OK ? '' : got.status
        const meta = fields.metaText === '{}' ? '' : latin1(fields.metaText)
        const body = Buffer.from(fields.bodyHex, 'hex').toString('latin1')
        assert.deepEqual(got, { size, seq, type, codec, method: latin1(fields.serviceMethod), status, meta, body }, name)
        const text = (field: string): string => Buffer.from(field, 'latin1').toString()
        const packed = pack(
          seq,
          type,
          Buffer.from(fields.serviceMethod),
          text(got.status),
          text(meta),
          codec,
          Buffer.from(fields.bodyHex, 'hex'),
        )
        assert.equal(packed.toString('hex'), bytes.toString('hex'), name)
      }
    }
  })
}

test('what Go filtered comes out as it was, and filters to the same bytes where no compressor has a choice', () => {
  const filtered = vectors.filter(({ fields }) => fields.filters.length > 0)
  assert.ok(filtered.length >= 19)
  for (const { name, hex, payloadHex, fields } of filtered) {
    const pipe = pipeOf(fields.filters)
    const body = Buffer.from(hex, 'hex').subarray(6 + pipe.length)
    const payload = unpackLayers(pipe, body, 1 << 20) as Uint8Array
    assert.equal(Buffer.from(payload).toString('hex'), payloadHex, name)
    const packed = packLayers(pipe, payload) as Uint8Array
    if (fields.filters.includes(0x7a)) assert.deepEqual(unpackLayers(pipe, packed, 1 << 20), payload, name)
    else assert.equal(Buffer.from(packed).toString('hex'), body.toString('hex'), name)
  }
})

test('the status and meta of every frame captured from Go decode to what Go meant', () => {
  for (const { name, fields } of vectors) {
    const status = decodeStatus(fields.statusText)
    const { code, msg, cause } = fields.status
    assert.deepEqual(status, { code, message: msg, cause }, name)
    const meta = decodeMeta(fields.metaText, { maxMetaKeys: 256, maxDepth: 128 })
    assert.deepEqual(Object.keys(meta ?? {}).sort(), Object.keys(fields.meta ?? {}).sort(), name)
    for (const [key, value] of Object.entries(fields.meta ?? {})) {
      if (typeof value === 'string') assert.equal(meta?.[key], value, name)
    }
  }
})
