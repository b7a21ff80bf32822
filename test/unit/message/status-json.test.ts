import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeStatus, encodeStatus } from '../../../src/message/status-json.ts'

const OK = { code: 0, message: '', cause: '' }
const message = (text: string): string | undefined => decodeStatus(`{"code":1,"msg":"${text}","cause":""}`)?.message

test('the wire form has its keys in order and no spaces', () => {
  assert.equal(encodeStatus(0, '', ''), '{"code":0,"msg":"","cause":""}')
  assert.equal(encodeStatus(1, 'test error', 'this is test:110'), '{"code":1,"msg":"test error","cause":"this is test:110"}')
  assert.equal(encodeStatus(-2147483648, 'é中', ''), '{"code":-2147483648,"msg":"é中","cause":""}')
})

test('only escapes that are valid JSON are written', () => {
  let every = ''
  for (let c = 0; c < 0x2100; c++) every += String.fromCharCode(c)
  const text = encodeStatus(5, every, '\u{e0001}😀')
  assert.deepEqual(JSON.parse(text), { code: 5, msg: every, cause: '\u{e0001}😀' })
  assert.deepEqual(decodeStatus(text), { code: 5, message: every, cause: '\u{e0001}😀' })
})

test('a lone surrogate is written as U+FFFD', () => {
  assert.equal(encodeStatus(1, 'a\ud800b', '\udc00'), '{"code":1,"msg":"a\ufffdb","cause":"\ufffd"}')
})

test('every escape Go writes is read', () => {
  assert.equal(message('\\"\\\\\\n\\r\\t\\b\\f\\/'), '"\\\n\r\t\b\f/')
  assert.equal(message('\\a\\v'), '\x07\x0b')
  assert.equal(message('\\x1b[31m\\x7F\\x00'), '\x1b[31m\x7f\0')
  assert.equal(message('\\u200b\\ufeff\\u00A0\\u2028'), '\u200b\ufeff\u00a0\u2028')
  assert.equal(message('a\\U000e0001b'), 'a\u{e0001}b')
  assert.equal(message('\\ud83d\\ude00'), '😀')
  assert.equal(message('DEL \x7f and 中文 raw'), 'DEL \x7f and 中文 raw')
})

test('consecutive raw bytes are decoded together, and what is no UTF-8 becomes U+FFFD', () => {
  assert.equal(message('\\xff'), '\ufffd')
  assert.equal(message('\\xe4\\xbd\\xa0\\xe5\\xa5\\xbd'), '你好')
  assert.equal(message('x\\xe4\\xbdy'), 'x\ufffdy')
  assert.equal(message('\\xe4z\\xbd'), '\ufffdz\ufffd')
})

test('lone surrogate escapes become U+FFFD', () => {
  assert.equal(message('\\ud800'), '\ufffd')
  assert.equal(message('a\\udc00b'), 'a\ufffdb')
  assert.equal(message('\\U0000d800'), '\ufffd')
})

test('malformed escapes and raw control characters are refused', () => {
  for (const bad of ['\\q', "\\'", '\\x1', '\\xg0', '\\u12', '\\U0000', '\\U00110000', '\\u+123', '\\x 1', '\\', '\n', '\0'])
    assert.equal(message(bad), undefined, bad)
})

test('empty text and null are OK', () => {
  assert.deepEqual(decodeStatus(''), OK)
  assert.deepEqual(decodeStatus(' null '), OK)
  assert.deepEqual(decodeStatus('{}'), OK)
  assert.deepEqual(decodeStatus('{"code":0,"msg":"","cause":""}'), OK)
})

test('keys match in any case, also Go\u2019s long s', () => {
  assert.deepEqual(decodeStatus('{"CODE":7,"Msg":"m","cAuSe":"c"}'), { code: 7, message: 'm', cause: 'c' })
  assert.deepEqual(decodeStatus('{"mſg":"m","cauſe":"c"}'), { code: 0, message: 'm', cause: 'c' })
  assert.deepEqual(decodeStatus('{"c\\u006fde":9}'), { code: 9, message: '', cause: '' })
})

test('repeated keys act in order and null changes nothing', () => {
  assert.equal(decodeStatus('{"code":1,"CODE":2,"code":3}')?.code, 3)
  assert.equal(decodeStatus('{"code":1,"code":null,"msg":null}')?.code, 1)
  assert.equal(decodeStatus('{"msg":"a","MSG":"b","msg":null}')?.message, 'b')
  assert.equal(decodeStatus('{"code":"x","code":1}'), undefined)
})

