import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeJson, writeJsonString } from '../../../../src/base/json/write.ts'
import { randomValue } from '../../../support/json.ts'
import { random } from '../../../support/random.ts'

const into = Buffer.alloc(4096)

/** The text that `writeJson` writes; undefined when it leaves the value to JSON.stringify. */
function write(value: unknown, room = 2048): string | undefined {
  into.fill(0x21)
  const end = writeJson(value, into, 5, 5 + room)
  assert.ok(end <= 5 + room)
  assert.equal(into.toString('latin1', 0, 5), '!!!!!')
  for (let i = 5 + room; i < into.length; i++) assert.equal(into[i], 0x21, `wrote behind its room at ${i - 5 - room}`)
  return end < 0 ? undefined : into.toString('utf8', 5, end)
}

/** Lets as many values pass as are left to JSON.stringify after one that was too large. */
function forgetTooLarge(): void {
  for (let i = 0; i < 20; i++) write(0)
}

test('plain data is written as JSON.stringify writes it, and is not left to it', () => {
  const values = [
    ...[0, -0, 1, -1, 9, 10, 99_999, 100_000, 999_999_999, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 53, 1e21, 1e-7, NaN, Infinity, -Infinity],
    ...[
      0.1, 0.5, -0.5, 0.25, 0.125, 0.001, 1.01, 99.999, 2147483.647, -2147483.648, 0.0001, 1.005, 2.718281828459e3, 5e-324,
      0.30000000000000004,
    ],
    ...[
      '',
      'a',
      'x'.repeat(40),
      'x'.repeat(41),
      'x'.repeat(500),
      `${'x'.repeat(50)}"`,
      'é',
      '世界',
      '🚀',
      '"\\\n\0\u007f',
      '\ud800',
      '\u2028',
    ],
    ...[true, false, null, {}, [], [[]], [{}], [null], { a: undefined, b: 1 }, { a: undefined }, { '': 0 }, { 1: 1, 0: 2 }],
    ...[
      { id: 1, text: 'x', list: [1, [2, 3]], ok: true, f: 0.5 },
      { a: { a: { b: 1 }, b: 2 }, b: 3 },
      { é: 1, 'x"y': 2, [`${'k'.repeat(40)}`]: 3 },
    ],
    ...[Object.assign(Object.create(null), { a: 1 }), { a: 1, [Symbol('s')]: 2 }, { constructor: 1, toString: 2 }],
    ...[
      Object.defineProperty({ a: 1 }, 'hidden', { value: 2 }),
      {
        get computed() {
          return [1]
        },
      },
    ],
  ]
  for (const value of values) assert.equal(write(value), JSON.stringify(value), JSON.stringify(value))
})

test('what is more than plain data is left to JSON.stringify', () => {
  class Own {
    a = 1
  }
  class List extends Array {}
  const circle: { self?: unknown } = {}
  circle.self = circle
  const values = [
    undefined,
    () => 1,
    Symbol('s'),
    1n,
    new Date(0),
    new Own(),
    new Map(),
    new List(),
    Object(1),
    Object('x'),
    Buffer.from('x'),
  ]
  for (const value of [...values, circle, new Proxy(new Own(), {})]) {
    assert.equal(write(value), undefined)
    if (value !== undefined) assert.equal(write({ a: 1, value }), undefined)
    assert.equal(write([value]), undefined)
  }
  assert.equal(write(new Array(1)), undefined)
  assert.equal(write({ toJSON: () => 1 }), undefined)
  const { rawJSON } = JSON as { rawJSON?: (text: string) => unknown }
  if (rawJSON !== undefined) assert.equal(write([rawJSON('1e1000')]), undefined)
})

