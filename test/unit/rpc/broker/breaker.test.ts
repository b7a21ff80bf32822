import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll, SamplingBreaker } from 'cockatiel'
import { StatusError } from '../../../../src/base/errors/status.ts'
import { BreakerMap } from '../../../../src/rpc/broker/breaker-map.ts'
import { type BreakerOptions, verdictOf } from '../../../../src/rpc/broker/breaker-options.ts'
import { RollingWindow } from '../../../../src/rpc/broker/rolling-window.ts'
import { seeded } from '../../../../src/testing/random.ts'
import { testClock } from '../../../support/test-clock.ts'

const failure = new StatusError(503)

test('a window forgets one bucket at a time, and all after its span', () => {
  const window = new RollingWindow(1000, 10, 0)
  for (let now = 0; now < 1000; now += 50) {
    window.advance(now)
    window.add(now % 100 === 0)
  }
  assert.deepEqual([window.total, window.good], [20, 10])
  window.advance(1000)
  assert.deepEqual([window.total, window.good], [18, 9])
  window.advance(1299)
  assert.deepEqual([window.total, window.good], [14, 7])
  window.advance(500)
  window.add(true)
  assert.deepEqual([window.total, window.good], [15, 8], 'a clock that went back')
  window.advance(1e12)
  assert.deepEqual([window.total, window.good], [0, 0])
  const before = new RollingWindow(1000, 10, -5000)
  before.add(true)
  before.advance(-4500)
  assert.equal(before.total, 1)
})

test('failures of the node count, those of the request do not', () => {
  for (const code of [102, 104, 105, 408, 500, 502, 503, 599]) assert.equal(verdictOf(new StatusError(code)), 'failure', String(code))
  for (const code of [400, 401, 404, 409, 429, 600, 1001, -1]) assert.equal(verdictOf(new StatusError(code)), 'success', String(code))
  for (const error of [new StatusError(499), new TypeError('an option')]) assert.equal(verdictOf(error), 'ignore')
})

test('an adaptive breaker sends about k times what succeeds, and all again when the node is well', () => {
  const clock = testClock()
  const map = new BreakerMap({}, clock)
  const breaker = map.get('a', '/m')
  const states: string[] = []
  map.on('state', ({ state }) => states.push(state))
  /** Makes 100 calls a second to a node that serves so many in each second. */
  const run = (calls: number, capacity: number): number => {
    let sent = 0
    let served = 0
    for (let n = 0; n < calls; n++) {
      clock.advance(10)
      if (n % 100 === 0) served = 0
      if (!breaker.allow()) continue
      sent++
      breaker.onResult(served++ < capacity ? undefined : failure)
    }
    return sent
  }
  assert.equal(run(2000, 100), 2000)
  assert.equal(run(2000, 90), 2000, 'a tenth of failures is borne')
  run(2000, 20)
  const partly = run(10_000, 20)
  assert.ok(partly > 2500 && partly < 3500, `${partly} of 10,000 where 2,000 can be served`)
  run(2000, 0)
  const dead = run(10_000, 0)
  assert.ok(dead >= 90 && dead < 300, `${dead} of 10,000 to a dead node`)
  let back = 0
  while (run(100, 100) < 100) back++
  assert.ok(back <= 7, `${back} s until all is sent again`)
  assert.equal(run(2000, 100), 2000)
  assert.deepEqual([states[0], states.at(-1)], ['half-open', 'closed'])
  assert.equal(map.stats.allowed + map.stats.rejected, 30_000 + (back + 1) * 100)
})

