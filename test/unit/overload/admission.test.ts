import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Incoming, MessageType } from '../../../src/message/message.ts'
import { noMeta } from '../../../src/message/meta.ts'
import { internName } from '../../../src/message/names.ts'
import { type Refusal, Refusals } from '../../../src/message/refusal.ts'
import { Admission } from '../../../src/overload/admission.ts'
import type { AdmissionTarget, AdmittedSession } from '../../../src/overload/admitted.ts'
import { type EndpointStats, newStats } from '../../../src/overload/endpoint-stats.ts'
import { type OverloadOptions, readOverload } from '../../../src/overload/settings.ts'

/** Milliseconds of the loop's own work: a turn, a message read, a message refused. */
const TURN = 0.02
const READ = 0.002
const REFUSE = 0.005

interface Call {
  readonly session: number
  readonly at: number
  readonly method: string
}

interface Seen {
  readonly ok: number[]
  readonly refused: number[]
  /** From its arrival to its refusal. */
  readonly refusals: number[]
  readonly latencies: number[]
  readonly causes: Map<Refusal, number>
  readonly hints: number[]
}

interface TestSession extends AdmittedSession {
  running: number
  state: string
  link: object
}

/** One thread, in virtual time: messages that came are read once a turn, and handlers hold it up. */
class Loop implements AdmissionTarget<TestSession> {
  now = 0
  readonly stats: EndpointStats = newStats()
  readonly admission: Admission<TestSession>
  readonly sessions: TestSession[] = []
  readonly calls = new Map<Incoming, Call>()
  seen: Seen
  /** Number of the last message that had arrived when all that was to be sent was. */
  flushed = 0
  /** Answers of handlers that take their time; undefined: it answered at once. */
  handler: (call: Call) => Promise<unknown> | undefined = () => undefined
  #events: { at: number; run: () => void }[] = []
  #bySeq = new Map<number, Call>()
  #seq = 0

  constructor(sessions: number, options: OverloadOptions = {}) {
    const overload = readOverload(options, 100_000)
    assert.ok(overload !== null, 'on')
    this.admission = new Admission(overload, this.stats, this, {
      now: () => this.now,
      setTimeout: (run, ms) => {
        this.after(ms, run)
        return { unref: () => {} }
      },
    })
    for (let n = 0; n < sessions; n++) {
      const session: TestSession = {
        state: 'open',
        link: {},
        running: 0,
        requests: {
          wantsReply: (link: object) => link === session.link,
          isCanceled: () => false,
          handlerStarted: () => void session.running++,
          handlerFinished: () => void session.running--,
        },
        destroy: () => assert.fail('nothing fails here'),
      }
      this.sessions.push(session)
    }
    this.seen = this.fresh()
  }

  fresh(): Seen {
    const none = this.sessions.map(() => 0)
    this.seen = { ok: [...none], refused: [...none], refusals: [], latencies: [], causes: new Map(), hints: [] }
    return this.seen
  }

