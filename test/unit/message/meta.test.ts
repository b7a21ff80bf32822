import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { decodeMeta, encodeMeta } from '../../../src/message/meta.ts'

const limits = { maxMetaKeys: 256, maxDepth: 128 }
const decode = (text: string) => decodeMeta(text, limits)
const meta = (members: Record<string, string>): Record<string, string> => Object.assign(Object.create(null), members)

test('keys are sorted and the text is compact', () => {
  assert.equal(encodeMeta({ b: '2', a: '1', B: '0' }), '{"B":"0","a":"1","b":"2"}')
  assert.equal(encodeMeta({ author: 'me' }), '{"author":"me"}')
})

test('no keys give no text', () => {
  assert.equal(encodeMeta({}), '')
  assert.equal(encodeMeta(Object.create(null)), '')
})

test('keys are sorted by their UTF-8 bytes, not by UTF-16', () => {
  const keys = ['\u{1f600}', '\uffff', '\ue000', 'z', '\u{10000}', 'zz', '']
  const text = encodeMeta(Object.fromEntries(keys.map((key) => [key, ''])))
  const expected = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  assert.deepEqual(Object.keys(JSON.parse(text)), expected)
})

test('escapes are those of Go\u2019s encoder', () => {
  assert.equal(encodeMeta({ k: '<a href="x">&\\/\'' }), '{"k":"\\u003ca href=\\"x\\"\\u003e\\u0026\\\\/\'"}')
  assert.equal(encodeMeta({ k: '\b\f\n\r\t\0\x0b\x1f\x7f' }), '{"k":"\\b\\f\\n\\r\\t\\u0000\\u000b\\u001f\x7f"}')
  assert.equal(encodeMeta({ k: '\u2028\u2029é中😀\ufffd' }), '{"k":"\\u2028\\u2029é中😀\ufffd"}')
  assert.equal(encodeMeta({ '<': '' }), '{"\\u003c":""}')
})

test('lone surrogates are written as the escape \\ufffd, pairs are kept', () => {
  assert.equal(encodeMeta({ k: 'a\ud800b\udc00\ud83d\ude00<' }), '{"k":"a\\ufffdb\\ufffd😀\\u003c"}')
})

test('a value that is no string is refused, and so is what is no plain object', () => {
  for (const value of [1, null, undefined, {}, true]) {
    assert.throws(() => encodeMeta({ k: value } as unknown as Record<string, string>), { name: 'TypeError', message: /"k"/ })
  }
  for (const bad of [null, 'x', 1, new Map([['a', 'b']]), []])
    assert.throws(() => encodeMeta(bad as unknown as Record<string, string>), TypeError)
})

test('strings are read as they are', () => {
  assert.deepEqual(decode('{"a":"1","b":"é\\u003c\\n😀"}'), meta({ a: '1', b: 'é<\n😀' }))
  assert.deepEqual(decode(' { "a" : "1" } '), meta({ a: '1' }))
})

test('what is encoded is decoded', () => {
  const text = '"\\<>&\u2028\u2029\b\f\n\r\t\0\x1f\x7fé中😀\ufffd'
  assert.deepEqual(decode(encodeMeta({ [text]: text, x: 'y' })), meta({ [text]: text, x: 'y' }))
})

test('no bytes, {} and null are empty meta', () => {
  for (const text of ['', '{}', ' { } ', 'null', ' null']) {
    const empty = decode(text)
    assert.deepEqual(empty, meta({}), text)
    assert.ok(Object.isFrozen(empty), 'shared, so nobody may add to it')
  }
})

test('other values appear as their JSON text, digits and all', () => {
  const text = '{"n":9007199254740993,"f":1.50,"t":true,"z":null,"o":{"a":[1,"]"]},"s":"x"}'
  assert.deepEqual(decode(text), meta({ n: '9007199254740993', f: '1.50', t: 'true', z: 'null', o: '{"a":[1,"]"]}', s: 'x' }))
})

test('what follows the first value is ignored', () => {
  for (const tail of ['x', '{}', ' "', '\0', '}']) assert.deepEqual(decode(`{"a":"1"}${tail}`), meta({ a: '1' }))
})

test('of a repeated key the last wins', () => {
  assert.deepEqual(decode('{"a":"1","a":"2"}'), meta({ a: '2' }))
  assert.deepEqual(decode('{"a":"1","a":2}x'), meta({ a: '2' }))
})

test('__proto__ and its kind are ordinary keys and pollute nothing', () => {
  for (const key of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
    for (const text of [`{"${key}":"v"}`, `{"${key}":{"polluted":1}}`, `{"${key}":"v"}x`]) {
      const read = decode(text)
      assert.ok(read)
      assert.deepEqual(Object.keys(read), [key])
      assert.equal(Object.getPrototypeOf(read), null)
    }
  }
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
  assert.equal(encodeMeta(JSON.parse('{"__proto__":"v"}')), '{"__proto__":"v"}')
})

test('lone surrogate escapes become U+FFFD', () => {
  assert.deepEqual(decode('{"\\ud800":"a\\udc00"}'), meta({ '\ufffd': 'a\ufffd' }))
  assert.deepEqual(decode('{"k":"\\ud83d\\ude00"}'), meta({ k: '😀' }))
})

test('anything but an object or null is unreadable', () => {
  for (const bad of [
    'x',
    '[]',
    '1',
    '"s"',
    'true',
    '{',
    '{"a"',
    '{"a":',
    '{"a":"1"',
    '{"a":"1",',
    '{"a":"1",}',
    "{'a':1}",
    '{"a":\\x}',
    '{"a":"\\x41"}',
    '{"a":"\n"}',
    '{"a":01}',
    '{1}',
    '{"a" 1}',
    '{"a":"1",2}',
    ' ',
    '\ufeff{}',
    'nul',
  ])
    assert.equal(decode(bad), undefined, bad)
})

test('as many keys as allowed are read, one more is not, and repeated keys count', () => {
  const members = (n: number, value: string) => `{${Array.from({ length: n }, (_, i) => `"${i}":${value}`).join(',')}}`
  for (const value of ['""', '0']) {
    assert.equal(Object.keys(decode(members(256, value)) ?? {}).length, 256)
    assert.equal(decode(members(257, value)), undefined)
  }
  assert.equal(decode(`{${'"":0,'.repeat(256)}"":0}`), undefined)
  assert.deepEqual(decode(`{${'"":0,'.repeat(255)}"":0}`), meta({ '': '0' }))
  assert.equal(decodeMeta('{"a":"b"}', { maxMetaKeys: 0, maxDepth: 128 }), undefined)
  assert.ok(decodeMeta('{}', { maxMetaKeys: 0, maxDepth: 128 }))
})

test('too many keys are refused before anything is built of them', () => {
  const text = `{${Array.from({ length: 1_000_000 }, (_, i) => `"${i}":""`).join(',')}}`
  const parse = mock.method(JSON, 'parse')
  assert.equal(decode(text), undefined)
  assert.equal(parse.mock.callCount(), 0)
  parse.mock.restore()
})

test('nesting is capped without using the stack', () => {
  const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
  assert.ok(decode(nested(128)))
  assert.equal(decode(nested(129)), undefined)
  assert.equal(decode(nested(30_000)), undefined)
  assert.ok(decodeMeta(nested(100_000), { maxMetaKeys: 1, maxDepth: 100_000 }))
})
