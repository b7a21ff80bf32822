import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sleep } from '../../../src/base/time/sleep.ts'
import { FaultTable } from '../../../src/testing/faults.ts'
import { virtualClock } from '../../../src/testing/host.ts'
import { seeded } from '../../../src/testing/random.ts'
import { Outside, settle } from '../../../src/testing/settle.ts'
import { VirtualTime } from '../../../src/testing/virtual-time.ts'

test('things happen in order of time, then as they were asked for, and not when cancelled', () => {
  const random = seeded('order')
  const time = new VirtualTime()
  const expected: { at: number; n: number }[] = []
  const happened: number[] = []
  const all = Array.from({ length: 2000 }, (_, n) => {
    const at = Math.floor(random() * 100)
    const happening = time.at(at, () => {
      assert.equal(time.now, at)
      happened.push(n)
    })
    return { at, n, happening }
  })
  for (const { at, n, happening } of all) {
    if (n % 3 !== 0) expected.push({ at, n })
    else time.cancel(happening)
  }
  assert.equal(time.size, expected.length)
  time.cancel(undefined)
  time.cancel(all[0].happening)
  while (time.next !== undefined) time.step()
  expected.sort((a, b) => a.at - b.at || a.n - b.n)
  assert.deepEqual(
    happened,
    expected.map(({ n }) => n),
  )
  assert.equal(time.size, 0)
  time.step()
  time.cancel(all[1].happening)
  assert.equal(time.size, 0)
})

test('nothing happens in the past, and what happens may add and cancel', () => {
  const time = new VirtualTime()
  const seen: string[] = []
  const never = time.at(7, () => seen.push('never'))
  time.at(5, () => {
    time.at(1, () => seen.push(`late at ${time.now}`))
    time.cancel(never)
    seen.push('first')
  })
  while (time.next !== undefined) time.step()
  assert.deepEqual(seen, ['first', 'late at 5'])
  time.skipTo(3)
  assert.equal(time.now, 5)
  time.at(9, () => seen.push('never'))
  time.clear()
  assert.equal(time.next, undefined)
})

test('a virtual clock is one as node has it', async () => {
  const time = new VirtualTime()
  const clock = virtualClock(time, seeded('clock'))
  const fired: number[] = []
  clock.setTimeout(() => fired.push(clock.now()), 0)
  clock.setTimeout(() => fired.push(clock.now()), Number.NaN)
  clock.setTimeout(() => fired.push(clock.now()), 2.5).unref()
  clock.clearTimeout(clock.setTimeout(() => fired.push(-1), 2))
  clock.clearTimeout(undefined)
  while (time.next !== undefined) time.step()
  assert.deepEqual(fired, [1, 1, 2.5])

  const late = new AbortController()
  clock.setTimeout(() => late.abort(new Error('late')), 10)
  const abort = new AbortController()
  const slept = sleep(clock, 5, abort.signal)
  const cut = sleep(clock, 50, late.signal)
  assert.equal(time.size, 3)
  while (time.next !== undefined) time.step()
  await slept
  await assert.rejects(cut, /late/)
  assert.equal(time.now, 12.5)
  abort.abort(new Error('mine'))
  await assert.rejects(sleep(clock, 5, abort.signal), /mine/)
  assert.equal(time.size, 0)
})

test('numbers follow from the seed, are spread evenly, and differ with anything in it', () => {
  const first = (seed: string): number[] => {
    const random = seeded(seed)
    return Array.from({ length: 5 }, random)
  }
  assert.deepEqual(first('1/link/1/client'), first('1/link/1/client'))
  const seeds = Array.from({ length: 1000 }, (_, n) => `1/link/${n}/client`)
  assert.equal(new Set(seeds.map((seed) => first(seed).join())).size, 1000)
  const bins = new Array(10).fill(0)
  for (const seed of seeds) for (const number of first(seed)) bins[Math.floor(number * 10)]++
  for (const count of bins) assert.ok(Math.abs(count - 500) < 100, bins.join())
})

test('faults of several ways are laid over each other, the latest on top', () => {
  const table = new FaultTable()
  table.set({ delay: 5, loss: 0.1 }, {})
  table.set({ delay: 7 }, { from: 'a' })
  table.set({ reset: 1 }, { from: 'a', to: 'b' })
  const found = table.find('a', 'b', { drop: 0.5 })
  assert.deepEqual([found.delay(() => 0), found.loss, found.reset, found.drop, found.split], [7, 0.1, 1, 0.5, 0])
  assert.equal(
    table.find('b', 'a', {}).delay(() => 0),
    5,
  )
  table.set({ delay: 1 }, {})
  assert.equal(
    table.find('a', 'b', {}).delay(() => 0),
    1,
  )
  table.set({}, {})
  assert.equal(
    table.find('a', 'b', {}).delay(() => 0),
    7,
  )
  table.clear()
  assert.equal(table.find('a', 'b', {}).reset, 0)
})

test('settling waits for promises, ticks, turns of the loop and work outside', async () => {
  const outside = new Outside()
  const seen: string[] = []
  const turn = (left: number): void => {
    if (left === 0) seen.push('turns')
    else setImmediate(() => process.nextTick(() => queueMicrotask(() => turn(left - 1))))
  }
  turn(20)
  const work = outside.add(new Promise((resolve) => setTimeout(() => resolve(void seen.push('work')), 5)))
  void work.then(() => setImmediate(() => seen.push('after work')))
  outside.add(Promise.reject(new Error('fails'))).catch(() => seen.push('failure'))
  await settle(outside)
  assert.deepEqual(new Set(seen), new Set(['turns', 'work', 'after work', 'failure']))
  assert.equal(outside.size, 0)
})
