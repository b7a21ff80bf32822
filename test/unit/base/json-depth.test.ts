import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deeperThan } from '../../../src/base/text/json-depth.ts'

test('scalars are 0 deep, each array or object adds one', () => {
  for (const scalar of [null, 1, 'x', true]) assert.equal(deeperThan(scalar, 0), false)
  assert.equal(deeperThan([], 0), true)
  assert.equal(deeperThan({}, 1), false)
  assert.equal(deeperThan([{}], 1), true)
  assert.equal(deeperThan([{ a: [1] }], 3), false)
  assert.equal(deeperThan([{ a: [1] }], 2), true)
})

test('the deepest branch counts, wherever it is', () => {
  const wide = Array.from({ length: 1000 }, () => ({ a: 1, b: [] as unknown[] }))
  assert.equal(deeperThan(wide, 3), false)
  wide[999].b.push({})
  assert.equal(deeperThan(wide, 3), true)
})

test('a key called __proto__ or length is looked into', () => {
  assert.equal(deeperThan(JSON.parse('{"__proto__":[[[]]]}'), 3), true)
  assert.equal(deeperThan(JSON.parse('{"length":[[[]]]}'), 3), true)
})

test('100,000 levels do not exhaust the stack', () => {
  const depth = 100_000
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ]) {
    const value = JSON.parse(`${open.repeat(depth)}1${close.repeat(depth)}`)
    assert.equal(deeperThan(value, 128), true)
    assert.equal(deeperThan(value, depth), false)
    assert.equal(deeperThan(value, depth - 1), true)
  }
})

test('what a program put on Object.prototype does not count', () => {
  const prototype = Object.prototype as Record<string, unknown>
  prototype.polluted = { deep: {} }
  try {
    assert.equal(deeperThan({ a: {} }, 2), false)
  } finally {
    delete prototype.polluted
  }
})
