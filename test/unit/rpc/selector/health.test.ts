import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../../../../src/base/log.ts'
import { byRoute } from '../../../../src/rpc/selector/filters/route.ts'
import { byVersion } from '../../../../src/rpc/selector/filters/version.ts'
import { byZone } from '../../../../src/rpc/selector/filters/zone.ts'
import type { NodePick } from '../../../../src/rpc/selector/pick.ts'
import type { Selector } from '../../../../src/rpc/selector/selector.ts'
import { eject, node, nodes, pickOf, selectorOf, service, type TestClock } from '../../../support/selector.ts'

const call = { path: '/math/add' }

/** Ids of the nodes that `count` calls go to, all of which succeed. */
function used(selector: Selector, count: number): string {
  const ids = new Set<string>()
  for (let i = 0; i < count; i++) {
    const pick = selector.pick('math', call)
    ids.add(pick.candidate.node.id)
    pick.done(false, 1)
  }
  return [...ids].sort().join(' ')
}

test('five failures in a row eject a node, and a success in between starts anew', async () => {
  const { selector, clock } = await selectorOf([service(nodes(3))], { strategy: 'roundRobin' })
  const [a] = selector.candidates('math')
  for (const failed of [true, true, true, true, false, true, true, true, true]) pickOf(selector, a, clock).done(failed, 1)
  assert.equal(a.isEjected, false)
  pickOf(selector, a, clock).done(true, 1)
  assert.equal(a.isEjected, true)
  assert.equal(used(selector, 30), 'n1 n2')
  selector.close()
})

test('half of the calls within the window eject a node, if they were enough', async () => {
  const { selector, clock } = await selectorOf([service(nodes(3))], { strategy: 'roundRobin' })
  const [a] = selector.candidates('math')
  for (let i = 0; i < 19; i++) pickOf(selector, a, clock).done(i % 2 === 0, 1)
  assert.equal(a.isEjected, false)
  pickOf(selector, a, clock).done(true, 1)
  assert.equal(a.isEjected, true)
  selector.close()
})

test('failures that are older than the window do not count', async () => {
  const { selector, clock } = await selectorOf([service(nodes(3))], { strategy: 'roundRobin' })
  const [a] = selector.candidates('math')
  for (let i = 0; i < 19; i++) pickOf(selector, a, clock).done(i % 2 === 0, 1)
  clock.skip(10_000)
  for (let i = 0; i < 19; i++) pickOf(selector, a, clock).done(i % 2 === 1, 1)
  assert.equal(a.isEjected, false)
  selector.close()
})

test('an ejected node gets one probe after its time; a success brings it back', async () => {
  const { selector, clock } = await selectorOf([service(nodes(3))], { strategy: 'roundRobin' })
  const [a] = selector.candidates('math')
  eject(selector, a, clock)
  clock.skip(4_999)
  assert.equal(used(selector, 30), 'n1 n2')
  clock.skip(1)
  const probe = selector.pick('math', call)
  assert.equal(probe.candidate, a)
  assert.equal(probe.isProbe, true)
  assert.equal(used(selector, 30), 'n1 n2', 'one probe at a time')
  probe.done(false, 1)
  assert.equal(a.isEjected, false)
  assert.equal(used(selector, 30), 'n0 n1 n2')
  assert.equal(selector.pick('math', call).isProbe, false)
  selector.close()
})

test('each failed probe doubles the time to the next, up to the maximum; a node that stays well begins anew', async () => {
  const { selector, clock } = await selectorOf([service(nodes(3))], { strategy: 'roundRobin' })
  const [a] = selector.candidates('math')
  eject(selector, a, clock)
  for (const time of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
    clock.skip(time - 1)
    assert.equal(used(selector, 10), 'n1 n2', `before ${time}`)
    clock.skip(1)
    const probe = selector.pick('math', call)
    assert.equal(probe.candidate, a, `after ${time}`)
    probe.done(true, 1)
  }
  clock.skip(60_000)
  selector.pick('math', call).done(false, 1)
  assert.equal(a.isEjected, false)
  eject(selector, a, clock)
  clock.skip(59_999)
  assert.equal(used(selector, 10), 'n1 n2', 'a node that soon fails again waits as long')
  clock.skip(1)
  selector.pick('math', call).done(false, 1)
  clock.skip(60_000)
  pickOf(selector, a, clock).done(false, 1)
  eject(selector, a, clock)
  clock.skip(5_000)
  assert.equal(selector.pick('math', call).candidate, a)
  selector.close()
})

