import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readStrategy, type StrategyName } from '../../../../src/rpc/selector/strategies/by-name.ts'
import { consistentHash } from '../../../../src/rpc/selector/strategies/consistent-hash.ts'
import { leastActive } from '../../../../src/rpc/selector/strategies/least-active.ts'
import { p2c } from '../../../../src/rpc/selector/strategies/p2c.ts'
import { random } from '../../../../src/rpc/selector/strategies/random.ts'
import { roundRobin } from '../../../../src/rpc/selector/strategies/round-robin.ts'
import { weightedRoundRobin } from '../../../../src/rpc/selector/strategies/weighted-round-robin.ts'
import type { Candidate, PickContext, Strategy } from '../../../../src/rpc/selector/strategy.ts'
import { candidates, chiSquare, counts, TestClock } from '../../../support/selector.ts'

type Writable = { -readonly [Name in keyof Candidate]: Candidate[Name] }

const context = (more: Partial<PickContext> = {}): PickContext => ({ path: '/a', key: undefined, now: 0, ...more })

function* picks(strategy: Strategy, all: readonly Candidate[], count: number, call = context()): Generator<Candidate> {
  for (let i = 0; i < count; i++) yield strategy.pick(all, call)
}

function shares(all: readonly Candidate[]): Map<string, number> {
  const total = all.reduce((sum, { weight }) => sum + weight, 0)
  return new Map(all.map(({ node, weight }) => [node.id, weight / total]))
}

/** Critical value of chi-square with 9 degrees of freedom at 0.1%. */
const CHI_9 = 27.88

test('random: ten nodes evenly', () => {
  const all = candidates(10)
  const found = counts(picks(random(new TestClock('even')), all, 20_000))
  assert.ok(chiSquare(found, shares(all)) < CHI_9, `${chiSquare(found, shares(all))}`)
})

test('random: by weight, also when one node outweighs all others by far', () => {
  for (const heavy of [5, 1000]) {
    const all = candidates(10, (i) => ({ weight: i === 3 ? heavy : 1 + (i % 2) }))
    const found = counts(picks(random(new TestClock(`weight ${heavy}`)), all, 50_000))
    assert.ok(chiSquare(found, shares(all)) < CHI_9, `${heavy}: ${chiSquare(found, shares(all))}`)
  }
})

test('roundRobin: each node once in every round, in order', () => {
  const all = candidates(7)
  const strategy = roundRobin(new TestClock())
  const ids = [...picks(strategy, all, 21)].map(({ node }) => node.id)
  assert.equal(new Set(ids.slice(0, 7)).size, 7)
  assert.deepEqual(ids.slice(7, 14), ids.slice(0, 7))
  assert.deepEqual(ids.slice(14), ids.slice(0, 7))
})

test('roundRobin: clients that start together begin at different nodes', () => {
  const firsts = new Set<Candidate>()
  for (let i = 0; i < 100; i++) firsts.add(roundRobin(new TestClock(`client ${i}`)).pick(candidates(5), context()))
  assert.ok(new Set([...firsts].map(({ node }) => node.id)).size === 5)
})

test('roundRobin: a starting node is passed over as often as its weight says', () => {
  const all = candidates(4, (i) => (i === 0 ? { nominalWeight: 1, weight: 0.25 } : {}))
  all[0] = { ...all[0], nominalWeight: 1 }
  const found = counts(picks(roundRobin(new TestClock()), all, 10_000))
  const share = (found.get('n0') as number) / 10_000
  assert.ok(Math.abs(share - 0.25 / 3.25) < 0.01, `${share}`)
})

test('weightedRoundRobin: exactly by weight in each cycle, spread evenly', () => {
  const all = candidates(3, (i) => ({ weight: [5, 1, 1][i] }))
  const strategy = weightedRoundRobin({ random: () => 0 })
  const ids = [...picks(strategy, all, 14)].map(({ node }) => node.id).join(' ')
  assert.equal(ids, 'n0 n0 n1 n0 n2 n0 n0 n0 n0 n1 n0 n2 n0 n0')
})

test('weightedRoundRobin: from any start each node stays within one turn of its share', () => {
  for (let seed = 0; seed < 20; seed++) {
    const all = candidates(10, (i) => ({ weight: 1 + i }))
    const strategy = weightedRoundRobin(new TestClock(`start ${seed}`))
    const found = new Map<string, number>()
    for (let i = 1; i <= 550; i++) {
      const { id } = strategy.pick(all, context()).node
      found.set(id, (found.get(id) ?? 0) + 1)
    }
    for (const { node, weight } of all)
      assert.ok(Math.abs((found.get(node.id) as number) - weight * 10) <= 1, `${seed} ${node.id}: ${found.get(node.id)}`)
  }
})

