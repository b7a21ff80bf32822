import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '../../../../src/base/errors/status.ts'
import { BoundedTable } from '../../../../src/rpc/broker/bounded-table.ts'
import { type RateLimit, rateLimit } from '../../../../src/rpc/broker/rate-limit.ts'
import type { LimitedMessage, RateLimitOptions } from '../../../../src/rpc/broker/rate-limit-options.ts'
import type { Grant, RateLimitStore } from '../../../../src/rpc/broker/rate-limit-store.ts'
import { redisStore } from '../../../../src/rpc/broker/redis-store.ts'
import { TokenBucket } from '../../../../src/rpc/broker/token-bucket.ts'
import { type TestClock, testClock } from '../../../support/test-clock.ts'

const session = {} as LimitedMessage['session']

function message(serviceMethod = '/a', meta: Record<string, string> = {}, of = session): LimitedMessage {
  return { kind: 'call', serviceMethod, meta, session: of }
}

/** Status of a message: 0 when it passed. */
function code(limit: RateLimit, of = message()): number {
  try {
    assert.equal((limit.beforeReadCallBody as (ctx: LimitedMessage) => unknown)(of), undefined)
    return 0
  } catch (error) {
    assert.ok(error instanceof StatusError && error.retryAfter !== undefined && error.retryAfter >= 1, String(error))
    return error.code
  }
}

async function later(limit: RateLimit, of = message()): Promise<number> {
  try {
    await (limit.beforeReadCallBody as (ctx: LimitedMessage) => unknown)(of)
    return 0
  } catch (error) {
    assert.ok(error instanceof StatusError && error.retryAfter !== undefined, String(error))
    return error.code
  }
}

/** Number of so many messages that pass. */
function passing(limit: RateLimit, times: number, of = message()): number {
  let passed = 0
  for (let n = 0; n < times; n++) if (code(limit, of) === 0) passed++
  return passed
}

test('a bucket has its tokens at once, then one at a time', () => {
  const bucket = new TokenBucket(3, 0)
  assert.deepEqual(
    [1, 2, 3, 4].map(() => bucket.take(10, 3, 0)),
    [0, 0, 0, 100],
  )
  assert.equal(bucket.take(10, 3, 99.5), 1, 'a wait is at least a millisecond')
  assert.equal(bucket.take(10, 3, 100), 0)
  assert.equal(bucket.isFull(10, 3, 399), false)
  assert.equal(bucket.isFull(10, 3, 400), true)
  assert.equal(bucket.take(10, 3, -1e12), 0, 'a clock that went back takes no tokens')
  for (let n = 0; n < 2; n++) bucket.take(10, 3, -1e12)
  assert.equal(bucket.take(10, 3, -1e12 + 100), 0, 'and tokens come from there on')
  assert.deepEqual(
    [1, 2, 3, 4].map(() => bucket.take(10, 3, 1e15) === 0),
    [true, true, true, false],
    'one that jumps gives no more than all',
  )
})

test('a table keeps keys that say something, and all others share one state', () => {
  let made = 0
  const table = new BoundedTable(
    () => ({ id: made++, fresh: false }),
    ({ fresh }) => fresh,
  )
  const first = Array.from({ length: 100 }, (_, n) => table.get(`${n}`, 100, 0))
  assert.equal(table.get('new', 100, 0), table.overflow)
  assert.equal(table.get('7', 100, 0), first[7])
  first[50].fresh = true
  let found = 0
  for (let n = 0; n < 10; n++) if (table.get(`more ${n}`, 100, 0) !== table.overflow) found++
  assert.deepEqual([found, table.size], [1, 100], 'a place that is free is found')
})

