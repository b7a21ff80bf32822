import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beginBatch, MAX_READ, readJson, UNREAD } from '../../../../src/base/json/read.ts'
import { deeperThan } from '../../../../src/base/text/json-depth.ts'
import { randomJson, randomValue } from '../../../support/json.ts'
import { mutations } from '../../../support/mutations.ts'
import { random } from '../../../support/random.ts'

const MAX_DEPTH = 32

/** What surrounds a body in a transport's memory: other messages, which a body that does not end would run into. */
const neighbours: readonly Buffer[] = ['"', '}', ']', '0', ',', '":1}', 'null', ' ', '\0'].map((text) => Buffer.from(text))

/** Reads `body` from between other things. */
function read(body: Uint8Array | string, maxDepth = MAX_DEPTH, behind: Buffer = neighbours[0]): unknown {
  const bytes = Buffer.from(body as string)
  const buffer: Buffer = Buffer.concat([Buffer.from('{"a":"'), bytes, behind])
  return readJson(buffer, 6, 6 + bytes.length, maxDepth)
}

/** What JSON.parse makes of the bytes; UNREAD where it throws or they nest too deep. */
function parse(body: Uint8Array, maxDepth = MAX_DEPTH): unknown {
  try {
    const value = JSON.parse(Buffer.from(body).toString('utf8'))
    return deeperThan(value, maxDepth) ? UNREAD : value
  } catch {
    return UNREAD
  }
}

/** Text that shows every difference of two values, the order of keys and -0 too. */
function shown(value: unknown): string {
  return JSON.stringify(value, (_, member) => (Object.is(member, -0) ? '-0' : member))
}

function agrees(body: Uint8Array, behind: Buffer): boolean {
  const got = read(body, MAX_DEPTH, behind)
  if (got === UNREAD) return false
  const expected = parse(body)
  assert.notEqual(expected, UNREAD, `read what is not JSON: ${JSON.stringify(body.toString())}`)
  if (shown(got) !== shown(expected)) assert.deepEqual(got, expected, JSON.stringify(body.toString()))
  return true
}

test('usual bodies are read as JSON.parse reads them, and are not left to it', () => {
  const bodies = [
    ...['0', '-0', '1', '-1', '123456789', '1234567890', '-2147483648', '4294967296', '1732845600123', '123456789012345'],
    ...['9007199254740993', '1e3', '-1.5E-7', '0.1', '0.25', '100.001', '3.141592653589793', '123456789.123456', '1e400'],
    ...['""', '"a"', '"twelve bytes"', '"more than twelve"', '"é世界🚀"', '"\\"\\\\\\n\\u00e9\\ud83d\\ude80\\ud800"', '"\x7f"'],
    ...['true', 'false', 'null', '{}', '[]', '[[]]', '[{}]', '{"":0}', '[1]', '[1,2]', '[1,2,3]', '[1,2,3,4]', '[1,2,3,4,5,6]'],
    ...['{"id":1,"text":"x","list":[1,[2,3]],"ok":true,"f":0.5}', '{"a":{"a":{"b":1},"b":2},"b":3}', '{"b":1,"a":2,"b":3}'],
    ...[' { "a" : [ 1 , 2 ] ,\t"b":\n null }\r\n', '  7 ', '{"1":1,"0":2}', '[null,true,"x",{"y":[]}]', '{"a":1e2,"b":-0}'],
  ]
  for (const body of bodies) for (const behind of neighbours) assert.ok(agrees(Buffer.from(body), behind), body)
})

test('what is not JSON is left to JSON.parse, whatever lies behind it', () => {
  const bodies = [
    ...['', ' ', '-', '01', '1.', '.5', '1e', '+1', '1,', '00', '- 1', '0x1', '1 2', 'tru', 'nul', 'fals', 'truE', 'NaN', 'undefined'],
    ...['"', '"a', '"\\', '"\\"', '"\\x"', '"\n"', "'a'", '{', '[', '{"', '{"a', '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}'],
    ...['[1', '[1,', '[1,]', '[,1]', '{,}', '{"a"}', '{"a" 1}', '{a:1}', '[1}', '{"a":1]', '],[', '}{', '[]]', '{}{}', '"a""b"'],
    ...['\0', '[\0]', '{"\0":1}', '{"a\n":1}', '[1]\0', '\ufeff1', '[1\f]', '{"a":1"b":2}'],
  ]
  for (const body of bodies) for (const behind of neighbours) assert.equal(read(body, MAX_DEPTH, behind), UNREAD, JSON.stringify(body))
})

