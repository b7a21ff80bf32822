import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { MAX_CONTAINERS } from '../../../src/base/limits.ts'
import { msgpack, msgpackCodec } from '../../../src/codecs/msgpack.ts'
import { Amount, badMessage, decodeBorrowed, encodeOwned, fuzz, toJson } from '../../support/codecs.ts'

/** Its own declarations need those of a browser. */
const oracle = createRequire(import.meta.url)('@msgpack/msgpack') as {
  encode(value: unknown, options: { useBigInt64: boolean }): Uint8Array
  decode(bytes: Uint8Array, options: { useBigInt64: boolean }): unknown
}

const encode = (value: unknown): string => encodeOwned(msgpackCodec, value).toString('hex')
const decode = (body: string | Uint8Array, maxDepth = 128): unknown =>
  decodeBorrowed(msgpackCodec, typeof body === 'string' ? Buffer.from(body.replaceAll(' ', ''), 'hex') : body, { maxDepth })

const golden: [unknown, string][] = [
  // The example of msgpack.org.
  [{ compact: true, schema: 0 }, '82 a7636f6d70616374 c3 a6736368656d61 00'],
  [null, 'c0'],
  [true, 'c3'],
  [false, 'c2'],
  [0, '00'],
  [127, '7f'],
  [128, 'cc80'],
  [255, 'ccff'],
  [256, 'cd0100'],
  [65535, 'cdffff'],
  [65536, 'ce00010000'],
  [2 ** 32 - 1, 'ceffffffff'],
  [2 ** 32, 'cf0000000100000000'],
  [2 ** 53 - 1, 'cf001fffffffffffff'],
  [-1, 'ff'],
  [-32, 'e0'],
  [-33, 'd0df'],
  [-128, 'd080'],
  [-129, 'd1ff7f'],
  [-32768, 'd18000'],
  [-32769, 'd2ffff7fff'],
  [-(2 ** 31), 'd280000000'],
  [-(2 ** 31) - 1, 'd3ffffffff7fffffff'],
  [-(2 ** 53) + 1, 'd3ffe0000000000001'],
  [2n ** 53n, 'cf0020000000000000'],
  [2n ** 64n - 1n, 'cfffffffffffffffff'],
  [-(2n ** 63n), 'd38000000000000000'],
  [0.5, 'cb3fe0000000000000'],
  [-0, 'cb8000000000000000'],
  [2 ** 53, 'cb4340000000000000'],
  [Infinity, 'cb7ff0000000000000'],
  [Number.NaN, 'cb7ff8000000000000'],
  ['', 'a0'],
  ['é世😀', 'a9c3a9e4b896f09f9880'],
  ['x'.repeat(31), `bf${'78'.repeat(31)}`],
  ['x'.repeat(32), `d920${'78'.repeat(32)}`],
  ['x'.repeat(256), `da0100${'78'.repeat(256)}`],
  ['x'.repeat(65536), `db00010000${'78'.repeat(65536)}`],
  [new Uint8Array([1, 2]), 'c4020102'],
  [new Uint8Array(256), `c50100${'00'.repeat(256)}`],
  [new Uint8Array(65536), `c600010000${'00'.repeat(65536)}`],
  [[], '90'],
  [[1, [2]], '92019102'],
  [Array(16).fill(0), `dc0010${'00'.repeat(16)}`],
  [Array(65536).fill(0), `dd00010000${'00'.repeat(65536)}`],
  [{}, '80'],
  [
    Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`k${i + 10}`, 0])),
    `de0010${Array.from({ length: 16 }, (_, i) => `a36b3${1 + Math.floor(i / 10)}3${i % 10}00`).join('')}`,
  ],
  [new Date(0), 'd6ff00000000'],
  [new Date(1_700_000_000_000), 'd6ff6553f100'],
  [new Date(1_700_000_000_123), 'd7ff1d5353006553f100'],
  [new Date(-1), 'c70cff3b8b87c0ffffffffffffffff'],
  [new Date(8.64e15), 'c70cff00000000000007dba8218000'],
]

test('golden bytes, both ways', () => {
  for (const [value, hex] of golden) {
    assert.equal(encode(value), hex.replaceAll(' ', ''))
    assert.deepEqual(decode(hex), value)
  }
})

