import { type Clock, realClock } from '../../../base/time/clock.ts'
import type { Candidate, Strategy } from '../strategy.ts'

/** Most nodes of which a pick looks at every one. */
const MAX_SCAN = 128
/** Nodes that a pick looks at when there are more. */
const MAX_DRAWS = 32

/**
 * The node with the fewest calls in flight for its weight; a random one of several. Of more than 128 nodes it is the
 * best of 32 random ones, or of fewer where one of them is idle.
 */
export function leastActive(clock: Pick<Clock, 'random'> = realClock): Strategy {
  const lightest = new WeakMap<readonly Candidate[], number>()
  return {
    name: 'leastActive',
    pick(candidates) {
      if (candidates.length <= MAX_SCAN) return leastOfAll(candidates, clock)
      let idle = lightest.get(candidates)
      if (idle === undefined) lightest.set(candidates, (idle = leastLoad(candidates)))
      return leastOfSome(candidates, clock, idle)
    },
  }
}

/** With the new call counted, an idle node of weight 2 comes before an idle one of weight 1. */
function loadOf({ inFlight, weight }: Candidate): number {
  return (inFlight + 1) / weight
}

function leastOfAll(candidates: readonly Candidate[], clock: Pick<Clock, 'random'>): Candidate {
  let best = candidates[0]
  let least = Infinity
  let equals = 0
  for (const candidate of candidates) {
    const load = loadOf(candidate)
    if (load > least) continue
    equals = load === least ? equals + 1 : 1
    least = load
    if (equals === 1 || clock.random() * equals < 1) best = candidate
  }
  return best
}

/** @param idle load below which none can be */
function leastOfSome(candidates: readonly Candidate[], clock: Pick<Clock, 'random'>, idle: number): Candidate {
  let best = candidates[Math.floor(clock.random() * candidates.length)]
  let least = loadOf(best)
  for (let draws = 1; draws < MAX_DRAWS && least > idle; draws++) {
    const candidate = candidates[Math.floor(clock.random() * candidates.length)]
    const load = loadOf(candidate)
    if (load >= least) continue
    least = load
    best = candidate
  }
  return best
}

/** Load of an idle node of the greatest weight. */
function leastLoad(candidates: readonly Candidate[]): number {
  return 1 / candidates.reduce((most, { nominalWeight }) => Math.max(most, nominalWeight), 0)
}