test('a limit is that of the session, the route, the endpoint, a meta key or a function', () => {
  const clock = testClock()
  const make = (by: RateLimitOptions['by']): RateLimit => rateLimit({ rate: 2, by }, clock)
  const other = message('/b', { tenant: 'x' }, {} as LimitedMessage['session'])
  const codes = (limit: RateLimit): number[] => [message(), message(), message(), other].map((of) => code(limit, of))
  assert.deepEqual(codes(make('session')), [0, 0, 429, 0])
  assert.deepEqual(codes(make('route')), [0, 0, 503, 0])
  assert.deepEqual(codes(make('endpoint')), [0, 0, 503, 503])
  assert.deepEqual(codes(make(({ serviceMethod }) => serviceMethod)), [0, 0, 429, 0])
  const byMeta = make({ meta: 'tenant' })
  assert.deepEqual([passing(byMeta, 5), passing(byMeta, 5, other)], [5, 2], 'without the key there is no limit')
  assert.deepEqual(codes(rateLimit({ rate: 2, by: 'endpoint', code: 429 }, clock)), [0, 0, 429, 429])
})

test('a refusal says when there will be a token, and tokens come at the rate', () => {
  const clock = testClock()
  const limit = rateLimit({ rate: 4, burst: 1, by: 'endpoint' }, clock)
  assert.equal(code(limit), 0)
  assert.throws(
    () => limit.beforeReadCallBody?.(message() as never),
    (error: StatusError) => error.retryAfter === 250 && error.code === 503 && error.unsent === undefined,
  )
  let passed = 0
  for (let n = 0; n < 1000; n++) {
    clock.advance(10)
    if (code(limit) === 0) passed++
  }
  assert.ok(passed >= 38 && passed <= 40, `${passed} in 10 s`)
})

test('sent messages fail unsent', () => {
  const limit = rateLimit({ rate: 1, direction: 'out', kind: 'call' }, testClock())
  assert.equal(limit.beforeReadCallBody, undefined)
  assert.equal(limit.beforeWriteCall?.(message() as never), undefined)
  for (let n = 0; n < 3; n++) assert.equal(limit.beforeWritePush?.(message() as never), undefined, 'only calls')
  assert.throws(
    () => limit.beforeWriteCall?.(message() as never),
    (error: StatusError) => error.unsent === true && error.code === 429,
  )
})

test('a dry run refuses nothing and counts', () => {
  const limit = rateLimit({ rate: 1, dryRun: true }, testClock())
  const events: unknown[] = []
  limit.on('refused', ({ message: { serviceMethod }, dryRun }) => events.push([serviceMethod, dryRun]))
  assert.equal(passing(limit, 5), 5)
  assert.deepEqual([limit.stats.allowed, limit.stats.refused, limit.stats.wouldRefuse], [1, 0, 4])
  assert.deepEqual(events[0], ['/a', true])
  limit.update({ dryRun: false })
  assert.equal(passing(limit, 5), 0)
})

test('100,000 keys of a peer take the memory of as many as may be, and all without a place share one limit', () => {
  const clock = testClock()
  const limit = rateLimit({ rate: 10, burst: 10, by: { meta: 'key' }, maxKeys: 1000 }, clock)
  let passed = 0
  for (let n = 0; n < 100_000; n++) if (code(limit, message('/a', { key: `key ${n}` })) === 0) passed++
  assert.deepEqual([limit.keys, passed], [1000, 1010])
  assert.equal(limit.stats.overflow, 99_000)
  assert.equal(passing(limit, 20, message('/a', { key: 'key 5' })), 9, 'a key with a place keeps what is its own')
  clock.advance(2000)
  assert.equal(passing(limit, 20, message('/a', { key: 'one more' })), 10, 'places of keys that were quiet are free again')
  const long = rateLimit({ rate: 1, by: { meta: 'key' } }, clock)
  assert.deepEqual(
    ['x', 'x', 'y'].map((end) => code(long, message('/a', { key: 'long'.repeat(10_000) + end }))),
    [0, 429, 0],
    'long keys are told apart',
  )
})

