import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '../../../../src/base/errors/status.ts'
import { silentLogger } from '../../../../src/base/log.ts'
import type { Registry, Service } from '../../../../src/rpc/registry/registry.ts'
import { Selector } from '../../../../src/rpc/selector/selector.ts'
import type { StrategyName } from '../../../../src/rpc/selector/strategies/by-name.ts'
import { node, nodes, selectorOf, service, TestClock, TestRegistry } from '../../../support/selector.ts'

const call = { path: '/math/add' }

function causeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof StatusError) return error.cause
    throw error
  }
  return ''
}

test('while the registry is lost the nodes known last are used, and the watch is begun again', async () => {
  const warnings: unknown[] = []
  const logger = { ...silentLogger, warn: (_: string, fields?: object) => warnings.push(fields) }
  const { selector, registry, clock } = await selectorOf([service(nodes(2))], { logger })
  const [a] = selector.candidates('math')
  registry.refuses = new Error('connection refused')
  registry.lose()
  await clock.advance(60_000)
  assert.ok(registry.watches > 5 && registry.watches < 30, `${registry.watches} watches`)
  assert.ok(selector.pick('math', call))
  assert.deepEqual(warnings, [{ service: 'math', reason: 'registry gone' }])
  registry.refuses = undefined
  registry.set('math', [service([node('n0'), node('n5')])])
  await clock.advance(10_000)
  const now = selector.candidates('math')
  assert.deepEqual(
    now.map(({ node: { id } }) => id),
    ['n0', 'n5'],
  )
  assert.equal(now[0], a)
  registry.lose()
  await clock.advance(1)
  assert.equal(warnings.length, 2, 'the next loss is told again')
  selector.close()
})

test('a registry that is lost from the start is tried until it answers; errors name its reason meanwhile', async () => {
  const registry = new TestRegistry()
  const clock = new TestClock()
  registry.refuses = new Error('no such host')
  const selector = new Selector({ registry, clock, logger: silentLogger })
  const ready = selector.ready('math')
  await clock.advance(0)
  assert.equal(
    causeOf(() => selector.pick('math', call)),
    'nodes of service math are not known yet; registry: no such host',
  )
  registry.refuses = undefined
  registry.set('math', [service(nodes(1))])
  await clock.advance(10_000)
  await ready
  selector.close()
})

test('a watch that ends by itself is begun again, with growing delays', async () => {
  const clock = new TestClock()
  const times: number[] = []
  const registry = {
    async *watch(): AsyncGenerator<readonly Service[]> {
      times.push(clock.now())
      yield [service(nodes(1))]
    },
  }
  const selector = new Selector({ registry, clock, logger: silentLogger })
  await selector.ready('math')
  await clock.advance(120_000)
  assert.ok(times.length > 10 && times.length < 40, `${times.length} watches in two minutes`)
  assert.ok(times[1] - times[0] <= 100)
  for (let i = 8; i < times.length; i++) assert.ok(times[i] - times[i - 1] <= 10_000)
  selector.close()
})

test('a registry that throws at once, or gives no iterator, is a lost one', async () => {
  const broken: Pick<Registry, 'watch'>[] = [
    {
      watch() {
        throw new Error('not today')
      },
    },
    { watch: () => undefined as never },
  ]
  for (const registry of broken) {
    const selector = new Selector({ registry, clock: new TestClock(), logger: silentLogger })
    assert.match(
      causeOf(() => selector.pick('math', call)),
      /not known yet/,
    )
    await new Promise(setImmediate)
    assert.match(
      causeOf(() => selector.pick('math', call)),
      /not known yet; registry: ./,
    )
    selector.close()
  }
})

test('a registry that ignores the signal changes nothing after close', async () => {
  let give: (services: readonly Service[]) => void = () => {}
  let returned = false
  const registry = {
    watch: () => ({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<readonly Service[]>>((resolve) => (give = (value) => resolve({ done: false, value }))),
        return: async () => {
          returned = true
          return { done: true as const, value: undefined }
        },
      }),
    }),
  }
  const selector = new Selector({ registry, clock: new TestClock(), logger: silentLogger })
  let changes = 0
  selector.onChange(() => changes++)
  const ready = assert.rejects(selector.ready('math'))
  selector.close()
  await ready
  give([service(nodes(1))])
  await new Promise(setImmediate)
  assert.deepEqual([changes, returned], [0, true])
})

test('services and nodes named as what every object has are services and nodes', async () => {
  const registry = new TestRegistry()
  const selector = new Selector({ registry, clock: new TestClock(), logger: silentLogger })
  for (const name of ['__proto__', 'constructor', 'toString']) {
    registry.set(name, [service([node('__proto__'), node('constructor')], '1', name)])
    await selector.ready(name)
    const picked = new Set<string>()
    for (let i = 0; i < 50; i++) picked.add(selector.pick(name, call).candidate.node.id)
    assert.deepEqual([...picked].sort(), ['__proto__', 'constructor'])
  }
  selector.close()
})

