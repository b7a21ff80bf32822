import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Clock, realClock } from '../../../../src/base/time/clock.ts'
import { type Flushing, type Resuming, type Sweeping, TurnScheduler } from '../../../../src/transports/js/turn-scheduler.ts'

interface Told extends Flushing, Resuming, Sweeping {
  log: string[]
  clocks: number[]
}

function member(name: string, log: string[], sweepPeriod = 1000, keep = (): boolean => false): Told {
  const clocks: number[] = []
  return {
    log,
    clocks,
    sweepPeriod,
    flush: () => log.push(`flush ${name}`),
    resume: () => log.push(`resume ${name}`),
    sweep(clock) {
      clocks.push(clock)
      log.push(`sweep ${name}`)
      return keep()
    },
  }
}

/** With the timers that tests put in place of node's. */
function mockedClock(now: () => number = realClock.now): Clock {
  const { setTimeout, clearTimeout } = globalThis
  return {
    ...realClock,
    now,
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  }
}

test('a turn flushes before it resumes, and nothing happens inside the request', async () => {
  const turns = new TurnScheduler()
  const log: string[] = []
  turns.flushLater(member('a', log))
  turns.resumeLater(member('b', log))
  turns.flushLater(member('c', log))
  assert.deepEqual(log, [])
  await new Promise(setImmediate)
  assert.deepEqual(log, ['flush a', 'flush c', 'resume b'])
  await new Promise(setImmediate)
  assert.equal(log.length, 3)
})

test('who asks for it is flushed before the turn ends, once', async () => {
  const turns = new TurnScheduler()
  const log: string[] = []
  turns.flushLater(member('a', log))
  turns.resumeLater(member('b', log))
  turns.flush()
  assert.deepEqual(log, ['flush a'])
  turns.flush()
  turns.flushLater(member('c', log))
  assert.deepEqual(log, ['flush a'])
  await new Promise(setImmediate)
  assert.deepEqual(log, ['flush a', 'flush c', 'resume b'])
})

test('what is asked for while a turn ends is done at the end of the next one', async () => {
  const turns = new TurnScheduler()
  const log: string[] = []
  const again = member('again', log)
  turns.flushLater({ ...again, flush: () => turns.flushLater(again) })
  turns.resumeLater({ ...again, resume: () => turns.resumeLater(again) })
  await new Promise(setImmediate)
  assert.deepEqual(log, [])
  await new Promise(setImmediate)
  assert.deepEqual(log, ['flush again', 'resume again'])
})

test('the sweep runs at the strictest period of its members, and not without any', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const turns = new TurnScheduler(mockedClock())
  const log: string[] = []
  let keep = true
  turns.watch(member('slow', log, 1000, () => keep))
  t.mock.timers.tick(999)
  assert.deepEqual(log, [])
  turns.watch(member('fast', log, 100))
  t.mock.timers.tick(100)
  assert.deepEqual(log, ['sweep slow', 'sweep fast'])
  // `fast` is gone, so the period is that of `slow` again.
  t.mock.timers.tick(999)
  assert.equal(log.length, 2)
  keep = false
  t.mock.timers.tick(1)
  assert.deepEqual(log.slice(2), ['sweep slow'])
  t.mock.timers.tick(100_000)
  assert.equal(log.length, 3)
  turns.watch(member('later', log, 50))
  t.mock.timers.tick(50)
  assert.deepEqual(log.slice(3), ['sweep later'])
})

test('time in which the process stood still does not count', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let now = 5000
  const turns = new TurnScheduler(mockedClock(() => now))
  const one = member('one', [], 100, () => true)
  turns.watch(one)
  for (const passed of [100, 120, 60_000, 100]) {
    now += passed
    t.mock.timers.tick(100)
  }
  assert.deepEqual(one.clocks, [100, 220, 420, 520])
})
