import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '../../../src/base/errors/status.ts'
import { bodyText, type Codec } from '../../../src/codecs/codec.ts'
import { CodecTable, makeCodecs } from '../../../src/codecs/codec-table.ts'
import { jsonCodec } from '../../../src/codecs/json.ts'
import { plainCodec } from '../../../src/codecs/plain.ts'
import { TextHint } from '../../../src/message/message.ts'

const limits = { maxDepth: 128 }

/** Decodes `body` from the middle of a buffer full of other things. */
function decode(codec: Codec, body: string | Uint8Array, hint: TextHint = TextHint.Nothing, max = limits): unknown {
  const bytes = Buffer.from(body as string)
  const buffer = Buffer.concat([Buffer.from('99['), bytes, Buffer.from('99]')])
  return codec.decode(buffer, 3, 3 + bytes.length, hint, max)
}

function badMessage(pattern: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof StatusError)
    assert.deepEqual([error.code, error.message], [400, 'Bad Message'])
    assert.match(error.cause, pattern)
    return true
  }
}

const codec = (id: number, name: string): Codec => ({ id, name, encode: () => '', decode: () => undefined })

const defaults = { json: 0x6a, plain: 0x73, protobuf: 0x70, form: 0x66, xml: 0x78, msgpack: 0x6d, cbor: 0x63, redis: 0x72 }

test('a new table has these codecs, found by id and by name', () => {
  const table = makeCodecs()
  assert.equal(table.byName('json'), jsonCodec)
  for (const [name, id] of Object.entries(defaults)) {
    const codec = table.byId(id)
    assert.deepEqual([codec?.id, codec?.name], [id, name])
    assert.equal(table.byName(name), codec)
  }
})

test('every other id and name is unknown', () => {
  const table = makeCodecs()
  for (let id = 0; id < 256; id++) if (!Object.values(defaults).includes(id)) assert.equal(table.byId(id), undefined)
  for (const name of ['', 'yaml', '__proto__', 'constructor']) assert.equal(table.byName(name), undefined)
})

test('tables are independent of each other', () => {
  const table = makeCodecs()
  table.register(codec(121, 'yaml'))
  assert.equal(table.byId(121)?.name, 'yaml')
  assert.equal(makeCodecs().byId(121), undefined)
})

test('ids outside 1..255, taken ids and taken names are refused', () => {
  const table = new CodecTable()
  for (const id of [0, -1, 256, 1.5, NaN]) assert.throws(() => table.register(codec(id, 'x')), RangeError)
  assert.throws(() => table.register(codec(1, '')), TypeError)
  table.register(codec(1, 'one'))
  table.register(codec(255, 'last'))
  assert.throws(() => table.register(codec(1, 'uno')), /taken by "one"/)
  assert.throws(() => table.register(codec(2, 'one')), /name "one" is taken/)
  assert.equal(table.byId(2), undefined)
})

test('body text is Latin-1 when known to be ASCII, else UTF-8 with U+FFFD for what is not', () => {
  assert.equal(bodyText(Buffer.from('xabcx'), 1, 4, TextHint.Ascii), 'abc')
  assert.equal(bodyText(Buffer.from('xé中x'), 1, 6, TextHint.Nothing), 'é中')
  assert.equal(bodyText(Buffer.from([0x61, 0xff, 0xc0, 0x80]), 0, 4, TextHint.Nothing), 'a\ufffd\ufffd\ufffd')
})

test('json: values come back as they went', () => {
  const values = [
    0,
    1,
    -1,
    15,
    999_999_999,
    1_234_567_890,
    2 ** 31,
    -(2 ** 31),
    0.5,
    1e21,
    true,
    false,
    null,
    '',
    'é😀"',
    [],
    {},
    [1, [2]],
    { a: { b: 'c' } },
  ]
  for (const value of values) {
    const body = jsonCodec.encode(value)
    assert.equal(body, JSON.stringify(value))
    assert.deepEqual(decode(jsonCodec, body), value)
    if (!/[^\0-\x7f]/.test(body as string)) assert.deepEqual(decode(jsonCodec, body, TextHint.Ascii), value)
  }
  assert.equal(jsonCodec.encode(-0), '0')
  assert.equal(jsonCodec.encode(NaN), 'null')
})

test('json: what has no JSON form is refused', () => {
  for (const value of [undefined, () => 1, Symbol('s'), { toJSON: () => undefined }])
    assert.throws(() => jsonCodec.encode(value), /^TypeError: json cannot encode/)
  for (const value of [1n, { deep: [1n] }]) assert.throws(() => jsonCodec.encode(value), /^TypeError: json cannot encode a bigint/)
  const circle: unknown[] = []
  circle.push(circle)
  assert.throws(() => jsonCodec.encode(circle), /^TypeError: .*circular/)
})

test('json: what a toJSON throws is passed on', () => {
  const error = new Error('mine')
  const value = {
    toJSON: () => {
      throw error
    },
  }
  assert.throws(
    () => jsonCodec.encode(value),
    (thrown) => thrown === error,
  )
})

test('json: unreadable bodies are a 400', () => {
  for (const bad of ['', ' ', '01', '00', '1 2', '-', '+1', '1.', '{', 'undefined', "'x'", '"\n"', '{}x', '\ufeff1', '0x1', '1_0', '[1,]'])
    assert.throws(() => decode(jsonCodec, bad), badMessage(/./), JSON.stringify(bad))
})

