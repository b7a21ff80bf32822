import type { Service, ServiceNode } from '../registry/registry.ts'

/**
 * A node that may take the next call, with what is known of it. The selector keeps the same object for as long as the
 * node is registered under this id and address, through all snapshots of the registry.
 */
export interface Candidate {
  /** The node as the registry has it now. */
  readonly node: ServiceNode
  /** The service and version that the node belongs to. */
  readonly service: Pick<Service, 'name' | 'version' | 'metadata'>
  /** The node's share of the calls: metadata `weight`, from 0.001 to 1,000; 1 where it is missing or unreadable. */
  readonly nominalWeight: number
  /** `nominalWeight`, or less while the node starts slowly. Above 0. */
  readonly weight: number
  /** Number of calls that the node has not answered yet. */
  readonly inFlight: number
  /** Number of calls that the node was picked for. */
  readonly picks?: number
  /**
   * Exponentially weighted mean of the answers' latency in milliseconds. A latency above the mean replaces it at once
   * (peak). 0 before the first answer.
   */
  readonly latency: number
  /** Moving mean of the outcomes: 1 while all calls succeed, 0 when all fail. 1 before the first answer. */
  readonly success: number
  /** Time of the last pick by the selector's clock; -Infinity before the first one. */
  readonly pickedAt: number
  /** Whether the node failed too often and gets nothing but probes until one succeeds. */
  readonly isEjected: boolean
}

/** The call that a node is picked for. Borrowed until `pick` or `filter` returns. */
export interface PickContext {
  /** The route, as `/math/add`. */
  readonly path: string
  /** The affinity key of the call, for consistent hashing. */
  readonly key: string | undefined
  /** Time of the pick by the selector's clock, in milliseconds. */
  readonly now: number
}

/** How the next node is picked; one small object each, `name` as in `strategy: 'p2c'`. */
export interface Strategy {
  /** Name for logs and errors. */
  readonly name: string
  /**
   * Picks one of `candidates`, which are at least two. The same array comes again as long as nothing changed, so that
   * what is computed from it can be kept (in a `WeakMap`). One strategy serves all services of a selector.
   */
  pick(candidates: readonly Candidate[], call: PickContext): Candidate
}
