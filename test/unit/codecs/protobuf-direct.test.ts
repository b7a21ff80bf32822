import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import protobuf from 'protobufjs'
import { protobufCodec } from '../../../src/codecs/protobuf.ts'
import type { MessageType } from '../../../src/message/message-type.ts'
import { All, BenchmarkMessage, benchmarkValue, Old } from '../../protobuf/messages.ts'
import { random } from '../../support/random.ts'

// Plain objects that are encoded as they are, and bodies that are written in place.

type Fields = Record<string, unknown>
type Below = (limit: number) => number

const encode = (value: unknown, type?: MessageType): Buffer => Buffer.from(protobufCodec.encode(value, type) as Uint8Array)

/** The same type for the codec, but one whose plain objects always become messages first. */
class Converted extends All.ctor {
  static fromObject(object: Fields) {
    return All.fromObject(object)
  }
}

const into = Buffer.alloc(8192)

/** The bytes that `write` writes into `room` bytes; undefined when it leaves them to `encode`. */
function write(value: unknown, type: MessageType | undefined, room: number): Buffer | undefined {
  into.fill(0x21)
  const end = protobufCodec.write?.(value, into, 5, 5 + room, type) ?? -1
  assert.ok(end <= 5 + room)
  assert.equal(into.toString('latin1', 0, 5), '!!!!!')
  for (let i = 5 + room; i < into.length; i++) if (into[i] !== 0x21) assert.fail(`wrote behind its room at ${i - 5 - room}`)
  return end < 0 ? undefined : Buffer.from(into.subarray(5, end))
}

/** Lets as many objects pass as are encoded in another way after one that was unusual. */
function forgetUnusual(): void {
  for (let i = 0; i < 15; i++) encode({ i32: 1 }, All)
}

function forgetTooLarge(): void {
  for (let i = 0; i < 20; i++) write({ i32: 1 }, All, 100)
}

const whole = [
  0,
  1,
  -1,
  5,
  127,
  128,
  300,
  2 ** 31 - 1,
  -(2 ** 31),
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53 - 1,
  -(2 ** 53) + 1,
  2 ** 53,
  2 ** 63,
  -(2 ** 63),
]
const big = [0n, 1n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n - 1n, 2n ** 64n]
const real = [-0, 0.5, -1.25, 1e300, Number.NaN, Infinity, -Infinity]
const texts = [
  '',
  'x',
  'text',
  'é',
  '世界',
  '🚀',
  '\ud800',
  'x'.repeat(41),
  '世'.repeat(60),
  'x'.repeat(200),
  '7',
  '-5',
  'NaN',
  'RED',
  'BLUE',
  'PURPLE',
]
const bytes = [Buffer.alloc(0), Buffer.from([1, 2]), new Uint8Array(3), 'AQI=', [], [1]]
const long = [new protobuf.util.Long(-7, -1, false), new protobuf.util.Long(0, 0, false), new protobuf.util.Long(-1, -1, true)]
const odd = [
  () => null,
  () => undefined,
  () => true,
  () => false,
  () => ({}),
  () => [],
  () => new Map([['i32', 1]]),
  () => new Date(0),
  () => Symbol('s'),
  () => ({ toJSON: () => 5 }),
  () => ({ toJSON: () => ({ i32: 5 }) }),
  () => new Uint16Array(2),
  () => Object.create({ i32: 5 }) as unknown,
  () => Object.assign(Object.create(null), { i32: 5 }) as unknown,
  () => All.create({ i32: 5, text: 'x' }),
  () =>
    new (class {
      i32 = 5
    })(),
]

const pick = <T>(list: readonly T[], below: Below): T => list[below(list.length)]

/** A value for a field of some kind: nearly always one that fits. */
function scalar(kind: string, below: Below, depth: number): unknown {
  if (below(60) === 0) return pick(odd, below)()
  if (below(60) === 0) return pick<unknown>([...whole, ...big, ...real, ...texts, ...bytes, ...long], below)
  if (kind === 'text') return pick(texts, below)
  if (kind === 'data') return pick(bytes.slice(0, 3), below)
  if (kind === 'flag') return below(2) === 0
  if (kind === 'dbl' || kind === 'flt') return pick([...real, ...whole], below)
  if (kind === 'color') return below(20) === 0 ? pick(texts, below) : pick([0, 1, 5, 7], below)
  if (kind === 'child') return depth === 0 ? {} : message(below, depth - 1)
  if (kind.endsWith('64'))
    return below(10) === 0
      ? pick<unknown>([...big, ...long, ...texts], below)
      : pick(kind.startsWith('u') ? [0, 1, 300] : whole.slice(0, 14), below)
  return pick(kind.startsWith('u') || kind === 'f32' ? [0, 1, 128, 2 ** 32 - 1] : whole.slice(0, 9), below)
}

