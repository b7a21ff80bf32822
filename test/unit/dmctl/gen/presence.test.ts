import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Type } from 'protobufjs'
import { protobufCodec } from '../../../../src/codecs/protobuf.ts'
import { generate, generateModule } from '../../../support/proto.ts'

type Message = Record<string, unknown>
type Module = Record<string, Type>

const read = (type: Type, hex: string): Message =>
  protobufCodec.decode(Buffer.from(hex, 'hex'), 0, hex.length / 2, undefined as never, undefined as never, type as never) as Message
const written = (type: Type, value: object): string => Buffer.from(protobufCodec.encode(value, type as never)).toString('hex')

const PROTO2 = `syntax = "proto2";
enum Kind { CHEAP = 1; DEAR = 2; }
message M {
  required int32 must = 1;
  optional string text = 2;
  optional Kind kind = 3;
  optional Kind dear = 4 [default = DEAR];
  optional int64 big = 5 [default = -9007199254740993];
  optional bytes raw = 6 [default = "a\\001\\xff"];
  optional double inf = 7 [default = -inf];
  optional float nan = 8 [default = nan];
  repeated Kind kinds = 9;
  repeated int32 list = 10;
  repeated int32 packed = 11 [packed = true];
  optional group Part = 12 { optional int32 n = 1; }
  oneof o { string a = 13; Kind b = 14; }
  optional int64 long = 15;
  extensions 100 to 199;
}
extend M { optional string extended = 100; }
`

test('proto2: what is absent reads as null, or as its default', async () => {
  const { M } = await generateModule<Module>({ 'a.proto': PROTO2 })
  const empty = read(M, '0800')
  for (const name of ['text', 'kind', 'part', 'a', 'b', 'long']) assert.equal(empty[name], null, name)
  assert.deepEqual([empty.must, empty.dear, String(empty.big), empty.inf, empty.nan], [0, 2, '-9007199254740993', -Infinity, Number.NaN])
  assert.deepEqual(Buffer.from(empty.raw as Uint8Array), Buffer.from([97, 1, 255]))
  const set = read(M, '080012001801')
  assert.deepEqual([set.text, set.kind], ['', 1])
})

test('proto2: a message without a required field is refused, read and written', async () => {
  const { M } = await generateModule<Module>({ 'a.proto': PROTO2 })
  assert.throws(() => read(M, '1200'), { code: 400, cause: "protobuf: missing required 'must'" })
  assert.throws(() => written(M, { text: '' }), /must/)
})

test('proto2: unknown values of its enums are dropped, lists and groups are encoded its way', async () => {
  const { M } = await generateModule<Module>({ 'a.proto': PROTO2 })
  const message = read(M, '080018634801486348027001')
  assert.deepEqual([message.kind, message.kinds, message.b], [null, [1, 2], 1])
  const bytes = written(M, { must: 1, kinds: [1, 2], list: [1, 2], packed: [1, 2], part: { n: 5 } })
  assert.equal(bytes, '0801' + '48014802' + '50015002' + '5a020102' + '63080564')
})

const EDITION = `edition = "2023";
option features.field_presence = IMPLICIT;
enum Open { O0 = 0; O1 = 1; }
enum Closed { option features.enum_type = CLOSED; C0 = 0; C1 = 1; }
message M {
  string implicit = 1;
  string explicit = 2 [features.field_presence = EXPLICIT];
  Open open = 3;
  Closed closed = 4;
  repeated int32 packed = 5;
  repeated int32 list = 6 [features.repeated_field_encoding = EXPANDED];
  M group = 7 [features.message_encoding = DELIMITED];
  int32 must = 8 [features.field_presence = LEGACY_REQUIRED];
}
`

test('edition 2023: features decide what may be absent and how it is encoded', async () => {
  const { M } = await generateModule<Module>({ 'a.proto': EDITION })
  const empty = read(M, '4000')
  assert.deepEqual([empty.implicit, empty.explicit, empty.open, empty.group], ['', null, 0, null])
  const unknown = read(M, '400018632063')
  assert.deepEqual([unknown.open, unknown.closed], [99, 0])
  const bytes = written(M, { implicit: '', explicit: '', packed: [1, 2], list: [1, 2], group: { must: 1 }, must: 0 })
  assert.equal(bytes, '1200' + '2a020102' + '30013002' + '3b40013c' + '4000')
})

test('the types say the same', async () => {
  const { text } = await generate({ 'a.proto': PROTO2 })
  for (const part of [
    'export interface M {\n  must: number\n  text?: string | null | undefined\n',
    '  dear: Kind\n',
    'export interface MInput {\n  must: number\n  text?: string | null | undefined\n',
    '  part?: M_Part | null | undefined\n',
  ])
    assert.ok(text.includes(part), part)
  assert.ok(!text.includes('extended'))
  const edition = (await generate({ 'a.proto': EDITION })).text
  assert.ok(edition.includes('  implicit: string\n  explicit?: string | null | undefined\n'))
})

test('64-bit integers are exact both ways', async () => {
  const proto =
    'syntax = "proto3"; message M { int64 a = 1; uint64 b = 2; sfixed64 c = 3; map<int64, sint64> m = 4; optional fixed64 d = 5; }'
  const { M } = await generateModule<Module>({ 'a.proto': proto })
  const most = 2n ** 63n - 1n
  const given = { a: -most - 1n, b: String(2n ** 64n - 1n), c: -1n, m: { [String(most)]: -most }, d: 2n ** 63n }
  const message = read(M, written(M, given))
  assert.deepEqual(M.toObject(message as never, { longs: String }), {
    a: String(-most - 1n),
    b: String(2n ** 64n - 1n),
    c: '-1',
    m: { [String(most)]: String(-most) },
    d: String(2n ** 63n),
  })
  assert.equal((message.a as { toBigInt(): bigint }).toBigInt(), -most - 1n)
  assert.throws(() => written(M, { a: 2n ** 63n }), TypeError)
})

test('a text that is written like a number has its text as its default', async () => {
  const texts = ['\0inf', '\0Infinity', '\0\0NaN', 'x"\0NaN', '\0']
  const escaped = (text: string): string => text.replaceAll('\0', '\\000').replaceAll('"', '\\"')
  const fields = texts.map((text, i) => `optional string t${i} = ${i + 1} [default = "${escaped(text)}"];`)
  const { M } = await generateModule<Module>({ 'a.proto': `syntax = "proto2";\nmessage M { ${fields.join(' ')} }\n` })
  const empty = read(M, '')
  assert.deepEqual(
    texts.map((_, i) => empty[`t${i}`]),
    texts,
  )
})