test('a toJSON, or a member, that a program gave all objects counts as in JSON.stringify', () => {
  const prototypes = [Object.prototype, Array.prototype] as { toJSON?: unknown; inherited?: unknown }[]
  for (const prototype of prototypes) {
    Object.defineProperty(prototype, 'toJSON', { value: () => 'own', configurable: true })
    try {
      assert.equal(write({ a: [1] }), undefined)
    } finally {
      delete prototype.toJSON
    }
  }
  prototypes[0].inherited = 1
  try {
    assert.equal(write({ a: 1 }), '{"a":1}')
    assert.equal(write({ inherited: 2 }), '{"inherited":2}')
  } finally {
    delete prototypes[0].inherited
  }
})

test('a value that does not fit is left to JSON.stringify, at every length', () => {
  for (const value of [
    { id: 123456, text: 'x'.repeat(60), list: [1.5, [false, null]] },
    ['é'.repeat(30), '"'.repeat(30)],
    'x'.repeat(90),
  ]) {
    const whole = JSON.stringify(value)
    for (let room = 0; room < 400; room++) {
      forgetTooLarge()
      const text = write(value, room)
      assert.ok(text === undefined || text === whole, `${room}`)
      if (room < Buffer.byteLength(whole)) assert.equal(text, undefined, `${room}`)
    }
    forgetTooLarge()
    assert.equal(write(value, 1024), whole)
  }
})

test('after a value that was too large, some values are left to JSON.stringify, and then no more', () => {
  assert.equal(write({ a: 'x'.repeat(3000) }), undefined)
  const texts = Array.from({ length: 100 }, () => write({ a: 1 }))
  assert.ok(texts.slice(50).every((text) => text === '{"a":1}'))
})

test('one value inside of another, made by a getter, spoils neither', () => {
  let inner: string | undefined
  const value = {
    a: 1,
    get b() {
      inner = JSON.stringify({ c: writeJson({ d: 1 }, Buffer.alloc(100), 0, 100) })
      return 2
    },
  }
  assert.equal(write(value), '{"a":1,"b":2}')
  assert.equal(inner, '{"c":-1}')
})

test('what a getter throws is passed on, and the next value is whole', () => {
  const failing = {
    get a() {
      throw new Error('mine')
    },
  }
  assert.throws(() => write(failing), /mine/)
  assert.equal(write({ a: 1 }), '{"a":1}')
})

test('texts at every length and place, with and without what needs an escape', () => {
  const text = (value: string): string | undefined => {
    const end = writeJsonString(value, into, 0, 2048)
    return end < 0 ? undefined : into.toString('utf8', 0, end)
  }
  for (let length = 0; length < 60; length++) {
    const whole = 'x'.repeat(length)
    assert.equal(text(whole), JSON.stringify(whole))
    for (let at = 0; at < length; at++) {
      for (const other of ['"', '\\', '\u001f', '\u007f', 'é', '\u2028', '\ud800']) {
        const spoilt = whole.slice(0, at) + other + whole.slice(at + 1)
        assert.equal(text(spoilt), JSON.stringify(spoilt), `${length} characters, ${JSON.stringify(other)} at ${at}`)
      }
    }
  }
  for (const code of Array(0x180).keys()) {
    const one = String.fromCharCode(code)
    assert.equal(text(one), JSON.stringify(one))
  }
})

test('a long text refused at its end takes no longer than one that is not, by and large', () => {
  const room = Buffer.alloc(4 << 20)
  const text = `${'x'.repeat(1 << 20)}"`
  const start = performance.now()
  writeJsonString(text, room, 0, room.length)
  // Quadratic it would be minutes.
  assert.ok(performance.now() - start < 5_000, 'time')
})

test('300,000 seeded values are written as JSON.stringify writes them, or are left to it', () => {
  const below = random(15)
  let written = 0
  const count = 300_000
  for (let i = 0; i < count; i++) {
    const value = randomValue(below, 4)
    const end = writeJson(value, into, 0, 2048)
    if (end < 0) continue
    written++
    const text = into.toString('utf8', 0, end)
    if (text !== JSON.stringify(value)) assert.equal(text, JSON.stringify(value))
  }
  assert.ok(written > count / 2, `${written} were written`)
})
