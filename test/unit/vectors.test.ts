import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CloseReason } from '../../src/close-reason.ts'
import { decodeMeta } from '../../src/meta.ts'
import { decodeStatus } from '../../src/status-json.ts'
import { rawCodecs } from '../raw-codecs.ts'

interface Vector {
  name: string
  hex: string
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
const vectors: Vector[] = JSON.parse(readFileSync(new URL('../vectors/raw.json', import.meta.url), 'utf8'))
const latin1 = (text: string): string => Buffer.from(text).toString('latin1')

for (const { name, unpack, pack } of rawCodecs) {
  test(`every frame captured from Go unpacks to its fields and packs to its bytes (${name})`, () => {
    assert.ok(vectors.length >= 100)
    for (const { name, hex, fields } of vectors) {
      const bytes = Buffer.from(hex, 'hex')
      const got = unpack(bytes, 1 << 24, 4)
      if (fields.filters.length > 0) {
        assert.equal(got, -CloseReason.Filter, name)
      } else if (fields.type < 1 || fields.type > 3) {
        assert.equal(got, -CloseReason.Type, name)
      } else {
        assert.ok(typeof got === 'object', `${name}: ${got}`)
        const { size, seq, type, codec } = fields
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
        assert.equal(packed.toString('hex'), hex, name)
      }
    }
  })
}

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
