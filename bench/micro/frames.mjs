// pack and unpack: a CALL of the raw protocol, as bytes. On both sides a packed frame is new memory. The addon offers its
// two functions for tests; each call crosses into C++, which the transport does once per batch of messages (crossing.mjs).
import assert from 'node:assert/strict'
import { measure, report } from './measure.mjs'
import { load, loadAddon } from './modules.mjs'

const { frameSize, packFrame } = await load('wire/raw-pack')
const { unpackFrame } = await load('wire/raw-unpack')
const { Incoming, MessageType } = await load('message/message')
const { internName } = await load('message/names')
const { jsonCodec } = await load('codecs/json')
const addon = await loadAddon()

const BATCH = 1_000
const limits = { maxMessage: 1 << 24, maxFilters: 4 }
const name = Buffer.from('/bench/echo')
const route = internName('/bench/echo')
const none = Buffer.alloc(0)
const { Call } = MessageType
const { id: JSON_ID } = jsonCodec

const packJs = (seq, body) => {
  const target = Buffer.allocUnsafe(frameSize(seq, name, '', '', body))
  packFrame(target, 0, seq, Call, name, '', '', JSON_ID, body)
  return target
}
const packNative = (seq, body) => addon.pack(seq, Call, name, none, none, JSON_ID, body)

for (const [label, size] of [
  ['64 B', 64],
  ['1 KiB', 1024],
]) {
  const body = Buffer.from(`"${'x'.repeat(size - 2)}"`)
  const frame = packJs(12_345, body)
  const place = Buffer.allocUnsafe(frame.length + 8)
  const message = new Incoming()

  assert.equal(unpackFrame(frame, 0, frame.length, limits, message), frame.length)
  const { seq, type, codec, nameStart, nameEnd, bodyStart } = message
  assert.deepEqual([seq, type, codec, message.route], [12_345, Call, JSON_ID, route])
  assert.deepEqual(frame.subarray(bodyStart), body)
  if (addon !== undefined) {
    assert.deepEqual(Buffer.from(packNative(12_345, body)), frame)
    const at = addon.unpack(frame, limits.maxMessage, limits.maxFilters)
    assert.deepEqual([...at.subarray(0, 6), at[10]], [frame.length, seq, type, codec, nameStart, nameEnd, bodyStart])
    // Status and meta are OK and empty: runs of no length, wherever they are.
    assert.deepEqual([at[7] - at[6], at[9] - at[8]], [0, 0])
  }

  const repeat = (operation) => () => {
    let sum = 0
    for (let i = 0; i < BATCH; i++) sum += operation(i)
    return sum
  }
  await measure('pack', `${label} body`, BATCH, {
    native: addon && repeat((i) => packNative(i, body).byteLength),
    js: repeat((i) => packJs(i, body).length),
  })
  await measure('pack', `${label} body, in place`, BATCH, {
    js: repeat((i) => packFrame(place, 0, i, Call, name, '', '', JSON_ID, body)),
  })
  await measure('unpack', `${label} body`, BATCH, {
    native: addon && repeat(() => addon.unpack(frame, limits.maxMessage, limits.maxFilters)[10]),
    js: repeat(() => unpackFrame(frame, 0, frame.length, limits, message) + message.bodyStart),
  })
}
report()
