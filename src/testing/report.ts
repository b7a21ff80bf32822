import { Session } from '../session/session.ts'
import type { TransportConnection } from '../transports/transport.ts'
import { ProtocolConnection } from '../protos/connection/protocol-connection.ts'

/** What the session on a wire is busy with, in words; '' for nothing. */
export function describeConnection(connection: TransportConnection): string {
  let sink: unknown
  try {
    sink = connection.handler
  } catch {
    return 'no session yet'
  }
  if (sink instanceof ProtocolConnection) sink = sink.handler
  if (!(sink instanceof Session)) return ''
  const { state, pendingCalls, running } = sink
  const parts = [state === 'open' ? '' : state, pendingCalls > 0 ? `${pendingCalls} calls without a reply` : '']
  parts.push(running > 0 ? `${running} handlers running` : '')
  return parts.filter(Boolean).join(', ')
}
