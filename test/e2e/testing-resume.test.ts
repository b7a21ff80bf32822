import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { test } from 'node:test'
import { type CallContext, Endpoint, heartbeatPing, type PushContext, type Session, StatusError } from '../../src/index.ts'
import { TestNetwork } from '../../src/testing/index.ts'
import { once, status } from '../support/helpers.ts'
import { couple, network, on } from '../support/testing-network.ts'

const CLIENTS = 3
/** Longest time between two pushes of a stream, and between two calls of a client. */
const PUSH_PAUSE = 400
const CALL_PAUSE = 1500
/** Enough for all that goes wrong in a row; nothing is left of it in a run where sessions outlive everything. */
const PATIENCE = 300_000

interface Options {
  seed: string
  minutes: number
  /** Sessions end too: partitions outlast `resumeTimeout`, servers crash and are closed. */
  harsh?: boolean
  /** Whose pushes are forgotten early, so that gaps are told. */
  forgetful?: 'server' | 'client'
}

/** What a receiver saw of one sender, in order. `undefined` in a gap: nobody knows how many. */
type Seen = { push: number } | { gap: number | undefined } | { anew: true }

/** Numbered pushes of one sender. */
class Stream {
  readonly name: string
  sent = 0
  /** Pushes that were refused, and so never sent. */
  readonly refused = new Set<number>()
  /** Pushes that the sender was told may be lost. */
  toldLost = 0
  readonly seen: Seen[] = []
  /** Nothing is sent any more, as its session is gone: what was on its way may be lost if the receiver was told. */
  ended = false

  constructor(name: string) {
    this.name = name
  }

  /** @returns what is wrong, '' for nothing */
  check(): string {
    const lost: number[] = []
    let last = 0
    let told: number | undefined = 0
    for (const seen of this.seen) {
      if ('anew' in seen) {
        told = undefined
      } else if ('gap' in seen) {
        told = seen.gap === undefined || told === undefined ? undefined : told + seen.gap
      } else {
        const { push } = seen
        if (this.refused.has(push)) return `${this.name}: push ${push} came, though it was refused`
        if (push <= last) return `${this.name}: push ${push} came after ${last}`
        const missing = this.#between(last, push)
        if (told !== undefined && missing.length !== told)
          return `${this.name}: ${told} lost pushes were told, and ${missing.length} are missing between ${last} and ${push}`
        lost.push(...missing)
        last = push
        told = 0
      }
    }
    const rest = this.#between(last, this.sent + 1)
    if (rest.length > 0 && told !== undefined && told !== rest.length)
      return `${this.name}: the last that came is ${last} of ${this.sent}, ${told} were told to be lost`
    lost.push(...rest)
    if (!this.ended && lost.length > this.toldLost)
      return `${this.name}: ${lost.length} are lost, its sender was told of ${this.toldLost}: ${lost.slice(0, 20).join()}`
    return ''
  }

  #between(after: number, before: number): number[] {
    const found: number[] = []
    for (let n = after + 1; n < before; n++) if (!this.refused.has(n)) found.push(n)
    return found
  }
}

/** Minutes of virtual time in which connections fail, against a model of what holds for sessions that are resumed. */
class Resumes {
  readonly net: TestNetwork
  readonly #options: Options
  /** Of each client. */
  readonly #up: Stream[] = []
  /** Of each session of a server's that a client has joined. */
  readonly #down = new Map<Session, Stream>()
  readonly #streams: Stream[] = []
  /** Sessions in which a handler began, by call. */
  readonly #runs = new Map<number, Session[]>()
  /** The last session through which a client's pushes came. */
  readonly #through: (Session | undefined)[] = []
  readonly #problems: string[] = []
  #server: Endpoint | undefined
  #calls = 0
  #closes = 0
  #over = false
  answered = 0
  gaps = 0
  losses = 0
  pushes = 0

  constructor(options: Options) {
    this.#options = options
    this.net = new TestNetwork({ seed: options.seed })
  }

