import type { Limits } from '../base/limits.ts'

/** Bytes of an envelope before the filter ids: size and number of filters (docs/spec/wire.md#envelope). */
export const ENVELOPE_BYTES = 5

/**
 * Recognizes an envelope, for `Proto.match`: a size within the limits, and a first byte of the payload that `begins`
 * accepts. An envelope with filters cannot be distinguished from those of other protocols.
 * @returns undefined when more bytes are needed
 */
export function matchEnvelope(bytes: Uint8Array, limits: Readonly<Limits>, begins: (byte: number) => boolean): boolean | undefined {
  if (bytes.length < 4) return undefined
  const size = ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0
  if (size < 1 || size + 4 > limits.maxMessage) return false
  if (bytes.length < ENVELOPE_BYTES + 1) return undefined
  const filters = bytes[4]
  if (filters > limits.maxFilters || size <= filters) return false
  // Filter ids up to `maxFilters` could be the number of filters of a raw frame, whose version is 1.
  return filters === 0 ? begins(bytes[5]) : bytes[5] > limits.maxFilters
}

/** Writes size and number of filters, none, for an envelope of `total` bytes in all. */
export function writeEnvelope(target: Uint8Array, at: number, total: number): void {
  const size = total - 4
  target[at] = size >>> 24
  target[at + 1] = size >>> 16
  target[at + 2] = size >>> 8
  target[at + 3] = size
  target[at + 4] = 0
}
