import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Logger } from '../../../src/base/log.ts'
import { realClock } from '../../../src/base/time/clock.ts'
import { TimerWheel } from '../../../src/base/time/timer-wheel.ts'
import { WarningThrottle } from '../../../src/base/warning-throttle.ts'
import { readTimeout } from '../../../src/message/announcement.ts'
import { retryMeta } from '../../../src/message/refusal.ts'
import { AddressTable, addressKey } from '../../../src/overload/address-table.ts'
import { ConcurrencyLimit, RouteLatency } from '../../../src/overload/concurrency-limit.ts'
import { DrainRate } from '../../../src/overload/drain-rate.ts'
import { MeanCost } from '../../../src/overload/mean-cost.ts'
import { readOverload } from '../../../src/overload/settings.ts'
import { ReadThrottle } from '../../../src/transports/read-throttle.ts'
import { FakeWire } from '../../support/fake-wire.ts'

test('the drain rate follows how fast a queue empties', () => {
  const rate = new DrainRate()
  assert.equal(rate.perItem(0), 0, 'nothing is known')
  assert.ok(Math.abs(rate.perItem(3) - 3) < 1e-9, 'what is guessed')
  rate.start(1000)
  for (let now = 1002; now <= 1100; now += 2) rate.passed(10, now)
  assert.ok(Math.abs(rate.perItem(1) - 0.2) < 0.001, `${rate.perItem(1)}`)
  for (let now = 1104; now <= 1600; now += 4) rate.passed(1, now)
  assert.ok(Math.abs(rate.perItem(1) - 4) < 0.5, `${rate.perItem(1)}`)
  rate.start(50_000)
  rate.passed(1, 50_004)
  assert.ok(rate.perItem(4) < 5, 'the time in which it was empty does not count')
  for (let now = 50_010; now <= 50_500; now += 10) rate.passed(0, now)
  assert.ok(rate.perItem(4) > 100, 'nothing passes any more')
  const young = new DrainRate()
  young.start(0)
  young.passed(16, 60)
  assert.ok(young.perItem(0.01) < 0.1, 'a process that stood still for once is not slow')
})

test('the mean cost is one of messages, not of turns', () => {
  const cost = new MeanCost()
  assert.equal(cost.fit(2), Infinity)
  for (let n = 0; n < 50; n++) cost.add(0.05, 1) // what a turn costs by itself
  cost.add(10, 1000)
  assert.ok(cost.fit(2) > 150, `${cost.fit(2)}`)
  for (let n = 0; n < 50; n++) cost.add(5, 1)
  assert.equal(cost.fit(2), 1, 'never none')
})

/** A resource with so many places, in virtual time: calls that find none wait. As many come as may run. */
function saturate(limit: ConcurrencyLimit, route: RouteLatency, places: number, took: number, from: number, looks: number): number {
  let now = from
  const end = from + looks * 100
  let running: number[] = []
  const free = Array.from({ length: places }, () => now)
  while (now < end) {
    while (limit.open) {
      limit.noteQueueing()
      limit.handlerStarted()
      free.sort((a, b) => a - b)
      const begins = Math.max(now, free[0])
      free[0] = begins + took
      running.push(now, free[0])
    }
    let next = 1
    for (let i = 1; i < running.length; i += 2) if (running[i] < running[next]) next = i
    const [began, over] = running.splice(next - 1, 2)
    now = over
    limit.handlerFinished(route, began, now)
  }
  for (; running.length > 0; running = running.slice(2)) limit.handlerFinished(route, running[0], running[1])
  return end
}

test('the concurrency limit finds how many can run before each gets slower', () => {
  for (const [places, took] of [
    [20, 5],
    [200, 20],
    [4, 50],
  ]) {
    const limit = new ConcurrencyLimit(2, 100_000, 100, 0)
    saturate(limit, new RouteLatency(), places, took, 0, 200)
    assert.ok(limit.value >= places, `${places} places, limit ${limit.value}: it keeps them busy`)
    assert.ok(limit.value <= places * 4 + 10, `${places} places, limit ${limit.value}: it lets few wait`)
  }
})