const singles = [
  'i32',
  'u32',
  's32',
  'f32',
  'sf32',
  'i64',
  'u64',
  's64',
  'f64',
  'sf64',
  'flt',
  'dbl',
  'flag',
  'text',
  'data',
  'color',
  'child',
]
const lists = ['i32s', 'i64s', 'u64s', 'dbls', 'flags', 'texts', 'datas', 'colors', 'f64s', 's64s', 'u32s', 'flts']
const maps: Record<string, string> = { names: 'i32', numbers: 'text', tree: 'child', longs: 'i64', halves: 'data' }

function message(below: Below, depth: number): Fields {
  const value: Fields = {}
  for (let i = below(7); i > 0; i--) {
    const which = below(10)
    if (which < 6) {
      const kind = pick(singles, below)
      value[kind] = scalar(kind, below, depth)
    } else if (which < 8) {
      const name = pick(lists, below)
      value[name] =
        below(40) === 0 ? scalar('text', below, 0) : Array.from({ length: below(4) }, () => scalar(name.slice(0, -1), below, depth))
    } else if (which < 9) {
      const name = pick(Object.keys(maps), below)
      const keys =
        name === 'names' || name === 'tree' ? ['a', 'b', '', '__proto__'] : name === 'halves' ? ['true', 'false'] : ['5', '-7', '0']
      const entries = Array.from({ length: below(3) }, () => [
        below(60) === 0 ? 'key' : pick(keys, below),
        scalar(maps[name], below, depth),
      ])
      value[name] = below(40) === 0 ? new Map(entries as [string, unknown][]) : Object.fromEntries(entries)
    } else if (below(6) === 0) {
      value[pick(['typo', 'toJSON', '@type', '$unknowns', 'constructor', 'choice', '_maybe'], below)] = below(3) === 0 ? undefined : 1
    } else if (depth > 0 && below(2) === 0) {
      value.children = [message(below, depth - 1), message(below, depth - 1)]
    } else {
      value[pick(['maybe', 'tint', 'left', 'right'], below)] = pick<unknown>([0, 1, 5, 'x', 'RED', null, undefined], below)
    }
  }
  if (below(2) === 0) return value
  // As most programs have them: in the order of the fields.
  return Object.fromEntries(Object.entries(value).sort(([left], [right]) => (All.fields[left]?.id ?? 99) - (All.fields[right]?.id ?? 99)))
}

function attempt(run: () => Buffer): Buffer | string {
  try {
    return run()
  } catch (error) {
    return String(error)
  }
}

test('40,000 random objects have the bytes, or the error, that they have as messages', () => {
  let good = 0
  for (let seed = 1; seed <= 40_000; seed++) {
    const value = message(random(seed), 3)
    forgetUnusual()
    const expected = attempt(() => encode(value, Converted as unknown as MessageType))
    assert.deepEqual(
      attempt(() => encode(value, All)),
      expected,
      `seed ${seed}: ${inspect(value, { depth: 9 })}`,
    )
    if (typeof expected === 'string') continue
    good++
    forgetUnusual()
    const there = write(value, All, 1024)
    if (there !== undefined) assert.deepEqual(there, expected, `seed ${seed}, in place`)
  }
  assert.ok(good > 15_000 && good < 38_000, `${good} of them were good`)
})

test('plain objects are the bytes that protobufjs itself writes', () => {
  const plain = benchmarkValue
  for (const [value, type] of [
    [plain, BenchmarkMessage],
    [{ must: 5, text: 'x' }, Old],
    [{ must: 0 }, Old],
  ] as [Fields, protobuf.Type][])
    for (const given of [value, Object.fromEntries(Object.entries(value).reverse())]) {
      assert.deepEqual(encode(given, type), Buffer.from(type.encode(type.fromObject(value)).finish()))
      assert.deepEqual(write(given, type, 1024), encode(given, type))
    }
})

