import assert from 'node:assert/strict'
import { test } from 'node:test'
import { byRoute } from '../../../../src/rpc/selector/filters/route.ts'
import { byZone } from '../../../../src/rpc/selector/filters/zone.ts'
import type { NodePick } from '../../../../src/rpc/selector/pick.ts'
import type { StrategyName } from '../../../../src/rpc/selector/strategies/by-name.ts'
import type { Candidate } from '../../../../src/rpc/selector/strategy.ts'
import { random } from '../../../support/random.ts'
import { node, selectorOf, service } from '../../../support/selector.ts'

/** Nodes that come, leave, change, fail and answer in random order, while calls are picked. */
async function walk(strategy: StrategyName, seed: number): Promise<void> {
  const below = random(seed)
  const listed = () =>
    service(
      Array.from({ length: 1 + below(8) }, () => {
        const metadata = { weight: ['1', '2', '0.5', 'x'][below(4)], zone: 'ab'[below(2)] }
        return node(`n${below(10)}`, metadata, { paths: below(3) === 0 ? undefined : ['/a', '/b'].slice(below(2)) })
      }),
    )
  const { selector, registry, clock } = await selectorOf([listed()], { strategy, slowStart: 3_000, filters: [byRoute(), byZone('a')] })
  const known = new Set(selector.candidates('math'))
  selector.onChange(({ came, left }) => {
    for (const each of left) assert.ok(known.delete(each), 'what left had come')
    for (const each of came) known.add(each)
  })
  const open = new Map<Candidate, NodePick[]>()
  for (let step = 0; step < 2_000; step++) {
    const act = below(100)
    if (act < 3) {
      registry.set('math', [listed()])
      await new Promise(setImmediate)
    } else if (act < 8) {
      await clock.advance(below(4_000))
    } else if (act < 55) {
      const exclude = selector
        .candidates('math')
        .slice(1)
        .filter(() => below(5) === 0)
      const path = `/${'abc'[below(3)]}`
      const all = selector.candidates('math')
      const listing = all.filter(({ node: { paths } }) => paths === undefined || paths.includes(path))
      const left = (listing.length > 0 ? listing : all).filter((each) => !exclude.includes(each))
      if (left.length === 0) {
        assert.throws(() => selector.pick('math', { path, exclude }), { code: 503 })
        continue
      }
      const pick = selector.pick('math', { path, key: `${below(20)}`, exclude })
      const { candidate } = pick
      assert.ok(left.includes(candidate), `${candidate.node.id}`)
      open.set(candidate, [...(open.get(candidate) ?? []), pick])
    } else {
      const [candidate, picks] = [...open].filter(([, { length }]) => length > 0)[below(open.size)] ?? []
      const pick = picks?.splice(below(picks.length), 1)[0]
      if (act < 60) pick?.cancel()
      else pick?.done(candidate?.node.id === 'n3' || below(4) === 0, below(200))
    }
    assert.deepEqual(new Set(selector.candidates('math')), known)
    for (const [candidate, { length }] of open) assert.equal(candidate.inFlight, length)
    for (const { weight, nominalWeight, success, latency } of known) {
      assert.ok(weight > 0 && weight <= nominalWeight * 1.000001, `${weight} of ${nominalWeight}`)
      assert.ok(success >= 0 && success <= 1 && latency >= 0 && latency <= 200)
    }
  }
  selector.close()
}

for (const strategy of ['random', 'roundRobin', 'weightedRoundRobin', 'leastActive', 'p2c', 'consistentHash'] as const)
  test(`${strategy}: whatever happens, a registered node is picked and each call is counted once`, async () => {
    for (let seed = 1; seed <= 5; seed++)
      await walk(strategy, seed).catch((cause) => assert.fail(new Error(`seed ${seed}: ${cause.message} ${cause.cause ?? ''}`, { cause })))
  })