test('an adaptive breaker rejects nothing before the minimum volume, and one call a second passes in any case', () => {
  const clock = testClock()
  const breaker = new BreakerMap({ minVolume: 10, buckets: 10 }, { now: clock.now, random: () => 0 }).get('a')
  for (let n = 0; n < 10; n++) {
    assert.ok(breaker.allow())
    breaker.onResult(failure)
  }
  assert.ok(breaker.allow())
  breaker.onResult(failure)
  let sent = 0
  for (let n = 0; n < 500; n++) {
    clock.advance(10)
    if (breaker.allow()) {
      sent++
      breaker.onResult(failure)
    }
  }
  assert.equal(sent, 5)
  clock.advance(-1e7)
  assert.ok(breaker.allow(), 'a clock that went back does not keep it open')
})

test('a classic breaker opens, is half-open after its time, and closes when the probes succeed', () => {
  const clock = testClock()
  const map = new BreakerMap({ kind: 'classic', minVolume: 4, openFor: 1000, probes: 2 }, clock)
  const breaker = map.get('a', '/m')
  const states: string[] = []
  map.on('state', ({ breaker: { node, method }, state }) => states.push(`${node}${method} ${state}`))
  for (const error of [undefined, failure, undefined]) {
    assert.ok(breaker.allow())
    breaker.onResult(error)
  }
  assert.equal(breaker.state, 'closed')
  breaker.onResult(failure)
  assert.equal(breaker.allow(), false)
  const { code, cause, unsent, retryAfter } = breaker.refusal()
  assert.deepEqual([code, cause, unsent, retryAfter], [503, 'the circuit breaker of a is open', true, 1000])
  clock.advance(999)
  assert.equal(breaker.allow(), false)
  clock.advance(1)
  assert.deepEqual([breaker.allow(), breaker.allow(), breaker.allow()], [true, true, false])
  breaker.onResult(new StatusError(499))
  assert.equal(breaker.allow(), true, 'a probe that was canceled is repeated')
  breaker.onResult(undefined)
  breaker.onResult(failure)
  assert.equal(breaker.allow(), false)
  clock.advance(1000)
  assert.deepEqual([breaker.allow(), breaker.allow()], [true, true])
  breaker.onResult(undefined)
  breaker.onResult(undefined)
  assert.equal(breaker.state, 'closed')
  assert.deepEqual(states, ['a/m open', 'a/m half-open', 'a/m open', 'a/m half-open', 'a/m closed'])
  assert.equal(map.stats.opened, 1)
})

test('a classic breaker whose probe never ends sends another one, and late results do not open it', () => {
  const clock = testClock()
  const breaker = new BreakerMap({ kind: 'classic', consecutive: 2, openFor: 1000 }, clock).get('a')
  breaker.onResult(failure)
  breaker.onResult(failure)
  breaker.onResult(undefined)
  assert.equal(breaker.state, 'open', 'a success of a call from before')
  clock.advance(1000)
  assert.deepEqual([breaker.allow(), breaker.allow()], [true, false])
  clock.advance(1000)
  assert.deepEqual([breaker.allow(), breaker.allow()], [true, false])
  clock.advance(-1e9)
  assert.equal(breaker.allow(), true, 'a clock that went back')
})

/** Runs the same random calls through a breaker of cockatiel and one of ours, and compares which are sent. */
async function compare(
  theirRule: ConsecutiveBreaker | SamplingBreaker,
  ourRule: BreakerOptions,
  seed: string,
  calls: number,
): Promise<number> {
  mock.timers.enable({ apis: ['Date'], now: 0 })
  try {
    const clock = testClock()
    const random = seeded(seed)
    const theirs = circuitBreaker(handleAll, { halfOpenAfter: 700, breaker: theirRule })
    const ours = new BreakerMap({ kind: 'classic', openFor: 700, ...ourRule }, clock).get('a')
    let opened = 0
    for (let n = 0; n < calls; n++) {
      const fails = random() < (Math.floor(n / 200) % 2 === 0 ? 0.2 : 0.7)
      const allowed = ours.allow()
      if (allowed) ours.onResult(fails ? failure : undefined)
      let sent = false
      const run = (): void => {
        sent = true
        if (fails) throw failure
      }
      await theirs.execute(run).catch(() => {})
      const isOpen = theirs.state === CircuitState.Open
      assert.deepEqual([allowed, ours.state === 'open'], [sent, isOpen], `call ${n}`)
      if (isOpen) opened++
      // With another result its windows would begin at another time than ours.
      if (isOpen && theirRule instanceof SamplingBreaker) break
      clock.advance(100)
      mock.timers.setTime(clock.now())
    }
    return opened
  } finally {
    mock.timers.reset()
  }
}