  async run(): Promise<void> {
    const { net } = this
    const limit = { limit: (this.#options.minutes + 20) * 60_000 }
    const sessions = await net.run(async () => {
      await this.#serve()
      return await Promise.all(Array.from({ length: CLIENTS }, (_, n) => this.#client(n)))
    }, limit)
    net.faults({
      delay: [0, 40],
      loss: 0.01,
      split: 0.2,
      stall: { chance: 0.005, ms: [10, 1000] },
      reset: 0.002,
      drop: 0.0005,
      halfClose: 0.0005,
    })
    const load = sessions.flatMap((session, n) => [this.#push(session, this.#up[n]), this.#callAll(session, n)])
    const chaos = this.#chaos()
    await net.advance(this.#options.minutes * 60_000)
    this.#over = true
    await net.run(chaos, limit)

    // Nothing goes wrong any more; who was left in the dark learns of it.
    net.faults({})
    net.heal()
    for (const link of net.links) if (link.dropped) link.reset()
    await net.run(Promise.all(load), limit)
    await net.run(Promise.all(sessions.map((session, n) => this.#join(session, n))), limit)
    // One more of each, so that what is missing before it shows.
    await net.run(Promise.all(sessions.map((session, n) => this.#pushOne(session, this.#up[n]))), limit)
    await net.run(
      Promise.all([...this.#down].map(([session, stream]) => session.state !== 'closed' && this.#pushOne(session, stream))),
      limit,
    )
    await net.advance(60_000)
    for (const stream of this.#streams) {
      const problem = stream.check()
      this.#require(problem === '', problem)
      this.pushes += stream.seen.length
    }
    for (const session of sessions) {
      this.#require(session.state === 'open', `a session is ${session.state}`)
      this.#require(session.pendingCalls === 0, 'calls are left in a session')
    }
    this.#require(this.#server?.sessionCount === CLIENTS, `${this.#server?.sessionCount} sessions are left`)
    if (this.#options.harsh !== true) {
      this.#require(this.#closes === 0, `${this.#closes} sessions were closed`)
      this.#require(this.#options.forgetful !== undefined || this.gaps === 0, `${this.gaps} gaps`)
    }
    await net.close()
    assert.deepEqual(this.#problems, [])
  }

  async #client(n: number): Promise<Session> {
    const { transport } = this.net.host(`client${n}`)
    const limits = this.#options.forgetful === 'client' ? { maxUnconfirmed: 2000 } : {}
    const client = new Endpoint({ transport, log: false, limits, dialTimeout: 3000, plugins: [heartbeatPing({ interval: 2000 })] })
    client.routePush('/n', ([name, number]: [string, number]) => {
      this.#streams.find((stream) => stream.name === name)?.seen.push({ push: number })
    })
    const session = await client.dial('tcp://server:1', { redial: true })
    const up = this.#newStream(`client ${n}`)
    this.#up.push(up)
    session.on('redialing', () => this.losses++)
    session.on('redialed', () => void this.#join(session, n))
    session.on('gap', (gap) => {
      this.gaps++
      up.toldLost += gap.sent
      for (const stream of this.#streams) if (stream.name.startsWith(`server to ${n} `)) stream.seen.push({ gap: gap.received })
    })
    session.on('close', () => this.#require(false, `client ${n} was closed`))
    await this.#join(session, n)
    await session.call('/join', n)
    return session
  }

  /** The server pushes to whoever has joined. */
  async #join(session: Session, n: number): Promise<void> {
    for (;;) {
      try {
        await session.call('/join', n, { timeout: 20_000 })
        return
      } catch (error) {
        this.#require(error instanceof StatusError && [102, 408, 503].includes(error.code), `join failed with ${String(error)}`)
        if (session.state === 'closed') return
        await this.net.sleep(100)
      }
    }
  }

  async #serve(): Promise<void> {
    const limits = this.#options.forgetful === 'server' ? { maxUnconfirmed: 2000 } : {}
    const server = new Endpoint({ transport: this.net.host('server').transport, log: false, limits })
    this.#server = server
    server.routeCall('/join', (n: number, ctx: CallContext) => {
      const session = ctx.session as Session
      if (this.#down.has(session)) return
      const stream = this.#newStream(`server to ${n} (${this.#down.size})`)
      this.#down.set(session, stream)
      session.on('gap', (gap) => {
        this.gaps++
        stream.toldLost += gap.sent
        this.#up[n]?.seen.push({ gap: gap.received })
      })
      session.on('close', () => {
        this.#closes++
        stream.ended = true
      })
      void this.#push(session, stream)
    })
    server.routeCall('/once', async ([id, wait]: [number, number], ctx: CallContext) => {
      const before = this.#runs.get(id)
      if (before === undefined) this.#runs.set(id, [ctx.session as Session])
      else before.push(ctx.session as Session)
      if (wait > 0) await this.net.sleep(wait)
      return id
    })
    server.routePush('/n', ([name, number]: [string, number], ctx: PushContext) => {
      const n = Number(name.split(' ')[1])
      if (this.#through[n] !== ctx.session) {
        // What another session knew is gone with it, and its peer was told.
        if (this.#through[n] !== undefined) this.#up[n].seen.push({ anew: true })
        this.#through[n] = ctx.session as Session
      }
      this.#up[n].seen.push({ push: number })
    })
    await server.listen('tcp://server:1')
  }

  #newStream(name: string): Stream {
    const stream = new Stream(name)
    this.#streams.push(stream)
    return stream
  }

  async #push(session: Session, stream: Stream): Promise<void> {
    const waiting: Promise<void>[] = []
    while (!this.#over && session.state !== 'closed') {
      for (let burst = this.#random(1, 4); burst >= 1; burst--) {
        waiting.push(this.#pushOne(session, stream))
      }
      await this.net.sleep(this.#random(0, PUSH_PAUSE))
    }
    await Promise.all(waiting)
  }

  async #pushOne(session: Session, stream: Stream): Promise<void> {
    const number = ++stream.sent
    try {
      await session.push('/n', [stream.name, number])
    } catch (error) {
      this.#require(error instanceof StatusError && [102, 408, 503].includes(error.code), `a push failed with ${String(error)}`)
      stream.refused.add(number)
    }
  }

  async #callAll(session: Session, n: number): Promise<void> {
    const all: Promise<void>[] = []
    while (!this.#over) {
      all.push(this.#call(session, n, this.#random(0, 1) < 0.7))
      await this.net.sleep(this.#random(0, CALL_PAUSE))
    }
    await Promise.all(all)
  }

  async #call(session: Session, n: number, idempotent: boolean): Promise<void> {
    const id = this.#calls++
    const wait = this.#random(0, 1) < 0.4 ? this.#random(0, 8000) : 0
    try {
      const reply = await session.call('/once', [id, wait], { timeout: idempotent ? PATIENCE : 10_000, idempotent })
      this.#require(reply === id, `call ${id} was answered ${String(reply)}`)
      this.#require(this.#runs.has(id), `call ${id} was answered and never ran`)
      this.answered++
    } catch (error) {
      const code = error instanceof StatusError ? error.code : -1
      const allowed = idempotent ? [] : [102, 408, 503]
      this.#require(allowed.includes(code), `${idempotent ? 'idempotent ' : ''}call ${id} of client ${n} failed with ${String(error)}`)
    }
    const runs = this.#runs.get(id) ?? []
    // A server that forgot the session may run it again, and so may one that forgot the reply.
    const once = idempotent && (this.#options.harsh === true || this.#options.forgetful === 'server') ? new Set(runs).size : 1
    if (this.#options.forgetful !== 'server' || !idempotent)
      this.#require(runs.length <= once, `call ${id} ran ${runs.length} times${idempotent ? ' with its key' : ''}`)
  }

  async #chaos(): Promise<void> {
    const { net } = this
    const { harsh = false } = this.#options
    while (!this.#over) {
      await net.sleep(this.#random(500, harsh ? 15_000 : 8000))
      const links = net.links.filter(({ open, dropped }) => open && !dropped)
      const link = links[Math.floor(this.#random(0, links.length))]
      const host = `client${Math.floor(this.#random(0, CLIENTS))}`
      const kind = Math.floor(this.#random(0, harsh ? 9 : 6))
      const length = this.#random(0, 6000)
      if (kind === 0) link?.reset()
      else if (kind === 1) link?.drop()
      else if (kind === 2) link?.stall([100, 5000])
      else if (kind === 3) link?.halfClose(this.#random(0, 2) < 1 ? link.server.host : link.client.host)
      else if (kind === 4) await this.#cut([host], length)
      else if (kind === 5) await this.#cut(this.#random(0, 2) < 1 ? [host, 'server'] : ['server', host], length)
      else if (kind === 6) await this.#cut([host], this.#random(10_000, 80_000))
      else if (kind === 7) {
        net.host('server').crash()
        await net.sleep(length)
        await this.#serve()
      } else {
        await this.#server?.close({ timeout: this.#random(0, 5000) })
        await net.sleep(length)
        await this.#serve()
      }
    }
  }

  /** One way between two hosts, or both ways of one. */
  async #cut([from, to]: string[], length: number): Promise<void> {
    this.net.partition(from, to, { oneWay: to !== undefined })
    await this.net.sleep(length)
    this.net.heal(from, to)
  }

  #random(min: number, max: number): number {
    return min + this.net.clock.random() * (max - min)
  }

  #require(holds: boolean, problem: string): void {
    if (!holds && this.#problems.length < 20) this.#problems.push(`${this.net.now.toFixed(3)}: ${problem}`)
  }
}

async function check(options: Options, report: (text: string) => void): Promise<Resumes> {
  const real = performance.now()
  const resumes = new Resumes(options)
  try {
    await resumes.run()
  } catch (error) {
    report(`DMICRO_TEST_SEED=${options.seed} does it again; the last of its trace:\n${resumes.net.trace.slice(-30).join('\n')}`)
    throw error
  }
  const { answered, gaps, losses, pushes } = resumes
  report(
    `${pushes} pushes, ${answered} calls answered, ${losses} losses, ${gaps} gaps, in ${((performance.now() - real) / 1000).toFixed(1)} s`,
  )
  return resumes
}

const seeds = process.env.DMICRO_TEST_SEED?.split(',') ?? ['1', '2']
const forms: [string, Omit<Options, 'seed'>][] = [
  ['sessions outlive all that happens to their connections: no push is lost, no idempotent call fails or runs twice', { minutes: 5 }],
  ['a server that keeps little tells of every push that it could not send again', { minutes: 4, forgetful: 'server' }],
  ['so does a client', { minutes: 4, forgetful: 'client' }],
  ['servers that forget, crash and are closed: each loss is told, each idempotent call answered', { minutes: 8, harsh: true }],
]

for (const [name, form] of forms) {
  for (const seed of seeds) {
    test(`${name}, seed ${seed}`, { timeout: 60_000 }, async (t) => {
      const { answered, gaps, losses, pushes } = await check({ ...form, seed }, (text) => t.diagnostic(text))
      assert.ok(losses > 10 && pushes > 1000 && answered > 100, 'too little happened')
      assert.ok(gaps > 0 || (form.harsh !== true && form.forgetful === undefined), 'no gap was told')
    })
  }
}

test('a run with resumed sessions repeats itself', { timeout: 60_000 }, async () => {
  const digests: string[] = []
  for (let n = 0; n < 2; n++) digests.push((await check({ seed: 'again', minutes: 1 }, () => {})).net.digest)
  assert.equal(digests[0], digests[1])
})

/** A server where the closed one was. */
async function serve(net: TestNetwork): Promise<Endpoint> {
  const server = on(net, 'server')
  server.routeCall('/echo', (value: unknown) => value)
  await net.run(() => server.listen('tcp://server:1'))
  return server
}

test('pushes behind the notice of a server that closes are told to be lost when the connection is reset', async (t) => {
  const net = network(t)
  const { server, client, session, peer } = await couple(net, { client: { redial: true } })
  client.routePush('/n', () => {})
  const begun = once()
  server.routeCall('/slow', () => {
    begun.resolve()
    return new Promise(() => {})
  })
  for (let n = 0; n < 3; n++) await net.run(session.call('/echo', n))
  void status(session.call('/slow'))
  await net.run(begun.promise)
  const draining = event(session, 'draining')
  void server.close({ timeout: 60_000 })
  await net.run(draining)
  net.faults({ delay: 1000 })
  await net.run(peer.push('/n', 1))
  net.links[0].reset()
  const gap = event(session, 'gap')
  await serve(net)
  assert.deepEqual(await net.run(gap), [{ sent: 0, received: undefined }])
})

test('a call that a closing server refused keeps its key: it runs once on the next one, and is answered after a loss', async (t) => {
  const net = network(t)
  const { server, session } = await couple(net, { client: { redial: true } })
  for (let n = 0; n < 3; n++) await net.run(session.call('/echo', n))
  const begun = once()
  server.routeCall('/slow', () => {
    begun.resolve()
    return new Promise(() => {})
  })
  void status(session.call('/slow'))
  await net.run(begun.promise)
  // Sent before the notice comes, refused behind it.
  net.faults({ delay: 100 })
  const closed = server.close({ timeout: 1000 })
  const answer = session.call('/once', null, { idempotent: true, timeout: 100_000 })
  await net.run(closed)
  const next = await serve(net)
  let runs = 0
  const running = once()
  const go = once()
  next.routeCall('/once', async () => {
    running.resolve()
    await go.promise
    return ++runs
  })
  await net.run(running.promise)
  // Others tell the server which calls are settled.
  await net.run(session.call('/echo', 1, { idempotent: true }))
  await net.run(session.call('/echo', 2, { idempotent: true }))
  const lost = event(session, 'redialing')
  net.links[0].reset()
  await net.run(lost)
  go.resolve()
  assert.equal(await net.run(answer), 1)
  assert.equal(runs, 1)
})
