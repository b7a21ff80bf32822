import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Type } from 'protobufjs'
import { protobufCodec } from '../../../../src/codecs/protobuf.ts'
import { generate, generateError, generateModule } from '../../../support/proto.ts'

type Module = Record<string, Type>

const read = (type: Type, hex: string): unknown =>
  protobufCodec.decode(Buffer.from(hex, 'hex'), 0, hex.length / 2, undefined as never, undefined as never, type as never)
const written = (type: Type, value: object): string => Buffer.from(protobufCodec.encode(value, type as never)).toString('hex')

const GROUPS = `syntax = "proto2";
package g;
message Item { optional int32 n = 1; }
message M {
  extensions 100 to 200;
  oneof pick {
    group First = 1 [deprecated = true] {
      optional int32 n = 1;
      oneof inner { int32 q = 2; group Deep = 3 { optional int32 z = 1; } }
      extensions 10 to 20;
      map<string, int32> counts = 5;
      enum Kind { X = 1; }
      message Part { optional Kind kind = 1 [default = X]; }
      optional Part part = 6;
      extend M { optional int32 more = 101; optional group Extended = 102 { optional int32 w = 1; } }
    }
    int32 plain = 2;
    group SecondOne = 3 {}
    string last = 4;
  }
  repeated group Item = 5 { optional int32 n = 1; }
  optional .g.Item outside = 6;
  optional SecondOne again = 7;
  required group Must = 8 { required int32 x = 1; }
}
`

test('groups are read in oneofs, in groups and with options, and encoded as groups', async () => {
  const { M } = await generateModule<Module>({ 'a.proto': GROUPS })
  const must = '430801' + '44'
  const bytes = written(M, { first: { n: 1, deep: { z: 2 }, counts: { a: 3 } }, must: { x: 1 } })
  assert.equal(bytes, `${'0b' + '0801' + '1b' + '0802' + '1c' + '2a050a01611003' + '0c'}${must}`)
  const message = { first: { n: 1, deep: { z: 2 }, counts: { a: 3 } }, must: { x: 1 } }
  assert.deepEqual(M.toObject(read(M, bytes) as never), message)
  assert.equal(written(M, { secondone: {}, must: { x: 1 } }), `1b1c${must}`)
})

test('the fields of a oneof with groups are those of one oneof, in their order', async () => {
  const { model, text } = await generate({ 'a.proto': GROUPS })
  const { type } = model.messages.find(({ name }) => name === 'M') as { type: Type }
  assert.deepEqual(
    type.oneofsArray.map(({ name, oneof }) => [name, oneof]),
    [['pick', ['first', 'plain', 'secondone', 'last']]],
  )
  assert.deepEqual(
    type.fieldsArray.filter(({ extend }) => extend === undefined).map(({ name }) => name).slice(0, 7),
    ['first', 'plain', 'secondone', 'last', 'item', 'outside', 'again'],
  ) // biome-ignore format: one line
  assert.doesNotMatch(text, /pick_Part/)
})

test('a field of another message with the name of a group, or of the message of a group, is no group', async () => {
  const { M } = await generateModule<Module>({ 'a.proto': GROUPS })
  const bytes = written(M, { item: [{ n: 1 }], outside: { n: 2 }, again: {}, must: { x: 1 } })
  assert.equal(bytes, '2b08012c' + '32020802' + '3a00' + '43080144')
})

test('comments of a group are those of its message', async () => {
  const { text } = await generate({
    'a.proto': 'syntax = "proto2";\nmessage A {\n  oneof o {\n    // Behind.\n    group B = 1 { // In.\n    }\n  }\n}\n',
  })
  assert.match(text, /\/\*\*\n \* Behind\.\n \*\n \* In\.\n \*\/\nexport interface A_B /)
})

test('a part of a oneof takes no name that the file has', async () => {
  const proto =
    'syntax = "proto2";\nmessage A { oneof o { group B = 1 {} group C = 2 {} } optional int32 o_Part = 3; optional o_Part_ x = 4; message o_Part_ {} }'
  const { model } = await generate({ 'a.proto': proto })
  const { type } = model.messages.find(({ name }) => name === 'A') as { type: Type }
  assert.deepEqual(type.oneofsArray.map(({ oneof }) => oneof), [['b', 'c']]) // biome-ignore format: one line
})

test('mistakes in and around groups are reported where they are', async () => {
  const head = 'syntax = "proto2";\nmessage A {\n'
  const cases: [text: string, message: string][] = [
    [`${head}  oneof o {\n    group B = 1 {\n      optional int32 x 1;\n    }\n  }\n}`, "a.proto:5:24: expected '=', got '1'"],
    [`${head}  oneof o {\n    group B = 1 {}\n    int32 c d = 2;\n  }\n}`, "a.proto:5:13: expected '=', got 'd'"],
    [`${head}  oneof o {\n    group B = 1 {}\n    int32 c = 1;\n  }\n}`, 'a.proto:5:15: number 1 is used twice in message A'],
    [`${head}  optional int32 b = 1;\n  oneof o {\n    group B = 2 {}\n  }\n}`, 'a.proto:5:11: name b is used twice in message A'],
    [
      `${head}  optional int32 x = 1;\n  repeated group B = 1 { optional int32 y = 1; }\n}`,
      'a.proto:4:22: number 1 is used twice in message A',
    ],
    [`${head}  oneof o {\n    group B = 1 {`, 'a.proto:4:18: unexpected end of the file'],
    [`${head}  oneof o {\n    repeated group B = 1 {}\n  }\n}`, "a.proto:4:5: fields of a oneof have no label, got 'repeated'"],
    [`${head}  optional group b = 1 {}\n}`, "a.proto:3:18: the name of a group begins with a capital letter, got 'b'"],
    [`${head}  group B = 1 {}\n}`, "a.proto:3:3: expected 'optional', 'required' or 'repeated', got 'group'"],
    [`${head}  optional group B = x {}\n}`, "a.proto:3:22: expected a number, got 'x'"],
    [`${head}  optional group B = 1 [x] {}\n}`, "a.proto:3:26: expected '=', got ']'"],
    [`${head}  optional group B = 1 { optional Nope n = 1; }\n}`, 'a.proto:3:35: no message or enum is named Nope'],
    [`${head}  optional group B = 19000 {}\n}`, 'a.proto:3:18: the number of b is reserved by protobuf: 19000'],
    [
      'edition = "2023";\nmessage A {\n  group B = 1 {}\n}',
      'a.proto:3:3: there are no groups in editions; a field of a message with [features.message_encoding = DELIMITED] is the same',
    ],
    ['syntax = "proto3";\nmessage A { oneof o { group B = 1 {} } }', 'a.proto:2:29: there are no groups in proto3'],
  ]
  for (const [text, message] of cases) assert.equal(await generateError({ 'a.proto': text }), message, text)
})
