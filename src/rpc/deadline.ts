import type { CallScope } from '../base/async/call-context.ts'
import { timeLimit } from '../base/check-options.ts'
import type { CallOptions } from '../message/call-options.ts'

/**
 * Milliseconds from `now` until the deadline of a call; 0 for none.
 *
 * @param parent the call whose handler makes this one
 * @param fallback the timeout of calls that name none
 */
export function deadlineOf(options: CallOptions | undefined, parent: CallScope | undefined, now: number, fallback: number): number {
  const timeout = timeLimit('timeout', options?.timeout, fallback)
  const own = timeout === 0 ? Number.POSITIVE_INFINITY : timeout
  const left = Math.max(Math.min(own, (parent?.expires ?? Number.POSITIVE_INFINITY) - now), 1)
  return left === Number.POSITIVE_INFINITY ? 0 : left
}
