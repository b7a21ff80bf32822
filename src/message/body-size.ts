import type { Outgoing } from './outgoing.ts'

/** Size in bytes of the body of a message that was sent. */
export function bodySize(message: Outgoing): number {
  const { writer, written, value, body } = message
  if (written < 0 && writer !== undefined) return Buffer.byteLength(writer.encode(value, undefined))
  if (writer !== undefined) return written
  return typeof body === 'string' ? Buffer.byteLength(body) : body === null ? 0 : body.length
}
