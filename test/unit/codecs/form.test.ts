import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_FORM_PARAMETERS } from '../../../src/base/limits.ts'
import { formCodec } from '../../../src/codecs/form.ts'
import { badMessage, decodeBorrowed, encodeOwned, fuzz } from '../../support/codecs.ts'

const encode = (value: unknown): string => formCodec.encode(value) as string
const decode = (body: string | Uint8Array): object => decodeBorrowed(formCodec, body) as object
/** The same with a prototype, for assert.deepEqual. */
const plain = (value: object): object => ({ ...value })

test('golden text, as url.Values.Encode writes it', () => {
  const golden: [unknown, string][] = [
    [{ a: '1', b: 'x y' }, 'a=1&b=x+y'],
    [{ b: 1, a: 2 }, 'a=2&b=1'],
    [{ list: ['c', 'a', 'b'], a: [] }, 'list=c&list=a&list=b'],
    [{ 'a b': '&=+%;' }, 'a+b=%26%3D%2B%25%3B'],
    [{ t: "-_.~!*'()" }, 't=-_.~%21%2A%27%28%29'],
    [{ t: 'é世😀\n"<>`{}|\\^/?#[]@:$,\0' }, 't=%C3%A9%E4%B8%96%F0%9F%98%80%0A%22%3C%3E%60%7B%7D%7C%5C%5E%2F%3F%23%5B%5D%40%3A%24%2C%00'],
    [{ t: true, f: false, n: null, u: undefined, big: 2n ** 64n }, 'big=18446744073709551616&f=false&n=&t=true'],
    [{ a: 1e21, b: 1e-7, c: -0, d: Number.NaN, e: Infinity }, 'a=1000000000000000000000&b=0.0000001&c=-0&d=NaN&e=%2BInf'],
    [{ '': '' }, '='],
    [{ '\uff5e': 1, '😀': 2, z: 3 }, 'z=3&%EF%BD%9E=1&%F0%9F%98%80=2'],
    [{ s: 'a\ud800b' }, 's=a%EF%BF%BDb'],
    [{}, ''],
    [null, ''],
    [new Map<string, unknown>([['k', ['v', 1, true]]]), 'k=v&k=1&k=true'],
    [new URLSearchParams('b=2&a=1&b=1'), 'a=1&b=2&b=1'],
    [new (class Point { x = 1 })(), 'x=1'], // biome-ignore format: one line
    [Object.assign(Object.create(null), { __proto__x: 1, ['__proto__']: 2 }), '__proto__=2&__proto__x=1'],
  ]
  for (const [value, text] of golden) assert.equal(encode(value), text)
})

test('toJSON counts as in JSON', () => {
  const keyed = { toJSON: (key: string) => `<${key}>` }
  assert.equal(
    encode({ toJSON: () => ({ a: keyed, b: [keyed, 1], c: { toJSON: () => undefined }, d: new URL('http://h/') }) }),
    'a=%3Ca%3E&b=%3C0%3E&b=1&d=http%3A%2F%2Fh%2F',
  )
})

test('what has no form is a TypeError', () => {
  const nested = [{ a: {} }, { a: [[]] }, { a: new Date() }, { a: () => 1 }, { a: Symbol('s') }, { a: new Map() }]
  for (const value of [...nested, 'text', 5, true, 1n, [], ['a=1'], new Date(), () => 1, new Error('x'), new Map([[1, 2]])]) {
    assert.throws(() => encode(value), TypeError)
  }
})

test('parameters come as text, those of one key as a list in order', () => {
  const cases: [string, object][] = [
    ['a=1&b=x+y', { a: '1', b: 'x y' }],
    ['a=1&b=2&a=3&a=', { a: ['1', '3', ''], b: '2' }],
    ['a', { a: '' }],
    ['=x', { '': 'x' }],
    ['&&a=1&&', { a: '1' }],
    ['a=b=c', { a: 'b=c' }],
    ['%41%2b+=%26%3d', { 'A+ ': '&=' }],
    ['t=%C3%A9%E4%B8%96%F0%9F%98%80', { t: 'é世😀' }],
    ['t=é世', { t: 'é世' }],
    ['t=%ff%C3', { t: '\ufffd\ufffd' }],
    ['t=%00', { t: '\0' }],
    ['t=a%3Bb', { t: 'a;b' }],
  ]
  for (const [body, value] of cases) assert.deepEqual(plain(decode(body)), value, body)
  assert.deepEqual(plain(decode(Buffer.from([0x61, 0x3d, 0xe4, 0x25, 0x42, 0x38, 0x96]))), { a: '世' }, 'a character half escaped')
})

test('semicolons and bad escapes are a 400, as in Go', () => {
  for (const body of ['a=1;b=2', 'a;b=1', ';']) assert.throws(() => decode(body), badMessage(/semicolon/), body)
  for (const body of ['a=%', 'a=%4', 'a=%zz', 'a=%4g', '%=1', 'a=1&b=%%41', 'a=%u0041'])
    assert.throws(() => decode(body), badMessage(/invalid URL escape/), body)
})

test('there are 10,000 parameters and no more', () => {
  const body = (count: number): string => Array.from({ length: count }, (_, i) => `k${i}=`).join('&')
  assert.equal(Object.keys(decode(body(MAX_FORM_PARAMETERS))).length, MAX_FORM_PARAMETERS)
  for (const bad of [body(MAX_FORM_PARAMETERS + 1), '&'.repeat(MAX_FORM_PARAMETERS), `a=1${'&a=1'.repeat(3_000_000)}`])
    assert.throws(() => decode(bad), badMessage(/more than 10000/))
})

test('names of the prototype are keys like others', () => {
  const form = decode('__proto__=1&__proto__=2&constructor=3&hasOwnProperty=4&__proto__.polluted=5&__proto__[polluted]=6')
  assert.equal(Object.getPrototypeOf(form), null)
  assert.deepEqual(Object.entries(form), [
    ['__proto__', ['1', '2']],
    ['constructor', '3'],
    ['hasOwnProperty', '4'],
    ['__proto__.polluted', '5'],
    ['__proto__[polluted]', '6'],
  ])
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
})

test('20,000 mutated bodies are a form that comes back as it is, or a 400', () => {
  const bodies = ['name=J%C3%B6rg+M&tags=a&tags=b%26c&tags=%3B&n=-1.5&empty=', '__proto__=%F0%9F%98%80&a+b=%2B&世=界'].map((text) =>
    Buffer.from(text),
  )
  const good = fuzz(formCodec, bodies, 20_000, (form, seed) => {
    assert.deepEqual(decode(encodeOwned(formCodec, form)), form, `seed ${seed}`)
  })
  assert.ok(good > 5_000 && good < 19_000, `${good} of them were good`)
})
