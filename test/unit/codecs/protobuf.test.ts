import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import protobuf from 'protobufjs'
import { StatusError } from '../../../src/base/errors/status.ts'
import { protobufCodec } from '../../../src/codecs/protobuf.ts'
import { TextHint } from '../../../src/message/message.ts'
import type { MessageType } from '../../../src/message/message-type.ts'
import { All, BenchmarkMessage, benchmarkValue, Nothing, Old, Small, Static } from '../../protobuf/messages.ts'
import { random } from '../../support/random.ts'

type Fields = Record<string, unknown>

/** Encodes to bytes of its own: those of the codec are the next message's. */
function encode(value: unknown, type?: MessageType): Buffer {
  return Buffer.from(protobufCodec.encode(value, type) as Uint8Array)
}

/** Decodes `body` from the middle of a buffer full of other things, which are gone when it returns. */
function decode(body: Uint8Array, type?: MessageType): Fields {
  const arena = Buffer.alloc(body.length + 200, 0x0a)
  arena.set(body, 100)
  try {
    return protobufCodec.decode(arena, 100, 100 + body.length, TextHint.Nothing, { maxDepth: 128 }, type) as Fields
  } finally {
    arena.fill(0xee)
  }
}

const asObject = (message: unknown, type = All): Fields => type.toObject(message as protobuf.Message, { longs: BigInt })
const trip = (value: Fields): Fields => asObject(decode(encode(value, All), All))

function badMessage(pattern: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof StatusError)
    assert.deepEqual([error.code, error.message], [400, 'Bad Message'])
    assert.match(error.cause, pattern)
    return true
  }
}

test('golden bytes', () => {
  // Those of the first three lines are in Google's own description of the encoding.
  const golden: [Fields, string][] = [
    [{ i32: 150 }, '089601'],
    [{ text: 'testing' }, '720774657374696e67'],
    [{ i32s: [3, 270, 86942] }, 'f20106038e029ea705'],
    [{ child: { i32: 150 } }, '8a0103089601'],
    [{ i32: -1 }, '08ffffffffffffffffff01'],
    [{ i64: -1n }, '30ffffffffffffffffff01'],
    [{ s32: -1, s64: -1n }, '18014001'],
    [{ f32: 1, f64: 1n }, '2501000000490100000000000000'],
    [{ dbl: 1 }, '61000000000000f03f'],
    [{ names: { a: 1 } }, '9203050a01611001'],
    [{ texts: ['', '世'] }, '9a02009a0203e4b896'],
    [{ color: 'BLUE', maybe: 0 }, '8001059001 00'.replace(' ', '')],
    [{ i32: 0, text: '', flag: false, i32s: [] }, ''],
  ]
  for (const [value, hex] of golden) assert.equal(encode(value, All).toString('hex'), hex, JSON.stringify(Object.keys(value)))
})

test('a message of an own class, a named type, a static class and a plain object have the same bytes', () => {
  const value = { id: 7, text: 'é', data: Buffer.from([1, 2]) }
  const expected = '08071202c3a91a020102'
  assert.equal(encode(Small.create(value)).toString('hex'), expected)
  assert.equal(encode(Small.create(value), Small).toString('hex'), expected)
  assert.equal(encode(value, Small).toString('hex'), expected)
  assert.equal(encode(Object.assign(new Static(), value)).toString('hex'), expected)
  assert.equal(encode(value, Static).toString('hex'), expected)
  for (const type of [Small, Static]) {
    const message = decode(Buffer.from(expected, 'hex'), type)
    assert.equal(Number(message.id), 7)
    assert.equal(message.text, 'é')
    assert.deepEqual(message.data, Buffer.from([1, 2]))
  }
  assert.ok(decode(Buffer.from(expected, 'hex'), Static) instanceof Static)
})

test("DMicro's BenchmarkMessage comes back as it went", () => {
  const bytes = encode(benchmarkValue, BenchmarkMessage)
  assert.deepEqual(bytes, BenchmarkMessage.encode(BenchmarkMessage.fromObject(benchmarkValue)).finish())
  assert.deepEqual(BenchmarkMessage.toObject(decode(bytes, BenchmarkMessage) as never, { longs: Number }), benchmarkValue)
})