test('options change at run time; what cannot change and what is wrong changes nothing', () => {
  const clock = testClock()
  const limit = rateLimit({ rate: 10, by: 'endpoint' }, clock)
  assert.equal(passing(limit, 20), 10)
  limit.update({ rate: 100 })
  clock.advance(1000)
  assert.equal(passing(limit, 200), 100)
  limit.update({ burst: 5 })
  clock.advance(1000)
  assert.equal(passing(limit, 200), 5)
  limit.update({ by: 'session' })
  assert.equal(passing(limit, 200), 5)
  assert.throws(() => limit.update({ rate: 0 }), RangeError)
  assert.throws(() => limit.update({ direction: 'out' }), TypeError)
  assert.throws(() => limit.update({ name: 'x' }), TypeError)
  for (const wrong of [{}, { rate: -1 }, { rate: Number.NaN }, { rate: 1, burst: 0.5 }, { rate: 1, code: 400 }, { rate: 1, maxKeys: 0 }])
    assert.throws(() => rateLimit(wrong as never), RangeError, JSON.stringify(wrong))
  for (const wrong of [
    { rate: 1, by: 'peer' },
    { rate: 1, by: {} },
    { rate: 1, kind: 'x' },
    { rate: 1, name: '' },
    { rate: 1, store: {} },
    { rte: 1 },
  ])
    assert.throws(() => rateLimit(wrong as never), TypeError, JSON.stringify(wrong))
})

/** A store in this process, whose answers a test can hold back or replace. */
class FakeStore implements RateLimitStore {
  asked = 0
  handedOut = 0
  answer: ((grant: Grant) => unknown) | undefined
  readonly #bucket: { tokens: number; at: number }
  readonly #clock: TestClock

  constructor(clock: TestClock, tokens: number) {
    this.#clock = clock
    this.#bucket = { tokens, at: clock.now() }
  }

