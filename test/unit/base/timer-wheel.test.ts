import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { realClock } from '../../../src/base/time/clock.ts'
import { TimerEntry, TimerWheel } from '../../../src/base/time/timer-wheel.ts'

class Entry extends TimerEntry {
  readonly label: number
  readonly #onExpire: (entry: Entry) => void

  constructor(onExpire: (entry: Entry) => void, label = 0) {
    super()
    this.label = label
    this.#onExpire = onExpire
  }

  override expire(): void {
    this.#onExpire(this)
  }
}

let clock = 0
/** How often a timer was armed, and how often one fired. */
let armed = 0
let fired = 0

beforeEach(() => {
  clock = 0
  armed = 0
  fired = 0
  mock.timers.enable({ apis: ['setTimeout'] })
  const mocked = globalThis.setTimeout
  globalThis.setTimeout = ((callback: () => void, delay: number) => {
    armed++
    assert.ok(Number.isInteger(delay) && delay >= 1 && delay <= 2 ** 31 - 1, `delay ${delay}`)
    return mocked(() => {
      fired++
      callback()
    }, delay)
  }) as typeof setTimeout
})
afterEach(() => {
  mock.timers.reset()
})

function wheel(): TimerWheel {
  const { setTimeout, clearTimeout } = globalThis
  return new TimerWheel({
    ...realClock,
    now: () => clock,
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  })
}

/** Lets time pass in steps of one millisecond, timers included. */
function pass(ms: number): void {
  for (let i = 0; i < ms; i++) {
    clock++
    mock.timers.tick(1)
  }
}

test('an entry expires when its time has come, once, and not before', () => {
  const timers = wheel()
  const times: number[] = []
  timers.add(new Entry(() => times.push(clock)), 10)
  pass(9)
  assert.deepEqual(times, [])
  pass(100)
  assert.deepEqual(times, [10])
})

test('a fraction of a millisecond is waited for', () => {
  const timers = wheel()
  const times: number[] = []
  clock = 0.7
  timers.add(new Entry(() => times.push(clock)), 10)
  pass(10)
  assert.deepEqual(times, [], 'at 10.7 ten milliseconds are over, but its tick is 11')
  pass(1)
  assert.deepEqual(times, [11.7])
})

test('a timer that fires early expires nothing and tries again', () => {
  const timers = wheel()
  let expired = 0
  timers.add(new Entry(() => expired++), 10)
  clock = 9.9
  mock.timers.tick(10)
  assert.deepEqual([fired, expired], [1, 0])
  clock = 10
  mock.timers.tick(1)
  assert.equal(expired, 1)
})

test('a removed entry does not expire', () => {
  const timers = wheel()
  const entry = new Entry(() => assert.fail('expired'))
  timers.add(entry, 10)
  timers.remove(entry)
  timers.remove(entry)
  assert.equal(entry.wheelNext, null)
  pass(100)
})

test('adding again moves an entry', () => {
  const timers = wheel()
  const times: number[] = []
  const entry = new Entry(() => times.push(clock))
  timers.add(entry, 10)
  timers.add(entry, 2000)
  pass(1999)
  assert.deepEqual(times, [])
  timers.add(entry, 5)
  pass(5000)
  assert.deepEqual(times, [2004])
})

test('entries of different rounds share a slot and keep their time', () => {
  const timers = wheel()
  const times: number[] = []
  for (const timeout of [5 + 3 * 1024, 5, 5 + 1024]) timers.add(new Entry(() => times.push(clock)), timeout)
  pass(4000)
  assert.deepEqual(times, [5, 5 + 1024, 5 + 3 * 1024])
})

test('an earlier deadline arms the timer anew, a later one does not', () => {
  const timers = wheel()
  const times: number[] = []
  const add = (timeout: number) => timers.add(new Entry(() => times.push(clock)), timeout)
  add(1000)
  add(2000)
  add(1500)
  assert.equal(armed, 1)
  add(10)
  assert.equal(armed, 2)
  pass(3000)
  assert.deepEqual(times, [10, 1000, 1500, 2000])
  assert.equal(fired, 4)
})

test('while all deadlines are far away nothing wakes', () => {
  const timers = wheel()
  let expired = 0
  for (let i = 0; i < 1000; i++) {
    timers.add(new Entry(() => expired++), 30_000)
    pass(1)
  }
  pass(28_999)
  assert.deepEqual([fired, expired], [0, 0])
  pass(1000)
  assert.equal(expired, 1000)
})

test('an empty wheel has no timer, and calls answered in time wake it once per timeout', () => {
  const timers = wheel()
  for (let i = 0; i < 3000; i++) {
    const entry = new Entry(() => assert.fail('expired'))
    timers.add(entry, 1000)
    pass(1)
    timers.remove(entry)
  }
  assert.ok(fired <= 3, `${fired} times`)
  pass(1000)
  const before = fired
  pass(10_000)
  assert.equal(fired, before)
  assert.equal(armed, fired)
})

test('long calls among short ones do not make it wake each millisecond', () => {
  const timers = wheel()
  // One call in ten stays open for 20 s, so that no slot ever becomes empty.
  const open: Entry[] = []
  for (let i = 0; i < 60_000; i++) {
    const entry = new Entry(() => assert.fail('expired'))
    timers.add(entry, 30_000)
    if (i % 10 === 0) open.push(entry)
    else timers.remove(entry)
    if (open.length > 2000) timers.remove(open.shift() as Entry)
    pass(1)
  }
  assert.ok(fired < 60_000 / 10, `${fired} times in 60,000 ms`)
})