test('every kind of field keeps its edges', () => {
  const edges: Record<string, unknown[]> = {
    i32: [1, -1, 2 ** 31 - 1, -(2 ** 31)],
    u32: [1, 2 ** 32 - 1],
    s32: [1, -1, 2 ** 31 - 1, -(2 ** 31)],
    f32: [1, 2 ** 32 - 1],
    sf32: [-1, 2 ** 31 - 1, -(2 ** 31)],
    flt: [1.5, -0, Infinity, NaN],
    dbl: [0.1, -0, 5e-324, 1.7976931348623157e308, -Infinity, NaN],
    flag: [true],
    text: ['a', 'é', '世界', '😀', '\0', '\ufeffbom', '\ufffd', 'x'.repeat(1000), '世'.repeat(1000), `${'a'.repeat(63)}é`],
    data: [Buffer.from([0]), Buffer.alloc(1000, 7)],
    maybe: [0, 1, -1],
    left: ['', 'x'],
    right: [0, 5],
  }
  for (const kind of ['i64', 's64', 'sf64']) edges[kind] = [1n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]
  for (const kind of ['u64', 'f64']) edges[kind] = [1n, 2n ** 53n + 1n, 2n ** 64n - 1n]
  for (const [field, values] of Object.entries(edges)) {
    for (const value of values) assert.deepEqual(trip({ [field]: value }), { [field]: value }, `${field}: ${value}`)
  }
})

test('repeated fields, maps, enums and nested messages come back', () => {
  const value = {
    i32s: [0, -1, 5],
    i64s: [0n, -1n, 2n ** 62n],
    u64s: [2n ** 64n - 1n],
    f64s: [1n, 2n ** 64n - 1n],
    s64s: [-1n, 2n ** 62n],
    u32s: [0, 2 ** 32 - 1],
    dbls: Array.from({ length: 40 }, (_, i) => i / 3),
    flts: [1.5],
    flags: [true, false],
    texts: ['', 'é'],
    datas: [Buffer.from([1]), Buffer.alloc(0)],
    colors: [0, 5],
    children: [{}, { i32: 1 }],
    names: { a: 0, b: -1 },
    numbers: { '-5': 'x', '7': '' },
    tree: { root: { tree: { leaf: { text: 'deep' } } } },
    halves: { true: Buffer.from([1]) },
  }
  assert.deepEqual(trip(value), value)
  assert.deepEqual(trip({ longs: { '-7': -7n } }), { longs: { '-7': -7n } })
})

test('64-bit integers come as Long; numbers, Longs, digits and BigInts are taken', () => {
  const { i64, u64 } = decode(encode({ i64: 2n ** 53n + 1n, u64: 2n ** 64n - 1n }, All), All)
  assert.deepEqual([String(i64), String(u64)], ['9007199254740993', '18446744073709551615'])
  const forms: [unknown, bigint][] = [
    [5, 5n],
    ['-5', -5n],
    [2 ** 60, 2n ** 60n],
    [-5n, -5n],
    [decode(encode({ i64: -5 }, All), All).i64, -5n],
    [0n, 0n],
  ]
  for (const [form, value] of forms) {
    assert.equal(trip({ i64: form }).i64 ?? 0n, value)
    assert.equal(asObject(decode(encode(All.create({ i64: form })), All)).i64 ?? 0n, value, 'in a message')
    assert.deepEqual(asObject(decode(encode(All.create({ i64s: [form] })), All)).i64s, [value], 'in a list of a message')
  }
})

