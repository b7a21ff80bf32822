import type { Candidate } from './strategy.ts'

/** Fewest nodes with a latency that a median is made of. */
const MIN_NODES = 3
/** Most nodes that are looked at. */
const MAX_NODES = 128
/** Milliseconds that no answer is called slow below. */
const MIN_SLOW = 10

/** Latency in milliseconds above which an answer is slow, compared with all nodes of the service. */
export function slowLatency(candidates: readonly Candidate[], factor: number): number {
  const step = Math.max(1, Math.floor(candidates.length / MAX_NODES))
  const latencies: number[] = []
  for (let i = 0; i < candidates.length; i += step) if (candidates[i].latency > 0) latencies.push(candidates[i].latency)
  if (latencies.length < MIN_NODES) return Infinity
  latencies.sort((a, b) => a - b)
  return Math.max(MIN_SLOW, latencies[latencies.length >> 1] * factor)
}
