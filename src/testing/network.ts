import { AsyncResource } from 'node:async_hooks'
import { runInRoot } from '../base/async/root-context.ts'
import { flag, optionNames, requireOptions } from '../base/check-options.ts'
import type { Clock } from '../base/time/clock.ts'
import { type Faults, FaultTable, type Way } from './faults.ts'
import { TestHost, virtualClock } from './host.ts'
import { Link, type LinkEnd } from './link.ts'
import type { RunOptions, TestNetworkOptions } from './network-options.ts'
import { provideProtocols } from './protocols.ts'
import { seeded } from './random.ts'
import { Outside, settle } from './settle.ts'
import { Trace } from './trace.ts'
import { VirtualTime } from './virtual-time.ts'

const known = optionNames<TestNetworkOptions>({ seed: true, highWater: true, maxTrace: true })
const ofRun = optionNames<RunOptions>({ limit: true })
const ofPartition: ReadonlySet<string> = new Set(['oneWay'])
const ofWay = optionNames<Way>({ from: true, to: true })
const DEFAULT_HIGH_WATER = 64 * 1024
const DEFAULT_TRACE = 100_000
const DEFAULT_LIMIT = 3_600_000
const MAX_DURATION = 2 ** 31 - 1

/** Most events in one instant. More means that time stands still because two sides keep each other busy. */
const MAX_AT_ONCE = 1_000_000

/**
 * Hosts in memory, joined by connections, in a time that passes only on command. Everything above bytes is the code of
 * real connections. Faults are drawn from a generator: the same seed gives the same run. See docs/testing.md for what
 * cannot be virtual.
 *
 * @example
 * ```ts
 * const net = new TestNetwork({ seed: 1 })
 * const server = new Endpoint({ transport: net.host('server').transport })
 * const client = new Endpoint({ transport: net.host('client').transport })
 * net.faults({ delay: [5, 50], split: true })
 * await net.run(async () => {
 *   await server.listen('tcp://server:1')
 *   const session = await client.dial('tcp://server:1')
 *   await session.call('/echo', 'hi')
 * })
 * ```
 */
export class TestNetwork {
  /** The seed as text. */
  readonly seed: string
  /** The network's time, and a generator of random numbers for the test itself. */
  readonly clock: Clock
  readonly #time = new VirtualTime()
  readonly #hosts = new Map<string, TestHost>()
  readonly #links = new Set<Link>()
  readonly #faults = new FaultTable()
  /** Blocked directions, `from>to`, or the name of a host that is cut off from all. */
  readonly #cuts = new Set<string>()
  readonly #trace: Trace
  readonly #outside = new Outside()
  readonly #highWater: number
  #linksMade = 0
  /** Name of the method that lets time pass now; undefined when none does. */
  #driver: string | undefined
  #stopping = false
  #pumping: Promise<void> | undefined
  /** Number of events at the time `#instant`. */
  #steps = 0
  #instant = 0
  readonly #failures: unknown[] = []
  #closed = false

