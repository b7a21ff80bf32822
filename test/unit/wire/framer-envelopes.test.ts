import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CloseReason } from '../../../src/message/close-reason.ts'
import { Incoming, UNPARSED } from '../../../src/message/message.ts'
import { Framer } from '../../../src/wire/framer.ts'
import { Framing } from '../../../src/wire/framing.ts'
import { frame } from '../../support/frames.ts'
import { random } from '../../support/random.ts'

// The tables of test/native/envelope_test.cc and framing_test.cc, for the framer in JavaScript.

const limits = { maxMessage: 1000, maxFilters: 4 }
const message = new Incoming()

function size(number: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(number)
  return bytes
}

function envelope(payload: string | Buffer, filters = ''): Buffer {
  const rest = Buffer.concat([Buffer.from([filters.length]), Buffer.from(filters), Buffer.from(payload as string)])
  return Buffer.concat([size(rest.length), rest])
}

interface Outcome {
  taken: Buffer[]
  result: number
}

/** Takes what there is; each frame is copied, as its bytes are borrowed. */
function take(framer: Framer, outcome: Outcome): void {
  while ((outcome.result = framer.take(message)) > 0) {
    const { buffer, bodyStart, bodyEnd, type } = message
    if (type === UNPARSED) assert.equal(bodyEnd - bodyStart, outcome.result)
    outcome.taken.push(
      Buffer.from(type === UNPARSED ? buffer.subarray(bodyStart, bodyEnd) : buffer.subarray(bodyEnd - outcome.result, bodyEnd)),
    )
  }
}

/** Feeds the chunks one by one, each destroyed once taken, as a shared read buffer would be. */
function feed(framer: Framer, chunks: Iterable<Buffer>): Outcome {
  const outcome: Outcome = { taken: [], result: 0 }
  for (const chunk of chunks) {
    const borrowed = Buffer.from(chunk)
    framer.feed(borrowed, borrowed.length)
    take(framer, outcome)
    if (outcome.result < 0) break
    borrowed.fill(0xee)
  }
  return outcome
}

function* pieces(bytes: Buffer, length: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

const samples = [envelope('{"seq":1}'), envelope(''), envelope('zipped', 'z5'), envelope('x'.repeat(600))]
const stream = Buffer.concat(samples)

test('envelopes come out whole, cut at any byte, at any two among the first, and in pieces of any size', () => {
  for (let first = 0; first <= stream.length; first++) {
    const { taken } = feed(new Framer(limits, Framing.Envelope), [stream.subarray(0, first), stream.subarray(first)])
    assert.deepEqual(taken, samples, `cut at ${first}`)
  }
  for (let first = 0; first <= 40; first++) {
    for (let second = first; second <= 40; second++) {
      const chunks = [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)]
      assert.deepEqual(feed(new Framer(limits, Framing.Envelope), chunks).taken, samples, `cut at ${first} and ${second}`)
    }
  }
  for (const length of [1, 2, 3, 4, 5, 6, 7, 64]) {
    assert.deepEqual(feed(new Framer(limits, Framing.Envelope), pieces(stream, length)).taken, samples, `pieces of ${length}`)
  }
})

test('every envelope up to 512 bytes, cut at every byte', () => {
  for (let length = 5; length <= 512; length++) {
    const one = envelope(Buffer.alloc(length - 5, length))
    for (let cut = 1; cut < length; cut++) {
      const framer = new Framer(limits, Framing.Envelope)
      assert.deepEqual(feed(framer, [one.subarray(0, cut)]).taken, [])
      assert.equal(framer.partial, cut)
      const [whole, ...more] = feed(framer, [one.subarray(cut)]).taken
      assert.ok(whole.equals(one) && more.length === 0 && framer.partial === 0, `${length} cut at ${cut}`)
    }
  }
})

const refused: [Buffer, number][] = [
  [size(0), CloseReason.TooShort],
  ...[997, 1000, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 5, 2 ** 32 - 4, 2 ** 32 - 1].map((number): [Buffer, number] => [
    size(number),
    CloseReason.TooLarge,
  ]),
  [Buffer.concat([size(100), Buffer.from([5])]), CloseReason.FilterCount],
  [Buffer.concat([size(100), Buffer.from([255])]), CloseReason.FilterCount],
  [Buffer.concat([size(1), Buffer.from([1])]), CloseReason.TooShort],
  [Buffer.concat([size(4), Buffer.from([4])]), CloseReason.TooShort],
]

test('what can be no envelope is refused on its last byte and not before, after those before it (F1, F2, F8)', () => {
  for (const [bytes, reason] of refused) {
    const all = Buffer.concat([samples[0], bytes])
    for (let at = 1; at <= all.length; at++) {
      const { taken, result } = feed(new Framer(limits, Framing.Envelope), [all.subarray(0, at), all.subarray(at)])
      assert.equal(result, -reason, `${bytes.toString('hex')} cut at ${at}`)
      assert.deepEqual(taken, [samples[0]])
    }
    assert.equal(feed(new Framer(limits, Framing.Envelope), pieces(all, 1)).result, -reason)
    assert.equal(feed(new Framer(limits, Framing.Envelope), [bytes.subarray(0, -1)]).result, 0, bytes.toString('hex'))
  }
  const atLimit = envelope(Buffer.alloc(995))
  assert.deepEqual(feed(new Framer(limits, Framing.Envelope), [atLimit]).taken, [atLimit])
})

