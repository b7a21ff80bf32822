import { type Clock, realClock } from '../../../base/time/clock.ts'
import type { Candidate, Strategy } from '../strategy.ts'
import { p2c } from './p2c.ts'

/** Factor by which the calls in flight of a node may exceed its share. */
const BOUND = 1.25

/**
 * Calls with the same key go to the same node: the one with the highest score of key and node (rendezvous hashing).
 * When a node leaves, only its own keys move, evenly to all others. When it returns, they return, a few at a time while
 * it starts slowly. A node with more than 1.25 times its share of the calls in flight passes keys on to their next best
 * node. Calls without a key are picked as by `p2c`. A pick looks at every node.
 */
export function consistentHash(clock: Pick<Clock, 'random'> = realClock): Strategy {
  const hashes = new WeakMap<readonly Candidate[], Uint32Array>()
  const keyless = p2c(clock)
  return {
    name: 'consistentHash',
    pick(candidates, call) {
      if (call.key === undefined) return keyless.pick(candidates, call)
      let ids = hashes.get(candidates)
      if (ids === undefined) hashes.set(candidates, (ids = Uint32Array.from(candidates, ({ node }) => hashOf(node.id))))
      return highest(candidates, ids, hashOf(call.key))
    },
  }
}

function highest(candidates: readonly Candidate[], ids: Uint32Array, key: number): Candidate {
  let calls = 1
  let weights = 0
  for (const { inFlight, weight } of candidates) {
    calls += inFlight
    weights += weight
  }
  const perWeight = (BOUND * calls) / weights
  let best = candidates[0]
  let bestHash = -1
  let least = Infinity
  for (let i = 0; i < ids.length; i++) {
    const candidate = candidates[i]
    const { weight } = candidate
    if (candidate.inFlight >= Math.ceil(perWeight * weight)) continue
    const hash = mix(key ^ ids[i])
    if (hash <= bestHash && weight === best.weight) continue
    // The least of exponential variables with the weights as rates: each node wins as often as its weight says.
    const score = -Math.log((hash + 1) / 2 ** 32) / weight
    if (score < least) {
      least = score
      best = candidate
      bestHash = hash
    }
  }
  return best
}

/** FNV-1a of the UTF-16 units, finished so that texts which differ in one letter have unrelated hashes. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return mix(hash)
}

/** A bijection of 32-bit words in which every bit of the input changes half of the output's (murmur3's finisher). */
function mix(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
  return (word ^ (word >>> 16)) >>> 0
}