  after(ms: number, run: () => void): void {
    const at = this.now + ms
    let i = this.#events.length
    while (i > 0 && this.#events[i - 1].at <= at) i--
    this.#events.splice(i, 0, { at, run })
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve))
  }

  arrive(call: Call, expires = 0, type: number = MessageType.Call, bytes = 10): void {
    const message = new Incoming()
    message.type = type
    message.seq = ++this.#seq
    message.route = internName(call.method)
    message.buffer = Buffer.alloc(bytes)
    message.bodyEnd = bytes
    this.#bySeq.set(message.seq, call)
    const session = this.sessions[call.session]
    this.now += READ
    const isCall = type === MessageType.Call
    if (this.admission.admit(session, message, noMeta, isCall, expires)) this.start(session, message)
  }

  start(_session: TestSession, message: Incoming): void {
    const call = this.#bySeq.get(message.seq) as Call
    this.#bySeq.delete(message.seq)
    const done = (): void => {
      this.seen.ok[call.session]++
      this.seen.latencies.push(this.now - call.at)
    }
    const promise = this.handler(call)
    if (promise === undefined) {
      done()
      return
    }
    const ticket = this.admission.handlerStarted(call.method)
    void promise.then(() => {
      done()
      this.admission.handlerFinished(ticket)
    })
  }

  drop(): void {}

  refuse(_session: TestSession, message: Incoming, _isCall: boolean, refusal: Refusal, retryAfter: number): void {
    const call = this.#bySeq.get(message.seq) as Call
    this.#bySeq.delete(message.seq)
    this.now += REFUSE
    this.seen.refused[call.session]++
    this.seen.refusals.push(this.now - call.at)
    this.seen.causes.set(refusal, (this.seen.causes.get(refusal) ?? 0) + 1)
    this.seen.hints.push(retryAfter)
  }

  flush(): void {
    this.flushed = this.#seq
  }

  /** Each session calls at its own rate, in calls a second. */
  async load(rates: number[], seconds: number): Promise<Seen> {
    const seen = this.fresh()
    const from = this.now
    const end = from + seconds * 1000
    rates.forEach((rate, session) => {
      const next = (n: number): void => {
        const at = from + ((n + session / rates.length) * 1000) / rate
        if (at >= end) return
        this.after(at - this.now, () => {
          this.arrive({ session, at, method: '/work' })
          next(n + 1)
        })
      }
      next(0)
    })
    await this.run(end)
    return seen
  }

  /** Lets time pass. */
  async run(end: number): Promise<void> {
    while (this.now < end) {
      while (this.#events.length > 0 && (this.#events.at(-1)?.at ?? 0) <= this.now) this.#events.pop()?.run()
      const before = this.now
      await turn()
      await turn()
      const { queued, running, concurrency } = this.admission.load
      // Nothing is on its way in this turn: the loop sleeps.
      if (this.now === before && (queued === 0 || running >= concurrency)) {
        this.now = Math.max(this.now, Math.min(end, this.#events.at(-1)?.at ?? end))
      }
      this.now += TURN
    }
  }
}

const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0)
const percentile = (values: number[], share: number): number => values.sort((a, b) => a - b)[Math.floor(values.length * share)] ?? 0
const evenly = (total: number, sessions: number): number[] => Array.from({ length: sessions }, () => total / sessions)

/** Handlers of 200 µs of the thread's time; of 5 ms at one of 20 places; of 200 µs of its time behind a promise. */
const kinds: Record<string, (loop: Loop) => { capacity: number; handler: Loop['handler'] }> = {
  burn: (loop) => ({
    capacity: 5000,
    handler: () => {
      loop.now += 0.2
      return undefined
    },
  }),
  wait: (loop) => {
    let free = 20
    const waiting: (() => void)[] = []
    return {
      capacity: 4000,
      handler: async () => {
        if (free > 0) free--
        else await new Promise<void>((resolve) => waiting.push(resolve))
        await loop.wait(5)
        const next = waiting.shift()
        if (next === undefined) free++
        else next()
      },
    }
  },
  'async burn': (loop) => ({
    capacity: 5000,
    handler: async () => {
      await undefined
      loop.now += 0.2
    },
  }),
  'wait, then burn': (loop) => ({
    capacity: 5000,
    handler: async () => {
      await loop.wait(5)
      loop.now += 0.2
    },
  }),
}

/** Milliseconds within which refusals are on their way, where nothing but this holds them up. What many handlers do when what they wait for is there is no turn that anything here could divide. */
const quick: Record<string, number> = { 'wait, then burn': 20 }

for (const [kind, make] of Object.entries(kinds)) {
  it(`${kind}: goodput holds at 2 and 5 times the capacity, refusals are quick, and all is over when the load is (L1)`, async () => {
    const loop = new Loop(16)
    const { capacity, handler } = make(loop)
    loop.handler = handler
    for (const [times, bar] of [
      [2, 0.9],
      [5, 0.8],
    ]) {
      const loaded = await loop.load(evenly(capacity * times, 16), 2)
      const goodput = sum(loaded.ok) / 2 / capacity
      assert.ok(goodput >= bar * 0.98, `${times}x: goodput ${goodput}`) // the first moments of two seconds count more than those of sixty
      const slow = percentile(loaded.refusals, 0.99)
      assert.ok(slow <= (quick[kind] ?? 1.5), `${times}x: refused after ${slow} ms`)
      assert.ok(percentile(loaded.latencies, 0.99) <= 150, `${times}x: answered after ${percentile(loaded.latencies, 0.99)} ms`)
      await loop.load(evenly(capacity / 2, 16), 0.5)
      const after = await loop.load(evenly(capacity / 2, 16), 0.5)
      assert.equal(sum(after.refused), 0, 'half a second later nothing is refused any more')
    }
  })

  it(`${kind}: one of 20 sessions that asks for ten times its share leaves the others theirs (L2)`, async () => {
    const loop = new Loop(20)
    const { capacity, handler } = make(loop)
    loop.handler = handler
    const share = capacity / 20
    const seen = await loop.load(
      loop.sessions.map((_, n) => (n === 0 ? share * 10 : share)),
      2,
    )
    const [greedy, ...others] = seen.ok.map((ok) => ok / 2 / share)
    assert.ok(Math.min(...others) >= 0.88, `others: ${Math.min(...others)}`)
    assert.ok(greedy <= 2.5, `greedy: ${greedy}`)
    assert.ok((seen.causes.get(Refusals.Share) ?? 0) > 0, 'it is told that it is its own doing')
  })
}

const burn = (loop: Loop) => kinds.burn(loop).handler

for (const cost of [1, 2]) {
  it(`handlers of ${cost} ms: a refusal waits for one of them, not for several (L1)`, async () => {
    const loop = new Loop(16)
    loop.handler = () => {
      loop.now += cost
      return undefined
    }
    for (const times of [2, 5]) {
      const { refusals, ok } = await loop.load(evenly((1000 / cost) * times, 16), 2)
      assert.ok(percentile(refusals, 0.99) <= cost + 0.1, `${times}x: refused after ${percentile(refusals, 0.99)} ms`)
      assert.ok(sum(ok) >= (2000 / cost) * 0.9, `${times}x: ${sum(ok)} of ${2000 / cost}`)
    }
  })
}

for (const kind of ['at once', 'behind a promise'] as const) {
  it(`slow handlers of a new route do not start in a row because others are fast: ${kind}`, async () => {
    const loop = new Loop(6)
    const order: string[] = []
    loop.handler = ({ method }) => {
      order.push(method)
      if (method !== '/burn') return undefined
      if (kind === 'behind a promise') return Promise.resolve().then(() => void (loop.now += 8))
      loop.now += 8
      return undefined
    }
    const call = (session: number, method: string): void => loop.arrive({ session, at: loop.now, method })
    for (let i = 0; i < 200; i++) {
      call(1, '/echo')
      if (i % 20 === 19) await loop.run(loop.now + 1)
    }
    for (let round = 0; round < 3; round++) {
      order.length = 0
      const seen = loop.fresh()
      for (let i = 0; i < 20; i++) call(0, '/burn')
      for (let session = 1; session < 6; session++) call(session, '/echo')
      await loop.run(loop.now + 3000)
      assert.ok(order.slice(0, 8).filter((method) => method === '/echo').length === 5, `round ${round}: ${order.join(' ')}`)
      assert.deepEqual(seen.refused.slice(1), [0, 0, 0, 0, 0], 'nobody else is refused')
    }
  })
}

it('a route that has become slow is found out, and forgiven when it is fast again', async () => {
  const loop = new Loop(2)
  let cost = 0.001
  let most = 0
  let row = 0
  loop.handler = ({ session }) => {
    row = session === 0 ? row + 1 : 0
    most = Math.max(most, row)
    if (session === 0) loop.now += cost
    return undefined
  }
  const burst = async (): Promise<number> => {
    most = row = 0
    for (let i = 0; i < 40; i++) loop.arrive({ session: 0, at: loop.now, method: '/changing' })
    loop.arrive({ session: 1, at: loop.now, method: '/other' })
    await loop.run(loop.now + 2000)
    return most
  }
  for (let i = 0; i < 10; i++) await burst()
  cost = 50
  assert.ok((await burst()) <= 33, `${most}: as many as were started before anybody looked at the clock`)
  assert.ok((await burst()) <= 3, `${most} in a row`)
  cost = 0.001
  for (let i = 0; i < 10; i++) await burst()
  const { stats } = loop
  const { queued } = stats
  await burst()
  assert.equal(stats.queued, queued, 'nothing waits any more')
})

it('what a turn refused is sent before what waits is started in it', async () => {
  const loop = new Loop(1, { maxQueued: 20 })
  let arrived = 0
  let reading = false
  const unsent: number[] = []
  loop.handler = () => {
    if (!reading) unsent.push(arrived - loop.flushed)
    loop.now += 1
    return undefined
  }
  while (arrived < 200) {
    reading = true
    for (let n = 0; n < 10; n++, arrived++) loop.arrive({ session: 0, at: loop.now, method: '/work' })
    reading = false
    await turn()
  }
  assert.ok(loop.seen.refused[0] > 0, 'some are refused')
  assert.ok(unsent.length >= 10, `${unsent.length} waited and were started`)
  assert.equal(Math.max(...unsent), 0, 'messages that were read and not answered when a handler started')
})

it('below its capacity nothing waits long and nothing is refused', async () => {
  const loop = new Loop(16)
  loop.handler = burn(loop)
  const seen = await loop.load(evenly(4000, 16), 2)
  assert.equal(sum(seen.refused), 0)
  assert.ok(percentile(seen.latencies, 0.99) < 5, `${percentile(seen.latencies, 0.99)} ms`)
})

it('a few calls that take 25 times as long as the others cost those nothing (L5)', async () => {
  const loop = new Loop(16)
  let n = 0
  loop.handler = () => {
    loop.now += ++n % 100 === 0 ? 5 : 0.2
    return undefined
  }
  const seen = await loop.load(evenly(2000, 16), 2)
  assert.equal(sum(seen.refused), 0)
  assert.ok(percentile(seen.latencies, 0.9) < 6, `${percentile(seen.latencies, 0.9)} ms`)
})

it('a burst is taken in as far as it can be done in time, in the order of each session', async () => {
  const loop = new Loop(2, { queueTimeout: 100 })
  const order: number[][] = [[], []]
  let n = 0
  loop.handler = ({ session, at }) => {
    loop.now += 1
    order[session].push(at)
    return undefined
  }
  for (; n < 200; n++) loop.arrive({ session: n % 2, at: n, method: '/work' })
  const { refused } = loop.seen
  await loop.run(loop.now + 500)
  const served = order[0].length + order[1].length
  assert.ok(served >= 35 && served <= 110, `${served} of 1 ms each, of a queue of 100 ms`)
  assert.equal(served + sum(refused), 200, 'every one is answered or refused')
  for (const each of order)
    assert.deepEqual(
      each,
      [...each].sort((a, b) => a - b),
    )
  assert.ok(Math.abs(order[0].length - order[1].length) <= 1, 'both alike')
})

it('a hint tells when there will be room', async () => {
  const loop = new Loop(1)
  loop.handler = burn(loop)
  await loop.load([10_000], 1)
  const { hints } = loop.seen
  assert.ok(hints.length > 0 && hints.every((hint) => hint > 0 && hint <= 100), String(Math.max(...hints)))
})

it('what waited longer than the queue allows is refused, not started', async () => {
  const loop = new Loop(1, { queueTimeout: 20, startConcurrency: 1, maxConcurrency: 1, minConcurrency: 1 })
  let started = 0
  loop.handler = async () => {
    started++
    await loop.wait(50)
  }
  loop.arrive({ session: 0, at: 0, method: '/work' })
  loop.arrive({ session: 0, at: 0, method: '/work' })
  assert.equal(loop.admission.load.queued, 1)
  await loop.run(200)
  assert.equal(started, 1)
  assert.deepEqual([...loop.seen.causes.keys()], [Refusals.Late])
  assert.equal(loop.sessions[0].running, 0)
})

it('a call whose caller gives up before its turn is refused at once, and one whose caller gave up meanwhile then', async () => {
  const loop = new Loop(1, { startConcurrency: 1, maxConcurrency: 1, minConcurrency: 1 })
  let started = 0
  loop.handler = async () => {
    started++
    await loop.wait(10)
  }
  for (let n = 0; n < 100; n++) {
    loop.arrive({ session: 0, at: 0, method: '/work' })
    await loop.run(loop.now + 11)
  }
  const before = started
  loop.arrive({ session: 0, at: 0, method: '/work' })
  loop.arrive({ session: 0, at: 0, method: '/work' }, loop.now + 5)
  assert.deepEqual([...loop.seen.causes], [[Refusals.Late, 1]], 'ten milliseconds are expected')
  loop.arrive({ session: 0, at: 0, method: '/work' }, loop.now + 15)
  loop.after(1, () => {
    loop.now += 15 // the loop stands still
  })
  await loop.run(loop.now + 100)
  assert.deepEqual([...loop.seen.causes], [[Refusals.Late, 2]])
  assert.equal(started, before + 1)
})

it('what is exempt never waits, is never refused and does not count', async () => {
  const loop = new Loop(1, { startConcurrency: 1, maxConcurrency: 1, minConcurrency: 1, maxQueued: 1, exempt: ['/health'] })
  loop.handler = () => loop.wait(10)
  for (let n = 0; n < 5; n++) loop.arrive({ session: 0, at: 0, method: '/work' })
  assert.deepEqual([loop.admission.load.running, loop.admission.load.queued, loop.seen.refused[0]], [1, 1, 3])
  let started = 0
  loop.handler = () => {
    started++
    return loop.wait(1000)
  }
  for (const method of ['/health', '/heartbeat', '/health']) loop.arrive({ session: 0, at: 0, method })
  assert.equal(started, 3)
  assert.equal(loop.admission.load.running, 1)
})

it('messages and their bytes are limited, and one session cannot take all the room', async () => {
  for (const options of [{ maxQueued: 10 }, { maxQueuedBytes: 1000 }]) {
    const loop = new Loop(2, { ...options, startConcurrency: 1, maxConcurrency: 1, minConcurrency: 1 })
    loop.handler = () => loop.wait(10)
    for (let n = 0; n < 50; n++) loop.arrive({ session: 0, at: 0, method: '/work' }, 0, MessageType.Call, 100)
    assert.equal(loop.admission.load.queued, 5, JSON.stringify(options))
    for (let n = 0; n < 50; n++) loop.arrive({ session: 1, at: 0, method: '/work' }, 0, MessageType.Call, 100)
    assert.ok(loop.admission.load.queued > 5 && loop.admission.load.queued <= 10, `${loop.admission.load.queued}`)
  }
})

it('a session that is gone, or has another connection, is not served any more', async () => {
  const loop = new Loop(2, { startConcurrency: 1, maxConcurrency: 1, minConcurrency: 1 })
  let started = 0
  loop.handler = async () => {
    started++
    await loop.wait(5)
  }
  for (const session of [0, 0, 1, 1]) loop.arrive({ session, at: 0, method: '/work' })
  assert.equal(loop.admission.load.queued, 3)
  loop.sessions[0].state = 'closed'
  loop.admission.forget(loop.sessions[0])
  assert.equal(loop.admission.load.queued, 2)
  loop.sessions[1].link = {}
  await loop.run(200)
  assert.equal(started, 1)
  assert.equal(loop.admission.load.queued, 0)
  assert.deepEqual(
    loop.sessions.map(({ running }) => running),
    [0, 0],
  )
})

it('names that a peer makes up leave nothing behind', () => {
  const loop = new Loop(1)
  for (let n = 0; n < 10_000; n++) loop.admission.handlerFinished(loop.admission.handlerStarted(`/made/up/${n}`))
  assert.equal(loop.admission.load.running, 0)
  assert.equal(loop.admission.routesKnown, 0)
})
