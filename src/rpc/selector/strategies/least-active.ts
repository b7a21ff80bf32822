import { type Clock, realClock } from '../../../base/time/clock.ts'
import type { Strategy } from '../strategy.ts'

/**
 * The node with the fewest calls in flight for its weight; a random one of several. A pick looks at every node, so for
 * services of thousands of nodes `p2c` is cheaper.
 */
export function leastActive(clock: Pick<Clock, 'random'> = realClock): Strategy {
  return {
    name: 'leastActive',
    pick(candidates) {
      let best = candidates[0]
      let least = Infinity
      let equals = 0
      for (const candidate of candidates) {
        // With the new call counted, an idle node of weight 2 comes before an idle one of weight 1.
        const load = (candidate.inFlight + 1) / candidate.weight
        if (load > least) continue
        equals = load === least ? equals + 1 : 1
        least = load
        if (equals === 1 || clock.random() * equals < 1) best = candidate
      }
      return best
    },
  }
}
