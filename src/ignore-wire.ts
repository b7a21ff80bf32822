import { CloseReason } from './close-reason.ts'
import type { Wire } from './transport.ts'

/** Closes a connection that no session gets. */
export function ignoreWire(wire: Wire, reason: CloseReason = CloseReason.Local): void {
  wire.sink = { onMessage: () => {}, onClose: () => {} }
  wire.destroy(reason)
}
