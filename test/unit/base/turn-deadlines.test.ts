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

it('the clock is read twice in a turn, however many entries come', async () => {
  const { add, reads } = setUp()
  const entries = Array.from({ length: 100 }, (_, i) => add(10 + i))
  await settle()
  assert.equal(reads(), 2)
  assert.deepEqual(
    entries.map(({ deadline }) => deadline),
    entries.map((_, i) => 10 + i),
  )
  assert.ok(entries.every(({ wheelNext }) => wheelNext !== null))
})

it('the deadline of the first entry counts from when it came, that of others at the latest from the end of the turn', async () => {
  const { add, pass } = setUp()
  const first = add(10)
  pass(5)
  const second = add(10)
  pass(600)
  await settle()
  assert.deepEqual([first.deadline, second.deadline], [10, 615])
  pass(1)
  assert.equal(add(10).deadline, 616, 'and so in the next turn')
})

it('an entry that is removed before its turn ends stays out, one that is added again counts once', async () => {
  const { wheel, deadlines, add } = setUp()
  add(10)
  const removed = add(10)
  const again = add(10)
  wheel.remove(removed)
  deadlines.add(again, 20)
  await settle()
  assert.equal(removed.wheelNext, null)
  assert.equal(again.deadline, 20)
})

it('what is left of a deadline can be told before its turn ends', () => {
  const { wheel, add, pass } = setUp()
  add(10)
  pass(3)
  const entry = add(10)
  assert.ok(entry.deadline - wheel.now() <= 10 && entry.deadline - wheel.now() > 0)
})
