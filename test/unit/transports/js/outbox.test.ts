import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Outbox } from '../../../../src/transports/js/outbox.ts'

/** Queues `size` bytes of `fill`, as a frame would be. */
function put(outbox: Outbox, size: number, fill: number): Buffer {
  const chunk = outbox.reserve(size)
  assert.ok(chunk.buffer.length - chunk.end >= size)
  chunk.buffer.fill(fill, chunk.end, chunk.end + size)
  outbox.commit(chunk, chunk.end + size, false)
  return chunk.buffer
}

function take(outbox: Outbox, limit: number): Buffer[] {
  const views: Buffer[] = []
  const count = outbox.take(limit, views)
  assert.equal(count, Buffer.concat(views).length)
  return views
}

test('bytes come out in order, as much at a time as asked for', () => {
  const outbox = new Outbox()
  const expected: Buffer[] = []
  for (let i = 0; i < 200; i++) {
    const size = (i * 7919) % 3000
    put(outbox, size, i)
    expected.push(Buffer.alloc(size, i))
  }
  put(outbox, 300_000, 7)
  expected.push(Buffer.alloc(300_000, 7))
  const all = Buffer.concat(expected)
  assert.equal(outbox.size, all.length)
  const taken: Buffer[] = []
  for (const limit of [1, 4096, 50_000]) taken.push(...take(outbox, limit))
  put(outbox, 10, 9)
  while (outbox.size > 0) taken.push(...take(outbox, 100_000))
  assert.ok(Buffer.concat(taken).equals(Buffer.concat([all, Buffer.alloc(10, 9)])))
})

test('frames of one turn share a chunk, a large one is not copied to join them', () => {
  const outbox = new Outbox()
  const first = put(outbox, 100, 1)
  assert.equal(put(outbox, 100, 2), first)
  const large = put(outbox, 1_000_000, 3)
  assert.equal(large.length, 1_000_000)
  assert.equal(take(outbox, 2_000_000).length, 2)
})

test('a chunk is used again when it was written, and not before', () => {
  const outbox = new Outbox()
  const first = put(outbox, 100, 1)
  const [view] = take(outbox, 1000)
  assert.notEqual(put(outbox, 100, 2), first)
  assert.deepEqual(view, Buffer.alloc(100, 1))
  outbox.release()
  take(outbox, 1000)
  assert.equal(put(outbox, 100, 3), first)
})

test('dropped chunks are not used again, since the system may still read them', () => {
  const outbox = new Outbox()
  const first = put(outbox, 100, 1)
  take(outbox, 1000)
  const second = put(outbox, 100, 1)
  outbox.drop()
  assert.equal(outbox.size, 0)
  outbox.release()
  for (let i = 0; i < 10; i++) {
    const next = put(outbox, 4000, 2)
    assert.ok(next !== first && next !== second)
  }
})

test('chunks grow with what a turn produces, and shrink again', () => {
  const outbox = new Outbox()
  const turn = (size: number): number => {
    for (let left = size; left > 0; left -= 100) put(outbox, 100, 1)
    const { length } = take(outbox, size)
    outbox.release()
    return length
  }
  assert.ok(turn(50_000) > 1)
  for (let i = 0; i < 5; i++) turn(50_000)
  assert.equal(turn(50_000), 1)
  for (let i = 0; i < 10; i++) turn(100)
  assert.equal(put(outbox, 100, 1).length, 4096)
})