test('a probe that is never done, or cancelled, is followed by another after the same time', async () => {
  const { selector, clock } = await selectorOf([service(nodes(3))], { strategy: 'roundRobin' })
  const [a] = selector.candidates('math')
  eject(selector, a, clock)
  clock.skip(5_000)
  assert.equal(selector.pick('math', call).candidate, a)
  clock.skip(4_999)
  assert.equal(used(selector, 30), 'n1 n2')
  clock.skip(1)
  const second = selector.pick('math', call)
  assert.equal(second.candidate, a)
  second.cancel()
  clock.skip(4_999)
  assert.equal(used(selector, 30), 'n1 n2')
  clock.skip(1)
  selector.pick('math', call).done(false, 1)
  assert.equal(a.isEjected, false)
  selector.close()
})

test('calls from before an ejection neither bring the node back nor prolong it', async () => {
  const { selector, clock } = await selectorOf([service(nodes(3))], { strategy: 'roundRobin' })
  const [a] = selector.candidates('math')
  const early = [pickOf(selector, a, clock), pickOf(selector, a, clock)]
  clock.skip(1)
  eject(selector, a, clock)
  early[0].done(false, 1)
  early[1].done(true, 1)
  assert.equal(a.isEjected, true)
  clock.skip(5_000)
  assert.equal(selector.pick('math', call).candidate, a)
  selector.close()
})

test('a probe does not go to a node that the call excludes', async () => {
  const { selector, clock } = await selectorOf([service(nodes(3))], { strategy: 'roundRobin' })
  const [a] = selector.candidates('math')
  eject(selector, a, clock)
  clock.skip(5_000)
  for (let i = 0; i < 10; i++) assert.notEqual(selector.pick('math', { ...call, exclude: [a] }).candidate, a)
  assert.equal(selector.pick('math', call).candidate, a)
  selector.close()
})

test('an ejected node is better than none: a call that excludes all others gets it', async () => {
  const { selector, clock } = await selectorOf([service(nodes(3))], { strategy: 'roundRobin' })
  const [a, b, c] = selector.candidates('math')
  eject(selector, a, clock)
  assert.equal(selector.pick('math', { ...call, exclude: [b, c] }).candidate, a)
  selector.close()
})

test('when all nodes fail, all are used: never are all ejected', async () => {
  for (const count of [1, 2, 3, 10]) {
    const { selector } = await selectorOf([service(nodes(count))], { strategy: 'roundRobin' })
    for (let i = 0; i < 300; i++) selector.pick('math', call).done(true, 1)
    assert.ok(selector.candidates('math').filter(({ isEjected }) => !isEjected).length <= count * 0.3)
    const ids = new Set<string>()
    for (let i = 0; i < count * 10; i++) {
      const pick = selector.pick('math', call)
      ids.add(pick.candidate.node.id)
      pick.done(true, 1)
    }
    assert.equal(ids.size, count)
    selector.close()
  }
})

test('after a panic the nodes that answer return, the others stay ejected', async () => {
  const { selector, clock } = await selectorOf([service(nodes(10))], { strategy: 'roundRobin' })
  for (let i = 0; i < 300; i++) selector.pick('math', call).done(true, 1)
  const bad = selector.candidates('math').slice(0, 3)
  for (let i = 0; i < 300; i++) {
    const pick = selector.pick('math', call)
    pick.done(bad.includes(pick.candidate), 1)
    clock.skip(50)
  }
  assert.deepEqual(
    selector.candidates('math').filter(({ isEjected }) => isEjected),
    bad,
  )
  selector.close()
})

test('a panic is of those nodes alone that a path has', async () => {
  const { selector, registry } = await selectorOf([service(nodes(2))], { strategy: 'roundRobin' })
  const [a, b] = selector.candidates('math')
  for (let i = 0; i < 20; i++) selector.pick('math', call).done(true, 1)
  assert.deepEqual([a.isEjected, b.isEjected], [true, true])
  registry.set('math', [service([...nodes(2), ...nodes(10).slice(5)])])
  await new Promise(setImmediate)
  assert.equal(used(selector, 70), 'n5 n6 n7 n8 n9')
  registry.set('math', [service(nodes(2))])
  await new Promise(setImmediate)
  assert.match(used(selector, 1), /^n[01]$/, 'the well nodes have left')
  selector.close()
})

