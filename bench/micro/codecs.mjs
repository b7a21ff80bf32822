// Codecs are JavaScript on both transports. The sides differ in what decoding is told about the bytes: the native core has
// looked at them (native/wire/json_hint.h), at a cost that crossing.mjs contains; the JavaScript transport has not.
import assert from 'node:assert/strict'
import { measure, report } from './measure.mjs'
import { load } from './modules.mjs'

const { jsonCodec } = await load('codecs/json')
const { plainCodec } = await load('codecs/plain')
const { TextHint } = await load('message/message')

const BATCH = 1_000
const BEFORE = 40
const limits = { maxDepth: 128 }

const repeat = (operation) => () => {
  let sum = 0
  for (let i = 0; i < BATCH; i++) sum += operation()
  return sum
}

const text = 'x'.repeat(62)
const cases = [
  { name: 'json, string of 64 B', codec: jsonCodec, value: text, hint: TextHint.Quoted, size: (value) => value.length },
  {
    name: 'json, object of 4 fields',
    codec: jsonCodec,
    value: { id: 12_345, name: 'Ada Lovelace', active: true, score: 0.5 },
    hint: TextHint.Ascii,
    size: (value) => value.id,
  },
  { name: 'plain, 62 B', codec: plainCodec, value: text, hint: TextHint.Ascii, size: (value) => value.length },
]

for (const { name, codec, value } of cases) {
  assert.equal(codec.encode(value), codec === jsonCodec ? JSON.stringify(value) : value)
  await measure('codec encode', name, BATCH, { js: repeat(() => codec.encode(value).length) })
}
// What a session asks first: encode is for what is large or unusual.
const target = Buffer.alloc(1024)
for (const { name, codec, value } of cases) {
  if (codec.write === undefined) continue
  assert.equal(target.toString('utf8', 0, codec.write(value, target, 0, target.length)), codec.encode(value))
  await measure('codec write', name, BATCH, { js: repeat(() => codec.write(value, target, 0, target.length)) })
}

for (const { name, codec, value, hint, size } of cases) {
  const body = Buffer.from(codec.encode(value))
  const buffer = Buffer.concat([Buffer.alloc(BEFORE), body])
  const decode = (known) => codec.decode(buffer, BEFORE, buffer.length, known, limits)
  for (const known of [hint, TextHint.Nothing]) assert.deepEqual(decode(known), value)
  await measure('codec decode', name, BATCH, {
    native: repeat(() => size(decode(hint))),
    js: repeat(() => size(decode(TextHint.Nothing))),
  })
}
report()
