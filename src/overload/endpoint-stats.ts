/** Counters since the endpoint was made. */
export interface EndpointStats {
  /** Number of sessions accepted. */
  accepted: number
  /** Number of connections dialled, reconnects included. */
  dialled: number
  /** Number of sessions that were closed for good. */
  closed: number
  /** Number of sessions closed because the peer violated the protocol or a limit. */
  violations: number
  /** Number of connections refused because of `limits.maxSessions`, `maxAddressSessions` or `maxConnectRate`. */
  refused: number
  /** Number of CALLs answered 429 or 503 before they were started, because of a limit or overload protection. */
  refusedCalls: number
  /**
   * Number of PUSHes dropped by overload protection, or because their session was closed while they waited for
   * capacity.
   */
  droppedPushes: number
  /** Number of CALLs and PUSHes that overload protection queued. */
  queued: number
  /** Number of times that a session was not read for a while because of `limits.maxMessageRate`. */
  throttled: number
}

/** Counters that are all 0. */
export function newStats(): EndpointStats {
  return { accepted: 0, dialled: 0, closed: 0, violations: 0, refused: 0, refusedCalls: 0, droppedPushes: 0, queued: 0, throttled: 0 }
}

/** Load of an endpoint with overload protection. */
export interface EndpointLoad {
  /** Number of handlers that have not settled, without exempt ones. */
  running: number
  /** Number of handlers that may run at once. */
  concurrency: number
  /** Number of CALLs and PUSHes that wait for their turn. */
  queued: number
  /** Milliseconds that one more message would wait, not counting earlier ones of its own session. */
  wait: number
}
