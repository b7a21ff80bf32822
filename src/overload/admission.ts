import { runInRoot, untouched } from '../base/async/root-context.ts'
import { immediate } from '../base/time/clock.ts'
import type { Incoming } from '../message/message.ts'
import type { Meta } from '../message/meta.ts'
import { findNameText, internName } from '../message/names.ts'
import { type Refusal, Refusals } from '../message/refusal.ts'
import { ConcurrencyLimit, RouteLatency } from './concurrency-limit.ts'
import { DrainRate } from './drain-rate.ts'
import type { EndpointLoad, EndpointStats } from './endpoint-stats.ts'
import { FairQueue, Lane } from './fair-queue.ts'
import { type LagClock, LoopLag } from './loop-lag.ts'
import { MeanCost } from './mean-cost.ts'
import { RouteWeights, Started } from './route-weight.ts'
import type { Overload } from './settings.ts'

/**
 * Milliseconds of handlers' work between two looks at the sockets. What is refused leaves before the next slice, so a refusal takes one of them
 * and what is read beside it, or as long as one handler that takes longer. Half of it would double what reading costs for each handler.
 */
const SLICE_MS = 1
/** Most messages of a turn that are started before the clock is looked at. */
const MAX_UNCHECKED = 16
/** Turns that start fewer tell nothing of what one costs: they do other things too. */
const MIN_SAMPLES = 8
/** Milliseconds that messages of a turn never take together which are light by themselves. */
const SLOW_MS = 10
/** Milliseconds that a message is taken to cost while nothing is known. */
const INITIAL_COST_MS = 0.02
/** Milliseconds over which sessions that had something waiting are counted. */
const LANE_WINDOW_MS = 50
/** It keeps sessions alive (`plugins/heartbeat.ts`). */
const HEARTBEAT = '/heartbeat'
/** Parts of `queueTimeout` that a message may be expected to wait: in a burst, and while an overload lasts, when a queue only adds to all waits. */
const BURST = 1 / 2
const STANDING = 1 / 5

/** What admission asks of a session. */
export interface AdmittedSession {
  readonly state: string
  /** The connection that it has now. */
  readonly link: object
  readonly requests: {
    wantsReply(link: never, seq: number): boolean
    isCanceled(seq: number): boolean
    handlerStarted(): void
    handlerFinished(): void
  }
  destroy(cause: string): void
}

/** A message that waits for its turn. */
interface Waiting<S> {
  readonly session: S
  /** Its own memory, undecoded. */
  readonly message: Incoming
  readonly meta: Meta
  readonly isCall: boolean
  /** When its caller gives up, 0 for never. */
  readonly expires: number
  readonly since: number
  /** The connection that brought it. */
  readonly link: object
}

/** A handler that runs, and what it is measured against. */
export interface Ticket {
  readonly route: RouteLatency
  /** Negative: exempt. */
  readonly began: number
}

/** What the dispatcher does with a message once it is decided. */
export interface AdmissionTarget<S> {
  start(session: S, message: Incoming, meta: Meta, isCall: boolean, expires: number): void
  /** @param retryAfter milliseconds */
  refuse(session: S, message: Incoming, isCall: boolean, refusal: Refusal, retryAfter: number): void
  /** Sends what this turn has produced so far: what comes next takes time. */
  flush(): void
}

