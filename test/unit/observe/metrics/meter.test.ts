import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { planBuckets } from '../../../../src/observe/metrics/buckets.ts'
import { EndpointMeter, OTHER } from '../../../../src/observe/metrics/meter.ts'
import { countReceived, type MeteredCall } from '../../../../src/overload/meter.ts'

const BOUNDS = planBuckets([0.001, 0.01, 0.1], false).bounds

/** A meter, and its time in milliseconds. */
function meterAt(start: number): { meter: EndpointMeter; time: { now: number } } {
  const time = { now: start }
  const meter = new EndpointMeter('test', BOUNDS)
  meter.useClock({ now: () => time.now, setTimeout: () => assert.fail(), clearTimeout: () => {}, random: () => 0 })
  return { meter, time }
}

const route = (name: string) => ({ name, counts: null })
const call = (method: string): MeteredCall => ({ method, counts: null, begun: 0 })

it('a request that is answered in its turn takes as long as the turn', async () => {
  const { meter, time } = meterAt(1000)
  const [add, sub] = [route('/add'), route('/sub')]
  for (const each of [add, add, sub]) {
    const arrived = meter.arrived()
    time.now += 1
    countReceived(meter, each, true, 10).ended(arrived, 0, 5, undefined)
  }
  await turn()
  assert.deepEqual([...(meter.served.get('/add')?.durations.counts ?? [])], [0, 2, 0, 0])
  assert.equal(meter.served.get('/add')?.durations.sum, 6)
  assert.equal(meter.served.get('/sub')?.durations.sum, 3)
})

it('a turn whose requests all failed has no slow one, and one with an answer has', async () => {
  const { meter, time } = meterAt(1000)
  const seen: number[] = []
  meter.observer = { slow: 5, observed: (_, code) => void seen.push(code) }
  for (const codes of [
    [500, 404],
    [500, 0, 404],
  ]) {
    const arrived = meter.arrived()
    for (const code of codes) countReceived(meter, route('/add'), true, 10).ended(arrived, code, 0, undefined)
    time.now += 7
    await turn()
  }
  assert.deepEqual(seen, [500, 404, 500, 404, 0])
  const counts = meter.served.get('/add')
  assert.deepEqual([counts?.inFlight, counts?.ok, counts?.codes?.get(500), counts?.durations.sum], [0, 1, 2, 35])
})

it('a request that is answered in another turn takes until then', async () => {
  const { meter, time } = meterAt(1000)
  const arrived = meter.arrived()
  const counts = countReceived(meter, route('/add'), true, 10)
  await turn()
  time.now += 50
  meter.arrived()
  counts.ended(arrived, 0, 0, undefined)
  await turn()
  assert.equal(meter.served.get('/add')?.durations.sum, 50)
  assert.deepEqual([...(meter.served.get('/add')?.durations.counts ?? [])], [0, 0, 1, 0])
})

it('an async function that waits for nothing is answered in its turn', async () => {
  const { meter, time } = meterAt(1000)
  const arrived = meter.arrived()
  const counts = countReceived(meter, route('/add'), true, 10)
  const handler = async (): Promise<void> => {}
  handler().then(() => counts.ended(arrived, 0, 0, undefined))
  await Promise.resolve()
  time.now += 7
  await turn()
  assert.equal(meter.served.get('/add')?.durations.sum, 7)
})

it('a route that takes calls and pushes counts them apart, whichever comes first', () => {
  for (const first of [true, false]) {
    const { meter } = meterAt(0)
    const add = route('/add')
    for (const isCall of [first, !first, first, !first, true]) countReceived(meter, add, isCall, 10)
    assert.deepEqual([meter.served.get('/add')?.inFlight, meter.pushesIn.get('/add')?.total], [3, 2])
  }
})

it('durations are right when the ticks wrap', async () => {
  for (const start of [2 ** 31 / 128 - 1, 2 ** 32 / 128 - 1, 2 ** 40]) {
    const { meter, time } = meterAt(start)
    const made = call('/add')
    meter.calling(made, 0, undefined, false)
    time.now += 5
    made.counts?.ended(made.begun, 0, 0, undefined)
    assert.equal(meter.called.get('/add')?.durations.sum, 5)
  }
})

it('any number of unknown names, and of names made of data, has few series', () => {
  const { meter } = meterAt(0)
  for (let i = 0; i < 100_000; i++) {
    countReceived(meter, undefined, true, 0).ended(0, 404, 0, undefined)
    countReceived(meter, undefined, false, 0)
    meter.calling(call(`/user/${i}`), 0, undefined, false)
    meter.pushed(`/user/${i}`, 0, false)
    meter.notCalled(`/user/${i}`, 102, 0)
  }
  assert.deepEqual([...meter.served.keys()], [OTHER])
  assert.deepEqual([...meter.pushesIn.keys()], [OTHER])
  for (const named of [meter.called, meter.pushesOut]) {
    assert.equal(named.size, 1001)
    assert.ok(named.has(OTHER))
  }
})

it('names that cannot be sent share a series', () => {
  const { meter } = meterAt(0)
  for (const name of ['/\ud800', '/\ud801', `/${'x'.repeat(255)}`]) meter.notCalled(name, 104, 0)
  assert.deepEqual([...meter.called.keys()], [OTHER])
})