test('other forms of the same values are read too', () => {
  const forms: [string, unknown][] = [
    ['cc05', 5],
    ['cf0000000000000005', 5],
    ['d30000000000000005', 5],
    ['d3ffffffffffffffff', -1],
    ['ca3fc00000', 1.5],
    ['c90000000cff3b8b87c0ffffffffffffffff'.replace('c90000000c', 'c80 00c'), new Date(-1)],
    ['8101a178', { 1: 'x' }],
    ['81cfffffffffffffffffa178', { '18446744073709551615': 'x' }],
    ['82a16101a16102', { a: 2 }],
    ['d7ffee6b27fc00000000', new Date(999)],
    ['a2c328', '\ufffd('],
  ]
  for (const [hex, value] of forms) assert.deepEqual(decode(hex), value, hex)
})

test('Maps, classes and what is left out', () => {
  class Point {
    x = 1
    y = undefined
  }
  assert.equal(encode(new Point()), '81a17801')
  assert.equal(encode([undefined, 1]), '92c001')
  assert.deepEqual(decode(encode(new Map<unknown, unknown>([['a', 1], [5, new Map()], [2n ** 60n, 2]]))), { a: 1, 5: {}, '1152921504606846976': 2 }) // biome-ignore format: one line
  assert.equal(encode('a\ud800'), 'a461efbfbd')
  assert.equal(encode(5n), '05')
})

test('toJSON counts as in JSON', () => {
  for (const value of toJson) assert.deepEqual(decode(encode(value)), JSON.parse(JSON.stringify(value)))
  assert.equal(encode([new Date(0), Buffer.from([1])]), '92d6ff00000000c40101', 'but for what has a form')
  assert.equal(encode(new Map([['a', new Amount(5)]])), encode({ a: { amount: 5, key: 'a' } }))
})

test('extensions of an application are read with functions', () => {
  const codec = msgpack({ extensions: { 5: (bytes) => [...bytes], [-2]: () => undefined, [-1]: (bytes) => bytes.length } })
  const read = (hex: string): unknown => decodeBorrowed(codec, Buffer.from(hex, 'hex'))
  assert.deepEqual(read('91c70305010203'), [[1, 2, 3]])
  assert.deepEqual(read('92d4fe0001'), [undefined, 1])
  assert.deepEqual(read('d6ff00000000'), 4)
  assert.throws(() => read('d40600'), badMessage(/extension type 6 is unknown/))
  for (const extensions of [5, null, { x: () => 1 }, { 128: () => 1 }, { [-129]: () => 1 }, { 5: 1 }]) {
    assert.throws(() => msgpack({ extensions } as never), /^TypeError: option extensions/)
  }
})

test('what has no form is refused and the next message is whole', () => {
  const circle: unknown[] = []
  circle.push(circle)
  const bad = [() => 1, Symbol('s'), new Set(), new Error('x'), new ArrayBuffer(1), new Uint16Array(1), Promise.resolve(), /x/]
  const wrong = [2n ** 64n, -(2n ** 63n) - 1n, new Date(Number.NaN), new Map([[{}, 1]]), new Map([[0.5, 1]]), circle]
  for (const value of [...bad, ...wrong]) {
    assert.throws(() => encode(value), /^(TypeError|RangeError): msgpack/)
    assert.throws(() => encode([1, { a: value }]), /^(TypeError|RangeError): msgpack/)
    assert.equal(encode(1), '01')
  }
})

test('one message inside of another, made by a getter, spoils neither', () => {
  const value = { get inner() { return encode({ a: 1 }) }, b: 2 } // biome-ignore format: one line
  assert.deepEqual(decode(encode(value)), { inner: '81a16101', b: 2 })
})

test('unreadable bodies are a 400', () => {
  const cut = [
    '',
    'cc',
    'cd00',
    'cb00',
    'a1',
    'd9',
    'd901',
    'dbffffffff',
    'c4',
    'c6ffffffff',
    '91',
    '8101',
    'dcffff',
    'ddffffffff',
    'dfffffffff',
    'd6ff',
    'c7',
  ]
  for (const hex of cut) assert.throws(() => decode(hex), badMessage(/^msgpack: the body is cut off/), hex)
  const bad: [string, RegExp][] = [
    ['c1', /begins with c1/],
    ['0000', /1 bytes after the value/],
    ['81c000', /key is neither/],
    ['819000', /key is neither/],
    ['d40100', /extension type 1 is unknown/],
    ['d4ff00', /timestamp of 1 bytes/],
    ['d7ffffffffff00000000', /out of range/],
    ['c70cff000000007fffffffffffffff', /out of range/],
  ]
  for (const [hex, cause] of bad) assert.throws(() => decode(hex), badMessage(cause), hex)
})

