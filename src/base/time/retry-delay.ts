import type { Clock } from './clock.ts'

/** Doublings after which a delay has reached any `longest`. */
const MAX_DOUBLINGS = 30

/**
 * Milliseconds to wait before a retry: doubled each time, and half of it random, so that those who lost a server
 * together come back to it one by one.
 *
 * @param retry number of the retry, from 0
 * @param first milliseconds before the first retry
 * @param longest milliseconds at which doubling ends
 */
export function retryDelay(retry: number, first: number, longest: number, clock: Pick<Clock, 'random'>): number {
  return Math.min(first * 2 ** Math.min(retry, MAX_DOUBLINGS), longest) * (0.5 + clock.random() / 2)
}
