import type { Service, ServiceNode } from '../registry/registry.js'

/** A node that may take the next call, with what is known of it. The selector keeps one for as long as the node is registered. */
export interface Candidate {
  readonly node: ServiceNode
  readonly service: Pick<Service, 'name' | 'version' | 'metadata'>
  /** Its share of the calls: the node's metadata `weight` (default 1), less while it starts slowly. Above 0. */
  readonly weight: number
  /** Calls that it has not answered yet. */
  readonly inFlight: number
  /** Exponentially weighted mean of its answers' latency, in milliseconds; 0 before the first one. */
  readonly latency: number
}

/** What is known of the call that a node is picked for. */
export interface PickContext {
  /** The route, as `/math/add`. */
  readonly path: string
  /** The affinity key of the call, for consistent hashing. */
  readonly key: string | undefined
}

/** How the next node is picked; one small object each, `name` as in `strategy: 'p2c'`. */
export interface Strategy {
  readonly name: string
  /** One of `candidates`, which are at least one. The same array comes again as long as nothing changed, so that what is made of it can be kept. */
  pick(candidates: readonly Candidate[], call: PickContext): Candidate
}
