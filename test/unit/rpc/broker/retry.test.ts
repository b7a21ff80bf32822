import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '../../../../src/base/errors/status.ts'
import { Backoff } from '../../../../src/rpc/broker/backoff.ts'
import { Fallback } from '../../../../src/rpc/broker/fallback.ts'
import { Hedge } from '../../../../src/rpc/broker/hedge.ts'
import { LatencyHistogram } from '../../../../src/rpc/broker/latency-histogram.ts'
import { RetryBudget } from '../../../../src/rpc/broker/retry-budget.ts'
import { type FailedAttempt, neverRan, RetryPolicy } from '../../../../src/rpc/broker/retry-policy.ts'
import { seeded } from '../../../../src/testing/random.ts'
import { testClock } from '../../../support/test-clock.ts'

const first: FailedAttempt = { attempt: 1, idempotent: false, expires: 0, elsewhere: true }
const unsent = new StatusError(105, undefined, undefined, { unsent: true })

test('a backoff is random between 0 and a bound that doubles up to its maximum', () => {
  const backoff = new Backoff({ base: 10, max: 100 }, { random: () => 0.999 })
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 2000].map((retry) => Math.round(backoff.delay(retry))),
    [10, 20, 40, 80, 100, 100, 100],
  )
  const random = new Backoff({ base: 100, max: 100 }, { random: seeded('jitter') })
  const delays = Array.from({ length: 2000 }, () => random.delay(0))
  const mean = delays.reduce((sum, each) => sum + each, 0) / delays.length
  assert.ok(Math.min(...delays) < 1 && Math.max(...delays) > 99 && Math.abs(mean - 50) < 3, 'full jitter')
  backoff.update({ max: 15 })
  assert.equal(Math.round(backoff.delay(5)), 15)
  assert.throws(() => backoff.update({ base: 200 }), RangeError)
  assert.throws(() => new Backoff({ bse: 1 } as never), TypeError)
  assert.equal(Math.round(backoff.delay(0)), 10, 'a bad update changes nothing')
})

test('a budget allows a tenth of the requests, or its floor, whichever is more', () => {
  const clock = testClock()
  const busy = new RetryBudget({}, clock)
  let retries = 0
  for (let n = 0; n < 10_000; n++) {
    clock.advance(1)
    busy.onRequest()
    if (busy.tryRetry()) retries++
  }
  assert.ok(retries <= 1000 + 10 && retries >= 990, `${retries} of 10,000`)
  assert.deepEqual(busy.stats, { requests: 10_000, retries, refused: 10_000 - retries })

  const quiet = new RetryBudget({ minPerSecond: 5 }, clock)
  retries = 0
  for (let n = 0; n < 100; n++) {
    clock.advance(100)
    quiet.onRequest()
    if (quiet.tryRetry()) retries++
  }
  assert.ok(retries >= 50 && retries <= 55, `${retries} in 10 s, 5 a second`)
})

test('a quiet time leaves a budget no more than it may save', () => {
  const clock = testClock()
  const budget = new RetryBudget({ maxSaved: 20, minPerSecond: 0 }, clock)
  for (let n = 0; n < 10_000; n++) budget.onRequest()
  assert.equal(budget.available, 20)
  let retries = 0
  while (budget.tryRetry()) retries++
  assert.equal(retries, 20)
})

test('a budget reports once that it is exhausted, and changes at run time', () => {
  const clock = testClock()
  const budget = new RetryBudget({ minPerSecond: 1 }, clock)
  let exhausted = 0
  budget.on('exhausted', () => exhausted++)
  assert.deepEqual([budget.tryRetry(), budget.tryRetry(), budget.tryRetry()], [true, false, false])
  assert.equal(exhausted, 1)
  budget.update({ minPerSecond: 10 })
  clock.advance(1000)
  assert.equal(budget.available, 10)
  assert.equal(budget.tryRetry(), true)
  assert.throws(() => budget.update({ ratio: 2 }), RangeError)
  assert.throws(() => budget.update({ ration: 2 } as never), TypeError)
})

