import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '../../../../src/base/errors/status.ts'
import { silentLogger } from '../../../../src/base/log.ts'
import { byMetadata } from '../../../../src/rpc/selector/filters/metadata.ts'
import { byRoute } from '../../../../src/rpc/selector/filters/route.ts'
import { byVersion } from '../../../../src/rpc/selector/filters/version.ts'
import { type NodeChange, Selector } from '../../../../src/rpc/selector/selector.ts'
import type { Candidate, Strategy } from '../../../../src/rpc/selector/strategy.ts'
import { eject, node, nodes, selectorOf, service, TestClock, TestRegistry } from '../../../support/selector.ts'

const call = { path: '/math/add' }

function unavailable(cause: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StatusError)
    assert.equal(error.code, 503)
    assert.match(error.cause, cause)
    return true
  }
}

test('a pick gives a node of the service and counts it as in flight until it is done', async () => {
  const { selector } = await selectorOf([service(nodes(3))])
  const pick = selector.pick('math', call)
  assert.equal(pick.candidate.inFlight, 1)
  pick.done(false, 7)
  pick.done(true, 9)
  pick.cancel()
  assert.equal(pick.candidate.inFlight, 0)
  assert.equal(pick.candidate.latency, 7)
  assert.equal(pick.candidate.success, 1)
  selector.close()
})

test('a cancelled pick says nothing about its node', async () => {
  const { selector } = await selectorOf([service(nodes(2))])
  const pick = selector.pick('math', call)
  pick.cancel()
  assert.deepEqual([pick.candidate.inFlight, pick.candidate.latency, pick.candidate.success], [0, 0, 1])
  selector.close()
})

test('a pick before the registry has answered throws 503 and starts the watch', async () => {
  const registry = new TestRegistry()
  const selector = new Selector({ registry, clock: new TestClock(), logger: silentLogger })
  assert.throws(() => selector.pick('math', call), unavailable(/^nodes of service math are not known yet$/))
  assert.equal(registry.watches, 1)
  const ready = selector.ready('math')
  registry.set('math', [service(nodes(1))])
  await ready
  assert.equal(selector.pick('math', call).candidate.node.id, 'n0')
  assert.equal(registry.watches, 1)
  selector.close()
})

test('loaded resolves for a service without nodes, ready waits for the first node', async () => {
  const { selector, registry } = await selectorOf([])
  assert.throws(() => selector.pick('math', call), unavailable(/^no node of service math is registered$/))
  let isReady = false
  const ready = selector.ready('math').then(() => (isReady = true))
  await selector.loaded('math')
  assert.equal(isReady, false)
  registry.set('math', [service(nodes(1))])
  await ready
  assert.equal(selector.candidates('math').length, 1)
  selector.close()
})

test('a signal ends the wait for nodes with its reason, before and during', async () => {
  const { selector } = await selectorOf([])
  const controller = new AbortController()
  const waits = [selector.ready('math', controller.signal), selector.ready('math', controller.signal)]
  const reason = new Error('enough')
  controller.abort(reason)
  for (const wait of waits) await assert.rejects(wait, reason)
  await assert.rejects(selector.ready('math', controller.signal), reason)
  selector.close()
})

test('close rejects those who wait, ends the watch, and makes later picks throw', async () => {
  const { selector, registry, clock } = await selectorOf([])
  const ready = selector.ready('math')
  selector.close()
  selector.close()
  await assert.rejects(ready, unavailable(/closed/))
  assert.throws(() => selector.pick('math', call), unavailable(/closed/))
  await assert.rejects(selector.loaded('other'), unavailable(/closed/))
  await clock.advance(60_000)
  assert.equal(registry.running, 0)
  assert.equal(clock.timers, 0)
})

test('the error names the filter that left no node', async () => {
  const filters = [byMetadata({ env: 'prod' }), byVersion('^2')]
  const { selector } = await selectorOf([service([node('a', { env: 'prod' }), node('b')])], { filters })
  assert.throws(() => selector.pick('math', call), unavailable(/^filter "version \^2" leaves none of 2 nodes of service math$/))
  const { selector: other } = await selectorOf([service([node('b')])], { filters })
  assert.throws(() => other.pick('math', call), unavailable(/^filter "metadata env=prod" leaves none of 1 nodes/))
  selector.close()
  other.close()
})

test('excluded nodes are not picked, and when all are, the error says so', async () => {
  const { selector } = await selectorOf([service(nodes(3))])
  const [a, b, c] = selector.candidates('math')
  for (let i = 0; i < 20; i++) assert.equal(selector.pick('math', { ...call, exclude: [a, c] }).candidate, b)
  assert.throws(() => selector.pick('math', { ...call, exclude: [a, b, c] }), unavailable(/were tried$/))
  selector.close()
})

test('a call may bring a strategy and filters of its own', async () => {
  const { selector } = await selectorOf([service(nodes(3)), service([node('x')], '2.0.0')])
  const last: Strategy = { name: 'last', pick: (all) => all[all.length - 1] }
  assert.equal(selector.pick('math', { ...call, strategy: last }).candidate.node.id, 'x')
  assert.equal(selector.pick('math', { ...call, strategy: last, filters: [byVersion('1')] }).candidate.node.id, 'n2')
  assert.throws(() => selector.pick('math', { ...call, filters: [byVersion('3')] }), unavailable(/^filter "version 3" leaves none/))
  selector.close()
})

test('a strategy that picks no candidate is reported as its own fault', async () => {
  const { selector } = await selectorOf([service(nodes(2))], { strategy: { name: 'odd', pick: () => ({}) as Candidate } })
  assert.throws(() => selector.pick('math', call), /TypeError: strategy odd picked none of the candidates/)
  selector.close()
})

