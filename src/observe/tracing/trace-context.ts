import { createTraceState, type SpanContext } from '@opentelemetry/api'
import type { Meta } from '../../message/meta.ts'

/** Longest `traceparent` that is looked at: later versions may append fields. */
const MAX_TRACEPARENT = 256
/** Longest `tracestate` that is carried on, which is what the specification asks for at least. */
const MAX_TRACESTATE = 512
const traceparent = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/**
 * Reads the W3C trace context of a message. A bad `tracestate` leaves the trace valid.
 *
 * @returns undefined without one, and for a bad one
 */
export function readSpanContext(meta: Meta): SpanContext | undefined {
  // Go's http protocol sends its own spelling; anywhere else the key is lower case.
  const text = meta.traceparent ?? meta.Traceparent
  if (text === undefined || text.length > MAX_TRACEPARENT) return undefined
  const [, version, traceId, spanId, flags, rest] = traceparent.exec(text) ?? []
  if (version === undefined || (version === '00' && rest !== undefined)) return undefined
  const read: SpanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
  const state = meta.tracestate ?? meta.Tracestate
  if (state === undefined || state === '' || state.length > MAX_TRACESTATE) return read
  const traceState = createTraceState(state)
  return traceState.serialize() === '' ? read : { ...read, traceState }
}

/** Whether the sender of `text`, a valid `traceparent`, recorded its span. */
export function isSampled({ traceFlags }: SpanContext): boolean {
  return (traceFlags & 1) === 1
}

/** Writes a `traceparent`. Its flags are 00 or 01: Go's OpenTelemetry 1.38 refuses others. */
export function writeTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-0${traceFlags & 1}`
}

/** Writes a `tracestate`; undefined for an empty one, which would be sent as a key without a value. */
export function writeTracestate({ traceState }: SpanContext): string | undefined {
  const text = traceState?.serialize()
  return text === undefined || text === '' || text.length > MAX_TRACESTATE ? undefined : text
}