test('a clock that jumps gives a budget no more than a second of its floor, and takes none', () => {
  const clock = testClock()
  const budget = new RetryBudget({ ratio: 0 }, clock)
  while (budget.tryRetry());
  clock.advance(-1e9)
  assert.equal(budget.tryRetry(), false)
  clock.advance(2e9)
  let retries = 0
  while (budget.tryRetry()) retries++
  assert.equal(retries, 10)
  assert.equal(budget.available, 0)
})

test('an exception of a listener harms no call', async () => {
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  const budget = new RetryBudget({ minPerSecond: 0 })
  budget.on('exhausted', () => {
    throw new Error('of the listener')
  })
  assert.equal(budget.tryRetry(), false)
  assert.equal((await warned).message, 'of the listener')
})

test('a call that surely never ran is retried, others only when idempotent', () => {
  const policy = new RetryPolicy({ budget: { minPerSecond: 100 } }, testClock())
  const may = (error: unknown, idempotent: boolean): boolean => policy.next(error, { ...first, idempotent }) >= 0
  const lost = new StatusError(102)
  for (const error of [
    unsent,
    new StatusError(102, undefined, undefined, { unsent: true }),
    new StatusError(429, '', '', { retryAfter: 5 }),
  ]) {
    assert.ok(neverRan(error))
    assert.deepEqual([may(error, false), may(error, true)], [true, true], String(error.code))
  }
  for (const error of [lost, new StatusError(503), new StatusError(105), new StatusError(408)])
    assert.deepEqual([may(error, false), may(error, true)], [false, true], `${error.code}, perhaps of a call that the callee made`)
  for (const error of [
    new StatusError(104),
    new StatusError(404),
    new StatusError(500),
    new StatusError(499),
    new StatusError(1001),
    new TypeError(),
  ])
    assert.deepEqual([may(error, false), may(error, true)], [false, false], String(error))
  policy.update({ retryOn: ({ code }) => code === 500 })
  assert.deepEqual([may(new StatusError(500), true), may(lost, true), may(new StatusError(500), false)], [true, false, false])
})

test('a retry stays inside attempts, deadline and budget', () => {
  const clock = testClock()
  const policy = new RetryPolicy(
    { attempts: 3, backoff: { base: 100, max: 1000 }, budget: { minPerSecond: 2 } },
    { ...clock, random: () => 0.5 },
  )
  const events: unknown[] = []
  policy.on('retry', ({ attempt, delay }) => events.push([attempt, delay]))
  assert.equal(policy.next(unsent, first), 0, 'another node is tried at once')
  assert.equal(policy.next(unsent, { ...first, attempt: 2 }), 100, 'then with backoff')
  assert.equal(policy.next(unsent, { ...first, attempt: 3 }), -1)
  clock.advance(1000)
  assert.equal(policy.next(unsent, { ...first, attempt: 2, expires: 1100 }), -1, 'the delay takes all that is left')
  assert.equal(policy.next(unsent, { ...first, attempt: 2, expires: 1101 }), 100)
  const refused = new StatusError(503, '', '', { retryAfter: 700 })
  assert.equal(policy.next(refused, { ...first, elsewhere: false }), 750, 'the same node is given the time that it asked for')
  assert.equal(policy.next(refused, first), -1, 'the budget is spent')
  assert.deepEqual(policy.stats, { retries: 4, final: 0, late: 1, spent: 1, refused: 1 })
  assert.deepEqual(events, [
    [2, 0],
    [3, 100],
    [3, 100],
    [2, 750],
  ])
  policy.update({ budget: { minPerSecond: 100 } })
  clock.advance(1000)
  assert.equal(policy.next(refused, first), 50)
  const never = new StatusError(503, '', '', { retryAfter: 2 ** 31 - 1 })
  assert.equal(policy.next(never, { ...first, elsewhere: false }), 2 ** 31 - 1, 'a timer of more would fire at once')
  assert.throws(() => policy.update({ attempts: 0 }), RangeError)
})