test('a node keeps its candidate and figures through snapshots, whatever else changes', async () => {
  const { selector, registry } = await selectorOf([service([node('a'), node('b')])], { strategy: 'roundRobin' })
  for (let i = 0; i < 2; i++) selector.pick('math', call).done(false, 5)
  const [a] = selector.candidates('math')
  const changes: NodeChange[] = []
  selector.onChange((change) => changes.push(change))
  registry.set('math', [service([node('c')], '1.1.0'), service([node('a', { weight: '3', zone: 'x' })], '2.0.0')])
  await new Promise(setImmediate)
  const [c, again] = selector.candidates('math')
  assert.equal(again, a)
  assert.deepEqual([a.latency, a.weight, a.service.version, a.node.metadata.zone], [5, 3, '2.0.0', 'x'])
  assert.equal(changes.length, 1)
  assert.deepEqual([changes[0].service, changes[0].came], ['math', [c]])
  assert.deepEqual(
    changes[0].left.map(({ node: { id } }) => id),
    ['b'],
  )
  selector.close()
})

test('a node whose address changes is another node', async () => {
  const { selector, registry } = await selectorOf([service([node('a')])])
  const [before] = selector.candidates('math')
  const changes: NodeChange[] = []
  const unsubscribe = selector.onChange((change) => changes.push(change))
  registry.set('math', [service([node('a', {}, { address: 'elsewhere:1' })])])
  await new Promise(setImmediate)
  const [after] = selector.candidates('math')
  assert.notEqual(after, before)
  assert.deepEqual(changes, [{ service: 'math', came: [after], left: [before] }])
  unsubscribe()
  registry.set('math', [])
  await new Promise(setImmediate)
  assert.equal(changes.length, 1)
  selector.close()
})

test('a listener that throws disturbs nobody, and its error is logged', async () => {
  const errors: unknown[] = []
  const logger = { ...silentLogger, error: (_: string, fields?: object) => errors.push(fields) }
  const { selector, registry } = await selectorOf([service([node('a')])], { logger })
  let heard = 0
  selector.onChange(() => {
    throw new Error('mine')
  })
  selector.onChange(() => heard++)
  registry.set('math', [service([node('b')])])
  await new Promise(setImmediate)
  assert.equal(heard, 1)
  assert.equal(errors.length, 1)
  assert.equal(selector.pick('math', call).candidate.node.id, 'b')
  selector.close()
})

test('a pick that is done after its node has left changes nothing else', async () => {
  const { selector, registry } = await selectorOf([service([node('a')])])
  const pick = selector.pick('math', call)
  registry.set('math', [service([node('b')])])
  await new Promise(setImmediate)
  pick.done(true, 5)
  assert.equal(pick.candidate.inFlight, 0)
  assert.equal(selector.pick('math', call).candidate.node.id, 'b')
  selector.close()
})

test('a path gets the nodes that list it, and any node when none does', async () => {
  const adds = node('a', {}, { paths: ['/math/add'] })
  const subs = node('b', {}, { paths: ['/math/sub'] })
  const { selector } = await selectorOf([service([adds, subs])], { filters: [byRoute()] })
  for (let i = 0; i < 10; i++) {
    assert.equal(selector.pick('math', { path: '/math/add' }).candidate.node.id, 'a')
    assert.equal(selector.pick('math', { path: '/math/sub' }).candidate.node.id, 'b')
  }
  assert.ok(selector.pick('math', { path: '/math/none' }))
  const { selector: strict } = await selectorOf([service([adds, subs])], { filters: [byRoute({ strict: true })] })
  assert.throws(() => strict.pick('math', { path: '/math/none' }), unavailable(/^filter "route" leaves none of 2 nodes/))
  selector.close()
  strict.close()
})

test('options that make no sense are refused by name', () => {
  const registry = new TestRegistry()
  const bad =
    (options: object): (() => Selector) =>
    () =>
      new Selector({ registry, ...options })
  assert.throws(bad({ strategy: 'fastest' }), /option strategy must be .* p2c, consistentHash, got "fastest"/)
  assert.throws(bad({ strategy: 'constructor' }), /option strategy/)
  assert.throws(bad({ registry: {} }), /option registry.*watch/)
  assert.throws(bad({ filters: [{}] }), /option filters.*filter/)
  assert.throws(bad({ slowStart: -1 }), /option slowStart/)
  assert.throws(bad({ health: { failureRate: 0 } }), /option health.failureRate/)
  assert.throws(bad({ health: { window: 0 } }), /option health.window/)
  assert.throws(bad({ health: { typo: 1 } }), /health.typo/)
  assert.throws(bad({ typo: 1 }), /typo/)
})

test('looking whether there is another node picks none: no probe is lost, no turn taken and nothing counted', async () => {
  const { selector, clock } = await selectorOf([service(nodes(3))], { strategy: 'roundRobin', slowStart: 0 })
  const [a, b, c] = selector.candidates('math')
  eject(selector, a, clock)
  clock.skip(6_000)
  const before = selector.stats('math')?.picks
  assert.equal(selector.hasNode('math', { ...call, exclude: [b] }), true)
  assert.equal(selector.hasNode('math', { ...call, exclude: [b, c] }), true, 'the ejected one is better than none')
  assert.equal(selector.hasNode('math', { ...call, exclude: [a, b, c] }), false)
  assert.equal(selector.hasNode('nobody', call), false)
  assert.equal(selector.stats('math')?.picks, before)
  assert.equal(a.inFlight, 0)
  const probe = selector.pick('math', call)
  assert.deepEqual([probe.candidate, probe.isProbe], [a, true])
  selector.close()
})
