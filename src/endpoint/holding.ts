import { runInRoot } from '../base/async/root-context.ts'
import { Queue } from '../base/collections/queue.ts'
import type { Limits } from '../base/limits.ts'
import { immediate } from '../base/time/clock.ts'
import type { Incoming } from '../message/message.ts'
import type { Meta } from '../message/meta.ts'
import type { SessionEngine } from '../session/engine.ts'
import type { HeldRequest, HeldRequests } from '../session/held-requests.ts'
import type { HandlerCounter } from './handler-counter.ts'

/** Maximum number of requests of one session that are started in a row, before other sessions get their turn. */
const SHARE = 128

const resolved = Promise.resolve()

/** Handles held requests when they are due. */
interface HeldTarget {
  /** Starts a request, or refuses a CALL when there is no capacity for it. */
  startHeld(session: SessionEngine, request: HeldRequest): void
  /** Handles a request that will not be started: its session or its connection is gone. */
  drop(session: SessionEngine, message: Incoming, isCall: boolean): void
}

/**
 * Holds requests of the sessions of one endpoint that may not be started yet. PUSHes wait until handlers finish,
 * because a PUSH cannot be refused with a reply; all requests of a session wait while too many replies to it are
 * unsent. Order is kept within a session: requests after a held one are held too.
 */
export class Holding {
  readonly #limits: Readonly<Limits>
  readonly #handlers: HandlerCounter
  readonly #target: HeldTarget
  /** Sessions whose first request waits until any handler of the endpoint finishes. */
  readonly #starved = new Queue<SessionEngine>()
  /** Bytes of held requests of closed sessions. */
  #orphans = 0

  constructor(limits: Readonly<Limits>, handlers: HandlerCounter, target: HeldTarget) {
    this.#limits = limits
    this.#handlers = handlers
    this.#target = target
  }

  /**
   * Holds a request.
   *
   * @param message borrowed
   */
  hold(session: SessionEngine, message: Incoming, meta: Meta, isCall: boolean, expires: number): void {
    const { held } = session.requests
    held.push({ message: message.owned(), meta, isCall, expires, link: session.link })
    session.requests.gated = true
    this.#limitReading(session, held)
    // A session without running handlers of its own must wait for a handler of another one.
    if (!held.needsDrain && !this.#hasRoom(session)) this.#await(session, held)
  }

  /** Starts held requests of `session` if it is possible now. */
  checkHeld(session: SessionEngine): void {
    const { held } = session.requests
    if (held.scheduled) return
    held.scheduled = true
    resolved.then(() => this.#check(session))
  }

  /**
   * Handles the end of a session. Its PUSHes are still handled, unless this side closed it.
   *
   * @param local whether this side closed it
   */
  forget(session: SessionEngine, local: boolean): void {
    const { held } = session.requests
    if (local || this.#orphans + held.bytes > this.#limits.maxUnsent) {
      for (let request = held.shift(); request !== undefined; request = held.shift()) {
        this.#target.drop(session, request.message, request.isCall)
      }
      session.requests.gated = false
      return
    }
    held.orphaned = true
    this.#orphans += held.bytes
    this.checkHeld(session)
  }

  #check(session: SessionEngine): void {
    const { held } = session.requests
    const { bytes } = held
    held.scheduled = false
    try {
      this.#startSome(session, held)
    } catch (error) {
      // A bug of dmicro costs its own connection and no other, as in a transport.
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
        immediate(() => this.checkHeld(session))
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
      if (unwanted) this.#target.drop(session, message, true)
      else runInRoot(this.#target.startHeld, this.#target, session, request)
    }
  }

  #hasRoom(session: SessionEngine): boolean {
    return session.requests.running < this.#limits.maxRunning && this.#handlers.running < this.#limits.maxEndpointRunning
  }

  /**
   * Waits for a handler to finish: one of this session, which checks held requests anyway, or one of another session.
   */
  #await(session: SessionEngine, held: HeldRequests): void {
    if (held.starved || session.requests.running >= this.#limits.maxRunning) return
    held.starved = true
    this.#starved.push(session)
    this.#handlers.onEnded = this.#onEnded
  }

  readonly #onEnded = (): void => {
    if (this.#handlers.running < this.#limits.maxEndpointRunning) this.#feed()
  }

  /** Gives the next session its turn that waits for a handler of the endpoint. */
  #feed(): void {
    const session = this.#starved.shift()
    if (session === undefined) return
    if (this.#starved.size === 0) this.#handlers.onEnded = null
    session.requests.held.starved = false
    this.checkHeld(session)
  }

  /**
   * Pauses reading when too much is held. While replies must drain, a session that has never called its peer is paused
   * at once, because it waits for no reply.
   */
  #limitReading(session: SessionEngine, held: HeldRequests): void {
    if (session.state === 'closed') return
    const limit = held.needsDrain && !session.calls.asks ? 0 : this.#limits.maxUnsent
    held.limitReading(limit, () => session.link.pauseReading())
  }
}