test('health: false ejects nobody', async () => {
  const { selector } = await selectorOf([service(nodes(2))], { strategy: 'roundRobin', health: false })
  for (let i = 0; i < 100; i++) selector.pick('math', call).done(true, 1)
  assert.deepEqual(
    selector.candidates('math').map(({ isEjected }) => isEjected),
    [false, false],
  )
  selector.close()
})

test('one of five nodes 50 times slower is ejected within 5 s and returns by itself when it is well again (L4)', async () => {
  for (const strategy of ['roundRobin', 'p2c'] as const) {
    const { selector, clock } = await selectorOf([service(nodes(5))], { strategy })
    const [slow] = selector.candidates('math')
    let [isSlow, ejectedAt, returnedAt] = [true, 0, 0]
    const open: { pick: NodePick; ends: number; took: number }[] = []
    const latencies: number[] = []
    for (let now = 0; now < 30_000; now++) {
      if (now === 10_000) isSlow = false
      for (const each of open.filter(({ ends }) => ends <= now)) {
        open.splice(open.indexOf(each), 1)
        each.pick.done(false, each.took)
        if (now >= 1_000 && now < 10_000) latencies.push(each.took)
      }
      const pick = selector.pick('math', call)
      const took = (pick.candidate === slow && isSlow ? 50 : 1) * (2 + clock.random())
      open.push({ pick, ends: now + took, took })
      if (ejectedAt === 0 && slow.isEjected) ejectedAt = now
      if (now > 10_000 && returnedAt === 0 && !slow.isEjected) returnedAt = now
      clock.skip(1)
    }
    assert.ok(ejectedAt > 0 && ejectedAt <= 5_000, `${strategy}: ejected at ${ejectedAt}`)
    assert.ok(returnedAt > 0 && returnedAt < 26_000, `${strategy}: returned at ${returnedAt}`)
    latencies.sort((x, y) => x - y)
    const p99 = latencies[Math.floor(latencies.length * 0.99)]
    if (strategy === 'p2c') assert.ok(p99 <= 6, `p99 ${p99}`)
    selector.close()
  }
})

test('a slow node is ejected though a stall of this process has just made all answers slow', async () => {
  const { selector, clock } = await selectorOf([service(nodes(5))], { strategy: 'roundRobin' })
  const [slow] = selector.candidates('math')
  const round = (latencyOf: (isSlow: boolean) => number): void => {
    const picks = Array.from({ length: 5 }, () => selector.pick('math', call))
    clock.skip(5)
    for (const pick of picks) pick.done(false, latencyOf(pick.candidate === slow))
  }
  for (let rounds = 0; rounds < 20; rounds++) round(() => 2)
  round(() => 70)
  for (let rounds = 0; rounds < 100; rounds++) round(() => 2)
  assert.equal(slow.isEjected, false)
  for (let rounds = 0; rounds < 5; rounds++) round((isSlow) => (isSlow ? 100 : 2))
  assert.equal(slow.isEjected, true)
  selector.close()
})

test('a few slow calls on every node eject nobody', async () => {
  const { selector, clock } = await selectorOf([service(nodes(5))])
  for (let i = 0; i < 20_000; i++) {
    selector.pick('math', call).done(false, clock.random() < 0.05 ? 200 : 1)
    clock.skip(1)
    assert.ok(!selector.candidates('math').some(({ isEjected }) => isEjected))
  }
  selector.close()
})

test('p2c: a node that fails at once draws no calls by its speed, even where nobody is ejected', async () => {
  const { selector, clock } = await selectorOf([service(nodes(4))], { health: false })
  const [bad] = selector.candidates('math')
  let failures = 0
  for (let i = 0; i < 10_000; i++) {
    const pick = selector.pick('math', call)
    const failed = pick.candidate === bad
    if (failed) failures++
    clock.skip(1)
    pick.done(failed, failed ? 0.1 : 5)
  }
  assert.ok(failures < 100, `${failures} of 10,000`)
  selector.close()
})

