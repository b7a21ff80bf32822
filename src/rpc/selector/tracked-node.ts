import type { Service, ServiceNode } from '../registry/registry.ts'
import { metadataOf } from './filters/filter.ts'
import { type HealthSettings, NodeHealth } from './health.ts'
import type { Candidate } from './strategy.ts'

/** Milliseconds after which an old latency has lost two thirds of its weight in the mean. */
const LATENCY_DECAY = 5_000
/** Weight of the newest latency in `mean`. */
const MEAN_WEIGHT = 0.2
/** Weight of the newest outcome in `success`. */
const OUTCOME_WEIGHT = 0.1
const MIN_WEIGHT = 0.001
const MAX_WEIGHT = 1_000
/** Smallest share of its weight that a starting node has. */
const FIRST_SHARE = 0.1

/** The one implementation of `Candidate`: its figures are written by the selector alone. */
export class TrackedNode implements Candidate {
  node: ServiceNode
  service: Service
  nominalWeight = 1
  weight = 1
  inFlight = 0
  picks = 0
  latency = 0
  /**
   * Mean of the last few latencies in milliseconds; 0 before the first answer. Unlike `latency`, whose peaks last for
   * seconds, it says soon after a stall of this process, which hits all nodes, what is usual.
   */
  mean = 0
  success = 1
  pickedAt = -Infinity
  readonly health: NodeHealth | undefined
  isEjected = false
  /** Time since which the node starts slowly; -Infinity when it does not. */
  startedAt = -Infinity
  /** Whether the node has left the registry. */
  isGone = false
  /** Kept here by the user of the selector, to find it without a look-up: a client keeps its sessions. */
  kept: unknown = undefined
  #sampledAt = -Infinity

  constructor(node: ServiceNode, service: Service, health: HealthSettings | undefined) {
    this.node = node
    this.service = service
    this.health = health && new NodeHealth(health)
    this.update(node, service)
  }

  /** Takes over a newer record of the same node. */
  update(node: ServiceNode, service: Service): void {
    this.node = node
    this.service = service
    const nominal = weightOf(this)
    if (nominal === this.nominalWeight) return
    this.weight *= nominal / this.nominalWeight
    this.nominalWeight = nominal
  }

  /** Reduces the weight: the node starts slowly from now on. */
  startSlowly(now: number): void {
    this.startedAt = now
    this.weight = this.nominalWeight * FIRST_SHARE
  }

  /**
   * Sets the weight of a node that starts slowly.
   * @returns whether it still does
   */
  grow(now: number, slowStart: number): boolean {
    const share = (now - this.startedAt) / slowStart
    this.weight = this.nominalWeight * Math.min(1, Math.max(FIRST_SHARE, share))
    if (share < 1) return true
    this.startedAt = -Infinity
    return false
  }

  /** Adds an answer to `latency` and `success`. */
  sample(failed: boolean, latency: number, now: number): void {
    this.success += ((failed ? 0 : 1) - this.success) * OUTCOME_WEIGHT
    // The last step to 1 is made, so that a node which never failed and one that failed long ago are equal.
    if (this.success > 0.999) this.success = 1
    // A node that fails fast is not a fast node; and a latency that is no number would spoil the mean forever.
    if (!(latency >= 0 && latency < Infinity) || (failed && (this.latency === 0 || latency < this.latency))) return
    this.mean = this.mean === 0 ? latency : this.mean + (latency - this.mean) * MEAN_WEIGHT
    // Answers that arrive together have one time.
    const decay = now === this.#sampledAt ? 1 : Math.exp((this.#sampledAt - now) / LATENCY_DECAY)
    this.#sampledAt = now
    // 0 stands for a node that has not answered.
    this.latency = Math.max(Number.EPSILON, latency > this.latency ? latency : latency + (this.latency - latency) * decay)
  }
}

/** Whether the node takes calls at all: its metadata `weight` is not 0. */
export function takesCalls(candidate: Candidate): boolean {
  return metadataWeight(candidate) !== 0
}

function weightOf(candidate: Candidate): number {
  const weight = metadataWeight(candidate)
  return weight > 0 && weight < Infinity ? Math.min(MAX_WEIGHT, Math.max(MIN_WEIGHT, weight)) : 1
}

function metadataWeight(candidate: Candidate): number {
  const text = metadataOf(candidate, 'weight')
  return text === undefined || text.trim() === '' ? 1 : Number(text)
}
