import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redisBuffers, redisCodec, simple } from '../../../src/codecs/redis.ts'
import { TextHint } from '../../../src/message/message.ts'
import { badMessage, decodeBorrowed, encodeOwned, fuzz } from '../../support/codecs.ts'

const buffers = (body: Buffer) => redisCodec.decode(body, 0, body.length, TextHint.Nothing, { maxDepth: 128 }, redisBuffers)

test('values become replies', () => {
  const cases: [unknown, string][] = [
    ['bar', '$3\r\nbar\r\n'],
    ['é\r\n', '$4\r\né\r\n\r\n'],
    ['', '$0\r\n\r\n'],
    [simple('OK'), '+OK\r\n'],
    [null, '$-1\r\n'],
    [0, ':0\r\n'],
    [-0, ':0\r\n'],
    [-5, ':-5\r\n'],
    [2 ** 53, '$16\r\n9007199254740992\r\n'],
    [1.5, '$3\r\n1.5\r\n'],
    [Number.NaN, '$3\r\nNaN\r\n'],
    [9223372036854775807n, ':9223372036854775807\r\n'],
    [9223372036854775808n, '$19\r\n9223372036854775808\r\n'],
    [true, ':1\r\n'],
    [false, ':0\r\n'],
    [[], '*0\r\n'],
    [['a', 1, null, undefined, [simple('x')]], '*5\r\n$1\r\na\r\n:1\r\n$-1\r\n$-1\r\n*1\r\n+x\r\n'],
    [{ a: 1, b: ['c'] }, '*4\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n*1\r\n$1\r\nc\r\n'],
    [
      new Map<unknown, unknown>([
        ['k', ['v']],
        [1, 2],
      ]),
      '*4\r\n$1\r\nk\r\n*1\r\n$1\r\nv\r\n:1\r\n:2\r\n',
    ],
    [new Set(['a']), '*1\r\n$1\r\na\r\n'],
    [[Buffer.from('a'), 'b', [new Uint8Array(0)]], '*3\r\n$1\r\na\r\n$1\r\nb\r\n*1\r\n$0\r\n\r\n'],
  ]
  for (const [value, reply] of cases) assert.equal(String(encodeOwned(redisCodec, value)), reply)
})

test('bytes inside of a reply stay what they are', () => {
  assert.deepEqual(encodeOwned(redisCodec, [Buffer.from([0xff, 0x0d, 0])]), Buffer.from('*1\r\n$3\r\n\xff\r\0\r\n', 'latin1'))
})

test('toJSON counts as in JSON', () => {
  const keyed = { toJSON: (key: string) => `${key}!` }
  const encode = (value: unknown): string => encodeOwned(redisCodec, value).toString().replaceAll('\r\n', ' ')
  assert.equal(encode({ toJSON: () => [keyed, { a: keyed }, new Map([['b', keyed]])] }), '*3 $2 0! *2 $1 a $2 a! *2 $1 b $2 b! ')
})

test('what redis has no form for is refused', () => {
  const circle: unknown[] = []
  circle.push(circle)
  for (const value of [() => 1, Symbol('s'), new Date(0), [new Error('x')], circle])
    assert.throws(() => redisCodec.encode(value), TypeError)
  for (const text of ['a\r\nb', 'a\n', 1]) assert.throws(() => simple(text as string), TypeError)
})

test('arguments are texts, or Buffers that own their memory', () => {
  const body = Buffer.concat([Buffer.from('$1\r\na\r\n$2\r\n'), Buffer.from([0xff, 0x0a]), Buffer.from('\r\n')])
  assert.deepEqual(decodeBorrowed(redisCodec, body), ['a', '\ufffd\n'])
  const list = buffers(body) as Buffer[]
  body.fill(0)
  assert.deepEqual(list, [Buffer.from('a'), Buffer.from([0xff, 0x0a])])
  assert.deepEqual(decodeBorrowed(redisCodec, '*0\r\n'), [])
  assert.deepEqual(decodeBorrowed(redisCodec, '*1\r\n$0\r\n\r\n'), [''])
})

test('anything else is a 400', () => {
  for (const bad of ['x', '+OK\r\n', ':1\r\n', '$-1\r\n', '$3\r\nab\r\n', '$9\r\n', '$', '$1', '$1\r\n', '$\r\n\r\n', '*1\r\n*0\r\n', '[]'])
    assert.throws(() => decodeBorrowed(redisCodec, bad), badMessage(/arguments/), bad)
})

test('10,000 mutated bodies are lists of texts or a 400', () => {
  const bodies = ['$1\r\na\r\n$3\r\nfoo\r\n', '*2\r\n$1\r\na\r\n$0\r\n\r\n', '*0\r\n'].map((text) => Buffer.from(text))
  const values = fuzz(redisCodec, bodies, 10_000, (value) => {
    assert.ok(Array.isArray(value) && value.every((item) => typeof item === 'string'))
  })
  assert.ok(values > 1000)
})
