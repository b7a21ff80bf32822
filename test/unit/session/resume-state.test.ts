import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type IdempotentCall, type KeptReply, ResumeState } from '../../../src/session/resume-state.ts'

const MAX = 20_000
const reply = (body = ''): KeptReply => ({ filters: undefined, status: '', meta: '', codec: 0, body })

/** Both sides of a session whose idempotent calls are answered as soon as they come, beside those that are left open. */
class Sides {
  readonly caller = new ResumeState(1 << 20)
  readonly callee = new ResumeState(1 << 20)
  #seq = 0

  call(): { key: number; once: IdempotentCall } {
    const key = this.caller.openKey()
    const begun = this.callee.begin(this.caller.idempotencyHeader(key), ++this.#seq, MAX)
    assert.equal(begun?.repeated, false)
    return { key, once: begun?.once as IdempotentCall }
  }

  answered(): void {
    const { key, once } = this.call()
    this.callee.answer(once, reply())
    this.caller.closeKey(key)
  }
}

/** Milliseconds of CPU that `calls` of them take, the best of three. */
function cost(sides: Sides, calls: number): number {
  let best = Infinity
  for (let round = 0; round < 3; round++) {
    const before = process.cpuUsage()
    for (let i = 0; i < calls; i++) sides.answered()
    const { user, system } = process.cpuUsage(before)
    best = Math.min(best, (user + system) / 1000)
  }
  return best
}

test('an idempotent call costs the same however many were abandoned or are open', () => {
  const alone = new Sides()
  const abandoned = new Sides()
  for (let i = 0; i < 9000; i++) abandoned.caller.closeKey(abandoned.call().key)
  const open = new Sides()
  for (let i = 0; i < 9000; i++) open.call()
  const drained = new Sides()
  const calls = Array.from({ length: 15_000 }, () => drained.call())
  for (const { key, once } of calls.slice(0, 14_000)) {
    drained.callee.answer(once, reply())
    drained.caller.closeKey(key)
  }
  cost(alone, 10_000)
  const bar = 8 * cost(alone, 5000) + 20
  for (const [name, sides] of Object.entries({ abandoned, open, drained })) {
    const taken = cost(sides, 5000)
    assert.ok(taken < bar, `${name}: ${taken} ms, bar ${bar}`)
  }
})

test('confirming and forgetting pushes costs the same however many came before', () => {
  const side = new ResumeState(100_000)
  const push = { filters: undefined, meta: '', codec: 0, body: 'x'.repeat(100), method: '/p', route: -1 }
  const before = process.cpuUsage()
  for (let i = 0; i < 100_000; i++) side.buffer(push)
  const { user, system } = process.cpuUsage(before)
  assert.ok((user + system) / 1000 < 3000)
  const { from } = side
  assert.ok(from > 99_000 && from < 100_000, 'the oldest are forgotten')
  side.confirm(from + 9)
  assert.equal(side.from, from + 10)
  assert.equal([...side.kept].length, 100_000 - from - 9)
  side.confirm(100_000)
  assert.equal(side.from, 100_001)
})

test('a push that was not sent gives its number back, and the next one with it is kept', () => {
  const side = new ResumeState(1 << 20)
  const push = { filters: undefined, meta: '', codec: 0, body: null, method: '/p', route: -1 }
  assert.equal(side.unbuffer(side.buffer(push)), true)
  assert.equal(side.from, 1)
  assert.equal(side.buffer(push), 1)
  assert.equal(side.buffer(push), 2)
  assert.equal(side.from, 1)
  assert.equal(side.unbuffer(1), false)
  assert.equal(side.from, 2)
})

test('keys below the oldest open one are settled, in whatever order they close', () => {
  const side = new ResumeState(1 << 20)
  const keys = [1, 2, 3, 4].map(() => side.openKey())
  assert.deepEqual([keys, side.settledKeys], [[1, 2, 3, 4], 1])
  side.closeKey(2)
  side.closeKey(4)
  assert.equal(side.settledKeys, 1)
  side.closeKey(1)
  assert.equal(side.settledKeys, 3)
  side.closeKey(3)
  side.closeKey(3)
  side.closeKey(Number.POSITIVE_INFINITY)
  assert.equal(side.settledKeys, 5)
  assert.equal(side.openKey(), 5)
})

test('a repeated call finds its reply, until it is settled; one that was abandoned while it ran leaves nothing', () => {
  const { callee } = new Sides()
  const first = callee.begin('1.1', 1, MAX)?.once as IdempotentCall
  const second = callee.begin('2.1', 2, MAX)?.once as IdempotentCall
  assert.equal(callee.begin('2.1', 5, MAX)?.once, second)
  assert.equal(second.seq, 5)
  callee.answer(first, reply('one'))
  assert.equal(callee.begin('1.1', 6, MAX)?.once.reply?.body, 'one')
  callee.forget(3)
  assert.equal(callee.running(2), second, 'it still runs')
  callee.answer(second, reply('two'))
  assert.equal(callee.running(2), undefined)
  assert.equal(callee.begin('1.1', 7, MAX)?.repeated, false)
  assert.equal(callee.begin('2.1', 8, MAX)?.repeated, false)
})

test('with too many keys those that have their reply are forgotten, the oldest first', () => {
  const callee = new ResumeState(1 << 20)
  const begun = [1, 2, 3].map((key) => callee.begin(`${key}.1`, key, 3)?.once as IdempotentCall)
  assert.equal(callee.begin('4.1', 4, 3), undefined, 'all of them run')
  callee.answer(begun[2], reply())
  callee.answer(begun[1], reply())
  assert.equal(callee.begin('4.1', 5, 3)?.repeated, false)
  assert.equal(callee.begin('2.1', 6, 3)?.repeated, true)
  assert.equal(callee.begin('3.1', 7, 3)?.repeated, false)
})

test('a name of a new session leaves nothing of the old one', () => {
  const callee = new ResumeState(1 << 20)
  const old = callee.begin('1.1', 1, MAX)?.once as IdempotentCall
  callee.restart('token')
  callee.answer(old, reply())
  assert.equal(callee.begin('1.1', 1, MAX)?.repeated, false)
  callee.forget(2)
  assert.equal(callee.begin('2.1', 2, MAX)?.repeated, false)
})
