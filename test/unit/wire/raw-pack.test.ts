import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Incoming } from '../../../src/message/message.ts'
import { frameBound, frameSize, packFrame } from '../../../src/wire/raw-pack.ts'
import { unpackFrame } from '../../../src/wire/raw-unpack.ts'

interface Parts {
  seq?: number
  type?: number
  name?: string
  status?: string
  meta?: string
  codec?: number
  body?: string | Uint8Array | null
}

/** Packs into exactly `frameSize` bytes in the middle of a buffer, and checks that no other byte is touched. */
function pack(parts: Parts): Buffer {
  const { seq = 1, type = 2, status = '', meta = '', codec = 106, body = null } = parts
  const name = Buffer.from(parts.name ?? '')
  const size = frameSize(seq, name, status, meta, body)
  assert.ok(size <= frameBound(name, status, meta, body))
  const target = Buffer.alloc(size + 20, 0xee)
  assert.equal(packFrame(target, 10, seq, type, name, status, meta, codec, body), 10 + size)
  assert.deepEqual(target.subarray(0, 10), Buffer.alloc(10, 0xee))
  assert.deepEqual(target.subarray(10 + size), Buffer.alloc(10, 0xee))
  return target.subarray(10, 10 + size)
}

const size = (parts: Parts): number =>
  frameSize(parts.seq ?? 1, Buffer.from(parts.name ?? ''), parts.status ?? '', parts.meta ?? '', parts.body ?? null)

test('RAW-1, RAW-2 and RAW-3 are packed byte for byte', () => {
  const call = pack({ type: 1, name: '/math/add', meta: '{"author":"osgochina"}', body: '[1,2,3,4,5]' })
  assert.equal(
    call.toString('hex'),
    '000000570100013101092f6d6174682f616464001e7b22636f6465223a302c226d7367223a22222c226361757365223a22227d00167b22617574686f72223a226f73676f6368696e61227d6a5b312c322c332c342c355d',
  )
  assert.equal(
    pack({ body: '15' }).toString('hex'),
    '00000031010001310200001e7b22636f6465223a302c226d7367223a22222c226361757365223a22227d00027b7d6a3135',
  )
  assert.equal(
    pack({ status: '{"code":404,"msg":"Not Found","cause":""}', codec: 0 }).toString('hex'),
    '0000003a01000131020000297b22636f6465223a3430342c226d7367223a224e6f7420466f756e64222c226361757365223a22227d00027b7d00',
  )
})

test('a sequence number is base 36 in lower case', () => {
  const int32 = [0, 1, 35, 36, 1295, 1296, 46655, 46656, 2147483647, -1, -35, -36, -2147483647, -2147483648]
  for (const seq of int32) {
    const packed = pack({ seq })
    assert.equal(packed.toString('latin1', 7, 7 + packed[6]), seq.toString(36))
    const m = new Incoming()
    assert.equal(unpackFrame(packed, 0, packed.length, { maxMessage: 100, maxFilters: 0 }, m), packed.length)
    assert.equal(m.seq, seq)
  }
})

test('bodies are packed as text, as bytes and not at all', () => {
  assert.ok(pack({ body: 'abc' }).equals(pack({ body: Buffer.from('abc') })))
  assert.ok(pack({ body: '' }).equals(pack({ body: null })))
  assert.ok(pack({ body: new Uint8Array([1, 2, 3, 4]).subarray(1, 3) }).equals(pack({ body: '\x02\x03' })))
})

test('text of every length and width becomes UTF-8, lone surrogates U+FFFD', () => {
  const last = (bytes: Buffer, count: number): Buffer => bytes.subarray(bytes.length - count)
  for (const unit of ['a', 'é', '世', '🙂', '\ud83d', '\ude42', 'a\ud83d', '\0', '\x7f', '\x80']) {
    for (const count of [1, 2, 11, 12, 13, 20, 39, 40, 41, 100, 1000]) {
      const text = 'ab'.repeat(count % 3) + unit.repeat(count)
      const utf8 = Buffer.from(text)
      assert.ok(last(pack({ body: text }), utf8.length).equals(utf8))
      assert.equal(pack({ body: text }).length, 47 + utf8.length)
      const marked = pack({ status: text, meta: text })
      assert.ok(marked.equals(pack({ status: utf8.toString(), meta: utf8.toString() })))
    }
  }
  assert.deepEqual(last(pack({ body: 'x\ud83d' }), 3), Buffer.from([0xef, 0xbf, 0xbd]))
})

test('a name over 255 bytes, a status or meta over 65,535 has no frame', () => {
  assert.equal(size({ name: 'n'.repeat(255) }), 47 + 255)
  assert.equal(size({ name: 'n'.repeat(256) }), -1)
  assert.equal(size({ name: 'é'.repeat(128) }), -1)
  assert.equal(size({ status: 's'.repeat(65_535) }), 47 - 30 + 65_535)
  assert.equal(size({ status: 's'.repeat(65_536) }), -1)
  assert.equal(size({ status: 'é'.repeat(32_768) }), -1)
  assert.equal(size({ meta: 'm'.repeat(65_535) }), 47 - 2 + 65_535)
  assert.equal(size({ meta: 'm'.repeat(65_536) }), -1)
})

test('the widest fields carry true lengths', () => {
  const parts = { name: 'n'.repeat(255), status: 's'.repeat(65_535), meta: 'm'.repeat(65_535), body: 'b' }
  const packed = pack(parts)
  const m = new Incoming()
  assert.equal(unpackFrame(packed, 0, packed.length, { maxMessage: 1 << 20, maxFilters: 0 }, m), packed.length)
  assert.equal(m.nameEnd - m.nameStart, 255)
  assert.equal(m.statusEnd - m.statusStart, 65_535)
  assert.equal(m.metaEnd - m.metaStart, 65_535)
  assert.equal(packed.toString('latin1', m.bodyStart, m.bodyEnd), 'b')
})