  /**
   * @param options default: seed 1, 64 KiB, 100,000 lines
   * @throws TypeError, RangeError for bad options
   */
  constructor(options: TestNetworkOptions = {}) {
    requireOptions('options', options, known)
    provideProtocols()
    const { seed = 1, highWater = DEFAULT_HIGH_WATER, maxTrace = DEFAULT_TRACE } = options
    if (typeof seed !== 'number' && typeof seed !== 'string')
      throw new TypeError(`option seed must be a number or a string, got ${typeof seed}`)
    this.seed = String(seed)
    this.#highWater = whole('highWater', highWater, 1)
    this.#trace = new Trace(whole('maxTrace', maxTrace, 0))
    const clock = virtualClock(this.#time, seeded(`${this.seed}/network`))
    // Timers of handlers and tests run in the async context they were set in, as Node's do.
    this.clock = Object.freeze({ ...clock, setTimeout: (run: () => void, ms: number) => clock.setTimeout(AsyncResource.bind(run), ms) })
  }

  /** Virtual milliseconds since the network was made. */
  get now(): number {
    return this.#time.now
  }

  /**
   * The host of this name, made at the first call.
   * @throws TypeError for an empty name
   */
  host(name: string): TestHost {
    if (typeof name !== 'string' || name === '') throw new TypeError('a host must have a name')
    let host = this.#hosts.get(name)
    if (host === undefined) {
      host = new TestHost(
        {
          seed: this.seed,
          time: this.#time,
          find: (asked) => this.#find(asked),
          newLink: (client, server) => this.#newLink(client, server),
          note: (text) => this.#note(text),
          links: () => this.links,
        },
        name,
      )
      this.#hosts.set(name, host)
    }
    return host
  }

  /** Connections that are open or being dialled, the oldest first. */
  get links(): readonly Link[] {
    return [...this.#links]
  }

  /**
   * Sets faults from now on. Replaces the faults set for the same direction; `{}` removes them. Where several
   * directions apply, faults that were set later win, field by field.
   * @param way from and to which hosts; default: everywhere
   * @throws TypeError, RangeError for bad faults
   * @throws TypeError for hosts that do not exist
   */
  faults(faults: Faults, way: Way = {}): void {
    requireOptions('way', way, ofWay)
    for (const name of [way.from, way.to]) if (name !== undefined) this.#require(name)
    this.#faults.set(faults, way)
  }

  /**
   * Blocks everything between `a` and `b`, or between `a` and all other hosts, until `heal`. Neither side is notified:
   * bytes wait, as TCP sends them again, and so do dials. Notifications of a reset are lost.
   * @param options.oneWay block only the direction from `a` to `b`; default false
   * @throws TypeError for hosts that do not exist
   */
  partition(a: string, b?: string, options: { oneWay?: boolean | undefined } = {}): void {
    requireOptions('options', options, ofPartition)
    const oneWay = flag('oneWay', options.oneWay, false)
    this.#require(a)
    if (b === undefined) {
      this.#cuts.add(a)
    } else {
      this.#require(b)
      this.#cuts.add(`${a}>${b}`)
      if (!oneWay) this.#cuts.add(`${b}>${a}`)
    }
    this.#note(`partition ${a} ${b ?? '*'}${oneWay ? ' one way' : ''}`)
  }

  /** Ends partitions: that between `a` and `b`, that of `partition(a)`, or all of them. */
  heal(a?: string, b?: string): void {
    if (a === undefined) {
      this.#cuts.clear()
    } else if (b === undefined) {
      this.#cuts.delete(a)
    } else {
      this.#cuts.delete(`${a}>${b}`)
      this.#cuts.delete(`${b}>${a}`)
    }
    this.#note(`heal ${a ?? '*'} ${b ?? '*'}`)
    for (const link of this.#links) link.unblock()
  }

  /** Events so far as lines: the time, the connection, what happened. The same run has the same lines. */
  get trace(): readonly string[] {
    return this.#trace.lines
  }

  /** A hash of the whole trace, including lines that are no longer kept. */
  get digest(): string {
    return this.#trace.digest
  }

  /**
   * Resolves after this many virtual milliseconds. Requires that `run`, `advance` or `start` lets time pass.
   * @throws RangeError for a bad duration
   */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#time.at(this.#time.now + milliseconds(ms), resolve))
  }

  /**
   * Stops virtual time until `work` has settled, for work that needs real time: files, other processes, timers of Node.
   * @returns the result of `work`
   */
  outside<T>(work: PromiseLike<T>): Promise<T> {
    return this.#outside.add(work)
  }

  /**
   * Lets this many virtual milliseconds pass, with all events in them.
   * @throws Error (rejects) when `run`, `advance` or `start` lets time pass already, or the network is closed
   * @throws the exception of a timer (rejects)
   */
  async advance(ms: number): Promise<void> {
    const length = milliseconds(ms)
    await this.#drive('advance', async () => {
      const end = this.#time.now + length
      await this.#settle()
      while ((this.#time.next ?? Number.POSITIVE_INFINITY) <= end && !this.#closed) await this.#step()
      this.#time.skipTo(end)
      await this.#settle()
    })
  }

  /**
   * Lets time pass as fast as possible until `work` has settled.
   * @param work a promise, or a function that returns one
   * @param options default: limit of one hour
   * @returns the result of `work`
   * @throws Error (rejects) with a report of what is open, when no event is left or the limit is reached; otherwise as
   *   `work` and `advance`
   */
  async run<T>(work: PromiseLike<T> | (() => PromiseLike<T> | T), options: RunOptions = {}): Promise<T> {
    requireOptions('options', options, ofRun)
    const { limit = DEFAULT_LIMIT } = options
    const end = this.#time.now + milliseconds(limit)
    return await this.#drive('run', async () => {
      let settled = false
      const promise = typeof work === 'function' ? (async () => await work())() : Promise.resolve(work)
      const onSettled = (): void => void (settled = true)
      promise.then(onSettled, onSettled)
      for (;;) {
        await this.#settle()
        if (settled) return await promise
        const { next } = this.#time
        if (this.#closed) throw new Error('the network was closed while run waited')
        if (next === undefined)
          throw new Error(`nothing is left that could happen, and what run waits for has not settled\n${this.report()}`)
        if (next > end) throw new Error(`what run waits for has not settled in ${limit} virtual ms\n${this.report()}`)
        await this.#step()
      }
    })
  }

  /**
   * Lets time pass until `stop`: whenever an instant has no work left, the next one begins. For code that cannot call
   * `run`.
   * @throws Error when `run`, `advance` or `start` lets time pass already, or the network is closed
   */
  start(): void {
    this.#begin('start')
    this.#stopping = false
    this.#pumping = this.#pump()
  }

  /**
   * Stops what `start` began. Resolves when time stands still.
   * @throws the exception of a timer (rejects)
   */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#time.onAdded?.()
    await this.#pumping
  }

