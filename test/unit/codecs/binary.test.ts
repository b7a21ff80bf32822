import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import * as cborg from 'cborg'
import { cbor, cborCodec } from '../../../src/codecs/cbor.ts'
import type { Codec } from '../../../src/codecs/codec.ts'
import { msgpack, msgpackCodec } from '../../../src/codecs/msgpack.ts'
import { decodeBorrowed, encodeOwned } from '../../support/codecs.ts'
import { randomValue } from '../../support/json.ts'
import { random } from '../../support/random.ts'

// What msgpack and cbor share: keys that are remembered from one body to the next, and bodies that are written in place.

interface Oracle {
  encode(value: unknown): Uint8Array
  decode(bytes: Uint8Array): unknown
}

const codecs: [Codec, Oracle][] = [
  [msgpackCodec, createRequire(import.meta.url)('@msgpack/msgpack') as Oracle],
  // In the order of the keys, and without the shorter floats.
  [cborCodec, { encode: (value) => cborg.encode(value, { float64: true, mapSorter: () => 0 }), decode: (bytes) => cborg.decode(bytes) }],
]

const into = Buffer.alloc(4096)
const elsewhere = Buffer.alloc(500)

/** The bytes that `write` writes into `room` bytes; undefined when it leaves them to `encode`. */
function write(codec: Codec, value: unknown, room: number): Buffer | undefined {
  into.fill(0x21)
  const end = codec.write?.(value, into, 5, 5 + room) ?? -1
  assert.ok(end <= 5 + room)
  assert.equal(into.toString('latin1', 0, 5), '!!!!!')
  for (let i = 5 + room; i < into.length; i++) if (into[i] !== 0x21) assert.fail(`wrote behind its room at ${i - 5 - room}`)
  return end < 0 ? undefined : Buffer.from(into.subarray(5, end))
}

/** Lets as many values pass as are left to `encode` after one that was too large. */
function forgetTooLarge(codec: Codec): void {
  for (let i = 0; i < 20; i++) write(codec, 0, 100)
}

/** The value with other keys in some of its objects, and without the numbers and texts that oracles write in other forms. */
function varied(value: unknown, below: (limit: number) => number): unknown {
  if (Object.is(value, -0) || value === 2 ** 53) return 1
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => varied(item, below))
  const entries = Object.entries(value).map(([key, member]): [string, unknown] => [
    below(40) === 0 ? `key${below(3000)}` : below(40) === 0 ? `${key}${'x'.repeat(below(30))}` : key,
    varied(member, below),
  ])
  if (below(4) === 0) entries.reverse()
  return Object.fromEntries(entries)
}

function wellFormed(value: string | Record<string, string>): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key.toWellFormed(), member.toWellFormed()]))
}

