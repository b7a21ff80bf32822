/** Counters of what a registry has met. They only grow. */
export interface EtcdStats {
  /** Connections with servers that came about. */
  readonly connects: number
  /** Values that were no records of services, and were left out. */
  readonly malformed: number
  /** Times that a watch read everything again, because changes were no longer to be had one by one. */
  readonly resyncs: number
  /** Reads that were answered by one server alone, because the servers had no leader. */
  readonly staleReads: number
  /** Times that a node was written again, because etcd had forgotten it. */
  readonly rewrites: number
}

/** The counters of `EtcdStats`, as long as they are counted. */
export class Counters {
  malformed = 0
  resyncs = 0
  staleReads = 0
  rewrites = 0
}
