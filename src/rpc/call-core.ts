import type { StatusError } from '../base/errors/status.ts'
import { markOf } from '../base/mark.ts'
import type { Clock } from '../base/time/clock.ts'
import type { Meter } from '../overload/meter.ts'
import type { Tracer } from '../session/tracer.ts'
import type { BreakerMap } from './broker/breaker-map.ts'
import type { RetryPolicy } from './broker/retry-policy.ts'
import type { NodeSessions } from './node-sessions.ts'
import type { Selector } from './selector/selector.ts'
import type { Candidate } from './selector/strategy.ts'

/** Counts of a client besides those of its policies. */
export interface RpcClientStats {
  /** Attempts on another node that the retry policy was not asked for: the node before was lost, closing or dead. */
  failovers: number
  /** Calls that no node could take. */
  unavailable: number
}

/** A call that waits, as its client sees it. */
export interface Waiting {
  /** Fails the call. */
  abandon(error: StatusError): void
}

/** Key of a client's engine, which users do not see. A symbol that every copy of this package finds. */
export const coreMark: unique symbol = markOf('client') as typeof coreMark

/** The engine behind an `RpcClient`. */
export function coreOf(client: { readonly [coreMark]: CallCore }): CallCore {
  return client[coreMark]
}

/** The client of a call, as the call sees it. */
export interface CallCore {
  readonly service: string
  readonly clock: Clock
  /** `now` of the clock, kept apart because it is read for each call. */
  readonly now: () => number
  /** Deadline of calls that name none. */
  readonly timeout: number
  /** Milliseconds that one attempt may take; 0 for as long as the call. */
  readonly attemptTimeout: number
  readonly selector: Selector
  readonly retry: RetryPolicy | undefined
  readonly breakers: BreakerMap | undefined
  readonly stats: RpcClientStats
  /** Calls between two attempts, or before the first: for a node, a session, or a delay to be over. */
  readonly waiting: Set<Waiting>
  readonly tracer: Tracer | null
  readonly meter: Meter | null
  /** Resolves when it is known which nodes there are. */
  discover(): Promise<unknown>
  /** Whether plugins have hooks of calls that need the context of the caller: then calls that are retried run in it. */
  readonly hooked: boolean
  readonly isClosed: boolean
  sessionsOf(candidate: Candidate): NodeSessions
  /** Whether there is an open session with the node. */
  isConnected(candidate: Candidate): boolean
}
