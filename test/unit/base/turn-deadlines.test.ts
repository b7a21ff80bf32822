import assert from 'node:assert/strict'
import { it } from 'node:test'
import { realClock } from '../../../src/base/time/clock.ts'
import { TimerEntry, TimerWheel } from '../../../src/base/time/timer-wheel.ts'
import { TurnDeadlines } from '../../../src/base/time/turn-deadlines.ts'

class Entry extends TimerEntry {
  override expire(): void {}
}

function setUp() {
  let time = 0
  let reads = 0
  const now = (): number => {
    reads++
    return time
  }
  const wheel = new TimerWheel({ ...realClock, now, setTimeout: () => ({ unref: () => {} }) })
  const deadlines = new TurnDeadlines(wheel)
  const add = (timeout: number): Entry => {
    const entry = new Entry()
    deadlines.add(entry, timeout)
    return entry
  }
  const pass = (ms: number): void => {
    time += ms
  }
  return { wheel, deadlines, add, pass, reads: () => reads }
}

/** Lets the promises of this turn settle. */
const settle = (): Promise<void> => Promise.resolve()

it('the clock is read for each of the first entries of a turn, then once for many', async () => {
  const { add, reads } = setUp()
  const entries = Array.from({ length: 160 }, (_, i) => add(10 + i))
  await settle()
  assert.equal(reads(), 16 + 9 + 1)
  assert.deepEqual(
    entries.map(({ deadline }) => deadline),
    entries.map((_, i) => 10 + i),
  )
  assert.ok(entries.every(({ wheelNext }) => wheelNext !== null))
  assert.equal(add(5).deadline, 5, 'and so in the next turn')
  assert.equal(reads(), 27)
})

it('deadlines of the first entries count from when they came, those of others at the latest from the end of the turn', async () => {
  const { add, pass } = setUp()
  const first = Array.from({ length: 16 }, () => add(10))
  pass(5)
  const exact = add(10)
  const second = add(10)
  pass(600)
  const third = Array.from({ length: 14 }, () => add(10))
  const next = add(10)
  pass(100)
  const last = add(10)
  await settle()
  assert.deepEqual(new Set(first.map(({ deadline }) => deadline)), new Set([10]))
  assert.deepEqual([exact.deadline, second.deadline], [15, 615])
  assert.deepEqual(new Set(third.map(({ deadline }) => deadline)), new Set([615]))
  assert.deepEqual([next.deadline, last.deadline], [615, 715])
})

it('an entry that is removed before its group ends stays out, one that is added again counts once', async () => {
  const { wheel, deadlines, add } = setUp()
  for (let i = 0; i <= 16; i++) add(10)
  const removed = add(10)
  const again = add(10)
  wheel.remove(removed)
  deadlines.add(again, 20)
  await settle()
  assert.equal(removed.wheelNext, null)
  assert.equal(again.deadline, 20)
})

it('what is left of a deadline can be told before its group ends', () => {
  const { wheel, add, pass } = setUp()
  for (let i = 0; i <= 16; i++) add(10)
  pass(3)
  const entry = add(10)
  assert.ok(entry.deadline - wheel.now() <= 10 && entry.deadline - wheel.now() > 0)
})