/**
 * Overload protection of one endpoint: decides which messages are started at once, which wait, and which are refused before their bodies are
 * decoded.
 *
 * While handlers take less than a slice a turn, and fewer of them run than may, a message costs a few comparisons. Beyond that messages wait in a lane
 * per session and are started in slices, so that the loop goes on reading. One that is expected to wait too long is refused at once: the wait is
 * known from how fast the queue empties, whatever makes it slow. A session with nothing waiting is refused last.
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
  /** Of all whose names are not of this process: a peer may make up as many as it likes. */
  readonly #others = new RouteLatency()
  readonly #exemptNames: ReadonlySet<string>
  readonly #exemptRoutes: ReadonlySet<number>
  /** Messages that may still be started before the clock is looked at, and how many those are at first. */
  #unchecked = 1
  #step = 1
  /** By route: whose handler may take a slice by itself is started when the clock was looked at, and nothing behind it. */
  readonly #weights = new RouteWeights()
  /** What the turn, and what the slice that is on, has started. */
  readonly #turn = new Started(SLICE_MS, SLOW_MS, this.#weights)
  readonly #sliced = new Started(SLICE_MS, SLOW_MS, this.#weights)
  /** The turn is watched: since when, and how many messages it has started. */
  #watched = false
  #turnBegan = 0
  #started = 0
  /** What a message costs until its turn is over, with what its handler does behind promises. */
  readonly #cost = new MeanCost()
  /** Most messages that a turn may start. */
  #perTurn = MAX_UNCHECKED
  /** Messages started out of the queue: since the last slice was over, and when the one that is on began. */
  #served = 0
  #servedBefore = 0
  /** Those that the queue's rate has not been told of. */
  #unreported = 0
  #sliceBegan = 0
  /** This turn had its slice. */
  #spent = false
  /** A slice is on its way. */
  #armed = false
  /** When a message was refused last: the overload lasts. */
  #refusedAt = -Infinity
  #epoch = 0
  #epochBegan = 0
  /** Sessions that had something waiting in this epoch, and in the last. */
  #waited = 0
  #waitedBefore = 0
  /** How late the loop is, while handlers run. */
  readonly #lag: LoopLag

  constructor(options: Overload, stats: EndpointStats, to: AdmissionTarget<S>, clock: LagClock) {
    const { now } = clock
    this.#options = options
    this.#stats = stats
    this.#target = to
    this.#now = now
    this.#limit = new ConcurrencyLimit(options.minConcurrency, options.maxConcurrency, options.startConcurrency, now())
    this.#lag = new LoopLag(clock, (late) => {
      this.#limit.late(late)
      return this.#limit.running > 0
    })
    this.#exemptNames = new Set([HEARTBEAT, ...options.exempt])
    this.#exemptRoutes = new Set([...this.#exemptNames].map(internName))
  }

  get load(): EndpointLoad {
    const { length } = this.#queue
    const { value, running, open } = this.#limit
    return { running, concurrency: Math.floor(value), queued: length, wait: length === 0 && open ? 0 : (length + 1) * this.#perItem }
  }

  /** Routes that latencies are kept for. */
  get routesKnown(): number {
    return this.#routes.size
  }

  /**
   * True: the message is to be started now. False: it was refused, or waits and is started later.
   * @param expires when its caller gives up, in this clock's milliseconds; 0 when it never does, or did not say
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

  /** A handler did not settle at once; `ended` follows. */
  handlerStarted(method: string): Ticket {
    if (this.#exemptNames.has(method)) return exempt
    this.#limit.handlerStarted()
    const began = this.#now()
    this.#lag.watch(began)
    return { route: this.#routeOf(method), began }
  }

  handlerFinished({ route, began }: Ticket): void {
    if (began < 0) return
    const now = this.#now()
    this.#limit.handlerFinished(route, began, now)
    if (this.#queue.length === 0) return
    // The next one begins what it waits for at once, or all that run would end together, and begin together a turn later.
    if (this.#served < this.#perTurn && !this.#sliced.heavy && this.#limit.open) this.#serveNext(now)
    this.#arm()
  }

  /** The session is closed: nobody waits for what it asked. */
  forget(session: S): void {
    const lane = this.#lanes.get(session)
    if (lane === undefined) return
    this.#lanes.delete(session)
    for (let left = this.#queue.drop(lane).length; left > 0; left--) session.requests.handlerFinished()
  }

  /** Whether this turn may start more, by the clock. */
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
    if (now - this.#epochBegan >= LANE_WINDOW_MS) this.#nextEpoch(now)
    const size = sizeOf(message)
    const refusal = this.#refusalOf(lane, size, expires, now)
    if (refusal !== undefined) {
      this.#refusedAt = now
      this.#target.refuse(session, message, isCall, refusal, this.#ownWait(lane))
      return
    }
    if (this.#queue.length === 0) this.#rate.start(now)
    if (lane.mark !== this.#epoch) {
      lane.mark = this.#epoch
      this.#waited++
    }
    this.#queue.push(lane, { session, message: message.owned(), meta, isCall, expires, since: now, link: session.link }, size, now)
    this.#stats.queued++
    session.requests.handlerStarted() // a session that closes lets it have its turn first
    this.#arm()
  }

  /** Why one more of `lane` may not wait. */
  #refusalOf(lane: Lane<Waiting<S>>, size: number, expires: number, now: number): Refusal | undefined {
    const { queueTimeout, maxQueued, maxQueuedBytes } = this.#options
    const queue = this.#queue
    const lanes = this.#lanesNow
    if (queue.length >= maxQueued || queue.weight + size > maxQueuedBytes) return Refusals.Busy
    if (expires !== 0 && now + this.#ownWait(lane) >= expires) return Refusals.Late
    // Who has nothing waiting waits for a round, however much there is of others.
    const before = lane.size === 0 ? this.#ownWait(lane) : (queue.length + 1) * this.#perItem
    if (before > queueTimeout * BURST) return this.#reasonFor(lane)
    if (lane.size === 0) return undefined
    // Not less when little waits now: what others send meanwhile is served before it.
    const turns = (lane.size + 1) * lanes * this.#perItem
    if (turns > this.#room(now)) return this.#reasonFor(lane)
    // Where no time is known yet, room is shared.
    if (lane.size >= maxQueued / (lanes + 1) || lane.weight + size > maxQueuedBytes / (lanes + 1)) return this.#reasonFor(lane)
    return undefined
  }

  /** Milliseconds that those may be expected to wait that are not the first of their session. */
  #room(now: number): number {
    const { queueTimeout } = this.#options
    if (now - this.#refusedAt >= queueTimeout) return queueTimeout * BURST
    // As many as run, so that each that ends finds one to take its place.
    return Math.min(queueTimeout * BURST, Math.max(queueTimeout * STANDING, this.#limit.peak * this.#perItem))
  }

  /** Milliseconds that one more of `lane` would wait: all that is there, or what is served until its own have had their turns. */
  #ownWait(lane: Lane<Waiting<S>>): number {
    return Math.min(this.#queue.length + 1, (lane.size + 1) * this.#lanesNow) * this.#perItem
  }

  /** Milliseconds in which one leaves the queue: as seen, and as the handlers that run let expect, whichever is longer. */
  get #perItem(): number {
    const seen = this.#rate.perItem(this.#cost.each || INITIAL_COST_MS)
    return this.#limit.open ? seen : Math.max(seen, this.#limit.perItem)
  }

  /** Sessions that share what is served. Those with nothing at this moment count too, or the others' waits would be told too short. */
  get #lanesNow(): number {
    return Math.max(1, this.#queue.active, this.#waited, this.#waitedBefore)
  }

  /** A session with more than the mean is told that it is its own doing. */
  #reasonFor(lane: Lane<Waiting<S>>): Refusal {
    return lane.size * this.#queue.active > this.#queue.length ? Refusals.Share : Refusals.Busy
  }

  #nextEpoch(now: number): void {
    this.#waitedBefore = now - this.#epochBegan < 2 * LANE_WINDOW_MS ? this.#waited : 0
    this.#waited = 0
    this.#epoch++
    this.#epochBegan = now
  }

  /** The slice comes a turn later than the next reads, so that there is time for what those refuse. */
  #arm(): void {
    if (this.#armed) return
    this.#armed = true
    immediate(this.#scheduleSlice)
  }

  readonly #scheduleSlice = (): void => {
    immediate(this.#slice)
    immediate(this.#afterSlice)
  }

  readonly #slice = (): void => {
    this.#target.flush() // what was refused in this turn does not wait for it
    let now = this.#now()
    this.#sliceBegan = now
    this.#servedBefore = this.#served
    const end = now + SLICE_MS
    while (now < end && this.#served < this.#perTurn && !this.#sliced.heavy && this.#limit.open && this.#queue.length > 0)
      now = this.#serveNext(now)
    this.#rate.passed(this.#unreported, now)
    this.#unreported = 0
  }

  /** What the slice began has done what it could by now. */
  readonly #afterSlice = (): void => {
    const served = this.#served - this.#servedBefore
    const time = this.#now() - this.#sliceBegan
    if (served > 0) this.#learn(time, served)
    this.#sliced.end(time)
    this.#served = 0
    this.#armed = false
    if (this.#queue.length > 0 && this.#limit.open) this.#arm()
  }

  /** @returns the time it is then */
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

  /** Starts it, unless it is too late. */
  #serve({ session, message, meta, isCall, expires, since, link }: Waiting<S>, now: number): boolean {
    let starts = false
    try {
      // Whoever called on a connection that is lost knows it; a push is still wanted.
      if (session.state === 'closed' || (isCall && !session.requests.wantsReply(link as never, message.seq))) return false
      const late = now - since > this.#options.queueTimeout || (expires !== 0 && now >= expires)
      if (late || session.requests.isCanceled(message.seq)) {
        this.#target.refuse(session, message, isCall, Refusals.Late, (this.#queue.length + 1) * this.#perItem)
        return false
      }
      starts = true
      if (untouched) this.#target.start(session, message, meta, isCall, expires)
      else runInRoot(this.#target.start, this.#target, session, message, meta, isCall, expires)
    } catch (error) {
      // A bug of ours: it costs its own connection and no other, as in a transport.
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

const exempt: Ticket = { route: new RouteLatency(), began: -1 }

function sizeOf(message: Incoming): number {
  return message.bodyEnd - message.nameStart
}

const weightOf = ({ message }: Waiting<unknown>): number => sizeOf(message)
