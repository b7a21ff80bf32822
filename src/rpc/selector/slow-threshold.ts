/** A node's mean latency in milliseconds; 0 before it has answered. */
interface Answering {
  readonly mean: number
}

/** Fewest nodes with a latency that a median is made of. */
const MIN_NODES = 3
/** Most nodes that are looked at. */
const MAX_NODES = 128
/** Milliseconds that no answer is called slow below. */
const MIN_SLOW = 10
/** Milliseconds that a threshold is used for. */
const INTERVAL = 100

/**
 * Tells slow answers by the median of the mean latencies of nodes that take the same calls. Only such nodes are
 * compared, because a node that serves other paths may be slower by its nature.
 */
export class SlowThreshold {
  readonly #nodes: readonly Answering[]
  #value = Infinity
  #validUntil = -Infinity

  constructor(nodes: readonly Answering[]) {
    this.#nodes = nodes
  }

  /** Whether an answer after `latency` milliseconds took more than `factor` times the median. */
  isExceeded(latency: number, factor: number, now: number): boolean {
    if (latency <= MIN_SLOW) return false
    if (now >= this.#validUntil) this.#measure(factor, now)
    if (latency <= this.#value) return false
    // Measured once more, because calls that are slow everywhere, such as a burst of one path, raise the median too.
    this.#measure(factor, now)
    return latency > this.#value
  }

  #measure(factor: number, now: number): void {
    const nodes = this.#nodes
    const step = Math.max(1, Math.floor(nodes.length / MAX_NODES))
    const latencies: number[] = []
    for (let i = 0; i < nodes.length; i += step) if (nodes[i].mean > 0) latencies.push(nodes[i].mean)
    latencies.sort((a, b) => a - b)
    this.#value = latencies.length < MIN_NODES ? Infinity : latencies[latencies.length >> 1] * factor
    this.#validUntil = now + INTERVAL
  }
}