test('what a message cannot hold is refused, wherever it stands, and never written as 0', () => {
  const wrong: Fields[] = [
    ...[5n, 'abc', '', 1.5, 2 ** 31, -(2 ** 31) - 1, NaN, {}, [], true, Symbol('s'), () => 1].map((i32) => ({ i32 })),
    ...['abc', -1, 2 ** 32, 1.5].flatMap((value) => [{ u32: value }, { f32: value }]),
    ...[1.5, 'abc', 2n ** 63n, -(2n ** 63n) - 1n, 2 ** 63, NaN, {}, true].flatMap((value) => [
      { i64: value },
      { s64: value },
      { sf64: value },
    ]),
    ...[-1n, -1, 2n ** 64n, 2 ** 64].flatMap((value) => [{ u64: value }, { f64: value }]),
    ...['1', 0, 1n, {}].map((flag) => ({ flag })),
    ...[{}, true, 'x'].map((dbl) => ({ dbl })),
    ...[{}, 5n, Symbol('s')].map((text) => ({ text })),
    ...[5, {}, true].map((data) => ({ data })),
    ...['PURPLE', 1.5, true].map((color) => ({ color })),
    { colors: ['RED', 'PURPLE'] },
    { tint: 'PURPLE' },
    { maybe: 'RED' },
    { child: 5 },
    { child: { i32: 'abc' } },
    { child: new Map([['i32', 1]]) },
    { names: new Map([['a', 1]]) },
    { names: { a: 'abc' } },
    { i32s: 5 },
    { i32s: [1, 'abc'] },
    { i32s: Object.assign(new Array(3), { 0: 1 }) },
    { i64s: [1n, 2n ** 63n] },
    { texts: [5n] },
    { typo: 1 },
    { child: { typo: 1 } },
  ]
  for (const value of wrong) {
    assert.throws(() => encode(value, All), /./, inspect(value))
  }
  for (const value of [5, 'x', true, 1n, Symbol('s'), [1], () => 1]) assert.throws(() => encode(value, All), TypeError)
  const circle: Fields = {}
  circle.child = circle
  assert.throws(() => encode(circle, All), /max depth/)
})

test('a message is checked as well as a plain object', () => {
  const wrong: Fields[] = [
    { i32: 'abc' },
    { i32: 2 ** 40 },
    { u32: -1 },
    { i64: 2n ** 63n },
    { u64: -1n },
    { flt: '1' },
    { flag: 1 },
    { text: 5 },
    { datas: [5] },
    { i32s: ['x'] },
    { flags: [1] },
  ]
  for (const value of wrong) assert.throws(() => encode(All.create(value)), /protobuf: a field of type/, Object.keys(value)[0])
  assert.equal(encode(All.create({ i32: 1 })).toString('hex'), '0801', 'the next message is whole')
})

test('names of enum values and base64 are taken from plain objects', () => {
  assert.deepEqual(trip({ color: 'GREEN', colors: ['RED', 'BLUE', 5], tint: 'RED' }), { color: 1, colors: [0, 5, 5], tint: 0 })
  assert.deepEqual(trip({ color: 'RED' }), {})
  assert.deepEqual(trip({ data: 'AQI=' }), { data: Buffer.from([1, 2]) })
})

test('names of enum values are taken wherever the enum is, those of another of the same number too', () => {
  const { root } = protobuf.parse(`syntax = "proto3"; package t;
    enum Color { option allow_alias = true; NONE = 0; NIL = 0; RED = 1; ROUGE = 1; BLUE = 5; }
    message Held { Color one = 1; optional Color maybe = 2; repeated Color many = 3; map<string, Color> by_name = 4; map<int32, Color> by_id = 5;
      oneof either { Color left = 6; int32 right = 7; } map<string, Held> held = 8; map<string, int32> ints = 9; }`)
  const Held = root.lookupType('t.Held')
  const trip = (value: Fields): Fields => Held.toObject(Held.decode(Buffer.from(protobufCodec.encode(value, Held) as Uint8Array)))
  const value = { one: 'ROUGE', maybe: 'NONE', many: ['RED', 'BLUE', 5, 'ROUGE'], byName: { a: 'BLUE', b: 'NONE', c: 1, constructor: 'RED' }, byId: { 7: 'RED' }, left: 'BLUE', held: { x: { byName: { '@type': 'RED' } } } } // biome-ignore format: one line
  assert.deepEqual(trip(value), {
    one: 1,
    maybe: 0,
    many: [1, 5, 5, 1],
    byName: { a: 5, b: 0, c: 1, constructor: 1 },
    byId: { 7: 1 },
    left: 5,
    held: { x: { byName: { '@type': 1 } } },
  })
  const wrong = [{ byName: { a: 'BLUE', b: 'PURPLE' } }, { many: ['RED', 'PURPLE'] }, { byId: { 1: 'x' } }, { ints: { a: '4294967297' } }]
  for (const each of [...wrong, { held: { x: { byName: { '@type': 'PURPLE' } } } }, { ints: { '@type': 'x' } }, { ints: { a: null } }])
    assert.throws(() => trip(each), /^TypeError: protobuf: field .* cannot hold/, inspect(each))
})