test('weightedRoundRobin: of 1,000 nodes too each stays within one turn of its share, and a weight that changes counts', () => {
  const all = candidates(1_000, (i) => ({ weight: 1 + (i % 3) })) as Writable[]
  const strategy = weightedRoundRobin(new TestClock('many'))
  const round = all.reduce((sum, { weight }) => sum + weight, 0)
  const found = counts(picks(strategy, all, 10 * round))
  for (const { node, weight } of all)
    assert.ok(Math.abs((found.get(node.id) as number) - weight * 10) <= 1, `${node.id}: ${found.get(node.id)}`)
  all[0].weight = 10
  const again = counts(picks(strategy, all, 10 * (round + 9)))
  assert.ok(Math.abs((again.get('n0') as number) - 100) <= 10, `${again.get('n0')}`)
})

test('leastActive: the node with the fewest calls for its weight, any of several', () => {
  const all = candidates(4, (i) => ({ inFlight: [3, 1, 1, 5][i] }))
  const found = counts(picks(leastActive(new TestClock()), all, 1000))
  assert.deepEqual([...found.keys()].sort(), ['n1', 'n2'])
  assert.ok((found.get('n1') as number) > 420 && (found.get('n2') as number) > 420)
  const heavy = candidates(2, (i) => ({ inFlight: [4, 2][i], weight: [4, 1][i] }))
  assert.equal(leastActive(new TestClock()).pick(heavy, context()).node.id, 'n0')
})

test('leastActive: of 1,000 nodes an idle one as long as there are some, and never the busiest', () => {
  const all = candidates(1_000, (i) => ({ inFlight: i % 2 === 0 ? 0 : 5, weight: i % 2 === 0 ? 1 : 2 })) as Writable[]
  const strategy = leastActive(new TestClock('many'))
  for (const { inFlight } of picks(strategy, all, 1_000)) assert.equal(inFlight, 0)
  for (const each of all) each.inFlight = each.node.id === 'n7' ? 1_000 : 3
  const found = counts(picks(strategy, all, 10_000))
  assert.equal(found.get('n7'), undefined)
  for (const [id] of found) assert.equal(Number(id.slice(1)) % 2, 1)
})

test('p2c: equal nodes evenly', () => {
  const all = candidates(10, () => ({ latency: 5 }))
  const found = counts(picks(p2c(new TestClock('p2c')), all, 20_000))
  assert.ok(chiSquare(found, shares(all)) < CHI_9)
})

test('p2c: prefers the faster, the idler, the heavier and the more successful node', () => {
  const strategy = p2c(new TestClock())
  const better: [Partial<Candidate>, Partial<Candidate>][] = [
    [{ latency: 5 }, { latency: 6 }],
    [{ latency: 5 }, { latency: 5, inFlight: 1 }],
    [{ latency: 5, weight: 2 }, { latency: 5 }],
    [{ latency: 5 }, { latency: 5, success: 0.8 }],
    [{ latency: 500 }, { latency: 0, inFlight: 1 }],
    [{ latency: 500 }, { latency: 0, success: 0.9 }],
    [{ latency: 0 }, { latency: 1 }],
  ]
  for (const [good, bad] of better) {
    const all = candidates(2, (i) => (i === 0 ? bad : good))
    for (let i = 0; i < 10; i++) assert.equal(strategy.pick(all, context()).node.id, 'n1', JSON.stringify([good, bad]))
  }
})

test('p2c: the loser is picked when it was not for a second', () => {
  const strategy = p2c(new TestClock())
  const at = (pickedAt: number): Candidate[] =>
    candidates(2, (i) => (i === 0 ? { latency: 5, pickedAt: 4_990 } : { latency: 500, pickedAt }))
  assert.equal(strategy.pick(at(4_000), context({ now: 5_000 })).node.id, 'n0')
  assert.equal(strategy.pick(at(3_999), context({ now: 5_000 })).node.id, 'n1')
})

test('p2c: with few calls, most do not go to the worse node', () => {
  const strategy = p2c(new TestClock())
  const all = candidates(2, (i) => ({ latency: i === 0 ? 5 : 500 })) as Writable[]
  let worse = 0
  for (let now = 10_000; now < 10_010_000; now += 10_000) {
    const chosen = strategy.pick(all, context({ now })) as Writable
    chosen.pickedAt = now
    if (chosen === all[1]) worse++
  }
  assert.ok(worse > 50 && worse < 150, `${worse} of 1000`)
})

test('consistentHash: a key always goes to the same node, whatever the order of the nodes', () => {
  const all = candidates(20)
  const other = all.toReversed()
  for (let i = 0; i < 200; i++) {
    const call = context({ key: `user-${i}` })
    const { id } = consistentHash().pick(all, call).node
    assert.equal(consistentHash().pick(other, call).node.id, id)
  }
})

