import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CloseReason } from '../../../src/message/close-reason.ts'
import { Incoming, UNPARSED } from '../../../src/message/message.ts'
import { internName } from '../../../src/message/names.ts'
import { unpackFrame } from '../../../src/wire/raw-unpack.ts'
import { frame } from '../../support/frames.ts'

const limits = { maxMessage: 1000, maxFilters: 4 }

/** What `unpackFrame` returns, as a reason's name where it refuses. */
function unpack(bytes: Buffer, into = new Incoming()): number | string {
  const result = unpackFrame(bytes, 0, bytes.length, limits, into)
  return result >= 0 ? result : Object.keys(CloseReason)[-result]
}

function fields(bytes: Buffer): Record<string, unknown> {
  const m = new Incoming()
  assert.equal(unpack(bytes, m), bytes.length)
  assert.equal(m.buffer, bytes)
  const text = (start: number, end: number): string => bytes.toString('utf8', start, end)
  return {
    seq: m.seq,
    type: m.type,
    name: text(m.nameStart, m.nameEnd),
    status: text(m.statusStart, m.statusEnd),
    meta: text(m.metaStart, m.metaEnd),
    codec: m.codec,
    body: text(m.bodyStart, m.bodyEnd),
  }
}

/** The frames of docs/spec/wire.md#vectors, byte for byte. */
const RAW_1 =
  '000000570100013101092f6d6174682f616464001e7b22636f6465223a302c226d7367223a22222c226361757365223a22227d00167b22617574686f72223a226f73676f6368696e61227d6a5b312c322c332c342c355d'
const RAW_2 = '00000031010001310200001e7b22636f6465223a302c226d7367223a22222c226361757365223a22227d00027b7d6a3135'
const RAW_3 = '0000003a01000131020000297b22636f6465223a3430342c226d7367223a224e6f7420466f756e64222c226361757365223a22227d00027b7d00'

test('RAW-1 is a CALL with meta and a body', () => {
  const meta = '{"author":"osgochina"}'
  assert.deepEqual(fields(Buffer.from(RAW_1, 'hex')), {
    seq: 1,
    type: 1,
    name: '/math/add',
    status: '',
    meta,
    codec: 106,
    body: '[1,2,3,4,5]',
  })
})

test('RAW-2 is a REPLY whose OK status and empty meta are absent', () => {
  assert.deepEqual(fields(Buffer.from(RAW_2, 'hex')), { seq: 1, type: 2, name: '', status: '', meta: '', codec: 106, body: '15' })
})

test('RAW-3 is a REPLY with a status and no body', () => {
  const status = '{"code":404,"msg":"Not Found","cause":""}'
  assert.deepEqual(fields(Buffer.from(RAW_3, 'hex')), { seq: 1, type: 2, name: '', status, meta: '', codec: 0, body: '' })
})

test('a status or meta of zero bytes is absent, one that differs by a byte is not', () => {
  const odd = { status: '{"code":1,"msg":"","cause":""}', meta: '{ }' }
  assert.deepEqual({ ...fields(frame(odd)), body: '' }, { seq: 1, type: 1, name: '', ...odd, codec: 106, body: '' })
  assert.deepEqual(fields(frame({ status: '', meta: '' })), fields(frame()))
  assert.equal(fields(frame({ status: '{"code":0,"msg":"","cause":""} ' })).status, '{"code":0,"msg":"","cause":""} ')
})

test('a frame is found anywhere in a buffer', () => {
  const one = frame({ seq: 7, method: '/a', meta: '{"k":"v"}', body: 'xyz' })
  const bytes = Buffer.concat([Buffer.alloc(5, 0xff), one, Buffer.alloc(5, 0xff)])
  const m = new Incoming()
  assert.equal(unpackFrame(bytes, 5, bytes.length, limits, m), one.length)
  assert.equal(bytes.toString('utf8', m.bodyStart, m.bodyEnd), 'xyz')
  assert.equal(bytes.toString('utf8', m.metaStart, m.metaEnd), '{"k":"v"}')
})

test('a service method this process has named comes as its id, any other as bytes', () => {
  const id = internName('/raw-unpack/known')
  const m = new Incoming()
  unpack(frame({ method: '/raw-unpack/known' }), m)
  assert.equal(m.route, id)
  unpack(frame({ method: '/raw-unpack/unknown' }), m)
  assert.equal(m.route, -1)
  internName('')
  unpack(frame({ method: '' }), m)
  assert.equal(m.route, -1)
  assert.equal(m.nameStart, m.nameEnd)
})

test('service methods of 255 bytes, invalid UTF-8, NUL and __proto__ are only bytes', () => {
  const m = new Incoming()
  for (const method of [Buffer.alloc(255, 0x61), Buffer.from([0xff, 0xfe]), '\0', '__proto__', 'constructor']) {
    const bytes = frame({ method })
    assert.equal(unpack(bytes, m), bytes.length)
    assert.equal(m.route, -1)
    assert.deepEqual(bytes.subarray(m.nameStart, m.nameEnd), Buffer.from(method as string))
  }
})

test('a length below the smallest frame is refused on its four bytes', () => {
  for (let total = 0; total < 15; total++) {
    assert.equal(unpack(Buffer.from([0, 0, 0, total])), 'TooShort')
  }
  assert.equal(unpack(Buffer.from([0, 0, 0, 15])), 0)
})

test('the smallest frame has 15 bytes', () => {
  const bytes = frame({ status: '', meta: '' })
  assert.equal(bytes.length, 15)
  assert.equal(unpack(bytes), 15)
})