test('the concurrency limit stays within its bounds, and nothing moves it that does not reach it', () => {
  const low = new ConcurrencyLimit(8, 1000, 100, 0)
  const route = new RouteLatency()
  let now = 0
  for (let n = 0; n < 2000; n++) {
    low.noteQueueing()
    low.handlerStarted()
    now += 10
    low.handlerFinished(route, now - (n < 50 ? 1 : 500), now)
  }
  assert.ok(low.value >= 8, `${low.value}`)
  const idle = new ConcurrencyLimit(8, 1000, 100, 0)
  for (let n = 0; n < 2000; n++) {
    idle.handlerStarted()
    now += 1
    idle.handlerFinished(route, now - 1, now)
  }
  assert.equal(idle.value, 100)
  const high = new ConcurrencyLimit(8, 120, 100, 0)
  saturate(high, new RouteLatency(), 300, 5, 0, 20)
  assert.equal(high.value, 120)
})

test('slow routes beside fast ones change nothing: each is compared with itself', () => {
  const limit = new ConcurrencyLimit(4, 1000, 100, 0)
  const fast = new RouteLatency()
  const slow = new RouteLatency()
  let now = 0
  for (let n = 0; n < 4000; n++) {
    if (n > 2000) limit.noteQueueing()
    limit.handlerStarted()
    now += 1
    // First few slow ones, then nothing else.
    const isSlow = n < 2000 ? n % 20 === 0 : true
    limit.handlerFinished(isSlow ? slow : fast, now - (isSlow ? 300 : 3), now)
  }
  assert.equal(limit.value, 100)
})

test('a loop that is late lets fewer run, though no call takes longer than before', () => {
  const limit = new ConcurrencyLimit(4, 1000, 100, 0)
  const route = new RouteLatency()
  let now = 0
  for (let n = 0; n < 100; n++) {
    for (let i = 0; i < 50; i++) limit.handlerStarted()
    limit.late(60)
    now += 60
    for (let i = 0; i < 50; i++) limit.handlerFinished(route, now - 60, now)
  }
  assert.ok(limit.value <= 30, `${limit.value}`)
})

test('addresses count as peers: IPv4 whole, IPv6 by network, Unix sockets not', () => {
  const keys: [string, string][] = [
    ['127.0.0.1:5', '127.0.0.1'],
    ['[::1]:5', '0:0:0:0'],
    ['[2001:db8:1:2:3:4:5:6]:80', '2001:db8:1:2'],
    ['[2001:DB8:1:0002::6]:80', '2001:db8:1:2'],
    ['[2001:db8::1:2:3]:80', '2001:db8:0:0'],
    ['[fe80::1%eth0]:80', 'fe80:0:0:0'],
    ['[::ffff:10.0.0.1]:80', '10.0.0.1'],
    ['[64:ff9b::10.0.0.1]:80', '64:ff9b:0:0'],
    ['/run/x.sock', ''],
    ['/run/a:b.sock', ''],
    ['@', ''],
    ['@name:1', ''],
    ['', ''],
  ]
  for (const [remote, key] of keys) assert.equal(addressKey(remote), key, remote)
})

test('an address has so many sessions, and so many connects a second', () => {
  let now = 0
  const table = new AddressTable(3, 10, () => now)
  for (let n = 0; n < 3; n++) assert.equal(table.enter('1.1.1.1:5'), undefined)
  assert.match(table.enter('1.1.1.1:6') ?? '', /too many sessions/)
  assert.equal(table.enter('2.2.2.2:6'), undefined, 'another one is not concerned')
  assert.equal(table.enter('/run/x.sock'), undefined)
  for (let n = 0; n < 7; n++) {
    table.leave('1.1.1.1:9')
    assert.equal(table.enter('1.1.1.1:9'), undefined)
  }
  table.leave('1.1.1.1:9')
  assert.match(table.enter('1.1.1.1:9') ?? '', /too often/)
  now += 100
  assert.equal(table.enter('1.1.1.1:9'), undefined, 'one of ten a second')
  now += 60_000
  table.leave('1.1.1.1:9')
  assert.equal(table.enter('1.1.1.1:9'), undefined)
  table.leave('never.came:1')
})

test('addresses that were seen once are forgotten before they are too many', () => {
  let now = 0
  const table = new AddressTable(1000, 10, () => now)
  table.enter('9.9.9.9:1')
  for (let n = 0; n < 70_000; n++) {
    const address = `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}:1`
    table.enter(address)
    table.leave(address)
    now += 0.01
  }
  assert.ok(table.size <= 65_536, `${table.size}`)
  for (let n = 1; n < 10; n++) table.enter('9.9.9.9:1')
  assert.equal(table.enter('9.9.9.9:1'), undefined, 'refilled meanwhile')
})

