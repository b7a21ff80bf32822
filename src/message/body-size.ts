import type { BodyWriter, Outgoing } from './outgoing.ts'

/** Size in bytes of the body of a message that was sent. */
export function bodySize(message: Outgoing): number {
  const { written, body } = message
  if (message.writer !== undefined) return written < 0 ? encodedSize(message) : written
  return typeof body === 'string' ? Buffer.byteLength(body) : body === null ? 0 : body.length
}

/** A function of its own, so that `bodySize` is short enough to be inlined. */
function encodedSize({ writer, value }: Outgoing): number {
  return Buffer.byteLength((writer as BodyWriter).encode(value, undefined))
}