test('byZone spills over when the own zone’s nodes are ejected, and returns with them', async () => {
  const zoned = [node('a0', { zone: 'a' }), node('a1', { zone: 'a' }), node('b0', { zone: 'b' }), node('b1', { zone: 'b' })]
  const { selector, clock } = await selectorOf([service(zoned)], { strategy: 'roundRobin', filters: [byZone('a')] })
  assert.equal(used(selector, 20), 'a0 a1')
  for (const each of selector.candidates('math').slice(0, 2)) eject(selector, each, clock)
  assert.equal(used(selector, 20), 'b0 b1')
  clock.skip(6_000)
  assert.match(used(selector, 20), /a0 a1/)
  assert.equal(used(selector, 20), 'a0 a1')
  selector.close()
})

test('filters of a call never leave it without a node because all that they left are ejected', async () => {
  const { selector, clock } = await selectorOf([service(nodes(5)), service([node('x')], '2.0.0')], { strategy: 'roundRobin' })
  const x = selector.candidates('math')[5]
  eject(selector, x, clock)
  assert.equal(selector.pick('math', { ...call, filters: [byVersion('2')] }).candidate, x)
  selector.close()
})

test('ejection and return are logged', async () => {
  const lines: unknown[] = []
  const logger = {
    ...silentLogger,
    warn: (text: string, fields?: object) => lines.push([text, fields]),
    info: (text: string) => lines.push(text),
  }
  const { selector, clock } = await selectorOf([service(nodes(3))], { strategy: 'roundRobin', logger })
  const [a] = selector.candidates('math')
  eject(selector, a, clock)
  clock.skip(5_000)
  selector.pick('math', call).done(false, 1)
  assert.deepEqual(lines, [
    ['node ejected: too many of its calls fail', { service: 'math', node: 'n0', address: 'n0:1' }],
    'node returned: a call to it has succeeded',
  ])
  selector.close()
})

test('a call that excludes all nodes of its zone goes to another zone, not to a node without its path', async () => {
  const [zone, paths] = [{ zone: 'a' }, ['/a']]
  const all = [node('a', zone, { paths }), node('b', { zone: 'b' }, { paths }), node('c', { zone: 'b' }, { paths: ['/c'] })]
  const { selector } = await selectorOf([service(all)], { strategy: 'roundRobin', filters: [byRoute(), byZone('a')] })
  const [a, b] = selector.candidates('math')
  for (let i = 0; i < 10; i++) {
    assert.equal(selector.pick('math', { path: '/a' }).candidate, a)
    assert.equal(selector.pick('math', { path: '/a', exclude: [a] }).candidate, b)
    assert.throws(() => selector.pick('math', { path: '/a', exclude: [a, b] }), { code: 503 })
  }
  selector.close()
})

/** Lets `calls` calls run at once, each for `took` milliseconds, and their answers come in turn. */
function burst(selector: Selector, clock: TestClock, calls: number, took: number, key?: string): void {
  const open = Array.from({ length: calls }, () => selector.pick('math', { ...call, key }))
  clock.skip(took)
  for (const pick of open) pick.done(false, took)
}

test('a burst of calls that are slow on every node ejects nobody', async () => {
  for (const strategy of ['roundRobin', 'p2c', 'random'] as const) {
    const { selector, clock } = await selectorOf([service(nodes(5))], { strategy })
    for (let i = 0; i < 1_000; i++) burst(selector, clock, 1, 1)
    burst(selector, clock, 200, 500)
    assert.ok(!selector.candidates('math').some(({ isEjected }) => isEjected), strategy)
    selector.close()
  }
})

test('a key whose calls are slow ejects no node', async () => {
  const { selector, clock } = await selectorOf([service(nodes(5))], { strategy: 'consistentHash' })
  for (let i = 0; i < 1_000; i++) burst(selector, clock, 1, 1, `user-${i}`)
  for (let i = 0; i < 50; i++) {
    burst(selector, clock, 1, 500, 'the one with the reports')
    assert.ok(!selector.candidates('math').some(({ isEjected }) => isEjected), `after ${i + 1} calls`)
  }
  selector.close()
})

test('nodes that serve another, slower path are not compared with the rest', async () => {
  const all = nodes(8).map((each, i) => ({ ...each, paths: [i < 3 ? '/report' : '/math/add'] }))
  const { selector, clock } = await selectorOf([service(all)], { strategy: 'roundRobin', filters: [byRoute()] })
  for (let i = 0; i < 500; i++) {
    burst(selector, clock, 1, 1)
    const pick = selector.pick('math', { path: '/report' })
    clock.skip(300)
    pick.done(false, 300)
  }
  assert.ok(!selector.candidates('math').some(({ isEjected }) => isEjected))
  selector.close()
})
