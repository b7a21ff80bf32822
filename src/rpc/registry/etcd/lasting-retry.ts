import type { Clock } from '../../../base/time/clock.ts'
import { retryDelay } from '../../../base/time/retry-delay.ts'

const FIRST_MS = 100
const LONGEST_MS = 5_000

/** Milliseconds to wait before a retry of what goes on until it succeeds; `retry` counts from 0. */
export const lastingRetryDelay = (retry: number, clock: Clock): number => retryDelay(retry, FIRST_MS, LONGEST_MS, clock)