test('weights that are no usable number count as 1, others are bounded, and 0 takes no calls', async () => {
  const weights: [string, number][] = [
    ['NaN', 1],
    ['-5', 1],
    ['Infinity', 1],
    ['1e999', 1],
    ['', 1],
    [' ', 1],
    ['heavy', 1],
    ['1e300', 1000],
    ['1e-300', 0.001],
    ['2.5', 2.5],
  ]
  const listed = weights.map(([weight], i) => node(`n${i}`, { weight }))
  const odd = node('odd', JSON.parse('{"weight":{"valueOf":1}}'))
  const none = node('none', null as never)
  const inherited = node('inherited', JSON.parse('{"__proto__":{"weight":"7"}}'))
  const { selector } = await selectorOf([service([...listed, odd, none, inherited, node('drained', { weight: '0' })])])
  const all = selector.candidates('math')
  assert.deepEqual(
    all.slice(0, weights.length).map(({ weight }) => weight),
    weights.map(([, weight]) => weight),
  )
  assert.deepEqual(
    all.slice(weights.length, -1).map(({ weight }) => weight),
    [1, 1, 1],
  )
  for (const strategy of ['random', 'roundRobin', 'weightedRoundRobin', 'leastActive', 'p2c', 'consistentHash'] as StrategyName[]) {
    const { selector: other } = await selectorOf([service([...listed, node('drained', { weight: '0' })])], { strategy })
    for (let i = 0; i < 500; i++) {
      const pick = other.pick('math', { ...call, key: `${i}` })
      assert.notEqual(pick.candidate.node.id, 'drained')
      pick.done(false, 1)
    }
    other.close()
  }
  const { selector: drained } = await selectorOf([service([node('a', { weight: '0.0' })])])
  assert.equal(
    causeOf(() => drained.pick('math', call)),
    'filter "weight above 0" leaves none of 1 nodes of service math',
  )
  selector.close()
  drained.close()
})

test('two servers of one id are two nodes, and of several records of one node the first counts, in one version or two', async () => {
  const twice = [node('a'), node('a', {}, { address: 'other:1' })]
  const { selector } = await selectorOf([service(twice), service([node('a'), node('b')], '2.0.0')])
  const all = selector.candidates('math')
  assert.deepEqual(
    all.map(({ node: { id, address }, service: { version } }) => [id, address, version]),
    [
      ['a', 'a:1', '1.0.0'],
      ['a', 'other:1', '1.0.0'],
      ['b', 'b:1', '2.0.0'],
    ],
  )
  selector.close()
})

test('records that are none are left out', async () => {
  const hostile: unknown[] = [null, 7, 'x', {}, { id: 'x' }, { id: 7, address: 'x' }, { id: '', address: 'x' }, { id: 'x', address: '' }]
  const { selector, registry } = await selectorOf([
    null,
    7,
    {},
    { name: 'math', nodes: 'none' },
    service([...(hostile as never[]), node('a', {}, { paths: 7 as never })]),
  ] as never)
  assert.equal(selector.candidates('math').length, 1)
  selector.pick('math', call).done(true, Number.NaN)
  selector.pick('math', call).done(false, -1)
  selector.pick('math', call).done(false, Infinity)
  assert.equal(selector.candidates('math')[0].latency, 0)
  registry.set('math', 'rubbish' as never)
  await new Promise(setImmediate)
  assert.equal(selector.candidates('math').length, 0)
  selector.close()
})

test('10,000 nodes of one service come, are picked by every strategy, and leave', async () => {
  for (const strategy of ['random', 'roundRobin', 'weightedRoundRobin', 'leastActive', 'p2c', 'consistentHash'] as StrategyName[]) {
    const { selector, registry } = await selectorOf([service(nodes(10_000))], { strategy, slowStart: 1000 })
    for (let i = 0; i < 500; i++) selector.pick('math', { ...call, key: `${i}` }).done(i % 3 === 0, 1)
    const before = selector.candidates('math')
    registry.set('math', [service(nodes(10_000).slice(5_000))])
    await new Promise(setImmediate)
    assert.deepEqual(selector.candidates('math'), before.slice(5_000))
    selector.close()
  }
})

test('a snapshot that says the same keeps what strategies made of the candidates', async () => {
  const arrays = new Set<unknown>()
  const strategy = {
    name: 'watching',
    pick: <Each>(all: readonly Each[]): Each => {
      arrays.add(all)
      return all[0]
    },
  }
  const { selector, registry } = await selectorOf([service(nodes(3), '1')], { strategy })
  for (let i = 0; i < 5; i++) {
    registry.set('math', [service(nodes(3), '1')])
    await new Promise(setImmediate)
    selector.pick('math', call)
  }
  assert.equal(arrays.size, 1)
  registry.set('math', [service(nodes(3), '2')])
  await new Promise(setImmediate)
  selector.pick('math', call)
  assert.equal(arrays.size, 2)
  selector.close()
})

test('many services are watched without a warning of too many listeners on one signal', async () => {
  const warnings: Error[] = []
  const onWarning = (warning: Error): void => void warnings.push(warning)
  process.on('warning', onWarning)
  const registry = new TestRegistry()
  const selector = new Selector({ registry, clock: new TestClock(), logger: silentLogger })
  for (let i = 0; i < 30; i++) registry.set(`s${i}`, [service(nodes(1))])
  await Promise.all(Array.from({ length: 30 }, (_, i) => selector.ready(`s${i}`)))
  assert.equal(registry.running, 30)
  selector.close()
  await new Promise(setImmediate)
  process.off('warning', onWarning)
  assert.deepEqual(warnings, [])
  assert.equal(registry.running, 0)
})
