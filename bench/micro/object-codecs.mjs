// The object of the trials in each codec that carries objects, beside the best packages that do the same. All are given the
// value as their users have it, and bodies in buffers of their own.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Encoder as CborX } from 'cbor-x'
import { Packr } from 'msgpackr'
import { messageOf, objectOf } from '../payloads.mjs'
import { compare, report } from './measure.mjs'
import { load, root } from './modules.mjs'

/** As many as there are calls in flight in the trials, or nearly. */
const OBJECTS = 64
const ROUNDS = 16
const limits = { maxDepth: 128 }

const { jsonCodec } = await load('codecs/json')
const { msgpackCodec } = await load('codecs/msgpack')
const { cborCodec } = await load('codecs/cbor')
const { protobufCodec } = await load('codecs/protobuf')
const { TextHint } = await load('message/message')

// The copy that dmicro uses: another version would say nothing about what our codec adds.
const { Root } = createRequire(join(root, 'package.json'))('protobufjs')
const file = fileURLToPath(new URL('../object.proto', import.meta.url))
/** A message class with code of its own, so that V8 learns nothing from the other's use. */
const messageClass = () => new Root().loadSync(file, { keepCase: true }).lookupType('object.Object').ctor
const ourMessage = messageClass()
const theirMessage = messageClass()

const objects = Array.from({ length: OBJECTS }, (_, caller) => objectOf(caller))
const messages = objects.map(messageOf)
const decodeBy = (codec, hint, type) => (body) => codec.decode(body, 0, body.length, hint, limits, type)
// Extensions of the two packages that other languages do not read are off.
const packr = new Packr({ useRecords: false })
const cborX = new CborX({ useRecords: false, tagUint8Array: false })

const json = {
  ours: { values: objects, encode: jsonCodec.encode, decode: decodeBy(jsonCodec, TextHint.Ascii) },
  JSON: { values: objects, encode: JSON.stringify, decode: (body) => JSON.parse(body.utf8Slice()) },
}
const msgpack = {
  ours: { values: objects, encode: msgpackCodec.encode, decode: decodeBy(msgpackCodec, TextHint.Nothing) },
  msgpackr: { values: objects, encode: (value) => packr.pack(value), decode: (body) => packr.unpack(body) },
}
const cbor = {
  ours: { values: objects, encode: cborCodec.encode, decode: decodeBy(cborCodec, TextHint.Nothing) },
  'cbor-x': { values: objects, encode: (value) => cborX.encode(value), decode: (body) => cborX.decode(body) },
}
const protobuf = {
  ours: {
    values: messages.map((message) => ourMessage.fromObject(message)),
    encode: (value) => protobufCodec.encode(value, ourMessage),
    decode: decodeBy(protobufCodec, TextHint.Nothing, ourMessage),
  },
  protobufjs: {
    values: messages.map((message) => theirMessage.fromObject(message)),
    encode: (value) => theirMessage.encode(value).finish(),
    decode: (body) => theirMessage.decode(body),
  },
}
const plainProtobuf = {
  ours: { values: messages, encode: protobuf.ours.encode },
  protobufjs: { values: messages, encode: (value) => theirMessage.encode(theirMessage.fromObject(value)).finish() },
}

const repeat = (inputs, operation, sizeOf) => () => {
  let sum = 0
  for (let round = 0; round < ROUNDS; round++) for (let i = 0; i < OBJECTS; i++) sum += sizeOf(operation(inputs[i]))
  return sum
}
const sides = (codec, make) => Object.fromEntries(Object.entries(codec).map(([name, side]) => [name, make(side)]))
const bodiesOf = ({ values, encode }) => values.map((value) => Buffer.from(encode(value)))

for (const [name, codec] of Object.entries({ json, protobuf, msgpack, cbor })) {
  for (const side of Object.values(codec)) assert.deepEqual(bodiesOf(side).map(side.decode), side.values, name)
  await compare(
    'object codec',
    `${name}, encode`,
    OBJECTS * ROUNDS,
    sides(codec, ({ values, encode }) => repeat(values, encode, (body) => body.length)),
  )
  await compare(
    'object codec',
    `${name}, decode`,
    OBJECTS * ROUNDS,
    sides(codec, (side) => repeat(bodiesOf(side), side.decode, (value) => value.id)),
  )
}
await compare(
  'object codec',
  'protobuf, encode a plain object',
  OBJECTS * ROUNDS,
  sides(plainProtobuf, ({ values, encode }) => repeat(values, encode, (body) => body.length)),
)
report()