test('unknown keys are ignored whatever they hold', () => {
  const text = '{"a":[1,-2.5e+3,{"b":[]},{}],"__proto__":{"code":9},"c":true,"d":false,"e":null,"f":"\\x00","code":4}'
  assert.deepEqual(decodeStatus(text), { code: 4, message: '', cause: '' })
})

test('white space is allowed between tokens', () => {
  assert.deepEqual(decodeStatus(' { "code" : 1 ,\r\n\t"msg" : "m" } '), { code: 1, message: 'm', cause: '' })
})

test('a code that is no int32 literal is refused', () => {
  assert.equal(decodeStatus('{"code":2147483647}')?.code, 2147483647)
  assert.equal(decodeStatus('{"code":-2147483648}')?.code, -2147483648)
  assert.ok(Object.is(decodeStatus('{"code":-0}')?.code, 0))
  for (const code of ['2147483648', '-2147483649', '1.0', '1e2', '"1"', 'true', '[]', '01', '+1', '', '9'.repeat(400)]) {
    assert.equal(decodeStatus(`{"code":${code}}`), undefined, code)
    assert.equal(decodeStatus(`{"code":${code},"msg":"m","cause":""}`), undefined, code)
  }
})

test('anything but one object is refused', () => {
  for (const bad of [
    'x',
    '[]',
    '5',
    '"s"',
    'nul',
    'nullx',
    '{} {}',
    '{}x',
    '{',
    '}',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{,}',
    '{"a":1 "b":2}',
    '{a:1}',
    '{"msg":5}',
    '{"cause":{}}',
    '{"a":1.}',
    '{"a":1e}',
    '{"a":.5}',
    '{"a":-}',
    '\ufeff{}',
  ])
    assert.equal(decodeStatus(bad), undefined, bad)
})

test('nesting in ignored values is capped without using the stack', () => {
  const nested = (depth: number): string => `{"x":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)},"code":1}`
  assert.equal(decodeStatus(nested(128))?.code, 1)
  assert.equal(decodeStatus(nested(129)), undefined)
  assert.equal(decodeStatus(nested(3), 3)?.code, 1)
  assert.equal(decodeStatus(nested(4), 3), undefined)
  assert.equal(decodeStatus(nested(300_000), 1_000_000)?.code, 1)
  assert.equal(decodeStatus(`{"x":${'{"a":'.repeat(200_000)}`), undefined)
})

test('agrees with JSON.parse on everything JSON.parse accepts', () => {
  let seed = 7
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0
    return (seed >>> 8) % n
  }
  const pieces = [
    '"code"',
    '"msg"',
    '"x"',
    ':',
    ':',
    ',',
    '{',
    '}',
    '[',
    ']',
    '1',
    '-2',
    '0.5',
    'null',
    'true',
    '"a\\n"',
    '"\\u0041"',
    ' ',
    '\t',
  ]
  let accepted = 0
  for (let i = 0; i < 200_000; i++) {
    let text = '{'
    for (let j = random(8); j > 0; j--) text += pieces[random(pieces.length)]
    text += '}'
    let expected: Record<string, unknown> | undefined
    try {
      expected = JSON.parse(text)
    } catch {}
    const actual = decodeStatus(text)
    if (expected === undefined) {
      assert.equal(actual, undefined, text)
    } else if (actual !== undefined) {
      accepted++
      if (typeof expected.msg === 'string') assert.equal(actual.message, expected.msg, text)
      if (typeof expected.code === 'number') assert.equal(actual.code, expected.code, text)
    }
  }
  assert.ok(accepted > 500, `only ${accepted}`)
})

test('64 KiB of anything is read in linear time', () => {
  const size = 65_000
  const texts = [
    `{"code":1,"msg":"${'\\x41'.repeat(size / 4)}"}`,
    `{"code":1,"msg":"${'a'.repeat(size)}`,
    `{"code":1,"msg":"${'\\u0041'.repeat(size / 6)}","cause":""}`,
    `{"x":${'9'.repeat(size)}}`,
    `{"x":${'9'.repeat(size)}e`,
    `{${'"a":0,'.repeat(size / 6)}"code":1}`,
    ' '.repeat(size),
    `{"x":${'[{"a":'.repeat(size / 6)}`,
    `{"code":${'0'.repeat(size)},"msg":"","cause":""}`,
  ]
  const start = performance.now()
  for (const text of texts) decodeStatus(text)
  const once = performance.now() - start
  assert.ok(once < 1000, `${once} ms`)
})