for (const [codec, oracle] of codecs) {
  test(`${codec.name}: 20,000 random values are written and read as by another package, keys of all kinds`, () => {
    for (let seed = 1; seed <= 20_000; seed++) {
      const below = random(seed)
      const value = varied(randomValue(below, 4), below)
      const bytes = encodeOwned(codec, value)
      assert.deepEqual(bytes, Buffer.from(oracle.encode(value)), `seed ${seed}`)
      const there = write(codec, value, 1024)
      if (there !== undefined) assert.deepEqual(there, bytes, `seed ${seed}, in place`)
      assert.deepEqual(decodeBorrowed(codec, bytes), oracle.decode(bytes), `seed ${seed}`)
    }
  })

  test(`${codec.name}: 20,000 bodies with other letters are read as by another package`, () => {
    const value = {
      id: 70,
      text: 'letters',
      list: [
        { id: 71, text: 'more' },
        { text: 'x', id: 72 },
      ],
      key0: { key1: { key2: 'deep' } },
    }
    const body = Buffer.from(oracle.encode(value))
    const words = body.toString('latin1').matchAll(/letters|more|text|list|deep|key/g)
    const places = [...words].flatMap(({ index, 0: word }) => Array.from(word, (_, i) => index + i))
    assert.ok(places.length > 20)
    for (let seed = 1; seed <= 20_000; seed++) {
      const below = random(seed)
      const other = Buffer.from(body)
      for (let i = below(3); i >= 0; i--) other[places[below(places.length)]] = 0x61 + below(26)
      assert.deepEqual(decodeBorrowed(codec, other), oracle.decode(other), `seed ${seed}`)
    }
  })

  test(`${codec.name}: text of every length, with and without other characters`, () => {
    for (const unit of ['a', 'é', '世', '\u{1f680}', '\ud800']) {
      for (let length = 0; length < 300; length++) {
        const text = `${'x'.repeat(length)}${unit}`
        for (const value of [text, { [text]: unit }]) {
          const bytes = encodeOwned(codec, value)
          assert.deepEqual(bytes, Buffer.from(oracle.encode(wellFormed(value))), `${unit} after ${length}`)
          assert.deepEqual(write(codec, value, 1500), bytes)
          assert.deepEqual(decodeBorrowed(codec, bytes), wellFormed(value))
        }
      }
    }
    for (const length of [1023, 1024, 1025, 65_535, 65_536, 70_000]) {
      for (const text of ['x'.repeat(length), '世'.repeat(length)]) {
        assert.deepEqual(encodeOwned(codec, [text, text]), Buffer.from(oracle.encode([text, text])), `${length}`)
      }
    }
  })

  test(`${codec.name}: a value that does not fit is left to encode, at every length`, () => {
    const values = [
      { id: 123_456, text: 'x'.repeat(60), list: [1.5, [false, null]] },
      ['é'.repeat(30), -70_000, new Uint8Array(20), new Date(5), 2n ** 60n],
      Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${i}`, i])),
      'x'.repeat(90),
    ]
    for (const value of values) {
      const whole = encodeOwned(codec, value)
      let fits = 0
      for (let room = 0; room < whole.length + 300; room++) {
        forgetTooLarge(codec)
        const there = write(codec, value, room)
        if (there === undefined) continue
        assert.deepEqual(there, whole)
        fits++
      }
      assert.ok(fits > 100, `${fits}`)
    }
  })

  test(`${codec.name}: objects of 0 to 300 members, and of 70,000`, () => {
    for (const count of [...Array(300).keys(), 65_535, 65_536, 70_000]) {
      const value = { a: Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i & 127])), b: undefined, c: [] }
      const expected = { a: value.a, c: [] }
      const bytes = encodeOwned(codec, value)
      assert.deepEqual(bytes, Buffer.from(oracle.encode(expected)), `${count}`)
      assert.deepEqual(decodeBorrowed(codec, bytes), expected)
    }
  })

  test(`${codec.name}: bodies that are read and written while another is, in a getter, a toJSON or a function for what is read`, () => {
    const many = (from: number): unknown => Object.fromEntries(Array.from({ length: 1100 }, (_, i) => [`n${from + i}`, i]))
    /** More keys than are remembered, so that they are forgotten in the middle of the other body. */
    const inside = (): unknown => {
      for (let from = 0; from < 3300; from += 1100) assert.deepEqual(decodeBorrowed(codec, encodeOwned(codec, many(from))), many(from))
      return codec.write?.({ a: [1, { b: 2 }] }, elsewhere, 0, 500)
    }
    const plain = (value: unknown) => ({ a: 1, inner: { b: value, c: { d: 2, '': 3 } }, e: [{ b: 5 }, { b: 6 }], f: 'text' })
    const getter = {
      a: 1,
      inner: {
        get b() {
          return inside()
        },
        c: { d: 2, '': 3 },
      },
      e: [{ b: 5 }, { b: 6 }],
      f: 'text',
    }
    for (const value of [getter, plain({ toJSON: inside })]) {
      for (let round = 0; round < 3; round++) {
        assert.deepEqual(decodeBorrowed(codec, encodeOwned(codec, value)), plain(inside()))
        forgetTooLarge(codec)
        assert.deepEqual(write(codec, value, 1024), encodeOwned(codec, plain(inside())))
      }
    }
  })
}

test('functions for extensions and tags may read and write other bodies', () => {
  const own = msgpack({ extensions: { 5: (bytes) => decodeBorrowed(own, bytes) } })
  const body = encodeOwned(own, { a: [1, null], b: 'text' })
  const extension = (inner: Buffer): Buffer => Buffer.concat([Buffer.from([0xc7, inner.length, 5]), inner])
  const outer = Buffer.concat([Buffer.from('82a161', 'hex'), extension(extension(body)), Buffer.from('a16201', 'hex')])
  assert.deepEqual(decodeBorrowed(own, outer), { a: { a: [1, null], b: 'text' }, b: 1 })
  const tagged = cbor({ tags: { 24: (bytes) => decodeBorrowed(tagged, bytes as Uint8Array) } })
  const item = (inner: Buffer): Buffer => Buffer.concat([Buffer.from([0xd8, 24, 0x58, inner.length]), inner])
  const item2 = Buffer.concat([
    Buffer.from('a26161', 'hex'),
    item(item(encodeOwned(tagged, { a: [1], b: 'x' }))),
    Buffer.from('616201', 'hex'),
  ])
  assert.deepEqual(decodeBorrowed(tagged, item2), { a: { a: [1], b: 'x' }, b: 1 })
})
