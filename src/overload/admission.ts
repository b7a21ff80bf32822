import { runInRoot, untouched } from '../base/async/root-context.ts'
import { immediate } from '../base/time/clock.ts'
import type { Incoming } from '../message/message.ts'
import type { Meta } from '../message/meta.ts'
import { findNameText, internName } from '../message/names.ts'
import { type Refusal, Refusals } from '../message/refusal.ts'
import { type AdmissionTarget, type AdmittedSession, sizeOf, type Waiting, weightOf } from './admitted.ts'
import { ConcurrencyLimit, exempt, RouteLatency, type Ticket } from './concurrency-limit.ts'
import { DrainRate } from './drain-rate.ts'
import type { EndpointLoad, EndpointStats } from './endpoint-stats.ts'
import { FairQueue, Lane } from './fair-queue.ts'
import { type LagClock, LoopLag } from './loop-lag.ts'
import { MeanCost } from './mean-cost.ts'
import { RouteWeights, Started } from './route-weight.ts'
import type { Overload } from './settings.ts'

/**
 * Milliseconds of handlers' work between two reads of the sockets. Refusals are sent before the next slice, so a
 * refusal takes one slice and what is read beside it, or as long as a single longer handler. Half of this would double
 * the cost of reading per handler.
 */
const SLICE_MS = 1
/** Maximum number of messages started in a turn before the clock is read. */
const MAX_UNCHECKED = 16
/** A turn that started fewer messages says nothing about the cost of one, because it does other work too. */
const MIN_SAMPLES = 8
/** Milliseconds that the messages of a turn never take together if each of them is light. */
const SLOW_MS = 10
/** Cost of a message in milliseconds that is assumed before one was measured. */
const INITIAL_COST_MS = 0.02
/** Length in milliseconds of the window in which lanes with waiting messages are counted. */
const LANE_WINDOW_MS = 50
/** Service method of heartbeats (plugins/heartbeat.ts), which are exempt because they keep sessions alive. */
const HEARTBEAT = '/heartbeat'
/**
 * Parts of `queueTimeout` that a message may be expected to wait: in a burst, and while an overload lasts, when a
 * longer queue only makes all wait longer.
 */
const BURST = 1 / 2
const STANDING = 1 / 5

/**
 * Overload protection of one endpoint: decides which messages start at once, which wait, and which are refused before
 * their bodies are decoded.
 *
 * While handlers take less than a slice per turn, and fewer run than the limit, a message costs a few comparisons.
 * Above that, messages wait in one lane per session and are started in slices, so that the event loop keeps reading. A
 * message that is expected to wait too long is refused at once; the expected wait follows from the rate at which the
 * queue drains, whatever limits that. A session with nothing waiting is refused last.
 */
export class Admission<S extends AdmittedSession> {
  readonly #options: Overload
  readonly #stats: EndpointStats
  readonly #target: AdmissionTarget<S>
  readonly #now: () => number
  readonly #limit: ConcurrencyLimit
  readonly #queue = new FairQueue<Waiting<S>>()
  readonly #rate = new DrainRate()
  readonly #lanes = new WeakMap<S, Lane<Waiting<S>>>()
  readonly #routes = new Map<string, RouteLatency>()
  /** Latency of all routes whose names this process does not know, because a peer may send any number of names. */
  readonly #others = new RouteLatency()
  readonly #exemptNames: ReadonlySet<string>
  readonly #exemptRoutes: ReadonlySet<number>
  /** Number of messages that may still be started before the clock is read, and its initial value. */
  #unchecked = 1
  #step = 1
  /**
   * Weights by route. A heavy message, whose handler may take a whole slice, starts only when the clock was just read,
   * and nothing starts after it.
   */
  readonly #weights = new RouteWeights()
  /** The messages that this turn, and the current slice, has started. */
  readonly #turn = new Started(SLICE_MS, SLOW_MS, this.#weights)
  readonly #sliced = new Started(SLICE_MS, SLOW_MS, this.#weights)
  /** Whether this turn is timed; since when; and how many messages it has started. */
  #watched = false
  #turnBegan = 0
  #started = 0
  /** Mean cost of a message until the end of its turn, including continuations of its handler after promises. */
  readonly #cost = new MeanCost()
  /** Maximum number of messages that a turn may start. */
  #perTurn = MAX_UNCHECKED
  /** Messages started from the queue since the last slice ended, and that number when the current slice began. */
  #served = 0
  #servedBefore = 0
  /** Messages that left the queue but are not reported to `#rate` yet. */
  #unreported = 0
  #sliceBegan = 0
  /** Whether this turn has had its slice. */
  #spent = false
  /** Whether a slice is scheduled. */
  #scheduled = false
  /** Time when a message was last refused. The overload lasts for `queueTimeout` after it. */
  #refusedAt = -Infinity
  #window = 0
  #windowBegan = 0
  /** Lanes that had something waiting in this window, and in the one before. */
  #waited = 0
  #waitedBefore = 0
  /** Measures how late the event loop is while handlers run. */
  readonly #lag: LoopLag

