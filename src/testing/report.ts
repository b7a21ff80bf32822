import { ProtocolConnection } from '../protos/connection/protocol-connection.ts'
import { Inbound } from '../session/inbound.ts'
import type { TransportConnection } from '../transports/transport.ts'

/** Describes in words what the session on a connection is busy with; '' for nothing. */
export function describeConnection(connection: TransportConnection): string {
  let handler: unknown
  try {
    handler = connection.handler
  } catch {
    return 'no session yet'
  }
  if (handler instanceof ProtocolConnection) handler = handler.handler
  if (!(handler instanceof Inbound)) return ''
  const { state, calls, requests } = handler.session
  const pendingCalls = calls.open.size
  const { running } = requests
  const parts = [state === 'open' ? '' : state, pendingCalls > 0 ? `${pendingCalls} calls without a reply` : '']
  parts.push(running > 0 ? `${running} handlers running` : '')
  return parts.filter(Boolean).join(', ')
}
