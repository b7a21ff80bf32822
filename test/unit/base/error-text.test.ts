import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { describe, reasonOf } from '../../../src/base/errors/error-text.ts'
import { StatusError, toStatusError } from '../../../src/base/errors/status.ts'
import { consoleLogger } from '../../../src/base/log.ts'

function refused(host: string): Error {
  return Object.assign(new Error(`connect ECONNREFUSED ${host}`), { code: 'ECONNREFUSED' })
}

/** As `fetch` fails where nobody listens. */
function fetchFailed(): Error {
  const both = Object.assign(new AggregateError([refused('::1:1'), refused('127.0.0.1:1')], ''), { code: 'ECONNREFUSED' })
  return new TypeError('fetch failed', { cause: both })
}

test('an error without causes is its stack, or its text', () => {
  const error = new Error('x')
  assert.equal(describe(error), error.stack)
  assert.equal(reasonOf(error), 'x')
  for (const thrown of ['text', undefined, null, 5]) assert.deepEqual([describe(thrown), reasonOf(thrown)], [`${thrown}`, `${thrown}`])
})

test('causes and members are told with what they say first, then where they come from', () => {
  const lines = describe(fetchFailed()).split('\n')
  assert.deepEqual(lines.slice(0, 4), [
    'TypeError: fetch failed',
    '  cause: AggregateError [ECONNREFUSED]',
    '    error: Error: connect ECONNREFUSED ::1:1',
    '    error: Error: connect ECONNREFUSED 127.0.0.1:1',
  ])
  assert.match(lines[4], /^ {4}at fetchFailed \(/)
  assert.ok(lines.includes('  of error: Error: connect ECONNREFUSED ::1:1'))
  assert.equal(reasonOf(fetchFailed()), 'fetch failed: ECONNREFUSED: [connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1]')
})

test('what is told first reaches the standard logger whole', () => {
  let line = ''
  consoleLogger('error', (each) => (line = each)).error('a handler failed', { error: describe(fetchFailed()) })
  assert.match(line, /connect ECONNREFUSED 127\.0\.0\.1:1/)
})

test('a StatusError below another error tells its cause, and text may be a cause', () => {
  const error = new Error('outer', { cause: new StatusError(1001, 'inner', 'deep') })
  assert.equal(reasonOf(error), 'outer: inner: deep')
  assert.equal(reasonOf(new Error('a', { cause: 'b' })), 'a: b')
  assert.equal(reasonOf(Object.assign(new Error('s'), { error: new Error('later'), suppressed: new Error('first') })), 's: [later; first]')
  assert.equal(reasonOf(runInNewContext('new Error("a", { cause: new Error("b") })')), 'Error: a: Error: b')
})

test('members are a list in a line, each with its own causes and members, behind the cause of all', () => {
  const inner = new AggregateError([new Error('c'), new Error('d')], 'inner')
  const all = new AggregateError([new Error('a', { cause: new Error('why a') }), inner, new Error('b')], 'all', { cause: new Error('why') })
  assert.equal(reasonOf(new Error('outer', { cause: all })), 'outer: all: why: [a: why a; inner: [c; d]; b]')
  assert.equal(reasonOf(new AggregateError([new Error('a', { cause: new Error('b') })], 'one')), 'one: a: b')
  assert.equal(reasonOf(new AggregateError([new Error(''), new Error('a')], '')), 'a')
})

test('chains end: at circles, at a depth, at a number, and whatever they hold', () => {
  const circle: Error & { cause?: unknown } = new Error('a')
  circle.cause = new AggregateError([circle, new Error('b', { cause: circle })], 'all')
  assert.equal(reasonOf(circle), 'a: all: b')
  let deep = new Error('0')
  for (let i = 1; i < 100_000; i++) deep = new Error(`${i}`, { cause: deep })
  assert.equal(reasonOf(deep).split(': ').length, 17)
  const wide = new AggregateError(
    Array.from({ length: 100_000 }, () => new AggregateError([new Error('x'.repeat(10_000))], 'm')),
    'w',
  )
  assert.ok(reasonOf(wide).length < 17 * 520)
  assert.ok(describe(wide).length < 100_000)
  const boom = (): never => {
    throw new Error('trap')
  }
  const traps = ['cause', 'errors', 'stack', 'message', 'code'].map((key) => Object.defineProperty(fetchFailed(), key, { get: boom }))
  for (const hostile of [...traps, new Proxy(new Error('x'), { get: boom, getPrototypeOf: boom })]) {
    assert.equal(typeof describe(hostile), 'string')
    assert.equal(typeof reasonOf(new Error('x', { cause: hostile })), 'string')
  }
})

test('what is exposed to a caller has members and causes too, and nothing else', () => {
  assert.match(toStatusError(fetchFailed(), true).cause, /^fetch failed: .*\[.*ECONNREFUSED ::1:1; .*127\.0\.0\.1:1\]$/)
  assert.equal(toStatusError(new AggregateError([new Error('a'), new Error('b')], ''), true).cause, '[a; b]')
  assert.doesNotMatch(toStatusError(fetchFailed(), true).cause, / at /)
  assert.equal(toStatusError(fetchFailed(), false).cause, '')
})

test('a plain object that is thrown is its first members, not [object Object]', () => {
  assert.deepEqual([describe({ code: 5 }), reasonOf({ code: 5 })], ['{ code: 5 }', '{ code: 5 }'])
  assert.equal(reasonOf({ error: { code: 5, at: { line: 1 } } }), '{ error: { code: 5, at: [object Object] } }')
  const circular: Record<string, unknown> = { a: 1 }
  circular.self = circular
  assert.equal(reasonOf(circular), '{ a: 1, self: { a: 1, self: [object Object] } }')
  assert.equal(reasonOf({}), '[object Object]')
  assert.equal(reasonOf({ toString: () => 'own text' }), 'own text')
  const large = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`m${i}`, 'x'.repeat(1e6)]))
  assert.ok(reasonOf(large).length < 5000)
})
