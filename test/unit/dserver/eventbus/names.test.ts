import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkName, checkPattern, matches, wildcardOf } from '../../../../src/dserver/eventbus/names.ts'

test('a name begins with a letter and has letters, digits, _ - and dots; white space around it is cut off', () => {
  for (const good of ['a', 'Order.paid', 'a1_-', 'a..b', 'a.', 'constructor', 'a.__proto__']) assert.equal(checkName(good), good)
  assert.equal(checkName('\t a.b \n'), 'a.b')
  const bad = [
    '',
    ' ',
    '.a',
    '_a',
    '1a',
    '-a',
    'a b',
    'é',
    'a\u0000',
    'a\n.b',
    '__proto__',
    'a/b',
    'a,b',
    'a\u202eb',
    '\ud800',
    'a'.repeat(1025),
  ]
  for (const name of [...bad, undefined, null, 1, {}, [], Symbol('a'), ['a'], () => 'a']) assert.throws(() => checkName(name), TypeError)
})

test('an event cannot be named like a pattern, which would run its listeners twice (E8)', () => {
  for (const name of ['*', '**', 'x.*', 'x.**', '*.x', 'x*']) assert.throws(() => checkName(name), { message: /not a name of an event/ })
})

test('a pattern has * and ** in place of whole segments', () => {
  for (const good of ['*', '**', 'a.*', 'a.**', '*.a', '**.a', 'a.*.b.**.c', '*.*', 'a']) assert.equal(checkPattern(good), good)
  for (const bad of ['a*', 'a.b*', '***', 'a.*b', '.*', '_.*', 'a b.*', '*é', `a.${'*.'.repeat(600)}`, undefined, 7, ['*']])
    assert.throws(() => checkPattern(bad), TypeError)
})

test('* stands for one segment, ** for one or more, and * alone for every name', () => {
  const is = (pattern: string, name: string): boolean => {
    const wildcard = wildcardOf(pattern)
    assert.ok(wildcard)
    return matches(wildcard, name.split('.'))
  }
  const cases: [string, string[], string[]][] = [
    ['*', ['a', 'a.b', 'a.b.c'], []],
    ['**', ['a', 'a.b', 'a.b.c'], []],
    ['a.*', ['a.b', 'a.'], ['a', 'a.b.c', 'b.a', 'ab.c']],
    ['a.**', ['a.b', 'a.b.c'], ['a', 'b.a', 'ab.c']],
    ['*.b', ['a.b'], ['b', 'a.b.b', 'a.c']],
    ['**.b', ['a.b', 'a.b.b', 'x.y.z.b'], ['b', 'a.c']],
    ['a.*.c', ['a.b.c'], ['a.c', 'a.b.b.c']],
    ['a.**.c', ['a.b.c', 'a.b.b.c', 'a.c.c'], ['a.c', 'a.b.c.d']],
    ['a.**.b.*', ['a.x.b.y', 'a.b.b.b', 'a.b.x.b.y'], ['a.b.y', 'a.x.b']],
    ['**.**', ['a.b', 'a.b.c'], ['a']],
    ['*.*', ['a.b'], ['a', 'a.b.c']],
  ]
  for (const [pattern, yes, no] of cases) {
    for (const name of yes) assert.ok(is(pattern, name), `${pattern} ${name}`)
    for (const name of no) assert.ok(!is(pattern, name), `${pattern} ${name}`)
  }
  // A backtracking matcher would not return.
  assert.ok(!is('**.a.'.repeat(100).slice(0, -1), 'a.'.repeat(500).concat('b')))
})
