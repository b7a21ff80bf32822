import type { Admission, Ticket } from '../overload/admission.ts'
import type { SessionEngine } from '../session/engine.ts'
import type { Context } from './context.ts'

/** Handlers that have not settled, of all sessions of an endpoint, also of those that are gone. */
export class HandlerCounter {
  running = 0
  /** Called whenever one ended, while somebody waits for that. */
  onEnded: (() => void) | null = null
  /** Overload protection, null when it is off. */
  readonly #admission: Admission<SessionEngine> | null

  constructor(admission: Admission<SessionEngine> | null) {
    this.#admission = admission
  }

  /** The handler of `ctx` did not settle at once; `ended` follows with what this returns. */
  handlerStarted(ctx: Context): Ticket | null {
    ctx.engine.requests.handlerStarted()
    this.running++
    return this.#admission === null ? null : this.#admission.handlerStarted(ctx.serviceMethod)
  }

  handlerFinished(ctx: Context, ticket: Ticket | null): void {
    this.running--
    ctx.engine.requests.handlerFinished()
    if (ticket !== null) this.#admission?.handlerFinished(ticket)
    if (this.onEnded !== null) this.onEnded()
  }
}