test('json: short digits are numbers, also with white space around them', () => {
  for (const [body, value] of [
    ['0', 0],
    ['7', 7],
    ['10', 10],
    ['123456789', 123456789],
    ['1234567890', 1234567890],
    [' 5', 5],
    ['5\n', 5],
    ['-5', -5],
  ] as const)
    assert.equal(decode(jsonCodec, body), value)
})

test('json: bytes that are not UTF-8 become U+FFFD, as in Go', () => {
  assert.equal(decode(jsonCodec, Buffer.from([0x22, 0x61, 0xff, 0x22])), 'a\ufffd')
})

test('json: a body may nest 128 deep and no deeper, counted outside of strings', () => {
  const nested = (depth: number, inside = '') => '['.repeat(depth) + inside + ']'.repeat(depth)
  assert.ok(decode(jsonCodec, nested(128)))
  assert.throws(() => decode(jsonCodec, nested(129)), badMessage(/deeper than 128/))
  assert.throws(() => decode(jsonCodec, `${'{"a":'.repeat(129)}1${'}'.repeat(129)}`), badMessage(/deeper than 128/))
  assert.throws(() => decode(jsonCodec, `${'[{"a":'.repeat(65)}1${'}]'.repeat(65)}`), badMessage(/deeper than 128/))
  assert.throws(() => decode(jsonCodec, nested(100_000)), badMessage(/deeper/))
  const brackets = '['.repeat(1000)
  assert.equal(decode(jsonCodec, JSON.stringify(brackets)), brackets)
  assert.equal((decode(jsonCodec, `[${'[],'.repeat(1000)}[]]`) as unknown[]).length, 1001)
  assert.throws(() => decode(jsonCodec, '[[]]', TextHint.Ascii, { maxDepth: 1 }), badMessage(/deeper than 1/))
  assert.throws(() => decode(jsonCodec, '[]', TextHint.Ascii, { maxDepth: 0 }), badMessage(/deeper than 0/))
})

test('json: __proto__ stays an own property and pollutes nothing', () => {
  const value = decode(jsonCodec, '{"__proto__":{"polluted":1}}') as object
  assert.deepEqual(Object.keys(value), ['__proto__'])
  assert.equal(Object.getPrototypeOf(value), Object.prototype)
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
})

test('plain: scalars are their text', () => {
  const bytes = new Uint8Array([1, 2])
  const cases: [unknown, string | Uint8Array][] = [
    [null, ''],
    [undefined, ''],
    ['', ''],
    ['text é', 'text é'],
    [true, 'true'],
    [false, 'false'],
    [10n ** 30n, '1000000000000000000000000000000'],
    [bytes, bytes],
  ]
  for (const [value, body] of cases) assert.equal(plainCodec.encode(value), body)
})

test('plain: numbers are the shortest decimal without exponent, as Go writes them', () => {
  const cases: [number, string][] = [
    [0, '0'],
    [-0, '-0'],
    [1, '1'],
    [-15, '-15'],
    [0.1, '0.1'],
    [1e20, '100000000000000000000'],
    [1e21, '1000000000000000000000'],
    [-1.25e25, '-12500000000000000000000000'],
    [1.2345678901234567e30, '1234567890123456700000000000000'],
    [1e-7, '0.0000001'],
    [-1.5e-9, '-0.0000000015'],
    [5e-324, `0.${'0'.repeat(323)}5`],
    [Number.MAX_VALUE, `17976931348623157${'0'.repeat(292)}`],
    [NaN, 'NaN'],
    [Infinity, '+Inf'],
    [-Infinity, '-Inf'],
  ]
  for (const [value, text] of cases) assert.equal(plainCodec.encode(value), text)
})

test('plain: everything else is refused', () => {
  for (const value of [{}, [], () => 1, Symbol('s'), new Date(), new ArrayBuffer(1), new Uint16Array(1)])
    assert.throws(() => plainCodec.encode(value), /^TypeError: plain cannot encode/)
})

test('plain: every body is read as text', () => {
  assert.equal(decode(plainCodec, ''), '')
  assert.equal(decode(plainCodec, '15', TextHint.Ascii), '15')
  assert.equal(decode(plainCodec, 'é中'), 'é中')
  assert.equal(decode(plainCodec, Buffer.from([0xff])), '\ufffd')
})

test('what was decoded does not change with the buffer', () => {
  const text = 'x'.repeat(3_000_000) // large enough for V8 to want external memory
  for (const [codec, body, expected] of [
    [jsonCodec, `["${text}"]`, [text]],
    [plainCodec, text, text],
  ] as const) {
    for (const hint of [TextHint.Nothing, TextHint.Ascii]) {
      const buffer = Buffer.from(body)
      const value = codec.decode(buffer, 0, buffer.length, hint, limits)
      buffer.fill(0x21)
      assert.deepEqual(value, expected)
    }
  }
})

test('a body known to be a quoted text decodes without JSON.parse, to the same value', () => {
  for (const text of ['', 'a', 'hello, world: {} [] <&>', ' '.repeat(300)]) {
    assert.equal(decode(jsonCodec, JSON.stringify(text), TextHint.Quoted), text)
  }
})