  async take(_key: string, rate: number, burst: number, count: number): Promise<Grant> {
    this.asked++
    const bucket = this.#bucket
    bucket.tokens = Math.min(burst, bucket.tokens + ((this.#clock.now() - bucket.at) * rate) / 1000)
    bucket.at = this.#clock.now()
    const granted = Math.min(count, Math.floor(bucket.tokens))
    const grant = { granted, wait: granted > 0 ? 0 : Math.ceil(((1 - bucket.tokens) * 1000) / rate) }
    if (this.answer !== undefined) return this.answer(grant) as Grant
    bucket.tokens -= granted
    this.handedOut += granted
    return grant
  }
}

const byTenant = { meta: 'tenant' }
const ofTenant = message('/a', { tenant: 'x' })

test('processes that share a store never pass more than the limit, and nearly all of it', async () => {
  const clock = testClock()
  const store = new FakeStore(clock, 1000)
  const limits = Array.from({ length: 4 }, () => rateLimit({ rate: 1000, by: byTenant, store }, clock))
  let passed = 0
  const seconds = 10
  for (let ms = 0; ms < seconds * 1000; ms++) {
    clock.advance(1)
    const all = await Promise.all(limits.map((limit) => later(limit, ofTenant)))
    passed += all.filter((each) => each === 0).length
  }
  assert.ok(passed <= 1000 + seconds * 1000, `${passed} of at most ${1000 + seconds * 1000}`)
  assert.ok(passed >= (1000 + seconds * 1000) * 0.9, `${passed}`)
  assert.ok(store.asked < 5000, `${store.asked} questions for 40,000 messages`)
  assert.equal(
    limits.reduce((sum, { stats }) => sum + stats.allowed, 0),
    passed,
  )
})

test('messages that come at once are served by few questions, and while the store has no tokens it is not asked', async () => {
  const clock = testClock()
  const store = new FakeStore(clock, 50)
  const limit = rateLimit({ rate: 500, burst: 50, by: byTenant, store }, clock)
  const codes = await Promise.all(Array.from({ length: 200 }, () => later(limit, ofTenant)))
  assert.equal(codes.filter((each) => each === 0).length, 50)
  assert.ok(store.asked < 10, `${store.asked}`)
  const { asked } = store
  for (let n = 0; n < 1000; n++) assert.equal(code(limit, ofTenant), 429)
  assert.equal(store.asked, asked)
  clock.advance(10)
  assert.equal(await later(limit, ofTenant), 0)
})

test('a store that dies, hangs or answers nonsense leaves each process its own limit, and is used again when it works', async () => {
  const nonsense: unknown[] = [
    undefined,
    null,
    'OK',
    [],
    {},
    { granted: -1, wait: 0 },
    { granted: 1e9, wait: 0 },
    { granted: 0.5, wait: 0 },
  ]
  nonsense.push({ granted: 0, wait: Number.NaN }, { granted: Number.NaN, wait: 1 }, { granted: 0, wait: '5' })
  const failures: [string, () => unknown][] = nonsense.map((answer) => [JSON.stringify(answer) ?? 'undefined', () => answer])
  failures.push(['dies', () => Promise.reject(new Error('gone'))], ['hangs', () => new Promise(() => {})])
  for (const [name, answer] of failures) {
    const clock = testClock()
    const store = new FakeStore(clock, 10)
    const limit = rateLimit({ rate: 10, by: byTenant, store, storeTimeout: 20 }, clock)
    const events: boolean[] = []
    limit.on('store', ({ error }) => events.push(error === undefined))
    store.answer = answer
    const first = later(limit, ofTenant)
    clock.advance(20)
    assert.equal(await first, 0, name)
    assert.equal(passing(limit, 50, ofTenant), 9, `${name}: at once, from then on`)
    const { asked } = store
    assert.equal(asked, 1, name)
    clock.advance(1000)
    store.answer = undefined
    assert.equal(code(limit, ofTenant), 0, `${name}: the store is tried beside the messages`)
    while (events.length < 2) await new Promise(setImmediate)
    assert.deepEqual(events, [false, true], name)
    const { local } = limit.stats
    assert.equal(await later(limit, ofTenant), 0)
    assert.equal(limit.stats.local, local, name)
    assert.equal(limit.stats.storeFailures, 1)
  }
})

test('a wait without end, and a clock that goes back, close no key for long', async () => {
  const clock = testClock()
  const store = new FakeStore(clock, 0)
  const limit = rateLimit({ rate: 10, by: byTenant, store }, clock)
  store.answer = () => ({ granted: 0, wait: Number.MAX_VALUE })
  assert.equal(await later(limit, ofTenant), 429)
  store.answer = ({ granted }) => ({ granted: Math.max(1, granted), wait: 0 })
  clock.advance(100)
  assert.equal(await later(limit, ofTenant), 0)
  store.answer = () => ({ granted: 0, wait: 100 })
  for (let n = 0; n < 5; n++) await later(limit, ofTenant) // uses up what was taken before
  assert.equal(await later(limit, ofTenant), 429)
  clock.advance(-1e9)
  store.answer = () => ({ granted: 1, wait: 0 })
  assert.equal(await later(limit, ofTenant), 0)
  store.answer = () => Promise.reject(new Error('gone'))
  clock.advance(2000)
  while (limit.stats.storeFailures === 0) await later(limit, ofTenant)
  store.answer = undefined
  clock.advance(-1e9)
  const { asked } = store
  code(limit, ofTenant)
  assert.equal(store.asked, asked + 1, 'a store that failed is tried again')
})

test('keys of peers ask a store that hangs only so often, and take no memory', async () => {
  const clock = testClock()
  const store = new FakeStore(clock, 10)
  store.answer = () => new Promise(() => {})
  const limit = rateLimit({ rate: 10, by: byTenant, store, maxKeys: 500 }, clock)
  const all = Array.from({ length: 20_000 }, (_, n) => later(limit, message('/a', { tenant: `${n}` })))
  clock.advance(50)
  await Promise.all(all)
  assert.ok(store.asked <= 1000, `${store.asked}`)
  assert.ok(limit.keys <= 1000, `${limit.keys}`)
})

test('a store is made of any client that can run a script, and of no other', async () => {
  const seen: unknown[] = []
  const answers = {
    evalScript(_: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
      seen.push([keys, args])
      return Promise.resolve([2, 0])
    },
  }
  assert.deepEqual(await redisStore(answers, { prefix: 'p:' }).take('k', 10, 20, 3), { granted: 2, wait: 0 })
  assert.deepEqual(seen, [[['p:k'], ['10', '20', '3']]])
  await assert.rejects(redisStore({ evalScript: () => Promise.resolve('OK') }).take('k', 1, 1, 1), TypeError)
  for (const wrong of [undefined, null, {}, { eval: () => {} }]) assert.throws(() => redisStore(wrong as never), TypeError)
  assert.throws(() => redisStore(answers, { prefix: 1 } as never), TypeError)
})
