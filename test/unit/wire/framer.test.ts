import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CloseReason } from '../../../src/message/close-reason.ts'
import { Incoming } from '../../../src/message/message.ts'
import { Framer } from '../../../src/wire/framer.ts'
import { frame } from '../../support/frames.ts'

const limits = { maxMessage: 4 << 20, maxFilters: 4 }

interface Taken {
  seq: number
  name: string
  meta: string
  body: string
}

const message = new Incoming()

function take(framer: Framer): Taken | number {
  const result = framer.take(message)
  if (result <= 0) return result
  const { buffer, seq, nameStart, nameEnd, metaStart, metaEnd, bodyStart, bodyEnd } = message
  const text = (start: number, end: number): string => buffer.toString('latin1', start, end)
  return { seq, name: text(nameStart, nameEnd), meta: text(metaStart, metaEnd), body: text(bodyStart, bodyEnd) }
}

/** Feeds the chunks one by one, each destroyed once taken, as a shared read buffer would be. */
function feed(framer: Framer, chunks: Buffer[]): { taken: Taken[]; result: number } {
  const taken: Taken[] = []
  for (const chunk of chunks) {
    const borrowed = Buffer.from(chunk)
    framer.feed(borrowed, borrowed.length)
    let got: Taken | number
    while (typeof (got = take(framer)) === 'object') taken.push(got)
    if (got < 0) return { taken, result: got }
    borrowed.fill(0xee)
  }
  return { taken, result: 0 }
}

const sample = [
  frame({ seq: 1, status: '', meta: '' }),
  frame({ seq: 2, type: 2, body: '"two"' }),
  frame({ seq: -3, type: 3, method: '/math/add', meta: '{"k":"v"}', body: '[1,2,3]' }),
  frame({ seq: 'zik0zj', method: 'n'.repeat(255), status: '{"code":404,"msg":"x","cause":""}', body: 'b'.repeat(100) }),
  frame({ seq: 5, body: '' }),
]
const stream = Buffer.concat(sample)
const expected: Taken[] = [
  { seq: 1, name: '', meta: '', body: '' },
  { seq: 2, name: '', meta: '', body: '"two"' },
  { seq: -3, name: '/math/add', meta: '{"k":"v"}', body: '[1,2,3]' },
  { seq: 2147483647, name: 'n'.repeat(255), meta: '', body: 'b'.repeat(100) },
  { seq: 5, name: '', meta: '', body: '' },
]

function pieces(bytes: Buffer, size: number): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
  return chunks
}

test('several frames come out of one chunk', () => {
  assert.deepEqual(feed(new Framer(limits), [stream]), { taken: expected, result: 0 })
})

test('a chunk that holds whole frames is read in place', () => {
  const framer = new Framer(limits)
  framer.feed(stream, stream.length)
  for (const { length } of sample) {
    assert.equal(framer.take(message), length)
    assert.equal(message.buffer, stream)
  }
  assert.equal(framer.take(message), 0)
})

test('frames cut at any byte come out the same', () => {
  for (let at = 1; at < stream.length; at++) {
    const chunks = [stream.subarray(0, at), stream.subarray(at)]
    assert.deepEqual(feed(new Framer(limits), chunks), { taken: expected, result: 0 }, `cut at ${at}`)
  }
})

test('frames in pieces of any size, down to one byte, come out the same', () => {
  for (const size of [1, 2, 3, 5, 6, 7, 14, 15, 16, 64]) {
    assert.deepEqual(feed(new Framer(limits), pieces(stream, size)), { taken: expected, result: 0 }, `pieces of ${size}`)
  }
})

test('only the cut frame is copied, what follows it is read in place', () => {
  const framer = new Framer(limits)
  framer.feed(sample[1], 10)
  assert.equal(framer.take(message), 0)
  const rest = Buffer.concat([sample[1].subarray(10), sample[2]])
  framer.feed(rest, rest.length)
  assert.equal(framer.take(message), sample[1].length)
  assert.notEqual(message.buffer, rest)
  assert.equal(framer.take(message), sample[2].length)
  assert.equal(message.buffer, rest)
})

test('a part of a buffer is fed by its length', () => {
  const framer = new Framer(limits)
  framer.feed(Buffer.concat([sample[1], sample[2]]), sample[1].length)
  assert.equal(typeof take(framer), 'object')
  assert.equal(take(framer), 0)
  assert.equal(framer.partial, 0)
})

