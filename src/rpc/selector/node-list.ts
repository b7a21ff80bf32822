import type { NodeFilter } from './filters/filter.ts'
import { SlowThreshold } from './slow-threshold.ts'
import { type TrackedNode, takesCalls } from './tracked-node.ts'

/** Leaves out nodes whose metadata `weight` is 0, by which an operator drains them. */
const drained: NodeFilter = { name: 'weight above 0', filter: (candidates) => candidates.filter(takesCalls) }

/** The nodes that calls of one path may go to, until something about the nodes changes. */
export class NodeList {
  /** Nodes that all filters left. */
  readonly all: readonly TrackedNode[]
  /** Nodes of `all` that are picked from; `all` itself in a panic. */
  readonly usable: readonly TrackedNode[]
  /** Nodes of `all` that get probes alone; none in a panic, when they get calls as all others. */
  readonly ejected: readonly TrackedNode[]
  /** Name of the filter that left no node; '' when there is none. */
  readonly emptiedBy: string
  /** Latency above which an answer is slow for nodes of `all`. */
  readonly slow: SlowThreshold
  #probeAt: number

  /**
   * @param panicThreshold share of the nodes below which ejections are ignored
   * @param emptiedBy name of the filter that left no `nodes` before; '' where there are some
   */
  constructor(nodes: readonly TrackedNode[], filters: readonly NodeFilter[], path: string, panicThreshold: number, emptiedBy = '') {
    let left = nodes
    for (const filter of [drained, ...filters]) {
      if (left.length === 0) break
      left = filter.filter(left, { path }) as readonly TrackedNode[]
      if (left.length === 0) emptiedBy = filter.name
    }
    const well = left.filter(({ isEjected }) => !isEjected)
    const isPanic = well.length < Math.max(1, left.length * panicThreshold)
    this.all = left
    this.slow = new SlowThreshold(left)
    this.emptiedBy = emptiedBy
    this.usable = isPanic || well.length === left.length ? left : well
    this.ejected = isPanic ? [] : left.filter(({ isEjected }) => isEjected)
    this.#probeAt = this.#nextProbe()
  }

  /** A node that a probe is due for, unless it is excluded. */
  probe(now: number, exclude: readonly unknown[] | undefined): TrackedNode | undefined {
    if (now < this.#probeAt) return undefined
    const due = this.ejected.find((node) => now >= (node.health?.probeAt ?? Infinity) && exclude?.includes(node) !== true)
    due?.health?.probeSent(now)
    this.#probeAt = this.#nextProbe()
    return due
  }

  #nextProbe(): number {
    return this.ejected.reduce((first, { health }) => Math.min(first, health?.probeAt ?? Infinity), Infinity)
  }
}