test('toJSON counts as in JSON, but for messages', () => {
  const keyed = { toJSON: (key: string) => `${key}!` }
  const value = { toJSON: () => ({ text: keyed, child: { toJSON: () => ({ i32: 5 }) }, texts: [keyed, 'b'], numbers: { 7: keyed } }) }
  assert.deepEqual(trip(value as never), { text: 'text!', child: { i32: 5 }, texts: ['0!', 'b'], numbers: { 7: '7!' } })
  class Own extends All.ctor {
    toJSON(): { [key: string]: unknown } {
      throw new Error('a message is itself')
    }
  }
  assert.deepEqual(trip({ child: new Own({ i32: 1 }) }), { child: { i32: 1 } })
  assert.throws(() => encode({ child: new Date() }, All), /^TypeError: protobuf: child must be an object/)
})

test('a long list of names is looked at once', (t) => {
  const { ctor } = All as unknown as { ctor: { toObject(...args: unknown[]): unknown } }
  const asked = t.mock.method(ctor, 'toObject')
  assert.equal(encode({ colors: new Array(1000).fill('BLUE') }, All).length, 1004)
  assert.equal(asked.mock.callCount(), 1)
})

test('numbers may be text, in every kind of field, alone, in a list and in a map', () => {
  const kinds = ['int32', 'uint32', 'sint32', 'fixed32', 'sfixed32', 'int64', 'uint64', 'sint64', 'fixed64', 'sfixed64', 'float', 'double']
  for (const kind of kinds) {
    const { root } = protobuf.parse(
      `syntax = "proto3"; message M { ${kind} one = 1; repeated ${kind} many = 2; map<string, ${kind}> by = 3; }`,
    )
    const M = root.lookupType('M')
    const trip = (value: Fields): Fields =>
      M.toObject(M.decode(Buffer.from(protobufCodec.encode(value, M) as Uint8Array)), { longs: Number })
    const good: [unknown, number][] = [['7', 7], [7, 7]] // biome-ignore format: one line
    if (kind.endsWith('64')) good.push([7n, 7])
    const real = kind === 'float' || kind === 'double'
    if (real) good.push(['NaN', Number.NaN], [Number.NaN, Number.NaN], ['Infinity', Infinity], ['-Infinity', -Infinity], ['0.5', 0.5])
    for (const [text, number] of good)
      assert.deepEqual(
        trip({ one: text, many: [text], by: { a: text } }),
        { one: number, many: [number], by: { a: number } },
        `${kind} ${inspect(text)}`,
      )
    const bad = ['', ' ', 'abc', 'nan', 'NaN ', true, {}, []]
    for (const value of real ? bad : [...bad, 'NaN', Number.NaN, 'Infinity', 1.5, '1.5'])
      for (const given of [{ one: value }, { many: [value] }, { by: { a: value } }])
        assert.throws(() => trip(given), /./, `${kind} ${inspect(given)}`)
  }
})

test('lone surrogates become U+FFFD, as bytes that are no UTF-8 would be refused by the peer', () => {
  for (const pad of ['', 'x'.repeat(60), 'x'.repeat(200)]) assert.equal(trip({ text: `${pad}a\ud800b` }).text, `${pad}a\ufffdb`)
})

test('without a type: null and empty objects are no bytes, messages their own class, everything else an error', () => {
  for (const value of [null, undefined, {}, Object.create(null)]) assert.equal(encode(value).length, 0)
  for (const value of [{ a: 1 }, [], [1], 5, 'x', true, 1n, () => 1]) assert.throws(() => encode(value), TypeError, String(value))
})

test('without a type: bytes come as a copy', () => {
  const body = decode(Buffer.from([1, 2, 3])) as unknown as Uint8Array
  assert.deepEqual(body, new Uint8Array([1, 2, 3]))
})

