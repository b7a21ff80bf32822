import { type Clock, realClock } from '../../../base/time/clock.ts'
import type { Candidate, Strategy } from '../strategy.ts'
import { p2c } from './p2c.ts'

/** Factor by which the calls in flight of a node may exceed its share. */
const BOUND = 1.25
/** Keys are hashed to 2 to the power of this many slots, each of which has its node. */
const SLOT_BITS = 18
/** Most nodes of which a pick looks at every one. */
const MAX_SCAN = 32
/** Most nodes that a slot's node is remembered among, as two bytes. */
const MAX_KEPT = 0xffff - 1

/** A list of nodes with what was computed from it. */
interface Ring {
  /** Hashes of the nodes' ids. */
  readonly ids: Uint32Array
  /** Index of the node of each slot, plus 1; 0 while it is not known. Undefined where a pick looks at every node. */
  nodes: Uint16Array | undefined
  /** Whether there was a pick before: a list without the nodes that one call failed on is used once. */
  isUsed: boolean
  /** Calls in flight and weights of all nodes, as they were some picks ago, and the calls since. */
  calls: number
  weights: number
  /** Picks until they are summed up again. */
  left: number
}

/**
 * Calls with the same key go to the same node: the one with the highest score of key and node (rendezvous hashing).
 * When a node leaves, only its own keys move, evenly to all others. When it returns, they return, a few at a time while
 * it starts slowly. A node with more than 1.25 times its share of the calls in flight passes keys on to their next best
 * node. Calls without a key are picked as by `p2c`. A pick looks at every node of a small service; of more than 32
 * nodes the best one of each slot of keys is remembered.
 */
export function consistentHash(clock: Pick<Clock, 'random'> = realClock): Strategy {
  const rings = new WeakMap<readonly Candidate[], Ring>()
  const keyless = p2c(clock)
  return {
    name: 'consistentHash',
    pick(candidates, call) {
      if (call.key === undefined) return keyless.pick(candidates, call)
      let ring = rings.get(candidates)
      if (ring === undefined) rings.set(candidates, (ring = ringOf(candidates)))
      const slot = hashOf(call.key) >>> (32 - SLOT_BITS)
      const { length } = candidates
      if (ring.isUsed && ring.nodes === undefined && length > MAX_SCAN && length <= MAX_KEPT) ring.nodes = new Uint16Array(2 ** SLOT_BITS)
      ring.isUsed = true
      return ring.nodes === undefined ? highest(candidates, ring.ids, slot) : kept(candidates, ring, ring.nodes, slot)
    },
  }
}

function ringOf(candidates: readonly Candidate[]): Ring {
  const ids = Uint32Array.from(candidates, ({ node }) => hashOf(node.id))
  return { ids, nodes: undefined, isUsed: false, calls: 0, weights: 0, left: 0 }
}

/** The node of a slot, as it is remembered, or the next best one where that has its share of the calls. */
function kept(candidates: readonly Candidate[], ring: Ring, nodes: Uint16Array, slot: number): Candidate {
  if (--ring.left < 0) sumUp(candidates, ring, nodes)
  ring.calls++
  if (nodes[slot] === 0) nodes[slot] = best(candidates, ring.ids, slot, Infinity) + 1
  const candidate = candidates[nodes[slot] - 1]
  const share = Math.ceil(((BOUND * ring.calls) / ring.weights) * candidate.weight)
  return candidate.inFlight < share ? candidate : highest(candidates, ring.ids, slot)
}

/** Sums up calls and weights. Other weights are those of nodes that start slowly, which changes the nodes of slots. */
function sumUp(candidates: readonly Candidate[], ring: Ring, nodes: Uint16Array): void {
  const { weights } = ring
  ring.calls = ring.weights = 0
  for (const { inFlight, weight } of candidates) {
    ring.calls += inFlight
    ring.weights += weight
  }
  if (ring.weights !== weights) nodes.fill(0)
  ring.left = candidates.length >> 4
}

function highest(candidates: readonly Candidate[], ids: Uint32Array, slot: number): Candidate {
  let calls = 1
  let weights = 0
  for (const { inFlight, weight } of candidates) {
    calls += inFlight
    weights += weight
  }
  return candidates[best(candidates, ids, slot, (BOUND * calls) / weights)]
}

/**
 * Index of the node with the highest score.
 * @param perWeight calls in flight for each unit of weight with which a node is passed over
 */
function best(candidates: readonly Candidate[], ids: Uint32Array, slot: number, perWeight: number): number {
  let found = 0
  let foundHash = -1
  let foundWeight = 0
  let least = Infinity
  for (let i = 0; i < ids.length; i++) {
    const candidate = candidates[i]
    const { weight } = candidate
    if (candidate.inFlight >= Math.ceil(perWeight * weight)) continue
    const hash = mix(slot ^ ids[i])
    if (hash <= foundHash && weight === foundWeight) continue
    // The least of exponential variables with the weights as rates: each node wins as often as its weight says.
    const score = -Math.log((hash + 1) / 2 ** 32) / weight
    if (score < least) {
      least = score
      found = i
      foundHash = hash
      foundWeight = weight
    }
  }
  return found
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
