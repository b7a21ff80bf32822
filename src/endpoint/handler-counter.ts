import type { Admission } from '../overload/admission.ts'
import type { Ticket } from '../overload/concurrency-limit.ts'
import type { SessionEngine } from '../session/engine.ts'
import type { Context } from './context.ts'

/** Counts handlers of all sessions of an endpoint that have not settled, also of closed sessions. */
export class HandlerCounter {
  /** Number of handlers that have not settled. */
  running = 0
  /** Called when a handler finishes, while held requests wait for that; null otherwise. */
  onEnded: (() => void) | null = null
  /** Overload protection; null when it is off. */
  readonly #admission: Admission<SessionEngine> | null

  constructor(admission: Admission<SessionEngine> | null) {
    this.#admission = admission
  }

  /**
   * Counts the handler of `ctx`, which did not settle at once.
   *
   * @returns the argument for `handlerFinished`
   */
  handlerStarted(ctx: Context): Ticket | null {
    ctx.engine.requests.handlerStarted()
    this.running++
    return this.#admission === null ? null : this.#admission.handlerStarted(ctx.serviceMethod)
  }

  /** Counts a handler that has settled. */
  handlerFinished(ctx: Context, ticket: Ticket | null): void {
    this.running--
    ctx.engine.requests.handlerFinished()
    if (ticket !== null) this.#admission?.handlerFinished(ticket)
    if (this.onEnded !== null) this.onEnded()
  }
}
