import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LeastBusy, Worker } from '../../../src/endpoint/least-busy.ts'
import { random } from '../../support/random.ts'

test('the least busy comes first, whatever was added, changed and removed', () => {
  const next = random(3)
  const set = new LeastBusy<Worker>()
  const all = new Set<Worker>()
  for (let step = 0; step < 20_000; step++) {
    const some = [...all][next(Math.max(1, all.size))]
    const what = next(20)
    if (some === undefined || (what === 0 && all.size < 40)) {
      const worker = new Worker()
      worker.load = next(5)
      set.add(worker)
      all.add(worker)
    } else if (what === 1) {
      set.remove(some)
      set.remove(some)
      set.change(some, 1) // which is no longer in
      all.delete(some)
      assert.equal(set.has(some), false)
    } else {
      set.change(some, some.load > 0 && next(2) === 0 ? -1 : 1)
    }
    assert.equal(set.first?.load, all.size === 0 ? undefined : Math.min(...[...all].map(({ load }) => load)))
    if (set.first !== undefined) assert.ok(all.has(set.first))
  }
})

test('what works alone goes on doing so: those that are not needed stay idle', () => {
  const set = new LeastBusy<Worker>()
  const workers = Array.from({ length: 5 }, () => new Worker())
  for (const worker of workers) set.add(worker)
  const first = set.first as Worker
  for (let i = 0; i < 10; i++) {
    assert.equal(set.first, first)
    set.change(first, 1)
    assert.notEqual(set.first, first)
    set.change(first, -1)
  }
})

test('a choice costs the same among 10,000 as among 10', () => {
  const cost = (members: number): number => {
    const set = new LeastBusy<Worker>()
    for (let i = 0; i < members; i++) set.add(new Worker())
    const round = (): void => {
      const busy: Worker[] = []
      for (let i = 0; i < 40_000; i++) {
        const worker = set.first as Worker
        set.change(worker, 1)
        busy.push(worker)
      }
      for (const worker of busy) set.change(worker, -1)
    }
    round()
    let best = Infinity
    for (let i = 0; i < 3; i++) {
      const before = process.cpuUsage()
      round()
      best = Math.min(best, process.cpuUsage(before).user)
    }
    return best
  }
  cost(10)
  const few = cost(10)
  const many = cost(10_000)
  assert.ok(many < 20 * few + 20_000, `${many} µs, ${few} among 10`)
})
