import { CloseReason } from '../message/close-reason.ts'
import type { Connection } from './transport.ts'

/** Closes a connection that no session will use. */
export function discardConnection(connection: Connection, reason: CloseReason = CloseReason.Local): void {
  connection.handler = { onMessage: () => {}, onClose: () => {} }
  connection.destroy(reason)
}