test('retries against dead nodes add at most a tenth to the traffic', () => {
  const clock = testClock()
  const policy = new RetryPolicy({ attempts: 5 }, clock)
  let sent = 0
  for (let call = 0; call < 20_000; call++) {
    clock.advance(2)
    policy.onRequest()
    for (let attempt = 1; ; attempt++) {
      sent++
      if (policy.next(unsent, { ...first, attempt }) < 0) break
    }
  }
  assert.ok(sent <= 20_000 * 1.1 + 1, `${sent} for 20,000 calls`)
})

test('a hedge waits for the percentile of its method, and is part of the budget', () => {
  const clock = testClock()
  const budget = new RetryBudget({ minPerSecond: 2, ratio: 0 }, clock)
  const hedge = new Hedge({ budget, delay: { percentile: 0.9 } })
  assert.equal(hedge.delay('/a'), -1, 'nothing is known')
  for (let n = 0; n < 1000; n++) hedge.onReply('/a', n % 10 === 9 ? 1000 : 10)
  assert.ok(hedge.delay('/a') >= 10 && hedge.delay('/a') < 12, `${hedge.delay('/a')}`)
  assert.equal(hedge.delay('/b'), -1)
  assert.equal(hedge.delay('/a', 2), -1, 'one more attempt by default')
  assert.deepEqual([hedge.tryHedge('/a'), hedge.tryHedge('/a'), hedge.tryHedge('/a')], [true, true, false])
  hedge.onReply('/a', 12, 2)
  assert.deepEqual(hedge.stats, { hedges: 2, wins: 1, refused: 1 })
  hedge.update({ delay: 50, max: 2 })
  assert.deepEqual([hedge.delay('/b'), hedge.delay('/b', 2), hedge.delay('/b', 3)], [50, 50, -1])
  for (let n = 0; n < 5000; n++) hedge.onReply(`/${n}`, 1)
  assert.throws(() => hedge.update({ delay: { percentile: 2 } }), RangeError)
  assert.throws(() => hedge.update({ delay: {} as never }), RangeError)
  assert.throws(() => hedge.update({ budget: {} as never }), TypeError)
})

test('a histogram is off by less than a fifth, and follows what is recent', () => {
  const histogram = new LatencyHistogram()
  const random = seeded('latencies')
  const all = Array.from({ length: 1000 }, () => Math.exp(random() * 8))
  for (const latency of all) histogram.add(latency)
  all.sort((a, b) => a - b)
  for (const share of [0.5, 0.9, 0.99]) {
    const off = histogram.percentile(share) / all[Math.floor(share * all.length) - 1]
    assert.ok(off >= 0.99 && off < 1.2, `${share}: ${off}`)
  }
  for (let n = 0; n < 20_000; n++) histogram.add(3)
  assert.ok(histogram.percentile(0.99) < 4)
  for (const odd of [0, -1, Number.NaN, Infinity]) histogram.add(odd)
  assert.equal(new LatencyHistogram().percentile(0.5), 0)
})

test('a fallback replaces failures of nodes, not refusals of what was asked', async () => {
  const fallback = new Fallback({ handle: ({ method, arg }) => `${method} ${String(arg)}` })
  assert.equal(fallback.handle(new StatusError(503), '/a', 1), '/a 1')
  assert.equal(fallback.handle(new StatusError(429), '/a', 1), '/a 1')
  const denied = new StatusError(404)
  assert.throws(
    () => fallback.handle(denied, '/a', 1),
    (thrown) => thrown === denied,
  )
  fallback.update({ when: () => true })
  assert.equal(fallback.handle(denied, '/a', 2), '/a 2')
  assert.deepEqual(fallback.stats, { handled: 3, passed: 1 })
  assert.throws(() => new Fallback({} as never), TypeError)
})