test('a classic breaker of failures in a row agrees with cockatiel on 5,000 random calls', async () => {
  const opened = await compare(new ConsecutiveBreaker(3), { consecutive: 3, minVolume: 1e9 }, 'in a row', 5000)
  assert.ok(opened > 100, `${opened} calls met it open`)
})

test('a classic breaker of a share of failures opens with the same call as one of cockatiel', async () => {
  const ours = { threshold: 0.4321, window: 5000, buckets: 5, minVolume: 20 }
  for (let seed = 0; seed < 50; seed++) {
    const theirs = new SamplingBreaker({ threshold: 0.4321, duration: 5000, minimumRps: 4 })
    assert.equal(await compare(theirs, ours, `share ${seed}`, 1000), 1)
  }
})

test('breakers can be opened and closed by hand', () => {
  const clock = testClock()
  const map = new BreakerMap({ kind: 'classic', consecutive: 1 }, clock)
  const breaker = map.get('a')
  breaker.open()
  assert.deepEqual([breaker.allow(), breaker.state, map.stateOf('a'), breaker.isForced], [false, 'open', 'open', true])
  assert.equal(breaker.refusal().retryAfter, undefined)
  clock.advance(1e6)
  assert.equal(breaker.allow(), false)
  breaker.close()
  for (let n = 0; n < 100; n++) breaker.onResult(failure)
  assert.deepEqual([breaker.allow(), breaker.state], [true, 'closed'])
  breaker.automatic()
  assert.ok(breaker.allow())
  breaker.onResult(failure)
  assert.equal(breaker.allow(), false)
})

test('options change at run time, and bad ones change nothing', () => {
  const map = new BreakerMap({ kind: 'classic', consecutive: 2 }, testClock())
  const breaker = map.get('a')
  breaker.onResult(failure)
  breaker.onResult(failure)
  assert.equal(breaker.state, 'open')
  assert.throws(() => map.update({ threshold: 0 }), RangeError)
  assert.throws(() => map.update({ treshold: 0.1 } as never), TypeError)
  assert.throws(() => map.update({ kind: 'other' as never }), TypeError)
  assert.equal(breaker.state, 'open')
  map.update({ consecutive: 3 })
  assert.equal(breaker.state, 'closed')
  map.update({ kind: 'adaptive', verdict: () => 'success' })
  for (let n = 0; n < 100; n++) breaker.onResult(failure)
  assert.ok(breaker.allow())
})

test('the number of breakers is bounded, idle ones are forgotten, those set by hand last', () => {
  const clock = testClock()
  const map = new BreakerMap({ maxBreakers: 100, idle: 1000 }, clock)
  const open = map.get('first', '/m')
  open.open()
  for (let n = 0; n < 100_000; n++) map.get(`node${n % 1000}`, `/${n}`).allow()
  assert.equal(map.size, 100)
  assert.equal(map.get('first', '/m'), open)
  assert.equal(map.stats.forgotten, 100_001 - 100)
  clock.advance(2000)
  map.get('new')
  assert.deepEqual([map.size, [...map].map(({ node }) => node)], [2, ['first', 'new']])
  map.delete('first')
  map.delete('first')
  assert.deepEqual([map.size, map.stateOf('first', '/m')], [1, 'closed'])
  map.update({ maxBreakers: 1 })
  map.get('other').open()
  map.get('more').open()
  assert.equal(map.size, 1)
})
