// Picks of the selector: 10,000 nodes in 500 services, and in one; each pick is done at once, with a latency.
import assert from 'node:assert/strict'
import { measure, report } from './measure.mjs'
import { load } from './modules.mjs'

const { Selector } = await load('rpc/selector/selector')
const { byRoute } = await load('rpc/selector/filters/route')
const { byVersion } = await load('rpc/selector/filters/version')

const NODES = 10_000
const BATCH = 10_000
const strategies = ['random', 'roundRobin', 'weightedRoundRobin', 'leastActive', 'p2c', 'consistentHash']

/** A registry whose every service has `count` nodes. */
const registryOf = (count) => ({
  async *watch(name, { signal }) {
    const nodes = Array.from({ length: count }, (_, i) => {
      const address = `10.0.${i >> 8}.${i & 255}:9000`
      return { id: `${name}-${address}`, address, paths: ['/math/add', '/math/sub'], metadata: { weight: `${1 + (i % 3)}` } }
    })
    yield [{ name, version: '1.2.3', metadata: {}, nodes }]
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  },
})

for (const services of [500, 1]) {
  const names = Array.from({ length: services }, (_, i) => `service${i}`)
  for (const strategy of strategies) {
    const filters = [byVersion('^1.2'), byRoute()]
    const selector = new Selector({ registry: registryOf(NODES / services), strategy, filters })
    await Promise.all(names.map((name) => selector.ready(name)))
    const calls = Array.from({ length: BATCH }, (_, i) => ({ path: '/math/add', key: `user-${i}` }))
    await measure('selector', `${strategy}, ${NODES / services} nodes of ${services} service${services === 1 ? '' : 's'}`, BATCH, {
      js: () => {
        let sum = 0
        for (let i = 0; i < BATCH; i++) {
          const pick = selector.pick(names[i % services], calls[i])
          sum += pick.candidate.inFlight
          pick.done(false, 1 + (i & 7))
        }
        return sum
      },
    })
    assert.equal(selector.candidates(names[0])[0].inFlight, 0)
    selector.close()
  }
}
report()
