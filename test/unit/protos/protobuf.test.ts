import assert from 'node:assert/strict'
import { test } from 'node:test'
import protobufjs from 'protobufjs'
import { defaultLimits, type Limits } from '../../../src/base/limits.ts'
import { CloseReason } from '../../../src/message/close-reason.ts'
import { encodeMeta } from '../../../src/message/meta.ts'
import { internName } from '../../../src/message/names.ts'
import { Outgoing } from '../../../src/message/outgoing.ts'
import { encodeStatus } from '../../../src/message/status-json.ts'
import { ProtoError } from '../../../src/protos/proto.ts'
import { protobufProto } from '../../../src/protos/protobuf.ts'
import { mutations } from '../../support/mutations.ts'
import { corpus } from '../../support/proto-corpus.ts'
import { expected, type Fields, unpackPayload } from '../../support/proto-fields.ts'
import { Bench } from '../../support/protos.ts'
import { random } from '../../support/random.ts'

/** The message of docs/spec/wire.md#protobuf as another implementation knows it. */
const Payload = protobufjs
  .parse(
    `syntax = "proto3"; message Payload {
      int32 seq = 1; int32 mtype = 2; string serviceMethod = 3; bytes status = 4; bytes meta = 5; int32 bodyCodec = 6; bytes body = 7;
    }`,
  )
  .root.lookupType('Payload')

interface PayloadFields {
  seq: number
  mtype: number
  serviceMethod: string
  status: Uint8Array
  meta: Uint8Array
  bodyCodec: number
  body: Uint8Array
}

const bench = new Bench(protobufProto)

function open(payload: Uint8Array | string, limits?: Partial<Limits>): Fields {
  return unpackPayload(protobufProto, typeof payload === 'string' ? hex(payload) : payload, limits)
}

function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(' ', ''), 'hex')
}

function refused(payload: Uint8Array | string, reason?: CloseReason, limits?: Partial<Limits>): void {
  assert.throws(
    () => open(payload, limits),
    (error) => error instanceof ProtoError && error.reason === reason,
    `reason ${reason} for ${payload.slice(0, 80)}`,
  )
}

function pack(fields: Partial<Outgoing>): Buffer {
  return bench.pack({ type: 1, seq: 1, method: '/p', codec: 106, ...fields })
}

for (const golden of corpus.protobuf) {
  test(`protobuf reads ${golden.what}`, () => {
    assert.deepEqual(open(golden.payload), expected(golden))
    internName(golden.method)
    assert.deepEqual(open(golden.payload), expected(golden), 'also by the name of a route')
  })

  test(`no cut of ${golden.what} is read as more than it is`, () => {
    for (let size = 0; size < golden.payload.length; size++) {
      const cut = golden.payload.subarray(0, size)
      let fields: Fields
      try {
        fields = open(cut)
      } catch (error) {
        assert.ok(error instanceof ProtoError, String(error))
        continue
      }
      assert.deepEqual(fields, asFields(Payload.decode(cut) as unknown as PayloadFields))
    }
  })

  if (golden.what.startsWith('PB-')) {
    test(`protobuf writes ${golden.what}, byte for byte`, () => {
      const { type, seq, method, status, meta, codec, body } = golden
      const statusText = status === undefined ? '' : encodeStatus(status.code, status.message, status.cause)
      const sent = { type, seq, method, codec, statusText, metaText: encodeMeta(meta), body }
      assert.deepEqual(bench.pack(sent), golden.payload)
      assert.deepEqual(bench.pack({ ...sent, body: Buffer.from(body) }), golden.payload)
      if (body === '') assert.deepEqual(bench.pack({ ...sent, body: null }), golden.payload)
    })
  }
}

/** What protobufjs read, as `unpackPayload` shows it. */
function asFields({ seq, mtype, serviceMethod, status, meta, bodyCodec, body }: PayloadFields): Fields {
  return unpackPayload(
    protobufProto,
    bench.pack({
      seq,
      type: mtype & 0xff,
      method: serviceMethod,
      codec: bodyCodec & 0xff,
      statusText: Buffer.from(status).toString(),
      metaText: Buffer.from(meta).toString(),
      body,
    }),
  )
}

