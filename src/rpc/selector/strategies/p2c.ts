import { type Clock, realClock } from '../../../base/time/clock.ts'
import type { Candidate, Strategy } from '../strategy.ts'

/** Milliseconds after which the loser of a comparison is picked all the same, so that its figures do not go stale. */
const FORCED_AFTER = 1000
/** Chance of that when the winner was not picked for a second either: with few calls, most must not go to the worse. */
const FORCED_CHANCE = 0.1
/** Latency in milliseconds that is assumed of a node that has not answered and has calls in flight or failed. */
const UNKNOWN_LATENCY = 10_000
/** Smallest success that is reckoned with. */
const MIN_SUCCESS = 0.05

/**
 * Power of two choices: of two random nodes the one that is expected to answer sooner, by its latency, its calls in
 * flight, its weight and its failures. The other one is picked when it was not for a second. A pick costs the same for
 * two nodes and for ten thousand.
 */
export function p2c(clock: Pick<Clock, 'random'> = realClock): Strategy {
  return {
    name: 'p2c',
    pick(candidates, { now }) {
      const count = candidates.length
      const i = Math.floor(clock.random() * count)
      let j = Math.floor(clock.random() * (count - 1))
      if (j >= i) j++
      let winner = candidates[i]
      let loser = candidates[j]
      if (costOf(loser) < costOf(winner)) [winner, loser] = [loser, winner]
      if (now - loser.pickedAt <= FORCED_AFTER) return winner
      return now - winner.pickedAt <= FORCED_AFTER || clock.random() < FORCED_CHANCE ? loser : winner
    },
  }
}

function costOf({ latency, inFlight, weight, success }: Candidate): number {
  // A new node gets one call to measure it, not all calls.
  const expected = latency > 0 ? latency : inFlight === 0 && success === 1 ? 0 : UNKNOWN_LATENCY
  const chance = success > MIN_SUCCESS ? success : MIN_SUCCESS
  return (expected * (inFlight + 1)) / (weight * chance * chance)
}
