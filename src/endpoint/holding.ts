import { immediate } from '../base/time/clock.ts'
import type { EndpointStats } from '../overload/endpoint-stats.ts'
import type { HandlerCounter } from './handler-counter.ts'
import type { HeldRequest, HeldRequests } from '../session/held-requests.ts'
import type { Limits } from '../base/limits.ts'
import type { Incoming } from '../message/message.ts'
import type { Meta } from '../message/meta.ts'
import { Queue } from '../base/collections/queue.ts'
import { runInRoot } from '../base/async/root-context.ts'
import type { Session } from '../session/session.ts'

/** Requests of one session that are started in one go; then others have their turn. */
const SHARE = 128

const resolved = Promise.resolve()

/** What is done with a request when its time has come. */
export interface HeldTarget {
  /** Starts it, or refuses it if it is a CALL for which there is no room. */
  goOn(session: Session, request: HeldRequest): void
  /** It will not be started. */
  onDropped(session: Session): void
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
  readonly #starved = new Queue<Session>()
  /** Bytes that wait of sessions that are closed. */
  #orphans = 0

  constructor(limits: Readonly<Limits>, handlers: HandlerCounter, stats: EndpointStats, to: HeldTarget) {
    this.#limits = limits
    this.#handlers = handlers
    this.#stats = stats
    this.#to = to
  }

  /** Makes a request wait; `message` is borrowed. */
  hold(session: Session, message: Incoming, meta: Meta, isCall: boolean, expires: number): void {
    const { held } = session
    held.push({ message: message.owned(), meta, isCall, expires, epoch: session.epoch })
    session.gated = true
    this.#limitReading(session, held)
    // It waits for a handler to end: none of this session may run that could tell.
    if (!held.pressed && !this.#hasRoom(session)) this.#await(session, held)
  }

  /** What `session` has waiting may perhaps go on. */
  look(session: Session): void {
    const { held } = session
    if (held.scheduled) return
    held.scheduled = true
    resolved.then(() => this.#goOn(session))
  }

  /** The session is closed. Its PUSHes are still wanted, unless this side closed it. */
  forget(session: Session, local: boolean): void {
    const { held } = session
    if (local || this.#orphans + held.bytes > this.#limits.maxUnsent) {
      for (let request = held.shift(); request !== undefined; request = held.shift()) {
        if (request.isCall) continue
        this.#stats.droppedPushes++
        this.#to.onDropped(session)
      }
      session.gated = false
      return
    }
    held.orphaned = true
    this.#orphans += held.bytes
    this.look(session)
  }

  #goOn(session: Session): void {
    const { held } = session
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
    session.onHeld()
    this.#limitReading(session, held)
    if (this.#handlers.running < this.#limits.maxEndpointRunning) this.#feed()
  }

  #startSome(session: Session, held: HeldRequests): void {
    for (let share = SHARE; held.first !== undefined; share--) {
      if (share === 0) {
        immediate(() => this.look(session))
        return
      }
      const { isCall, epoch, message } = held.first
      const unwanted = isCall && (session.state === 'closed' || !session.wantsReply(epoch, message.seq))
      if (!unwanted && held.pressed) return
      if (!isCall && !this.#hasRoom(session)) {
        this.#await(session, held)
        return
      }
      const request = held.shift() as HeldRequest
      if (!unwanted) runInRoot(this.#to.goOn, this.#to, session, request)
    }
  }

  #hasRoom(session: Session): boolean {
    return session.running < this.#limits.maxRunning && this.#handlers.running < this.#limits.maxEndpointRunning
  }

  /** A handler must end: one of its own, which looks at what waits in any case, or one of another session. */
  #await(session: Session, held: HeldRequests): void {
    if (held.starved || session.running >= this.#limits.maxRunning) return
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
    session.held.starved = false
    this.look(session)
  }

  /** Who never called its peer waits for no reply: then nothing need be read for one. */
  #limitReading(session: Session, held: HeldRequests): void {
    if (session.state === 'closed') return
    const limit = held.pressed && !session.asks ? 0 : this.#limits.maxUnsent
    held.limitReading(limit, () => session.holdReading())
  }
}