test('a message without a required field is refused, where protobufjs would write a default', () => {
  const { root } = protobuf.parse(
    'syntax = "proto2"; message M { required int32 must = 1; optional M one = 2; repeated M many = 3; map<string, M> by = 4; } message Around { optional M m = 1; }',
  )
  const [M, Around] = [root.lookupType('M'), root.lookupType('Around')]
  for (const [given, type, path] of [
    [{}, M, 'must'],
    [{ must: null }, M, 'must'],
    [M.create({}), M, 'must'],
    [{ must: 1, one: {} }, M, 'one.must'],
    [{ must: 1, many: [{ must: 1 }, {}] }, M, 'many.must'],
    [{ must: 1, by: { a: {} } }, M, 'by.must'],
    [{ m: { must: 1, one: {} } }, Around, 'm.one.must'],
  ] as [Fields, protobuf.Type, string][]) {
    assert.throws(() => encode(given, type), { name: 'TypeError', message: `protobuf: field ${path} is required` })
    assert.throws(() => write(given, type, 1024), TypeError)
  }
  assert.equal(encode({ toJSON: () => ({ must: 5 }) }, M).toString('hex'), '0805')
  assert.equal(encode({ m: { must: 0, one: { must: 1 } } }, Around).toString('hex'), '0a06080012020801')
})

test('a closed enum takes no number that it does not name', () => {
  const { root } = protobuf.parse('syntax = "proto2"; enum E { A = 1; B = 2; } message M { optional E e = 1; repeated E es = 2; }')
  const M = root.lookupType('M')
  assert.equal(encode({ e: 2, es: [1, 2] }, M).toString('hex'), '080210011002')
  for (const wrong of [{ e: 3 }, { es: [1, 3] }]) assert.throws(() => encode(wrong, M), /cannot hold/)
})

test('classes and types with conversions of their own have theirs', (t) => {
  class Own extends All.ctor {
    static fromObject(object: Fields) {
      return All.fromObject({ i32: Number(object.i32) + 1 })
    }
  }
  assert.throws(() => encode({ i32: 1 }, Own as unknown as MessageType), /cannot hold 1/)
  protobuf.wrappers['.own.Wrapped'] = {
    fromObject(this: protobuf.Type, object: Fields) {
      return this.create({ n: Number(object.n) + 1 })
    },
    toObject(message: Fields) {
      return { n: message.n }
    },
  } as unknown as protobuf.IWrapper
  t.after(() => delete protobuf.wrappers['.own.Wrapped'])
  const { root } = protobuf.parse('syntax = "proto3"; package own; message Wrapped { int32 n = 1; } message Holder { Wrapped w = 1; }')
  assert.equal(root.lookupType('own.Wrapped').fromObject({ n: 1 }).toJSON().n, 2)
  assert.throws(() => encode({ n: 1 }, root.lookupType('own.Wrapped')), /cannot hold 1/)
  assert.throws(() => encode({ w: { n: 1 } }, root.lookupType('own.Holder')), /cannot hold 1/)
})

test('a message that does not fit is left to encode, at every length', () => {
  const value = {
    i32: -1,
    text: 'x'.repeat(150),
    texts: ['é'.repeat(30), 'x'.repeat(60)],
    child: { child: { dbl: 0.5, data: Buffer.alloc(40) } },
    i64s: [1, 2n ** 60n],
  }
  for (const given of [value, All.fromObject({ ...value, i64s: [1, 5] })]) {
    const all = encode(given, All)
    let fits = 0
    for (let room = 0; room < all.length + 600; room++) {
      forgetTooLarge()
      const there = write(given, All, room)
      if (there === undefined) continue
      assert.deepEqual(there, all)
      fits++
    }
    assert.ok(fits > 100, `${fits}`)
  }
})

test('a message inside of another, made by a getter, spoils neither, in place too', () => {
  const inner = { text: 'inside', child: { i32: 150 } }
  const hex = encode(inner, All).toString('hex')
  const elsewhere = Buffer.alloc(100)
  const outer = {
    i32: 1,
    get text() {
      protobufCodec.write?.(inner, elsewhere, 0, 100, All)
      return encode(inner, All).toString('hex')
    },
    child: { text: 'y' },
  }
  const expected = encode({ i32: 1, text: hex, child: { text: 'y' } }, All)
  assert.deepEqual(encode(outer, All), expected)
  forgetTooLarge()
  assert.deepEqual(write(outer, All, 1024), expected)
  assert.throws(
    () =>
      encode(
        {
          get text() {
            throw new Error('no text')
          },
        },
        All,
      ),
    /no text/,
  )
  assert.equal(encode({ i32: 1 }, All).toString('hex'), '0801')
})
