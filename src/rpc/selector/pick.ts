import type { NodeFilter } from './filters/filter.ts'
import type { SlowThreshold } from './slow-threshold.ts'
import type { Candidate, Strategy } from './strategy.ts'
import type { TrackedNode } from './tracked-node.ts'

/** The call that a node is picked for. */
export interface PickOptions {
  /** The route of the call, as `/math/add`. */
  readonly path: string
  /**
   * Affinity key of the call, for consistent hashing.
   * @default none
   */
  readonly key?: string | undefined
  /**
   * Nodes that must not be picked, such as those that a retried call failed on.
   * @default none
   */
  readonly exclude?: readonly Candidate[] | undefined
  /**
   * Strategy for this call alone.
   * @default the selector's
   */
  readonly strategy?: Strategy | undefined
  /**
   * Filters for this call alone, after the selector's. Their results are not kept.
   * @default none
   */
  readonly filters?: readonly NodeFilter[] | undefined
}

/** Receives the end of each call that a node was picked for. */
export interface PickOwner {
  /**
   * @param latency milliseconds; undefined when the call says nothing about the node
   * @param now by the selector's clock, where it is known
   */
  onDone(pick: NodePick, failed: boolean, latency: number | undefined, now?: number): void
}

/** Stands for the latency since the pick, so that a caller need not ask for the time again. */
export const SINCE_PICK = Number.NEGATIVE_INFINITY

/** A node picked for one call. `done` or `cancel` must follow, because until then the call counts as in flight. */
export class NodePick {
  /** The node to call. */
  readonly candidate: Candidate
  /**
   * Time of the pick by the selector's clock.
   * @internal
   */
  readonly pickedAt: number
  /**
   * Compares the answer with those of other nodes; undefined where the call is not like those of other nodes.
   * @internal
   */
  readonly slow: SlowThreshold | undefined
  /**
   * Whether the node was ejected when it was picked: for a probe, or because too few others were left.
   * @internal
   */
  readonly wasEjected: boolean
  // One object is made per call: fields are `private`, not `#`, because initializing a `#` field costs a call each.
  private readonly owner: PickOwner
  private readonly probe: boolean
  private isOpen: boolean

  /** @internal */
  constructor(node: TrackedNode, owner: PickOwner, pickedAt: number, slow: SlowThreshold | undefined, isProbe: boolean) {
    this.candidate = node
    this.pickedAt = pickedAt
    this.slow = slow
    this.wasEjected = node.isEjected
    this.owner = owner
    this.probe = isProbe
    this.isOpen = true
    node.inFlight++
    node.picks++
    node.pickedAt = pickedAt
  }

  /**
   * Whether the node is ejected and this call shows whether it is well again. A caller that must not fail may send
   * another call elsewhere at the same time.
   */
  get isProbe(): boolean {
    return this.probe
  }

  /**
   * Reports the end of the call. Only the first report of a pick counts.
   *
   * @param failed whether the node is to blame: it could not be dialled, lost the connection, did not answer in time,
   *   or refused because of overload. A status that the application gave is no failure.
   * @param latency milliseconds from sending to the answer, or to the failure. Default: since the pick.
   * @param now by the selector's clock, for a caller that knows it
   */
  done(failed: boolean, latency: number = SINCE_PICK, now?: number): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.owner.onDone(this, failed, latency, now)
  }

  /** Ends a call that says nothing about the node: it was not sent, or its caller gave up. */
  cancel(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.owner.onDone(this, false, undefined)
  }
}
