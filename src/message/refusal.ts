import { Code, statusText } from '../base/errors/status.ts'
import { RETRY_AFTER_KEY } from './announcement.ts'
import { encodeStatus } from './status-json.ts'

/** An answer that is given by the ten thousand: its status is encoded once, and no error object is made. */
export interface Refusal {
  readonly cause: string
  /** Status JSON as it travels. */
  readonly text: string
}

function refusal(code: number, cause: string): Refusal {
  return { cause, text: encodeStatus(code, statusText(code), cause) }
}

/** 429 is the caller's own doing, 503 is everybody's. */
export const Refusals = {
  Closing: refusal(Code.ServiceUnavailable, 'shutting down'),
  SessionRunning: refusal(Code.TooManyRequests, 'too many calls of this session are running'),
  EndpointRunning: refusal(Code.ServiceUnavailable, 'too many calls are running'),
  /** It has more than its share of what waits. */
  Share: refusal(Code.TooManyRequests, 'too many calls of this session are waiting'),
  Busy: refusal(Code.ServiceUnavailable, 'overloaded'),
  /** It would wait, or waited, beyond the caller's deadline or `queueTimeout`. */
  Late: refusal(Code.ServiceUnavailable, 'overloaded: no turn in time'),
} as const satisfies Record<string, Refusal>

/** Milliseconds after which to try again, where nothing tells better. */
export const RETRY_AFTER = 1000

/** Meta JSON of a refusal. @param retryAfter milliseconds */
export function retryMeta(retryAfter: number): string {
  return `{"${RETRY_AFTER_KEY}":"${Math.max(1, Math.ceil(retryAfter))}"}`
}