test('bodies nest as deep as allowed and no deeper', () => {
  assert.ok(decode(Buffer.concat([Buffer.alloc(127, 0x91), Buffer.from([0x90])])))
  for (const depth of [129, 1000, 100_000]) {
    const cause = badMessage(/deeper than 128/)
    assert.throws(() => decode(Buffer.concat([Buffer.alloc(depth - 1, 0x91), Buffer.from([0x90])])), cause)
    assert.throws(() => decode(Buffer.alloc(2 * depth, Buffer.from([0x81, 0x00]))), cause)
    assert.throws(() => decode(Buffer.alloc(2 * depth, 0x81)), cause)
  }
  assert.equal(decode('05', 0), 5)
  assert.throws(() => decode('90', 0), badMessage(/deeper/))
})

test('lengths that are announced cost nothing, and there is a limit to empty arrays', () => {
  const before = process.memoryUsage().heapUsed
  // Each of the arrays announces as many items as there are bytes left.
  for (const head of ['dd000fffff', 'df0007ffff']) {
    assert.throws(() => decode(Buffer.alloc(1_100_000, Buffer.from(head, 'hex'))), badMessage(/deeper|key/))
  }
  assert.ok(process.memoryUsage().heapUsed - before < 64 * 2 ** 20)
  const empty = (count: number) => Buffer.concat([Buffer.from('dd', 'hex'), u32(count), Buffer.alloc(count, 0x80)])
  assert.equal((decode(empty(MAX_CONTAINERS - 1)) as unknown[]).length, MAX_CONTAINERS - 1)
  assert.throws(() => decode(empty(MAX_CONTAINERS)), badMessage(/more than 1000000/))
})

test('__proto__ stays an own property and pollutes nothing', () => {
  const value = decode('82 a95f5f70726f746f5f5f 81a8706f6c6c7574656401 ab636f6e7374727563746f72 01') as object
  assert.deepEqual(Object.keys(value), ['__proto__', 'constructor'])
  assert.equal(Object.getPrototypeOf(value), Object.prototype)
  assert.equal((value as { polluted?: unknown }).polluted, undefined)
  assert.equal(({} as { polluted?: unknown }).polluted, undefined)
  assert.deepEqual(Object.keys(decode(encode(value)) as object), ['__proto__', 'constructor'])
})

test('bytes of a body are bytes of their own', () => {
  const value = decode('92c403010203c403040506') as Uint8Array[]
  assert.deepEqual(value, [new Uint8Array([1, 2, 3]), new Uint8Array([4, 5, 6])])
  assert.equal(value[0].buffer.byteLength, 3)
})

test('@msgpack/msgpack reads what we write and writes what we read', () => {
  for (const [value] of golden) {
    if (Object.is(value, -0)) continue // it writes 0
    const bytes = encodeOwned(msgpackCodec, value)
    const big = typeof value === 'bigint'
    assert.deepEqual(oracle.decode(new Uint8Array(bytes), { useBigInt64: big }), value)
    assert.deepEqual(decode(oracle.encode(value, { useBigInt64: big })), value)
  }
})

test('20,000 mutated bodies are a value that comes back as it is, or a 400', () => {
  const values = [
    {
      id: 7,
      name: 'Jörg 世界',
      tags: ['a', 'b'],
      data: new Uint8Array([1, 2, 3]),
      at: new Date(1_700_000_000_123),
      big: 2n ** 60n,
      f: 0.5,
    },
    [[], {}, [[[['deep']]]], { a: { b: { c: null } } }, 'x'.repeat(40), -70_000, 1e10, new Date(-5), { ['__proto__']: true }],
  ]
  const good = fuzz(
    msgpackCodec,
    values.map((value) => encodeOwned(msgpackCodec, value)),
    20_000,
    (value, seed) => {
      assert.deepEqual(decode(encodeOwned(msgpackCodec, value)), value, `seed ${seed}`)
    },
  )
  assert.ok(good > 2_000 && good < 18_000, `${good} of them were good`)
})

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
