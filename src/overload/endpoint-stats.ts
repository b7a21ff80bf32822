/** Counters since the endpoint was made. */
export interface EndpointStats {
  accepted: number
  dialled: number
  closed: number
  /** Sessions closed because the peer broke the protocol or a limit. */
  violations: number
  /** Connections refused because of `limits.maxSessions`, `maxAddressSessions` or `maxConnectRate`. */
  refused: number
  /** CALLs answered 429 or 503 before they were started, because of a limit or overload protection. */
  refusedCalls: number
  /** PUSHes dropped by overload protection, or because their session closed while they waited for room. */
  droppedPushes: number
  /** CALLs and PUSHes that overload protection made wait for their turn. */
  queued: number
  /** Times that a session was not read for a while because of `limits.maxMessageRate`. */
  throttled: number
}

export function newStats(): EndpointStats {
  return { accepted: 0, dialled: 0, closed: 0, violations: 0, refused: 0, refusedCalls: 0, droppedPushes: 0, queued: 0, throttled: 0 }
}

/** How busy an endpoint with overload protection is now. */
export interface EndpointLoad {
  /** Handlers that have not settled, exempt ones apart. */
  running: number
  /** How many of them may run at once. */
  concurrency: number
  /** CALLs and PUSHes that wait for their turn. */
  queued: number
  /** Milliseconds that one more would wait, unless it had to wait for others of its own session. */
  wait: number
}
