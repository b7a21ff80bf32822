import type { Clock } from '../../../base/time/clock.ts'
import type { Strategy } from '../strategy.ts'
import { consistentHash } from './consistent-hash.ts'
import { leastActive } from './least-active.ts'
import { p2c } from './p2c.ts'
import { random } from './random.ts'
import { roundRobin } from './round-robin.ts'
import { weightedRoundRobin } from './weighted-round-robin.ts'

const makers = { random, roundRobin, weightedRoundRobin, leastActive, p2c, consistentHash } as const

/** Names of the built-in strategies. */
export type StrategyName = keyof typeof makers

/**
 * The strategy of the option `strategy`: a built-in one by its name, or the user's own.
 * @throws TypeError when it is neither
 */
export function readStrategy(option: StrategyName | Strategy, clock: Clock): Strategy {
  if (typeof option === 'string' && Object.hasOwn(makers, option)) return makers[option](clock)
  if (typeof (Object(option) as Partial<Strategy>).pick === 'function') return option as Strategy
  const got = typeof option === 'string' ? JSON.stringify((option as string).slice(0, 64)) : typeof option
  throw new TypeError(`option strategy must be an object with the method pick, or one of ${Object.keys(makers).join(', ')}, got ${got}`)
}