test('consistentHash: when one of 100 nodes leaves, only its keys move, at most 1.2 in 100', () => {
  const strategy = consistentHash()
  const all = candidates(100)
  for (const gone of [0, 42, 99]) {
    const rest = all.filter((_, i) => i !== gone)
    let moved = 0
    for (let i = 0; i < 50_000; i++) {
      const call = context({ key: `user-${i}` })
      const before = strategy.pick(all, call)
      if (before === all[gone]) moved++
      else assert.equal(strategy.pick(rest, call), before)
    }
    assert.ok(moved <= 600, `${moved} of 50,000 keys moved`)
  }
})

test('consistentHash: keys are spread evenly and by weight', () => {
  const even = candidates(10)
  const weighted = candidates(10, (i) => ({ weight: 1 + (i % 3) }))
  for (const all of [even, weighted]) {
    const strategy = consistentHash()
    const found = counts(Array.from({ length: 20_000 }, (_, i) => strategy.pick(all, context({ key: `k${i}` }))))
    assert.ok(chiSquare(found, shares(all)) < CHI_9, `${chiSquare(found, shares(all))}`)
  }
})

test('consistentHash: no node gets more than 1.25 times the mean of the calls in flight, even of one key', () => {
  for (const key of [(i: number) => `user-${i}`, () => 'everybody', (i: number) => `user-${i % 3}`]) {
    const strategy = consistentHash()
    const all = candidates(10) as Writable[]
    for (let i = 1; i <= 5_000; i++) {
      ;(strategy.pick(all, context({ key: key(i) })) as Writable).inFlight++
      const most = Math.max(...all.map(({ inFlight }) => inFlight))
      assert.ok(most <= Math.ceil((1.25 * i) / all.length), `${most} of ${i}`)
    }
  }
})

test('consistentHash: of 500 nodes too only the keys of one that leaves move, new ones take theirs, and none is overloaded', () => {
  const strategy = consistentHash()
  const all = candidates(500) as Writable[]
  const nodesOf = (list: readonly Candidate[]): string[] =>
    Array.from({ length: 5_000 }, (_, i) => strategy.pick(list, context({ key: `user-${i}` })).node.id)
  const before = nodesOf(all)
  const without = nodesOf(all.slice(1))
  assert.ok(before.includes('n0'))
  for (const [i, id] of before.entries()) if (id !== 'n0') assert.equal(without[i], id)
  // Weights of a list change while a node starts slowly.
  all[0].weight = 0.001
  for (const [i, id] of nodesOf(all).slice(100).entries()) assert.equal(id, without[i + 100])
  all[0].weight = 1
  assert.deepEqual(nodesOf(all).slice(100), before.slice(100))
  for (let calls = 1; calls <= 5_000; calls++) {
    const picked = strategy.pick(all, context({ key: `user-${calls % 3}` })) as Writable
    assert.ok(++picked.inFlight <= Math.ceil((1.25 * (calls + 500 / 16)) / 500), `${picked.inFlight} of ${calls}`)
  }
})

test('consistentHash: lists that are picked from once, as those without the nodes that a call failed on, take little memory', () => {
  const strategy = consistentHash()
  const all = candidates(100)
  const lists = all.map((gone) => all.filter((each) => each !== gone))
  const before = process.memoryUsage().arrayBuffers
  for (const list of lists) strategy.pick(list, context({ key: 'user' }))
  const taken = process.memoryUsage().arrayBuffers - before
  assert.ok(taken < 5_000_000, `${taken} bytes for ${lists.length} lists`)
})

test('consistentHash: a call without a key is balanced', () => {
  const all = candidates(10, () => ({ latency: 5 }))
  const found = counts(picks(consistentHash(new TestClock('keyless')), all, 20_000))
  assert.ok(chiSquare(found, shares(all)) < CHI_9)
})

test('every built-in strategy is found by its name, bears it, and always picks one of its candidates', () => {
  const names: StrategyName[] = ['random', 'roundRobin', 'weightedRoundRobin', 'leastActive', 'p2c', 'consistentHash']
  for (const name of names) {
    const strategy = readStrategy(name, new TestClock(name))
    assert.equal(strategy.name, name)
    for (const count of [2, 3, 10]) {
      const all = candidates(count, (i) => ({ weight: 0.001 + (i % 2) * 999, inFlight: i * 1000, success: 0, latency: i % 2 }))
      for (let i = 0; i < 200; i++) assert.ok(all.includes(strategy.pick(all, context({ key: `${i}`, now: i * 300 }))), name)
    }
  }
  const own: Strategy = { name: 'own', pick: ([first]) => first }
  assert.equal(readStrategy(own, new TestClock()), own)
})