  /** The state of the network as text: time, connections, partitions. */
  report(): string {
    const lines = [`at ${this.#time.now.toFixed(3)} ms, seed ${this.seed}, ${this.#time.size} timers`]
    for (const link of this.#links) lines.push(link.describe())
    if (this.#cuts.size > 0) lines.push(`cut: ${[...this.#cuts].join(', ')}`)
    return lines.join('\n')
  }

  /**
   * Closes the network: connections fail with ENETDOWN, listeners are gone, dials fail, and time stands still for good.
   * Endpoints that are left can then be closed without virtual time. Resolves when their sessions have been notified.
   */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#note('close')
    for (const host of this.#hosts.values()) host.end()
    for (const link of [...this.#links]) link.end()
    this.#time.clear()
    this.#time.onAdded?.()
    await settle(this.#outside)
    this.#time.clear()
  }

  /** Only one caller may let time pass: two would take turns in an unpredictable order. */
  async #drive<T>(name: string, run: () => Promise<T>): Promise<T> {
    this.#begin(name)
    try {
      return await run()
    } finally {
      this.#driver = undefined
    }
  }

  #begin(name: string): void {
    if (this.#closed) throw new Error('the network is closed')
    if (this.#driver !== undefined) throw new Error(`time passes already, by ${this.#driver}: wait by sleep`)
    this.#driver = name
  }

  async #pump(): Promise<void> {
    try {
      while (!this.#stopping && !this.#closed) {
        await this.#settle()
        if (this.#stopping) break
        if (this.#time.next === undefined) await this.#added()
        else await this.#step()
      }
    } finally {
      this.#driver = undefined
    }
  }

  async #step(): Promise<void> {
    runInRoot(this.#time.step, this.#time)
    const { now } = this.#time
    this.#steps = now === this.#instant ? this.#steps + 1 : 0
    this.#instant = now
    if (this.#steps > MAX_AT_ONCE) throw new Error(`time stands still: more than ${MAX_AT_ONCE} things happen at once\n${this.report()}`)
    await this.#settle()
  }

  async #settle(): Promise<void> {
    await settle(this.#outside)
    if (this.#failures.length > 0) throw this.#failures.shift()
  }

  async #added(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#time.onAdded = resolve
    })
    this.#time.onAdded = undefined
  }

  #find(name: string): TestHost {
    if (this.#closed) throw Object.assign(new Error('the network is closed'), { code: 'ENETDOWN' })
    const host = this.#hosts.get(name)
    if (host === undefined) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND', syscall: 'getaddrinfo' })
    return host
  }

  #require(name: string): void {
    if (!this.#hosts.has(name)) throw new TypeError(`there is no host ${JSON.stringify(name)}`)
  }

  #newLink(client: LinkEnd, server: LinkEnd): Link {
    const owner = {
      seed: this.seed,
      time: this.#time,
      faultTable: this.#faults,
      highWater: this.#highWater,
      cut: (from: string, to: string) =>
        this.#cuts.size > 0 && from !== to && (this.#cuts.has(from) || this.#cuts.has(to) || this.#cuts.has(`${from}>${to}`)),
      fail: (error: unknown) => void this.#failures.push(error),
      note: (text: string) => this.#note(text),
      onLinkClosed: (closed: Link) => void this.#links.delete(closed),
    }
    const link = new Link(owner, ++this.#linksMade, client, server)
    this.#links.add(link)
    return link
  }

  #note(text: string): void {
    this.#trace.add(this.#time.now, text)
  }
}

function milliseconds(ms: number): number {
  if (!(typeof ms === 'number' && ms >= 0 && ms <= MAX_DURATION))
    throw new RangeError(`time must be milliseconds from 0 to ${MAX_DURATION}, got ${String(ms)}`)
  return ms
}

function whole(name: string, value: number, min: number): number {
  if (!Number.isInteger(value) || value < min)
    throw new RangeError(`option ${name} must be a whole number, ${min} or more, got ${String(value)}`)
  return value
}
