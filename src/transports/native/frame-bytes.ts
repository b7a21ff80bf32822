import { MAX_META_BYTES, MAX_METHOD_BYTES, MAX_STATUS_BYTES } from '../../base/limits.ts'
import { ENVELOPE_BYTES, writeEnvelope } from '../../wire/cut-envelope.ts'

/**
 * Bytes of a frame with a one-digit sequence number and no other content, and of the longest sequence number
 * (docs/spec/wire.md#frame).
 */
const FRAME_FIXED = 15
const MAX_SEQ_BYTES = 7
/** Bytes in a frame of an absent status, and of an absent meta. */
const STATUS_OK_BYTES = 30
const META_NONE_BYTES = 2

/**
 * Bytes of the frame that the core will pack of fields of these sizes.
 *
 * @returns -1 when the frame would exceed `maxMessage`, or a field its width
 */
export function frameBytes(maxMessage: number, seq: number, name: number, status: number, meta: number, body: number): number {
  let size = FRAME_FIXED - 1 + MAX_SEQ_BYTES + name + (status || STATUS_OK_BYTES) + (meta || META_NONE_BYTES) + body
  if (size > maxMessage) size += seq.toString(36).length - MAX_SEQ_BYTES
  if (size > maxMessage || name > MAX_METHOD_BYTES || status > MAX_STATUS_BYTES || meta > MAX_META_BYTES) return -1
  return size
}

/** A payload in an envelope without filters. */
export function enveloped(payload: Uint8Array): Buffer {
  const whole = Buffer.allocUnsafe(ENVELOPE_BYTES + payload.length)
  writeEnvelope(whole, 0, whole.length)
  whole.set(payload, ENVELOPE_BYTES)
  return whole
}
