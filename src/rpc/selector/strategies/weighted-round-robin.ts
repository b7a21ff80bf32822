import { type Clock, realClock } from '../../../base/time/clock.ts'
import type { Candidate, Strategy } from '../strategy.ts'
import { TurnHeap } from './turn-heap.ts'

/** Most nodes of which a pick looks at every one. */
const MAX_SCAN = 64

type Turns = Float64Array | TurnHeap

/**
 * Smooth weighted round robin, as in nginx: each node as often as its weight says, its turns spread evenly. Starts at
 * random, because otherwise all clients that start together would call the heaviest node first. A pick looks at every
 * node of a small service; of more than 64 nodes the turns are kept in a heap, in nearly the same order.
 */
export function weightedRoundRobin(clock: Pick<Clock, 'random'> = realClock): Strategy {
  const kept = new WeakMap<readonly Candidate[], Turns>()
  return {
    name: 'weightedRoundRobin',
    pick(candidates) {
      let turns = kept.get(candidates)
      if (turns === undefined) kept.set(candidates, (turns = begin(candidates, clock)))
      return candidates[turns instanceof TurnHeap ? turns.next() : smoothest(candidates, turns)]
    },
  }
}

function begin(candidates: readonly Candidate[], clock: Pick<Clock, 'random'>): Turns {
  if (candidates.length > MAX_SCAN) return new TurnHeap(candidates, clock)
  return Float64Array.from(candidates, ({ weight }) => weight * clock.random())
}

function smoothest(candidates: readonly Candidate[], credit: Float64Array): number {
  let total = 0
  let best = 0
  for (let i = 0; i < credit.length; i++) {
    const { weight } = candidates[i]
    total += weight
    credit[i] += weight
    if (credit[i] > credit[best]) best = i
  }
  credit[best] -= total
  return best
}
