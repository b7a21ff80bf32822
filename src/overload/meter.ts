import type { LogFields } from '../base/log.ts'

/** A session, as a meter or tracer sees it. */
export interface MeteredSession {
  readonly id: string
  readonly remoteAddress: string
}

/** Counts of one route that is served, or of one service method that is called. */
export interface RouteCounts {
  /** Fields of log lines about the request, such as the id of its trace. */
  readonly logFields?: LogFields | undefined
  /**
   * Counts the end of a request or call.
   *
   * @param begun the `arrived` of the request, or what `Meter.calling` or `Meter.waiting` set
   * @param code status of the reply, or that the call failed with; 0 for OK
   * @param bytes size of the body sent; 0 for none
   * @param trace meta `traceparent` of the request, or one of its own span; undefined for none
   * @param session the session of a request; none for a call
   */
  ended(begun: number, code: number, bytes: number, trace: string | undefined, session?: MeteredSession): void
  /** Counts the body of a call that hooks delayed. */
  sized(bytes: number): void
  /** Counts the body of a reply that was received. */
  replied(bytes: number): void
  /** Forgets a call that has begun: it is made again, or now that it has waited. */
  retried(): void
}

/** Counts of the requests of one kind that one route serves. */
export interface ServedCounts extends RouteCounts {
  /** Whether they are calls. */
  readonly isCall: boolean
  /**
   * Counts a request that is about to be served or refused.
   *
   * @param bytes size of its body
   */
  arrive(bytes: number): void
}

/** A route, as a meter sees it. */
export interface MeteredRoute {
  readonly name: string
  /** Kept here by the meter, so that a request need not look it up. */
  counts: ServedCounts | null
}

/** A call that waits for a connection. */
export interface WaitingCall {
  readonly method: string
  counts?: RouteCounts | null
  /** Time at which it was made, by the meter; undefined without one. */
  begun?: number | undefined
}

/** A call that is measured. */
export interface MeteredCall {
  readonly method: string
  counts: RouteCounts | null
  begun: number
  /** The request with which the call is made again; null when it is made once. */
  readonly retryRequest?: { origin: unknown } | null
}

/**
 * Measures one or more endpoints (`dmicro/metrics`). What it is asked on the path of a message allocates nothing.
 *
 * Points in time are whole numbers of a unit of the meter's own.
 */
export interface Meter {
  /** The meter that this one hands all on to; null for none yet, undefined for a meter that hands on nothing. */
  inner?: Meter | null
  /** Returns the time at which the request that is received now arrived. */
  arrived(): number
  /** Returns the milliseconds since a point in time. */
  since(begun: number): number
  /**
   * Returns what counts a request.
   *
   * @param route undefined for a name without a route
   */
  countsOf(route: MeteredRoute | undefined, isCall: boolean): ServedCounts
  /**
   * Counts a call that was sent, or waits for its hooks: sets `counts` and `begun`.
   *
   * @param bytes size of its body; 0 for one that waits
   * @param begun `begun` of the call while it waited for a connection; undefined for one that did not wait
   * @param forwarded whether a peer chose its method
   */
  calling(call: MeteredCall, bytes: number, begun: number | undefined, forwarded: boolean): void
  /** Counts a call that begins to wait for a connection: sets `counts`, and `begun` where it is undefined. */
  waiting(call: WaitingCall, forwarded?: boolean): void
  /**
   * Counts a call that failed before it was sent.
   *
   * @param ms milliseconds since it was made
   */
  notCalled(method: string, code: number, ms: number, forwarded?: boolean): void
  /** Counts a PUSH that was sent. */
  pushed(method: string, bytes: number, forwarded: boolean): void
  /** Counts a PUSH that could not be sent. */
  notPushed(method: string, forwarded?: boolean): void
  /** Counts an attempt to reconnect. */
  redialled(success: boolean): void
  /**
   * Counts a session that was closed for good.
   *
   * @param reason a `CloseReason`
   */
  sessionClosed(reason: number): void
}

/**
 * Counts a request that is about to be served or refused; returns what counts its end.
 *
 * @param route undefined for a name without a route
 * @param bytes size of its body
 */
export function countReceived(meter: Meter, route: MeteredRoute | undefined, isCall: boolean, bytes: number): RouteCounts {
  let counts = route === undefined ? null : route.counts
  if (counts === null || counts.isCall !== isCall) counts = meter.countsOf(route, isCall)
  counts.arrive(bytes)
  return counts
}