  constructor(options: Overload, stats: EndpointStats, target: AdmissionTarget<S>, clock: LagClock) {
    const { now } = clock
    this.#options = options
    this.#stats = stats
    this.#target = target
    this.#now = now
    this.#limit = new ConcurrencyLimit(options.minConcurrency, options.maxConcurrency, options.startConcurrency, now())
    this.#lag = new LoopLag(clock, (late) => {
      this.#limit.late(late)
      return this.#limit.running > 0
    })
    this.#exemptNames = new Set([HEARTBEAT, ...options.exempt])
    this.#exemptRoutes = new Set([...this.#exemptNames].map(internName))
  }

  /** State for `Endpoint.load`. */
  get load(): EndpointLoad {
    const { length } = this.#queue
    const { value, running, open } = this.#limit
    return { running, concurrency: Math.floor(value), queued: length, wait: length === 0 && open ? 0 : (length + 1) * this.#perItem }
  }

  /** Number of routes whose latency is measured. */
  get routesKnown(): number {
    return this.#routes.size
  }

  /**
   * Decides about a message.
   *
   * @param message borrowed
   * @param expires the caller's deadline by the clock; 0 for none or unknown
   * @returns true when the message must be started now; false when it was refused, or waits and is started later
   */
  admit(session: S, message: Incoming, meta: Meta, isCall: boolean, expires: number): boolean {
    if (this.#queue.length === 0 && !this.#spent && this.#limit.open) {
      const weight = this.#weights.of(message.route)
      if ((--this.#unchecked > 0 && !weight.heavy && !this.#turn.heavy) || this.#inTime()) {
        this.#turn.add(weight)
        return true
      }
    }
    if (this.#exemptRoutes.has(message.route)) return true
    this.#wait(session, message, meta, isCall, expires)
    return false
  }

  /**
   * Counts a handler that did not settle at once.
   *
   * @returns the ticket for `handlerFinished`
   */
  handlerStarted(method: string): Ticket {
    if (this.#exemptNames.has(method)) return exempt
    this.#limit.handlerStarted()
    const began = this.#now()
    this.#lag.watch(began)
    return { route: this.#routeOf(method), began }
  }

  /** Counts a handler that has settled, and starts a waiting message in its place. */
  handlerFinished({ route, began }: Ticket): void {
    if (began < 0) return
    const now = this.#now()
    this.#limit.handlerFinished(route, began, now)
    if (this.#queue.length === 0) return
    // Start one queued message per finished handler. Otherwise all running handlers would finish in one turn and start
    // in the next, in lockstep.
    if (this.#served < this.#perTurn && !this.#sliced.heavy && this.#limit.open) this.#serveNext(now)
    this.#schedule()
  }

  /** Forgets a closed session and its waiting messages. */
  forget(session: S): void {
    const lane = this.#lanes.get(session)
    if (lane === undefined) return
    this.#lanes.delete(session)
    for (const { message, isCall } of this.#queue.drop(lane)) {
      this.#target.drop(session, message, isCall)
      session.requests.handlerFinished()
    }
  }

  /** Whether this turn may start another message, by the clock. */
  #inTime(): boolean {
    const now = this.#now()
    if (!this.#watched) {
      this.#watched = true
      this.#turnBegan = now
      this.#started = 1
      this.#unchecked = this.#step
      immediate(this.#endTurn)
      return true
    }
    if (now - this.#turnBegan < SLICE_MS && this.#started < this.#perTurn && !this.#turn.heavy) {
      this.#started += this.#step - Math.max(0, this.#unchecked)
      this.#unchecked = this.#step
      return true
    }
    this.#spent = true
    return false
  }

  readonly #endTurn = (): void => {
    const started = this.#started + this.#step - Math.max(0, this.#unchecked)
    const time = this.#now() - this.#turnBegan
    this.#turn.end(time)
    if (started >= MIN_SAMPLES) this.#learn(time, started)
    else this.#step = Math.min(MAX_UNCHECKED, this.#step * 2, Math.max(1, Math.floor((SLICE_MS * started) / (4 * time))))
    this.#unchecked = this.#step
    this.#watched = false
    this.#spent = false
  }

  #learn(time: number, started: number): void {
    this.#cost.add(time, started)
    this.#perTurn = this.#cost.fit(SLICE_MS)
    this.#step = Math.min(MAX_UNCHECKED, this.#cost.fit(SLICE_MS / 4))
  }

  #wait(session: S, message: Incoming, meta: Meta, isCall: boolean, expires: number): void {
    const now = this.#now()
    let lane = this.#lanes.get(session)
    if (lane === undefined) this.#lanes.set(session, (lane = new Lane<Waiting<S>>()))
    this.#limit.noteQueueing()
    if (now - this.#windowBegan >= LANE_WINDOW_MS) this.#nextWindow(now)
    const size = sizeOf(message)
    const refusal = this.#refusalOf(lane, size, expires, now)
    if (refusal !== undefined) {
      this.#refusedAt = now
      this.#target.refuse(session, message, isCall, refusal, this.#ownWait(lane))
      return
    }
    if (this.#queue.length === 0) this.#rate.start(now)
    if (lane.mark !== this.#window) {
      lane.mark = this.#window
      this.#waited++
    }
    this.#queue.push(lane, { session, message: message.owned(), meta, isCall, expires, since: now, link: session.link }, size, now)
    this.#stats.queued++
    session.requests.handlerStarted() // a session that closes waits for it
    this.#schedule()
  }

  /** Why another message of `lane` must be refused; undefined when it may wait. */
  #refusalOf(lane: Lane<Waiting<S>>, size: number, expires: number, now: number): Refusal | undefined {
    const { queueTimeout, maxQueued, maxQueuedBytes } = this.#options
    const queue = this.#queue
    const lanes = this.#lanesNow
    if (queue.length >= maxQueued || queue.weight + size > maxQueuedBytes) return Refusals.Busy
    if (expires !== 0 && now + this.#ownWait(lane) >= expires) return Refusals.Late
    // A lane with nothing waiting waits for one round, however much others have waiting.
    const before = lane.size === 0 ? this.#ownWait(lane) : (queue.length + 1) * this.#perItem
    if (before > queueTimeout * BURST) return this.#reasonFor(lane)
    if (lane.size === 0) return undefined
    // Other lanes count even if they have little waiting now, because what they receive meanwhile is served before it.
    const turns = (lane.size + 1) * lanes * this.#perItem
    if (turns > this.#room(now)) return this.#reasonFor(lane)
    // While no time is known, the room is shared.
    if (lane.size >= maxQueued / (lanes + 1) || lane.weight + size > maxQueuedBytes / (lanes + 1)) return this.#reasonFor(lane)
    return undefined
  }

  /** Expected wait in milliseconds up to which messages are accepted that are not the first of their lane. */
  #room(now: number): number {
    const { queueTimeout } = this.#options
    if (now - this.#refusedAt >= queueTimeout) return queueTimeout * BURST
    // Room for as many as run, so that each handler that finishes has a successor.
    return Math.min(queueTimeout * BURST, Math.max(queueTimeout * STANDING, this.#limit.peak * this.#perItem))
  }

  /**
   * Expected wait of another message of `lane` in milliseconds: until all that wait are served, or until its own lane
   * has had that many turns, whichever is less.
   */
  #ownWait(lane: Lane<Waiting<S>>): number {
    return Math.min(this.#queue.length + 1, (lane.size + 1) * this.#lanesNow) * this.#perItem
  }

  /**
   * Milliseconds between two messages that leave the queue: as measured, or as the running handlers suggest, whichever
   * is longer.
   */
  get #perItem(): number {
    const seen = this.#rate.perItem(this.#cost.each || INITIAL_COST_MS)
    return this.#limit.open ? seen : Math.max(seen, this.#limit.perItem)
  }

  /**
   * Number of lanes that share the capacity. Lanes that are empty only now count too, because otherwise the expected
   * waits would be too short.
   */
  get #lanesNow(): number {
    return Math.max(1, this.#queue.active, this.#waited, this.#waitedBefore)
  }

  /** The reason to refuse a message: a lane with more than the mean learns that its own load is the cause. */
  #reasonFor(lane: Lane<Waiting<S>>): Refusal {
    return lane.size * this.#queue.active > this.#queue.length ? Refusals.Share : Refusals.Busy
  }

  #nextWindow(now: number): void {
    this.#waitedBefore = now - this.#windowBegan < 2 * LANE_WINDOW_MS ? this.#waited : 0
    this.#waited = 0
    this.#window++
    this.#windowBegan = now
  }

  /** Schedules a slice after the next reads, so that there is time for the refusals of those. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    immediate(this.#scheduleSlice)
  }

  readonly #scheduleSlice = (): void => {
    immediate(this.#slice)
    immediate(this.#afterSlice)
  }

  readonly #slice = (): void => {
    this.#target.flush() // refusals of this turn are sent before the slice
    let now = this.#now()
    this.#sliceBegan = now
    this.#servedBefore = this.#served
    const end = now + SLICE_MS
    while (now < end && this.#served < this.#perTurn && !this.#sliced.heavy && this.#limit.open && this.#queue.length > 0)
      now = this.#serveNext(now)
    this.#rate.passed(this.#unreported, now)
    this.#unreported = 0
  }

  /** Runs after the slice's handlers and their microtasks, so the elapsed time is their true cost. */
  readonly #afterSlice = (): void => {
    const served = this.#served - this.#servedBefore
    const time = this.#now() - this.#sliceBegan
    if (served > 0) this.#learn(time, served)
    this.#sliced.end(time)
    this.#served = 0
    this.#scheduled = false
    if (this.#queue.length > 0 && this.#limit.open) this.#schedule()
  }

  /**
   * Takes the next message from the queue and serves it.
   *
   * @returns the time afterwards
   */
  #serveNext(now: number): number {
    const waiting = this.#queue.take(weightOf, now)
    if (waiting === undefined || !this.#serve(waiting, now)) return now
    this.#sliced.add(this.#weights.of(waiting.message.route))
    this.#served++
    this.#unreported++
    const over = this.#now()
    this.#queue.charge(over - now, over)
    return over
  }

  /**
   * Starts a message, or refuses it if it is too late.
   *
   * @returns whether it was started
   */
  #serve({ session, message, meta, isCall, expires, since, link }: Waiting<S>, now: number): boolean {
    let starts = false
    try {
      const late = now - since > this.#options.queueTimeout || (expires !== 0 && now >= expires)
      // The caller already got 102 when its connection was lost. A push must still be handled.
      if (session.state === 'closed' || (isCall && !session.requests.wantsReply(link as never, message.seq)))
        this.#target.drop(session, message, isCall)
      else if (late || session.requests.isCanceled(message.seq))
        this.#target.refuse(session, message, isCall, Refusals.Late, (this.#queue.length + 1) * this.#perItem)
      else {
        starts = true
        if (untouched) this.#target.start(session, message, meta, isCall, expires)
        else runInRoot(this.#target.start, this.#target, session, message, meta, isCall, expires)
      }
    } catch (error) {
      // A bug of dmicro costs its own connection and no other, as in a transport.
      process.emitWarning(error instanceof Error ? error : new Error(`a message failed: ${String(error)}`))
      session.destroy('a message failed')
    } finally {
      session.requests.handlerFinished()
    }
    return starts
  }

  #routeOf(method: string): RouteLatency {
    const known = this.#routes.get(method)
    if (known !== undefined) return known
    if (findNameText(method) < 0) return this.#others
    const route = new RouteLatency()
    this.#routes.set(method, route)
    return route
  }
}