test('an entry of a map that came without its bytes can be written again', () => {
  const message = decode(Buffer.from('b20300', 'hex'), All)
  assert.deepEqual(encode(message, All), Buffer.from('b203040800' + '1200', 'hex'))
})

test('no bytes are the message with all defaults', () => {
  assert.equal(decode(Buffer.alloc(0), All).i32, 0)
  assert.deepEqual(asObject(decode(Buffer.alloc(0), Nothing), Nothing), {})
  assert.throws(() => decode(Buffer.alloc(0), Old), badMessage(/missing required 'must'/))
})

test('a decoded message refers to no borrowed memory', (t) => {
  const body = encode(
    { text: 'short', data: Buffer.from('bytes'), datas: [Buffer.from('more')], halves: { true: Buffer.from('map') } },
    All,
  )
  const { data, datas, halves } = decode(body, All) as unknown as { data: Buffer; datas: Buffer[]; halves: Record<string, Buffer> }
  assert.deepEqual([data, datas[0], halves.true].map(String), ['bytes', 'more', 'map'])
  assert.equal(String(decode(body.subarray(7, 14), Static).text), '') // field 15 of All is unknown to it
  protobuf.Reader.discardUnknown = false
  t.after(() => {
    protobuf.Reader.discardUnknown = true
  })
  assert.deepEqual(
    encode(decode(Buffer.from('08071a01 62a2060568656c6c6f'.replace(' ', ''), 'hex'), Small)).toString('hex'),
    '08071a0162a2060568656c6c6f',
  )
})

test('classes of other libraries work too, on a copy', () => {
  const foreign = {
    encode: (message: Fields) => ({ finish: () => Buffer.from(JSON.stringify(message)) }),
    decode: (bytes: Uint8Array) => ({ bytes, length: bytes.length }),
  }
  assert.equal(String(encode({ a: 1 }, foreign)), '{"a":1}')
  const { bytes, length } = decode(Buffer.from('hello'), foreign)
  assert.deepEqual([String(bytes), length], ['hello', 5])
})

test('classes of another copy of protobufjs are checked as well', () => {
  const { Reader, Writer } = protobuf
  class Foreign extends Static {
    static override encode(message: Partial<Static>, writer?: protobuf.Writer): protobuf.Writer {
      return Static.encode(message, writer ?? Writer.create())
    }
    static override decode(from: protobuf.Reader | Uint8Array): Static {
      if (from instanceof Reader) throw new Error('illegal buffer')
      return Static.decode(from)
    }
  }
  const message = Object.assign(new Foreign(), { id: 2n ** 60n, data: Buffer.from('bytes') })
  const back = decode(encode(message), Foreign)
  assert.deepEqual([String(back.id), String(back.data)], [String(2n ** 60n), 'bytes'])
  assert.throws(() => encode(Object.assign(new Foreign(), { id: 'abc' })), /int64 cannot hold "abc"/)
})

test('one message inside of another, made by a getter, spoils neither', () => {
  const nested = { get text() { return encode(All.create({ i32: 150 })).toString('hex') } } // biome-ignore format: one line
  const outer = All.create({ i32: 1 })
  Object.defineProperty(outer, 'text', { ...Object.getOwnPropertyDescriptor(nested, 'text'), enumerable: true })
  assert.deepEqual(asObject(decode(encode(outer), All)), { i32: 1, text: '089601' })
})

test('a body cut anywhere is a 400 or another message', () => {
  const body = encode(benchmarkValue, BenchmarkMessage)
  let refused = 0
  for (let size = 0; size < body.length; size++) {
    try {
      decode(body.subarray(0, size), BenchmarkMessage)
    } catch (error) {
      badMessage(/./)(error)
      refused++
    }
  }
  assert.ok(refused > 500, `${refused} of ${body.length}`)
})