test('what comes due together expires in order of deadline', () => {
  const timers = wheel()
  const labels: number[] = []
  for (const timeout of [30, 10, 20, 10]) timers.add(new Entry((entry) => labels.push(entry.label), timeout), timeout)
  clock = 500 // the loop was blocked
  mock.timers.tick(10)
  assert.deepEqual(labels, [10, 10, 20, 30])
})

test('expiring one entry may remove others that are due, and add new ones', () => {
  const timers = wheel()
  const labels: number[] = []
  const entries: Entry[] = []
  for (let i = 0; i < 4; i++) {
    entries.push(
      new Entry((entry) => {
        labels.push(entry.label)
        timers.remove(entries[1])
        timers.remove(entries[3])
        if (entry.label === 0) timers.add(new Entry(() => labels.push(100 + clock)), 1)
        if (entry.label === 2) timers.add(entry, 7)
      }, i),
    )
    timers.add(entries[i], 10)
  }
  pass(17)
  assert.deepEqual(labels, [0, 2, 111, 2])
})

test('what expire adds, even by an old reading of the clock, arms one timer', () => {
  const timers = wheel()
  let expired = 0
  clock = 100
  timers.add(
    new Entry(() => {
      for (let i = 0; i < 3; i++) timers.add(new Entry(() => expired++), 1 + i, clock - 50)
    }),
    10,
  )
  pass(10)
  assert.deepEqual([armed, expired], [2, 0])
  pass(1)
  assert.deepEqual([armed, fired, expired], [2, 2, 3])
})

test('an entry that throws does not stop the others, and its error surfaces', async () => {
  const timers = wheel()
  const errors: unknown[] = []
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => errors.push(error))
  let expired = 0
  const first = new Error('first')
  const third = new Error('third')
  for (const error of [first, undefined, third, undefined]) {
    timers.add(
      new Entry(() => {
        if (error !== undefined) throw error
        expired++
      }),
      10,
    )
  }
  pass(10)
  mock.timers.reset()
  await sleep(1)
  process.removeAllListeners('uncaughtException')
  for (const listener of listeners) process.on('uncaughtException', listener)
  assert.equal(expired, 2)
  assert.deepEqual(errors, [first, third])
})

test('the longest timeout is beyond what one setTimeout can wait', () => {
  const timers = wheel()
  const times: number[] = []
  const longest = 2 ** 31 - 1
  clock = 5.5
  timers.add(new Entry(() => times.push(clock)), longest)
  clock += longest
  mock.timers.tick(longest)
  assert.deepEqual(times, [])
  clock += 1
  mock.timers.tick(1)
  assert.deepEqual(times, [longest + 6.5])
})

test('100,000 entries with mixed timeouts each expire at their own millisecond', () => {
  const timers = wheel()
  let seed = 1
  let wrong = 0
  let expired = 0
  let removed = 0
  const check = (entry: Entry): void => {
    expired++
    if (clock !== entry.label) wrong++
  }
  const entries: Entry[] = []
  for (let i = 0; i < 100_000; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0
    const timeout = 1 + ((seed >>> 8) % 5000)
    const entry = new Entry(check, clock + timeout)
    entries.push(entry)
    timers.add(entry, timeout)
    if (i % 100 === 0) pass(1)
    if (i % 3 === 0) {
      const victim = entries[(seed >>> 4) % entries.length]
      if (victim.wheelNext !== null) removed++
      timers.remove(victim)
    }
  }
  pass(6000)
  assert.equal(wrong, 0)
  assert.equal(expired + removed, 100_000)
})

test('adding and removing a million entries creates one timer and takes well under a second', () => {
  const timers = wheel()
  const entry = new Entry(() => {})
  const start = performance.now()
  for (let i = 0; i < 1_000_000; i++) {
    clock += 0.001
    timers.add(entry, 5000)
    timers.remove(entry)
  }
  const took = performance.now() - start
  assert.equal(armed, 1)
  assert.ok(took < 1000, `${took} ms`)
})

test('the clock is read by default, the caller\u2019s reading is taken when given', () => {
  const timers = new TimerWheel({ ...realClock, now: () => assert.fail('read'), setTimeout: () => ({ unref() {} }) })
  const entry = new Entry(() => {})
  timers.add(entry, 10, 100.5)
  assert.equal(entry.deadline, 111)
  const real = new Entry(() => {})
  const before = performance.now()
  new TimerWheel().add(real, 10)
  assert.ok(real.deadline >= before + 10 && real.deadline <= performance.now() + 11)
})

test('with the real clock and real timers nothing is early, and the process may end meanwhile', async () => {
  mock.timers.reset()
  const timers = new TimerWheel()
  const early: number[] = []
  let left = 200
  await new Promise<void>((resolve) => {
    const keepAlive = setInterval(() => {}, 1000)
    for (let i = 0; i < 200; i++) {
      const start = performance.now()
      const timeout = 1 + (i % 40) + i / 1000
      timers.add(
        new Entry(() => {
          const waited = performance.now() - start
          if (waited < timeout) early.push(waited - timeout)
          if (--left === 0) {
            clearInterval(keepAlive)
            resolve()
          }
        }),
        timeout,
      )
    }
  })
  assert.deepEqual(early, [])
  const active = process.getActiveResourcesInfo()
  const last = new Entry(() => {})
  timers.add(last, 10_000)
  assert.deepEqual(process.getActiveResourcesInfo(), active)
  timers.remove(last)
})