test('keys that mean something to objects are left to JSON.parse', () => {
  for (const key of Object.getOwnPropertyNames(Object.prototype)) assert.equal(read(`{"a":1,"${key}":2}`), UNREAD, key)
  assert.equal(({} as { polluted?: unknown }).polluted, undefined)
})

test('bodies nest as deep as allowed and no deeper', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  assert.deepEqual(read(nested(3), 3), [[[]]])
  assert.equal(read(nested(4), 3), UNREAD)
  assert.equal(read('[[{"a":[]}]]', 3), UNREAD)
  assert.equal(read('1', 0), 1)
  assert.equal(read('[]', 0), UNREAD)
  assert.notEqual(read(nested(MAX_DEPTH), 1000), UNREAD)
  assert.equal(read(nested(MAX_DEPTH + 1), 1000), UNREAD)
})

test('long bodies are left to JSON.parse', () => {
  const body = (length: number): string => `"${'x'.repeat(length - 2)}"`
  assert.equal((read(body(MAX_READ)) as string).length, MAX_READ - 2)
  assert.equal(read(body(MAX_READ + 1)), UNREAD)
})

test('values do not change with the memory they were read from', () => {
  const bytes = Buffer.from('{"short":"abc","long":"abcdefghijklmnop","list":["x"]}')
  const value = readJson(bytes, 0, bytes.length, MAX_DEPTH)
  bytes.fill(0x21)
  assert.deepEqual(value, { short: 'abc', long: 'abcdefghijklmnop', list: ['x'] })
})

test('a thousand bodies with ever new keys are right too, and so is what follows them', () => {
  for (let i = 0; i < 20_000; i++) {
    const body = Buffer.from(`{"key${i}":{"other${i * 7}":${i},"key${i}":1}}`)
    agrees(body, neighbours[i % neighbours.length])
  }
  const body = '{"id":1,"text":"x"}'
  let reads = 0
  for (let i = 0; i < 20_000; i++) if (read(body) !== UNREAD) reads++
  assert.ok(reads > 10_000, `${reads} of 20,000 after keys that never came again`)
})

test('1,000,000 seeded bodies between others are what JSON.parse makes of them, or are left to it', () => {
  const below = random(14)
  const samples = Array.from({ length: 400 }, () => Buffer.from(randomJson(below, 4)))
  for (const sample of samples) agrees(sample, neighbours[0])
  let reads = 0
  for (const body of mutations(samples, 1_000_000, 14)) if (agrees(body, neighbours[reads % neighbours.length])) reads++
  assert.ok(reads > 100_000, `${reads} were read`)
})

test('bodies of one batch are read as they are alone, in any order, and those of the next are not theirs', () => {
  const below = random(17)
  const memory: Buffer = Buffer.alloc(16 * 1024)
  const elsewhere: Buffer = Buffer.alloc(1024)
  for (let batch = 0; batch < 20_000; batch++) {
    const bodies: { start: number; end: number; value: unknown }[] = []
    let at = below(64)
    for (let i = 1 + below(12); i > 0; i--) {
      const value = randomValue(below, 2)
      const size = memory.write(JSON.stringify(value), at)
      bodies.push({ start: at, end: at + size, value })
      at += size + below(40)
    }
    beginBatch(memory, below(4) === 0 ? 0 : at)
    for (let i = 0; i < bodies.length; i++) {
      const { start, end, value } = bodies[below(3) === 0 ? below(bodies.length) : i]
      const got = readJson(memory, start, end, MAX_DEPTH)
      if (got !== UNREAD) assert.equal(JSON.stringify(got), JSON.stringify(value))
      if (below(4) > 0) continue
      const other = randomValue(below, 1)
      const read = readJson(elsewhere, 0, elsewhere.write(JSON.stringify(other)), MAX_DEPTH)
      if (read !== UNREAD) assert.equal(JSON.stringify(read), JSON.stringify(other))
    }
  }
})