test('every violation is found however its bytes are cut, after the frames before it', () => {
  const bad: [Buffer, number][] = [
    ...Array.from({ length: 15 }, (_, total): [Buffer, number] => [Buffer.from([0, 0, 0, total]), CloseReason.TooShort]),
    ...[limits.maxMessage + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1].map((total): [Buffer, number] => {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(total)
      return [bytes, CloseReason.TooLarge]
    }),
    [Buffer.from([0, 0, 0, 50, 2]), CloseReason.Version],
    [Buffer.from([0, 0, 0, 50, 1, 5]), CloseReason.FilterCount],
    [frame({ seq: '!' }), CloseReason.Seq],
    [frame({ type: 6 }), CloseReason.Type],
    [frame({ metaLength: 500 }), CloseReason.Overrun],
  ]
  for (const [bytes, reason] of bad) {
    const all = Buffer.concat([sample[1], bytes])
    for (let at = 1; at <= all.length; at++) {
      const { taken, result } = feed(new Framer(limits), [all.subarray(0, at), all.subarray(at)])
      assert.deepEqual(taken, [expected[1]])
      assert.equal(result, -reason, `${bytes.toString('hex')} cut at ${at}`)
    }
    assert.equal(feed(new Framer(limits), pieces(all, 1)).result, -reason)
  }
})

test('partial tells how much of a frame is there, cuts tells two partial frames apart', () => {
  const framer = new Framer(limits)
  assert.equal(feed(framer, [stream.subarray(0, 9)]).result, 0)
  assert.equal(framer.partial, 9)
  const { cuts } = framer
  feed(framer, [stream.subarray(9, 11)])
  assert.equal(framer.partial, 11)
  assert.equal(framer.cuts, cuts)
  feed(framer, [stream.subarray(11, 15 + 3)])
  assert.equal(framer.partial, 3)
  assert.notEqual(framer.cuts, cuts)
  feed(framer, [stream.subarray(18)])
  assert.equal(framer.partial, 0)
})

test('what was fed and not taken is kept', () => {
  for (let taken = 0; taken < sample.length; taken++) {
    for (const first of [stream.length, stream.length - 3, 10]) {
      const framer = new Framer(limits)
      const borrowed = Buffer.from(stream.subarray(0, first))
      framer.feed(borrowed, borrowed.length)
      const got: (Taken | number)[] = []
      for (let i = 0; i < taken; i++) got.push(take(framer))
      framer.keep()
      borrowed.fill(0xee)
      let next: Taken | number
      while (typeof (next = take(framer)) === 'object') got.push(next)
      const { taken: rest } = feed(framer, [stream.subarray(first)])
      assert.deepEqual([...got.filter((one) => one !== 0), ...rest], expected)
    }
  }
})

test('feeding before all was taken loses nothing', () => {
  const framer = new Framer(limits)
  for (const chunk of pieces(stream, 50)) framer.feed(chunk, chunk.length)
  const got: Taken[] = []
  let next: Taken | number
  while (typeof (next = take(framer)) === 'object') got.push(next)
  assert.deepEqual(got, expected)
})

/** Counts the bytes that buffers copy and the largest that is allocated while `run` runs. (A mock would keep every call.) */
function account(run: () => void): { copied: number; largest: number } {
  let copied = 0
  let largest = 0
  const { copy } = Buffer.prototype
  const { allocUnsafeSlow } = Buffer
  Buffer.prototype.copy = function (...args: Parameters<Buffer['copy']>) {
    const count = copy.apply(this, args)
    copied += count
    return count
  }
  Buffer.allocUnsafeSlow = (size) => {
    largest = Math.max(largest, size)
    return allocUnsafeSlow(size)
  }
  try {
    run()
  } finally {
    Buffer.prototype.copy = copy
    Buffer.allocUnsafeSlow = allocUnsafeSlow
  }
  return { copied, largest }
}

test('a frame of 1 MiB is copied in linear time whatever its pieces', () => {
  const bytes = frame({ body: Buffer.alloc(1 << 20, 0x61) })
  for (const size of [1, 64, 1000, 65_536]) {
    const framer = new Framer(limits)
    const { copied } = account(() => {
      for (const chunk of pieces(bytes, size)) {
        framer.feed(chunk, chunk.length)
        const result = framer.take(message)
        assert.ok(result === 0 || result === bytes.length)
      }
    })
    assert.equal(message.bodyEnd - message.bodyStart, 1 << 20)
    assert.ok(copied < 3 * bytes.length, `pieces of ${size}: ${copied} bytes copied`)
  }
})

test('memory follows the bytes received, not the bytes announced', () => {
  const bytes = frame({ body: Buffer.alloc(4_000_000) })
  const framer = new Framer(limits)
  for (const received of [6, 100, 4096, 5000, 100_000, 1_000_000]) {
    const chunk = bytes.subarray(framer.partial, received)
    const { largest } = account(() => feed(framer, [chunk]))
    assert.equal(framer.partial, received)
    assert.ok(largest <= Math.max(4096, 2 * received), `${largest} bytes allocated for ${received} received`)
  }
})
