import { type Clock, realClock } from '../../../base/time/clock.ts'
import type { Candidate, Strategy } from '../strategy.ts'

/**
 * Smooth weighted round robin, as in nginx: each node as often as its weight says, its turns spread evenly. Starts at
 * random, because otherwise all clients that start together would call the heaviest node first. A pick looks at every
 * node.
 */
export function weightedRoundRobin(clock: Pick<Clock, 'random'> = realClock): Strategy {
  const credits = new WeakMap<readonly Candidate[], Float64Array>()
  return {
    name: 'weightedRoundRobin',
    pick(candidates) {
      let credit = credits.get(candidates)
      if (credit === undefined) {
        credit = Float64Array.from(candidates, ({ weight }) => weight * clock.random())
        credits.set(candidates, credit)
      }
      let total = 0
      let best = 0
      for (let i = 0; i < credit.length; i++) {
        const { weight } = candidates[i]
        total += weight
        credit[i] += weight
        if (credit[i] > credit[best]) best = i
      }
      credit[best] -= total
      return candidates[best]
    },
  }
}