test('a session over its rate is held until it may go on', () => {
  let now = 0
  let slowed = 0
  const wheel = new TimerWheel({ ...realClock, now: () => now })
  const wire = new FakeWire()
  const meter = new ReadThrottle(
    wheel,
    100,
    () => slowed++,
    () => now,
  )
  for (let n = 0; n < 100; n++) meter.count(wire)
  assert.deepEqual([wire.holds, slowed], [1, 1])
  meter.count(wire)
  assert.deepEqual([wire.holds, slowed], [1, 1], 'what was on its way changes nothing')
  now += 60
  wheel.remove(meter)
  meter.expire()
  assert.equal(wire.holds, 0)
  for (let n = 0; n < 5; n++) meter.count(wire)
  assert.equal(wire.holds, 1, 'six more in 60 ms')
  meter.stop()
  assert.equal(wire.holds, 0)
  now += 10_000
  for (let n = 0; n < 99; n++) meter.count(wire)
  assert.equal(wire.holds, 0, 'a second of it may come at once')
})

test('what a peer can cause as often as it likes is logged once a second, with its number', () => {
  let now = 0
  const lines: [string, unknown][] = []
  const none = (): void => {}
  const log: Logger = { debug: none, info: none, error: none, warn: (text, fields) => lines.push([text, fields]) }
  const tally = new WarningThrottle(log, () => now)
  for (let n = 0; n < 1000; n++) {
    tally.warn('refused', 'a', 'full')
    now += 1.5
  }
  tally.warn('refused', 'b', 'other')
  assert.deepEqual(lines[0], ['refused', { remote: 'a', reason: 'full' }])
  assert.deepEqual(lines[1], ['refused', { remote: 'a', reason: 'full', times: 667 }])
  assert.deepEqual(lines.slice(2), [['refused', { remote: 'b', reason: 'other' }]])
})

test('a hint is whole milliseconds above 0, and one that is none is ignored', () => {
  assert.equal(retryMeta(0), '{"X-Retry-After":"1"}')
  assert.equal(retryMeta(12.3), '{"X-Retry-After":"13"}')
  assert.deepEqual(['25', '0', '99999999999', '-1', '1.5', 'soon', ''].map(readTimeout), [
    25,
    0,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
  assert.equal(readTimeout('9999999999'), 2 ** 31 - 1)
})

test('the options of overload protection are checked, each by name', () => {
  assert.equal(readOverload(undefined, 10), null)
  assert.equal(readOverload(false, 10), null)
  assert.deepEqual(readOverload(true, 1000), {
    queueTimeout: 100,
    maxQueued: 10_000,
    maxQueuedBytes: 64 * 1024 * 1024,
    minConcurrency: 4,
    maxConcurrency: 1000,
    startConcurrency: 100,
    exempt: [],
  })
  assert.equal(readOverload({ maxConcurrency: 2 }, 1000)?.startConcurrency, 2)
  const wrong: [object, RegExp][] = [
    [{ queueTimout: 1 }, /overload.queueTimout/],
    [{ queueTimeout: 0 }, /overload.queueTimeout/],
    [{ queueTimeout: '5' }, /overload.queueTimeout/],
    [{ queueTimeout: Number.NaN }, /overload.queueTimeout/],
    [{ maxQueued: 0 }, /overload.maxQueued/],
    [{ maxQueuedBytes: 1.5 }, /overload.maxQueuedBytes/],
    [{ minConcurrency: 0 }, /overload.minConcurrency/],
    [{ minConcurrency: 9, maxConcurrency: 8 }, /must not be above/],
    [{ startConcurrency: -1 }, /overload.startConcurrency/],
    [{ exempt: '/health' }, /overload.exempt/],
    [{ exempt: [1] }, /overload.exempt/],
  ]
  for (const [options, text] of wrong) assert.throws(() => readOverload(options as never, 10), text, JSON.stringify(options))
  for (const none of [null, 1, 'on']) assert.throws(() => readOverload(none as never, 10), /true, false or an object/)
})
