import type { CallScope } from '../base/async/call-context.ts'
import type { Incoming } from '../message/message.ts'
import type { Meta } from '../message/meta.ts'
import type { MeteredCall, MeteredSession, RouteCounts } from '../overload/meter.ts'

/** An async context with a span in it. Only the tracer knows what it is. */
export type TraceScope = unknown

/** Where a call that is made later, or again, belongs in its trace. Only the tracer knows what it is. */
export type CallOrigin = unknown

/** A route, as a tracer sees it. */
export interface TracedRoute {
  readonly name: string
  /** Whether its handler has returned a promise, so that its scope is needed for longer than the handler's call. */
  readonly isAsync: boolean
}

/** A request that is served, as its tracer sees it. */
export interface TracedRequest {
  /** The context in which hooks and the handler run. */
  readonly scope: TraceScope
  /**
   * Returns what counts the end of the request, which ends its span too.
   *
   * @param counts those of the meter; null without one
   */
  counted(counts: RouteCounts | null): RouteCounts | null
}

/** A call or push that is sent, as its tracer sees it. */
export interface TracedCall {
  /** The context in which its hooks run. */
  readonly scope: TraceScope
  /** Returns `meta` with what the peer continues the trace by. */
  addTo(meta: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>>
  /** Ends the span with `call`: replaces its `counts`, those of the meter or null. */
  begun(call: MeteredCall): void
  /** Ends the span of a push once it is sent: at once, or with `sent`. */
  pushed(sent: Promise<void> | undefined): void
  /** Ends the span of what failed before it was sent. */
  finished(code: number): void
}

/** A call of a client through all of its attempts, as its tracer sees it. */
export interface TracedAttempts {
  /** Whether `finished` is to be called. */
  readonly isRecorded: boolean
  /** The context of what the client does besides attempts: looking for nodes, dialling. */
  readonly scope: TraceScope
  /**
   * Returns the place of the next attempt.
   *
   * @param isHedge whether it is made beside one that has not ended
   */
  next(isHedge: boolean): CallOrigin
  /** Ends the span with the status code that the caller gets; 0 for OK. */
  finished(code: number): void
}

/** A part of a call that takes time. */
export type TracedStep = 'dial' | 'redial' | 'discover'

/**
 * Follows calls from process to process (`dmicro/tracing`). None of its methods may throw, apart from what `run` and
 * `step` call.
 */
export interface Tracer {
  /**
   * Begins the span of a request that is about to be served; returns null for one that is not followed.
   *
   * @param route undefined for none
   * @param message borrowed during the call
   */
  serving(session: MeteredSession, route: TracedRoute | undefined, message: Incoming, meta: Meta, isCall: boolean): TracedRequest | null
  /**
   * Begins the span of a call or push that is about to be sent; returns null for one that is not followed.
   *
   * @param origin undefined for one that is made now, for the first time
   */
  calling(session: MeteredSession, method: string, isCall: boolean, origin: CallOrigin): TracedCall | null
  /** Begins the span of a call by a service's name, above its attempts; returns null for one that is not followed. */
  attempting(service: string, method: string): TracedAttempts | null
  /**
   * Returns the origin of a call or push that begins to wait, whose span begins now.
   *
   * @param given as that of `calling`
   */
  origin(given: CallOrigin): CallOrigin
  /** Calls the handler of `request`, with its deadline, in the scope of the request. */
  runHandler<Arg, Call extends CallScope, Result>(
    request: TracedRequest,
    call: Call,
    handler: (arg: Arg, context: Call) => Result,
    arg: Arg,
  ): Result
  /** Calls `run` in `scope`. */
  run<This, Args extends unknown[], Result>(
    scope: TraceScope,
    run: (this: This, ...args: Args) => Result,
    self: This,
    ...args: Args
  ): Result
  /** Calls `run`, whose promise is a span of its own. */
  step<T>(step: TracedStep, target: string, run: () => Promise<T>): Promise<T>
}
