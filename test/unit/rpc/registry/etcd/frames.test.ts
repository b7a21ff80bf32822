import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameReader, frame } from '../../../../../src/rpc/registry/etcd/frames.ts'

const messages = [Buffer.from('first'), Buffer.alloc(0), Buffer.from([1]), Buffer.alloc(300, 7)]
const stream = Buffer.concat(messages.map(frame))

test('messages are cut out of the bytes, however these come', () => {
  for (let size = 1; size <= stream.length; size++) {
    const reader = new FrameReader(300)
    const read: Buffer[] = []
    for (let at = 0; at < stream.length; at += size) read.push(...reader.push(stream.subarray(at, at + size)))
    assert.deepEqual(read, messages)
  }
})

test('a message that is too long is refused by its header', () => {
  assert.throws(() => new FrameReader(299).push(stream), { code: 8 })
  assert.throws(() => new FrameReader(1 << 20).push(Buffer.from([0, 0x7f, 0xff, 0xff, 0xff])), { code: 8 })
  assert.throws(() => new FrameReader(1 << 20).push(Buffer.from([0, 0xff, 0xff, 0xff, 0xff])), { code: 13 })
})

test('a message that is compressed, which was not asked for, is refused', () => {
  assert.throws(() => new FrameReader(300).push(Buffer.from([1, 0, 0, 0, 0])), { code: 13 })
})
