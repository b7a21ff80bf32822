import { type Clock, realClock } from '../../../base/time/clock.ts'
import type { Candidate, Strategy } from '../strategy.ts'

/**
 * One node after the other, whatever their weights. The first node is random, because otherwise all clients that start
 * together would call the same one. A node that starts slowly is passed over by chance, as often as its weight says.
 */
export function roundRobin(clock: Pick<Clock, 'random'> = realClock): Strategy {
  const positions = new WeakMap<readonly Candidate[], { next: number }>()
  return {
    name: 'roundRobin',
    pick(candidates) {
      const count = candidates.length
      let position = positions.get(candidates)
      if (position === undefined) positions.set(candidates, (position = { next: Math.floor(clock.random() * count) }))
      for (let i = 0; i < count; i++) {
        const candidate = candidates[position.next]
        if (++position.next === count) position.next = 0
        const { weight, nominalWeight } = candidate
        if (weight >= nominalWeight || clock.random() * nominalWeight < weight) return candidate
      }
      return candidates[position.next]
    },
  }
}