test('a length above the limit is refused on its four bytes', () => {
  for (const total of [1001, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(total)
    assert.equal(unpack(bytes), 'TooLarge')
  }
  assert.equal(unpack(frame({ total: 1000 })), 0)
})

test('a version other than 1 is refused on the fifth byte', () => {
  for (let version = 0; version < 256; version++) {
    assert.equal(unpack(frame({ version, total: 100 }).subarray(0, 5)), version === 1 ? 0 : 'Version')
  }
})

test('too many filters, or more than the frame has room for, are refused on the sixth byte', () => {
  const start = (count: number): Buffer => Buffer.from([0, 0, 0, 100, 1, count])
  for (const count of [0, 1, 2, 3, 4]) assert.equal(unpack(start(count)), 0)
  for (const count of [5, 255]) assert.equal(unpack(start(count)), 'FilterCount')
  const wide = { maxMessage: 1000, maxFilters: 255 }
  for (const count of [94, 95, 255]) {
    assert.equal(unpackFrame(start(count), 0, 6, wide, new Incoming()), count === 94 ? 0 : -CloseReason.TooShort)
  }
})

test('a frame with filters is left whole, whatever is in it', () => {
  const bytes = Buffer.concat([Buffer.alloc(3), frame({ filters: [1, 255], seq: '', type: 99, methodLength: 255 }), Buffer.alloc(3)])
  const m = new Incoming()
  m.type = 3
  assert.equal(unpackFrame(bytes, 3, bytes.length, limits, m), bytes.length - 6)
  assert.deepEqual([m.type, m.seq, m.route, m.codec, m.bodyStart, m.bodyEnd], [UNPARSED, 0, -1, 0, 3, bytes.length - 3])
  assert.deepEqual([m.nameStart, m.nameEnd, m.statusStart, m.statusEnd, m.metaStart, m.metaEnd], [3, 3, 3, 3, 3, 3])
  assert.deepEqual(m.owned().buffer, bytes.subarray(3, bytes.length - 3))
})

test('every sequence number that Go reads is read, and no other', () => {
  const good: [string, number][] = [
    ['1', 1],
    ['z', 35],
    ['Z', 35],
    ['10', 36],
    ['+1', 1],
    ['-1', -1],
    ['0', 0],
    ['+0', 0],
    ['-0', 0],
    ['000001', 1],
    ['zik0zj', 2147483647],
    ['ZIK0ZJ', 2147483647],
    ['-zik0zk', -2147483648],
    ['-zik0zj', -2147483647],
    [`${'0'.repeat(254)}a`, 10],
    [`-${'0'.repeat(253)}a`, -10],
  ]
  for (const [seq, value] of good) {
    const m = new Incoming()
    assert.equal(unpack(frame({ seq }), m), frame({ seq }).length, seq)
    assert.ok(Object.is(m.seq, value), `${seq} is ${m.seq}`)
  }
  const bad = ['', '+', '-', '--1', '+-1', '1-', ' 1', '1 ', '_1', '1_0', '1.', '/', ':', '@', '[', '`', '{', 'é', '\0']
  for (const seq of [...bad, 'zik0zk', '+zik0zk', '-zik0zl', '100000000', 'z'.repeat(255), '1'.repeat(255)]) {
    assert.equal(unpack(frame({ seq, body: '12345' })), 'Seq', JSON.stringify(seq))
  }
})

test('only CALL, REPLY, PUSH and the two of authentication are message types', () => {
  for (let type = 0; type < 256; type++) {
    const bytes = frame({ type })
    assert.equal(unpack(bytes), type >= 1 && type <= 5 ? bytes.length : 'Type')
  }
})

test('every codec id is passed on', () => {
  for (const codec of [0, 1, 127, 128, 255]) assert.equal(fields(frame({ codec })).codec, codec)
})

test('a field that runs past its frame is refused, though more bytes follow', () => {
  const after = Buffer.alloc(1000, 0x31)
  const overrun = (bytes: Buffer): void => {
    assert.equal(unpack(bytes), 'Overrun')
    assert.equal(unpack(Buffer.concat([bytes, after])), 'Overrun')
  }
  overrun(frame({ methodLength: 255 }))
  overrun(frame({ statusLength: 65_535 }))
  overrun(frame({ metaLength: 65_535 }))
  // By one byte each: the field reaches over the codec, so that there is none.
  overrun(frame({ metaLength: 4 }))
  overrun(frame({ meta: '', metaLength: 1 }))
  const seq = frame({ status: '', meta: '' })
  seq[6] = 9
  overrun(seq)
})

test('a frame that ends at or before any field is refused', () => {
  const whole = frame({ seq: 'zzzz', method: '/abcdefghijk', meta: '{"a":"b"}', body: '' })
  for (let total = 15; total < whole.length; total++) {
    const cut = Buffer.from(whole)
    cut.writeUInt32BE(total)
    assert.equal(unpack(cut), 'Overrun', `cut to ${total}`)
  }
})

test('the first bad field decides the reason', () => {
  assert.equal(unpack(frame({ total: 3, version: 9, filters: [1] })), 'TooShort')
  assert.equal(unpack(frame({ version: 9, filters: [1] })), 'Version')
  assert.equal(unpack(frame({ filters: [1, 2, 3, 4, 5], seq: '' })), 'FilterCount')
  assert.equal(unpack(frame({ seq: '!', type: 9, methodLength: 255 })), 'Seq')
  assert.equal(unpack(frame({ type: 9, methodLength: 255 })), 'Type')
})

test('trailing bytes are the body', () => {
  assert.equal(fields(frame({ body: '\0\0\0' })).body, '\0\0\0')
})