test('1,000 messages as protobufjs reads and writes them', () => {
  const below = random(7)
  const numbers = [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455, 268_435_456, 2_147_483_647]
  const lengths = [0, 1, 41, 42, 43, 44, 127, 128, 129, 16_383, 16_384, 16_385]
  const alphabets = ['x', 'é', '漢', '😀']
  for (let i = 0; i < 1000; i++) {
    const text = (): string => alphabets[below(4)].repeat(lengths[below(i % 10 === 0 ? lengths.length : 9)])
    const seq = (numbers[below(numbers.length)] * (below(2) === 0 ? 1 : -1) - below(2)) | 0
    const method = text()
    const body = text()
    const message = { seq, mtype: 1 + below(3), serviceMethod: method, bodyCodec: below(256), body: Buffer.from(body) }
    const statusText = below(4) === 0 ? encodeStatus(below(1000) + 1, text().slice(0, 500), '') : ''
    const metaText = below(4) === 0 ? encodeMeta({ k: text().slice(0, 500) }) : ''
    const okStatus = '{"code":0,"msg":"","cause":""}'
    const theirs = { ...message, status: Buffer.from(statusText || okStatus), meta: Buffer.from(metaText || '{}') }
    const packed = bench.pack({
      seq,
      type: message.mtype,
      method,
      codec: message.bodyCodec,
      statusText,
      metaText,
      body: below(2) ? body : message.body,
    })
    assert.deepEqual(packed, Buffer.from(Payload.encode(theirs).finish()), `message ${i}`)
    const fields = open(packed)
    assert.deepEqual([fields.seq, fields.type, fields.method, fields.codec], [seq, message.mtype, method, message.bodyCodec])
    assert.deepEqual(fields.body, message.body)
  }
})

const values: [string, string, Partial<Fields>][] = [
  ['a varint longer than it must be', '0881808000 1001', { seq: 1 }],
  ['a seq of 64 bits, cut to 32', '08ffffffffffffffffff01 1001', { seq: -1 }],
  ['a positive seq beyond 32 bits', '088180808010 1001', { seq: 1 }],
  ['type and codec beyond a byte', '108102 30ea02', { type: 1, codec: 106 }],
  [
    'the last of repeated fields',
    '0801 1001 1a0161 3a0178 0802 1003 1a0162 3a0179',
    { seq: 2, type: 3, method: 'b', body: Buffer.from('y') },
  ],
  ['an empty field after a full one', '1001 3a0178 3a00 1a0161 1a00', { method: '', body: Buffer.alloc(0) }],
  ['unknown fields', '1001 4001 410102030405060708 420161 4501020304 0801', { seq: 1 }],
  ['groups within groups', '1001 43 4b 0809 4c 44 0801', { seq: 1 }],
  ['known fields of another wire type', '1001 0a0161 1500000000 1801 21 0102030405060708 2801 320161 3d00000000 0801', { seq: 1 }],
  ['no status, no meta', '1002', { type: 2, meta: {} }],
  ['an empty status and meta', '1002 2200 2a00', { type: 2, meta: {} }],
  ['a tag longer than it must be', '8880808000 01 1001', { seq: 1 }],
]
for (const [what, payload, fields] of values) {
  test(`protobuf reads ${what}`, () => {
    const full = { type: 1, seq: 0, method: '', meta: {}, codec: 0, body: Buffer.alloc(0), ...fields }
    assert.deepEqual(open(payload), full)
    assert.deepEqual(asFields(Payload.decode(hex(payload)) as unknown as PayloadFields), full, 'as protobufjs does')
  })
}

const bad: [string, string, CloseReason?][] = [
  ['no bytes', '', CloseReason.Type],
  ['type 0', '0801', CloseReason.Type],
  ['type 6', '1006', CloseReason.Type],
  ['type 256', '108002', CloseReason.Type],
  ['a negative type', '10ffffffffffffffffff01', CloseReason.Type],
  ['a tag alone', '1001 08'],
  ['half a varint', '1001 08ff'],
  ['a varint of eleven bytes', '1001 08ffffffffffffffffffff01'],
  ['a varint of 65 bits', '1001 08ffffffffffffffffff02'],
  ['a length beyond the end', '1001 3a02 78'],
  ['a length of 2^31', '1001 3a8080808008'],
  ['a negative length', '1001 3affffffffffffffffff01'],
  ['a length of 2^32', '1001 3a8080808010'],
  ['a length beyond the end in an unknown field', '1001 420261'],
  ['half a fixed64', '1001 4101020304'],
  ['half a fixed32', '1001 450102'],
  ['field 0', '1001 0001'],
  ['field 0 in a group', '1001 43 0001 44'],
  ['field 2^29', '1001 8080808010 00'],
  ['wire type 6', '1001 46'],
  ['wire type 7', '1001 47'],
  ['a group without end', '1001 43'],
  ['a group that ends as another', '1001 43 4c'],
  ['the end of no group', '1001 44'],
  ['a service method that is not UTF-8', '1001 1a02c328'],
  ['an overlong service method', '1001 1a02c080'],
  ['a service method that is not UTF-8, though another follows', '1001 1a01ff 1a0161'],
]
for (const [what, payload, reason] of bad) test(`protobuf refuses ${what}`, () => refused(payload, reason))

