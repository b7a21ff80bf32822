import type { Outgoing } from './outgoing.ts'

/** Size in bytes of the body of a message that was sent. */
export function bodySize(message: Outgoing): number {
  const { writer, written, body } = message
  if (writer !== undefined) return written
  return typeof body === 'string' ? Buffer.byteLength(body) : body === null ? 0 : body.length
}
