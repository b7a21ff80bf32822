import { CloseReason } from '../../message/close-reason.ts'
import type { TransportConnection } from '../transport.ts'

/** Gives an accepted connection to `onConnection`, and closes it when that throws. */
export function acceptConnection(connection: TransportConnection, onConnection: (connection: TransportConnection) => void): void {
  try {
    onConnection(connection)
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : new Error(`onConnection threw ${String(error)}`))
    connection.destroy(CloseReason.Local)
  }
}