test('groups nest as deep as the limit', () => {
  const groups = (depth: number): string => `1001${'43'.repeat(depth)}${'44'.repeat(depth)}`
  assert.equal(open(groups(128)).type, 1)
  for (const depth of [129, 1000, 100_000]) refused(groups(depth))
})

test('status and meta have at most 65,535 bytes, read or written', () => {
  const status = (bytes: number): string => encodeStatus(1, 'x'.repeat(bytes - 30), '')
  const meta = (bytes: number): string => `{"k":"${'x'.repeat(bytes - 8)}"}`
  assert.equal(status(65_535).length, 65_535)
  const fields = open(pack({ statusText: status(65_535), metaText: meta(65_535) }))
  assert.equal(fields.status?.message.length, 65_505)
  assert.equal(fields.meta.k.length, 65_527)
  assert.throws(() => pack({ statusText: status(65_536) }), RangeError)
  assert.throws(() => pack({ metaText: meta(65_536) }), RangeError)
  const theirs = { mtype: 1, serviceMethod: '/p' }
  refused(Payload.encode({ ...theirs, status: Buffer.from(status(65_536)) }).finish(), CloseReason.Status)
  refused(Payload.encode({ ...theirs, meta: Buffer.from(meta(65_536)) }).finish(), CloseReason.Meta)
})

test('a large message leaves nothing behind', () => {
  const session = protobufProto.open(bench.link)
  const memory = (body: string): number => {
    const packed = session.pack(Object.assign(new Outgoing(), { type: 1, body }))
    assert.ok(packed instanceof Uint8Array)
    return packed.buffer.byteLength
  }
  assert.ok(memory('x'.repeat(2_000_000)) >= 2_000_000)
  assert.ok(memory('x') <= 1024 * 1024)
})

test('text that is no Unicode becomes U+FFFD', () => {
  const fields = open(pack({ method: '/\ud800', body: 'a\udfff' }))
  assert.deepEqual([fields.method, fields.body.toString()], ['/\ufffd', 'a\ufffd'])
})

test('10,000 damaged messages are refused or read as protobufjs reads them', () => {
  let read = 0
  for (const payload of mutations(
    corpus.protobuf.map((golden) => golden.payload),
    10_000,
    2,
  )) {
    let fields: Fields
    try {
      fields = open(payload)
    } catch (error) {
      if (!(error instanceof ProtoError)) throw new Error(payload.toString('hex'), { cause: error })
      continue
    }
    read++
    assert.ok([1, 2, 3].includes(fields.type))
    const theirs = Payload.decode(payload) as unknown as PayloadFields
    assert.deepEqual(
      [fields.type, fields.seq, fields.method, fields.codec, fields.body],
      [theirs.mtype & 0xff, theirs.seq, theirs.serviceMethod, theirs.bodyCodec & 0xff, Buffer.from(theirs.body)],
      payload.toString('hex'),
    )
  }
  assert.ok(read > 1000, `${read} were read`)
})

test('protobuf is recognised by the tag of one of its fields', () => {
  const match = (first: number): boolean | undefined => protobufProto.match?.(Buffer.from([0, 0, 0, 9, 0, first]), defaultLimits)
  assert.deepEqual(Array.from({ length: 256 }, (_, byte) => byte).filter(match), [0x08, 0x10, 0x1a, 0x22, 0x2a, 0x30, 0x3a])
  assert.equal(protobufProto.match?.(Buffer.from([0, 0, 0, 9, 0]), defaultLimits), undefined)
})
