import { Session } from '../session.ts'
import type { SocketWire } from '../transport.ts'
import { ProtoWire } from '../wires/proto-wire.ts'

/** What the session on a wire is busy with, in words; '' for nothing. */
export function describeWire(wire: SocketWire): string {
  let sink: unknown
  try {
    sink = wire.sink
  } catch {
    return 'no session yet'
  }
  if (sink instanceof ProtoWire) sink = sink.sink
  if (!(sink instanceof Session)) return ''
  const { state, pendingCalls, running } = sink
  const parts = [state === 'open' ? '' : state, pendingCalls > 0 ? `${pendingCalls} calls without a reply` : '']
  parts.push(running > 0 ? `${running} handlers running` : '')
  return parts.filter(Boolean).join(', ')
}
