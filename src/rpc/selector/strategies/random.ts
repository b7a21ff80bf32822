import { type Clock, realClock } from '../../../base/time/clock.ts'
import type { Candidate, Strategy } from '../strategy.ts'

/** Draws that may be rejected before the weights are summed up. */
const MAX_DRAWS = 8

/** Each node with a chance proportional to its weight. */
export function random(clock: Pick<Clock, 'random'> = realClock): Strategy {
  const heaviest = new WeakMap<readonly Candidate[], number>()
  return {
    name: 'random',
    pick(candidates) {
      let max = heaviest.get(candidates)
      if (max === undefined) {
        max = candidates.reduce((most, { nominalWeight }) => Math.max(most, nominalWeight), 0)
        heaviest.set(candidates, max)
      }
      // A node drawn evenly and accepted by its share of the greatest weight has the right chance, without a sum.
      for (let i = 0; i < MAX_DRAWS; i++) {
        const candidate = candidates[Math.floor(clock.random() * candidates.length)]
        if (candidate.weight >= max || clock.random() * max < candidate.weight) return candidate
      }
      return drawFromSum(candidates, clock.random())
    },
  }
}

function drawFromSum(candidates: readonly Candidate[], chance: number): Candidate {
  let total = 0
  for (const { weight } of candidates) total += weight
  let rest = chance * total
  for (const candidate of candidates) if ((rest -= candidate.weight) < 0) return candidate
  return candidates[candidates.length - 1]
}