test('memory follows the bytes received, never the size announced (F2)', () => {
  const { allocUnsafeSlow } = Buffer
  let largest = 0
  Buffer.allocUnsafeSlow = (length) => {
    largest = Math.max(largest, length)
    return allocUnsafeSlow(length)
  }
  try {
    const announced = Buffer.concat([size(2 ** 31 - 5), Buffer.alloc(20_000)])
    const framer = new Framer({ maxMessage: 2 ** 31 - 1, maxFilters: 4 }, Framing.Envelope)
    for (const piece of pieces(announced, 100)) {
      feed(framer, [piece])
      assert.ok(largest <= Math.max(4096, 2 * framer.partial), `${largest} bytes for ${framer.partial}`)
    }
  } finally {
    Buffer.allocUnsafeSlow = allocUnsafeSlow
  }
})

test('a stream is handed on as it comes and nothing of it is kept', () => {
  const bytes = Buffer.from('GET / HTTP/1.1\r\n\r\n\0\0\0\0\xff\xff\xff\xff', 'latin1')
  for (let length = 1; length <= bytes.length; length++) {
    const framer = new Framer(limits, Framing.Stream)
    assert.deepEqual(feed(framer, pieces(bytes, length)).taken, [...pieces(bytes, length)])
    assert.equal(framer.partial, 0)
    assert.equal(framer.rest, 0)
  }
})

/** As a wire does it: shows what came until `peeked` bytes are there, then has all of it cut by `framing`. */
function reframed(bytes: Buffer, peeked: number, length: number, framing: Framing): Outcome {
  const framer = new Framer(limits, Framing.Peek)
  for (const chunk of pieces(bytes.subarray(0, peeked), length)) {
    const borrowed = Buffer.from(chunk)
    framer.feed(borrowed, borrowed.length)
    framer.keep()
    borrowed.fill(0xee)
    framer.peek(message)
  }
  if (peeked > 0) assert.deepEqual(message.buffer.subarray(message.bodyStart, message.bodyEnd), bytes.subarray(0, peeked))
  framer.setFraming(framing)
  const outcome: Outcome = { taken: [], result: 0 }
  take(framer, outcome)
  if (outcome.result < 0) return outcome
  const rest = feed(framer, pieces(bytes.subarray(peeked), length))
  return { taken: [...outcome.taken, ...rest.taken], result: rest.result }
}

test('after a peek, frames come out as if none had looked: whole, partial, several, bad', () => {
  const raw = frame({ status: '', meta: '' })
  for (const [framing, one, bad] of [
    [Framing.Raw, raw, size(3)],
    [Framing.Envelope, envelope('hi'), size(0)],
  ] as const) {
    const good = Buffer.concat([one, one, one, one.subarray(0, 6)])
    const broken = Buffer.concat([one, bad, one])
    for (let peeked = 0; peeked <= good.length; peeked++) {
      for (const length of [1, 2, 5, 16, 100]) {
        assert.deepEqual(reframed(good, peeked, length, framing), { taken: [one, one, one], result: 0 })
        const refusal = reframed(broken, Math.min(peeked, broken.length), length, framing)
        assert.deepEqual(refusal, { taken: [one], result: -CloseReason.TooShort })
      }
    }
  }
  const text = Buffer.from('GET / HTTP/1.1\r\n\r\n')
  for (let peeked = 0; peeked <= text.length; peeked++) {
    const { taken } = reframed(text, peeked, 3, Framing.Stream)
    assert.deepEqual(Buffer.concat(taken), text)
  }
})

/** What a stream of envelopes says, read without a framer. */
function readWhole(bytes: Buffer, most: number, filters: number): { taken: string[]; result: number } {
  const taken: string[] = []
  for (let at = 0; ; ) {
    const left = bytes.length - at
    if (left < 4) return { taken, result: 0 }
    const total = bytes.readUInt32BE(at) + 4
    if (total === 4) return { taken, result: -CloseReason.TooShort }
    if (total > most) return { taken, result: -CloseReason.TooLarge }
    if (left < 5) return { taken, result: 0 }
    if (bytes[at + 4] > filters) return { taken, result: -CloseReason.FilterCount }
    if (total < 5 + bytes[at + 4]) return { taken, result: -CloseReason.TooShort }
    if (left < total) return { taken, result: 0 }
    taken.push(bytes.toString('hex', at, at + total))
    at += total
  }
}

test('5,000 random streams of envelopes, mutated, peeked at and cut at random, read as in one piece', () => {
  let frames = 0
  for (let seed = 1; seed <= 5000; seed++) {
    const below = random(seed)
    const parts: Buffer[] = []
    for (let i = below(8); i >= 0; i--)
      parts.push(envelope(Buffer.alloc(below(3) === 0 ? below(900) : below(12), i), 'z5ab'.slice(below(5))))
    const bytes = Buffer.concat(parts)
    for (let i = below(3); i > 0; i--) bytes[below(bytes.length)] = below(256)
    const { taken, result } = reframed(bytes, Math.min(bytes.length, below(2) * below(2048)), 1 + below(300), Framing.Envelope)
    const seen = { taken: taken.map((one) => one.toString('hex')), result }
    assert.deepEqual(seen, readWhole(bytes, limits.maxMessage, limits.maxFilters), `seed ${seed}`)
    frames += taken.length
  }
  assert.ok(frames > 5000, `only ${frames} frames`)
})
