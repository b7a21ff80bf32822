import { runInRoot } from '../base/async/root-context.ts'
import { Queue } from '../base/collections/queue.ts'
import type { Limits } from '../base/limits.ts'
import { immediate } from '../base/time/clock.ts'
import type { Incoming } from '../message/message.ts'
import type { Meta } from '../message/meta.ts'
import type { EndpointStats } from '../overload/endpoint-stats.ts'
import type { SessionEngine } from '../session/engine.ts'
import type { HeldRequest, HeldRequests } from '../session/held-requests.ts'
import type { HandlerCounter } from './handler-counter.ts'

/** Requests of one session that are started in one go; then others have their turn. */
const SHARE = 128

const resolved = Promise.resolve()

/** What is done with a request when its time has come. */
export interface HeldTarget {
  /** Starts it, or refuses it if it is a CALL for which there is no room. */
  goOn(session: SessionEngine, request: HeldRequest): void
  /** It will not be started. */
  onDropped(session: SessionEngine): void
}

/**
 * Requests of one endpoint's sessions that may not be started yet. PUSHes wait until handlers end, since nobody could be told that they are refused, and
 * all wait while too many replies to their session are unsent. Order is kept within a session: what comes behind one that waits waits too.
 */
export class Holding {
  readonly #limits: Readonly<Limits>
  readonly #handlers: HandlerCounter
  readonly #stats: EndpointStats
  readonly #to: HeldTarget
  /** Sessions whose first request waits for any handler of the endpoint to end. */
  readonly #starved = new Queue<SessionEngine>()
  /** Bytes that wait of sessions that are closed. */
  #orphans = 0

  constructor(limits: Readonly<Limits>, handlers: HandlerCounter, stats: EndpointStats, to: HeldTarget) {
    this.#limits = limits
    this.#handlers = handlers
    this.#stats = stats
    this.#to = to
  }

  /** Makes a request wait; `message` is borrowed. */
  hold(session: SessionEngine, message: Incoming, meta: Meta, isCall: boolean, expires: number): void {
    const { held } = session.requests
    held.push({ message: message.owned(), meta, isCall, expires, link: session.link })
    session.requests.gated = true
    this.#limitReading(session, held)
    // It waits for a handler to end: none of this session may run that could tell.
    if (!held.needsDrain && !this.#hasRoom(session)) this.#await(session, held)
  }

  /** What `session` has waiting may perhaps go on. */
  look(session: SessionEngine): void {
    const { held } = session.requests
    if (held.scheduled) return
    held.scheduled = true
    resolved.then(() => this.#goOn(session))
  }

  /** The session is closed. Its PUSHes are still wanted, unless this side closed it. */
  forget(session: SessionEngine, local: boolean): void {
    const { held } = session.requests
    if (local || this.#orphans + held.bytes > this.#limits.maxUnsent) {
      for (let request = held.shift(); request !== undefined; request = held.shift()) {
        if (request.isCall) continue
        this.#stats.droppedPushes++
        this.#to.onDropped(session)
      }
      session.requests.gated = false
      return
    }
    held.orphaned = true
    this.#orphans += held.bytes
    this.look(session)
  }

  #goOn(session: SessionEngine): void {
    const { held } = session.requests
    const { bytes } = held
    held.scheduled = false
    try {
      this.#startSome(session, held)
    } catch (error) {
      // A bug of ours: it costs its own connection and no other, as in a transport.
      process.emitWarning(error instanceof Error ? error : new Error(`a message failed: ${String(error)}`))
      session.destroy('a message failed')
    }
    if (held.orphaned) this.#orphans -= bytes - held.bytes
    session.requests.onHeld()
    this.#limitReading(session, held)
    if (this.#handlers.running < this.#limits.maxEndpointRunning) this.#feed()
  }

  #startSome(session: SessionEngine, held: HeldRequests): void {
    for (let share = SHARE; held.first !== undefined; share--) {
      if (share === 0) {
        immediate(() => this.look(session))
        return
      }
      const { isCall, link, message } = held.first
      const unwanted = isCall && (session.state === 'closed' || !session.requests.wantsReply(link, message.seq))
      if (!unwanted && held.needsDrain) return
      if (!isCall && !this.#hasRoom(session)) {
        this.#await(session, held)
        return
      }
      const request = held.shift() as HeldRequest
      if (!unwanted) runInRoot(this.#to.goOn, this.#to, session, request)
    }
  }

  #hasRoom(session: SessionEngine): boolean {
    return session.requests.running < this.#limits.maxRunning && this.#handlers.running < this.#limits.maxEndpointRunning
  }

  /** A handler must end: one of its own, which looks at what waits in any case, or one of another session. */
  #await(session: SessionEngine, held: HeldRequests): void {
    if (held.starved || session.requests.running >= this.#limits.maxRunning) return
    held.starved = true
    this.#starved.push(session)
    this.#handlers.onEnded = this.#onEnded
  }

  readonly #onEnded = (): void => {
    if (this.#handlers.running < this.#limits.maxEndpointRunning) this.#feed()
  }

  /** The next one that waits for a handler of the endpoint has its turn. */
  #feed(): void {
    const session = this.#starved.shift()
    if (session === undefined) return
    if (this.#starved.size === 0) this.#handlers.onEnded = null
    session.requests.held.starved = false
    this.look(session)
  }

  /** Who never called its peer waits for no reply: then nothing need be read for one. */
  #limitReading(session: SessionEngine, held: HeldRequests): void {
    if (session.state === 'closed') return
    const limit = held.needsDrain && !session.calls.asks ? 0 : this.#limits.maxUnsent
    held.limitReading(limit, () => session.link.pauseReading())
  }
}
