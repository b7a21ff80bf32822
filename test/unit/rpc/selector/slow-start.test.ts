import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StrategyName } from '../../../../src/rpc/selector/strategies/by-name.ts'
import { node, nodes, selectorOf, service } from '../../../support/selector.ts'

const call = { path: '/math/add' }

test('nodes of the first snapshot have their whole weight, later ones reach it in steps', async () => {
  const { selector, registry, clock } = await selectorOf([service(nodes(2))], { slowStart: 10_000 })
  registry.set('math', [service([...nodes(2), node('new', { weight: '4' })])])
  await new Promise(setImmediate)
  const [old, , fresh] = selector.candidates('math')
  assert.equal(old.weight, 1)
  const weights: number[] = []
  for (let i = 0; i <= 11; i++) {
    selector.pick('math', call).done(false, 1)
    weights.push(Math.round(fresh.weight * 10) / 10)
    clock.skip(1_000)
  }
  assert.deepEqual(weights, [0.4, 0.4, 0.8, 1.2, 1.6, 2, 2.4, 2.8, 3.2, 3.6, 4, 4])
  assert.equal(fresh.nominalWeight, 4)
  selector.close()
})

test('a new node gets few calls at first, with every strategy', async () => {
  const strategies: StrategyName[] = ['random', 'roundRobin', 'weightedRoundRobin', 'leastActive', 'p2c']
  for (const strategy of strategies) {
    const { selector, registry, clock } = await selectorOf([service(nodes(4))], { slowStart: 10_000, strategy })
    const open: { done: (failed: boolean, latency: number) => void }[] = []
    const run = (count: number): number => {
      let fresh = 0
      for (let i = 0; i < count; i++) {
        const pick = selector.pick('math', call)
        if (pick.candidate.node.id === 'new') fresh++
        open.push(pick)
        if (open.length > 20) open.shift()?.done(false, 20)
        clock.skip(1)
      }
      return fresh / count
    }
    run(1_000)
    registry.set('math', [service([...nodes(4), node('new')])])
    await new Promise(setImmediate)
    const first = run(1_000)
    run(9_500)
    const then = run(2_000)
    assert.ok(first < 0.12, `${strategy}: ${first} at first`)
    assert.ok(then > 0.14 && then < 0.26, `${strategy}: ${then} then`)
    selector.close()
  }
})

test('a node that returns from an ejection starts slowly', async () => {
  const { selector, clock } = await selectorOf([service(nodes(3))], { slowStart: 10_000, strategy: 'roundRobin' })
  const [a] = selector.candidates('math')
  while (!a.isEjected) {
    const pick = selector.pick('math', call)
    pick.done(pick.candidate === a, 1)
  }
  clock.skip(5_000)
  selector.pick('math', call).done(false, 1)
  assert.deepEqual([a.isEjected, a.weight], [false, 0.1])
  clock.skip(10_000)
  selector.pick('math', call).done(false, 1)
  assert.equal(a.weight, 1)
  selector.close()
})

test('a weight that changes while its node starts keeps its share', async () => {
  const { selector, registry, clock } = await selectorOf([service(nodes(1))], { slowStart: 10_000 })
  registry.set('math', [service([...nodes(1), node('new', { weight: '2' })])])
  await new Promise(setImmediate)
  clock.skip(5_000)
  selector.pick('math', call).done(false, 1)
  registry.set('math', [service([...nodes(1), node('new', { weight: '6' })])])
  await new Promise(setImmediate)
  assert.equal(selector.candidates('math')[1].weight, 3)
  selector.close()
})

test('consistentHash: keys move to a new node a few at a time, each once and to no other', async () => {
  const { selector, registry, clock } = await selectorOf([service(nodes(4))], { slowStart: 10_000, strategy: 'consistentHash' })
  const keys = Array.from({ length: 2_000 }, (_, i) => `user-${i}`)
  const owners = (): string[] =>
    keys.map((key) => {
      const pick = selector.pick('math', { ...call, key })
      pick.done(false, 1)
      return pick.candidate.node.id
    })
  let before = owners()
  registry.set('math', [service([...nodes(4), node('new')])])
  await new Promise(setImmediate)
  const moved: number[] = []
  for (let i = 0; i < 11; i++) {
    const now = owners()
    moved.push(now.filter((id) => id === 'new').length)
    assert.ok(now.every((id, k) => id === before[k] || id === 'new'))
    before = now
    clock.skip(1_000)
  }
  assert.ok(moved[0] < 80 && moved[10] > 340 && moved[10] < 460, moved.join(' '))
  selector.close()
})