test('unreadable bodies are a 400', () => {
  const bad: [string, RegExp][] = [
    ['08', /index out of range/],
    ['0880', /index out of range/],
    ['08ffffffffffffffffffff01', /varint/],
    ['7205 61', /index out of range/],
    ['72ffffffff0f', /length|index/],
    ['72ffffffff07', /index out of range/],
    ['00', /field number 0/],
    ['0f', /wire type/],
    ['0c', /wire type/],
    ['e307', /index out of range/],
    ['fa0105', /index out of range/],
    ['7201ff', /UTF-8/],
    ['7202c080', /UTF-8/],
    ['7203eda080', /UTF-8/],
    ['7204f4908080', /UTF-8/],
    ['7203e4b8e4', /UTF-8/],
    ['7202e4b8', /UTF-8/],
  ]
  for (const [hex, cause] of bad) assert.throws(() => decode(Buffer.from(hex.replace(' ', ''), 'hex'), All), badMessage(cause), hex)
  const long = Buffer.concat([Buffer.from([0x72, 0xc9, 0x01]), Buffer.alloc(200, 'a'), Buffer.from([0xff])])
  assert.throws(() => decode(long, All), badMessage(/UTF-8/))
})

test('proto2 does not check strings: what is no UTF-8 becomes U+FFFD', () => {
  assert.equal(decode(Buffer.from('08011202ff61', 'hex'), Old).text, '\ufffda')
})

test('messages nest 100 deep and no deeper, groups nobody knows too', () => {
  const nested = (depth: number): Buffer => {
    let body = Buffer.alloc(0)
    for (let i = 0; i < depth; i++) {
      const head = protobuf.Writer.create().uint32(0x8a).uint32(body.length).finish()
      body = Buffer.concat([Buffer.from([0x8a, 0x01]), head.subarray(2), body])
    }
    return body
  }
  assert.ok(decode(nested(100), All))
  for (const depth of [101, 1000, 20_000]) assert.throws(() => decode(nested(depth), All), badMessage(/depth/), `${depth}`)
  assert.throws(() => decode(Buffer.alloc(100_000, 0x0b), Nothing), badMessage(/depth/))
})

test('names of the prototype are keys of a map like others', () => {
  const made = decode(Buffer.from('92030d0a095f5f70726f746f5f5f1001', 'hex'), All) as { names: Fields }
  assert.deepEqual(Object.keys(made.names), ['__proto__'])
  assert.equal(({} as Fields).polluted, undefined)
  assert.equal(Object.getPrototypeOf(made.names), Object.prototype)
})

test('20,000 mutated bodies decode as protobufjs decodes a copy of them, or are a 400 where it throws', () => {
  const seeds = [
    encode(benchmarkValue, BenchmarkMessage),
    encode(
      { i64s: [1n, -1n], data: Buffer.from('abc'), tree: { a: { texts: ['é', '世'] } }, longs: { 5: 5n }, dbl: 1, f64: 9n, colors: [5] },
      All,
    ),
  ]
  const types = [BenchmarkMessage, All]
  let good = 0
  for (let seed = 1; seed <= 20_000; seed++) {
    const rnd = random(seed)
    const which = seed & 1
    const body = Buffer.from(seeds[which])
    for (let i = 1 + rnd(4); i > 0; i--) body[rnd(body.length)] = rnd(256)
    const given = rnd(3) === 0 ? body.subarray(0, rnd(body.length + 1)) : body
    const type = types[which]
    const expected = attempt(() => type.decode(new Uint8Array(given)))
    const got = attempt(() => decode(given, type))
    assert.equal(got.error === undefined, expected.error === undefined, `seed ${seed}: ${got.error} / ${expected.error}`)
    if (got.error !== undefined) {
      assert.ok(got.error instanceof StatusError && got.error.code === 400, `seed ${seed}: ${got.error}`)
      continue
    }
    good++
    const [left, right] = [
      type.toObject(got.value as never, { bytes: String, longs: String }),
      type.toObject(expected.value as never, { bytes: String, longs: String }),
    ]
    assert.deepEqual(left, right, `seed ${seed}`)
    assert.deepEqual(encode(got.value), Buffer.from(type.encode(expected.value as never).finish()), `seed ${seed}`)
  }
  assert.ok(good > 2000 && good < 18_000, `${good} of them were good`)
})

function attempt(run: () => unknown): { value?: unknown; error?: unknown } {
  try {
    return { value: run() }
  } catch (error) {
    return { error }
  }
}
