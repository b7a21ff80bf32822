import { Code, statusText } from '../base/errors/status.ts'
import { RETRY_AFTER_KEY } from './announcement.ts'
import { encodeStatus } from './status-json.ts'

/**
 * A failure that is sent many thousand times a second under overload: its status is encoded once, and no error object
 * is made.
 */
export interface Refusal {
  readonly code: number
  readonly cause: string
  /** The status as JSON. */
  readonly text: string
}

function refusal(code: number, cause: string): Refusal {
  return { code, cause, text: encodeStatus(code, statusText(code), cause) }
}

/** The failures of refused calls: 429 when the session's own calls exceed a limit, 503 when all calls together do. */
export const Refusals = {
  Closing: refusal(Code.ServiceUnavailable, 'shutting down'),
  SessionRunning: refusal(Code.TooManyRequests, 'too many calls of this session are running'),
  EndpointRunning: refusal(Code.ServiceUnavailable, 'too many calls are running'),
  /** The session has more than its share of the waiting calls. */
  Share: refusal(Code.TooManyRequests, 'too many calls of this session are waiting'),
  Busy: refusal(Code.ServiceUnavailable, 'overloaded'),
  /** The call would wait, or waited, beyond the caller's deadline or `queueTimeout`. */
  Late: refusal(Code.ServiceUnavailable, 'overloaded: no turn in time'),
} as const satisfies Record<string, Refusal>

/** Milliseconds after which the caller may retry, where no better estimate is known. */
export const RETRY_AFTER = 1000

/**
 * Meta JSON of a refusal.
 * @param retryAfter milliseconds, at least 1 is sent
 */
export function retryMeta(retryAfter: number): string {
  return `{"${RETRY_AFTER_KEY}":"${Math.max(1, Math.ceil(retryAfter))}"}`
}
