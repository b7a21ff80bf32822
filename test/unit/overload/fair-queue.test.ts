import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FairQueue, Lane } from '../../../src/overload/fair-queue.ts'

const weight = (): number => 1

/** Serves `count` items that cost what `cost` says, and counts whose they were. */
function serve(queue: FairQueue<string>, count: number, cost: (item: string) => number, from = 0): Record<string, number> {
  const served: Record<string, number> = {}
  let now = from
  for (let n = 0; n < count; n++) {
    const item = queue.take(weight, now)
    if (item === undefined) break
    now += cost(item)
    queue.charge(cost(item), now)
    served[item] = (served[item] ?? 0) + 1
  }
  return served
}

function filled(counts: Record<string, number>): { queue: FairQueue<string>; lanes: Record<string, Lane<string>> } {
  const queue = new FairQueue<string>()
  const lanes: Record<string, Lane<string>> = {}
  for (const [name, count] of Object.entries(counts)) {
    lanes[name] = new Lane()
    for (let n = 0; n < count; n++) queue.push(lanes[name], name, 1, 0)
  }
  return { queue, lanes }
}

test('items of one lane come in their order', () => {
  const queue = new FairQueue<number>()
  const lane = new Lane<number>()
  const taken: number[] = []
  for (let n = 0; n < 500; n++) {
    queue.push(lane, n, 2, 0)
    if (n % 3 === 0) taken.push(queue.take(() => 2, 0) as number)
  }
  assert.equal(queue.weight, 2 * queue.length)
  for (let item = queue.take(() => 2, 0); item !== undefined; item = queue.take(() => 2, 0)) taken.push(item)
  assert.deepEqual(
    taken,
    Array.from({ length: 500 }, (_, n) => n),
  )
  assert.deepEqual([queue.length, queue.weight, queue.active, lane.weight], [0, 0, 0, 0])
})

test('a lane with many items gets no more turns than others', () => {
  const { queue } = filled({ greedy: 1000, a: 50, b: 50 })
  const served = serve(queue, 120, () => 1)
  for (const name of ['greedy', 'a', 'b']) assert.ok(Math.abs(served[name] - 40) <= 2, `${name}: ${served[name]}`)
})

test('shares are of time: a lane with costly items gets fewer turns', () => {
  const { queue } = filled({ costly: 500, cheap: 2000 })
  const served = serve(queue, 1000, (item) => (item === 'costly' ? 5 : 1))
  const ratio = (served.costly * 5) / served.cheap
  assert.ok(ratio > 0.8 && ratio < 1.25, `${served.costly} against ${served.cheap}`)
})

test('costs too short for the clock still take turns', () => {
  const { queue } = filled({ a: 100, b: 100 })
  assert.deepEqual(
    serve(queue, 100, () => 0),
    { a: 50, b: 50 },
  )
})

test('a lane alone is served without a pause, whatever it costs, and owes nothing for it', () => {
  const { queue, lanes } = filled({ alone: 50 })
  serve(queue, 40, () => 100)
  lanes.late = new Lane()
  for (let n = 0; n < 10; n++) queue.push(lanes.late, 'late', 1, 4000)
  const served = serve(queue, 12, () => 100, 4000)
  assert.ok(Math.abs((served.alone ?? 0) - (served.late ?? 0)) <= 2, JSON.stringify(served))
})

test('one cost out of the ordinary keeps its lane waiting for a few rounds, not for hundreds', () => {
  const { queue, lanes } = filled({ unlucky: 1, a: 500, b: 500 })
  serve(queue, 3, (item) => (item === 'unlucky' ? 20 : 0.02))
  queue.push(lanes.unlucky, 'unlucky', 1, 20)
  const served = serve(queue, 300, () => 0.02, 20)
  assert.equal(served.unlucky, 1, JSON.stringify(served))
})

test('leaving and coming back does not shed what a lane overdrew', () => {
  const queue = new FairQueue<string>()
  const steady = new Lane<string>()
  const sly = new Lane<string>()
  for (let n = 0; n < 1000; n++) queue.push(steady, 'steady', 1, 0)
  let now = 0
  const time: Record<string, number> = { steady: 0, sly: 0 }
  for (let n = 0; n < 800; n++) {
    // One at a time, each ten times as costly.
    if (sly.size === 0) queue.push(sly, 'sly', 1, now)
    const item = queue.take(weight, now) as string
    const cost = item === 'sly' ? 10 : 1
    now += cost
    time[item] += cost
    queue.charge(cost, now)
  }
  assert.ok(time.sly < time.steady * 1.5, JSON.stringify(time))
})

test('what is dropped is gone, and its lane may be used again', () => {
  const { queue, lanes } = filled({ a: 5, b: 2 })
  assert.equal(queue.drop(lanes.a).length, 5)
  assert.deepEqual([queue.length, queue.weight], [2, 2])
  queue.push(lanes.a, 'again', 1, 0)
  assert.deepEqual(
    serve(queue, 10, () => 1),
    { again: 1, b: 2 },
  )
  assert.equal(queue.active, 0)
  assert.equal(queue.take(weight, 0), undefined)
  assert.deepEqual(queue.drop(lanes.b), [])
})
