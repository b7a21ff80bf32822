import { CloseReason } from '../message/close-reason.ts'
import { CloseCode } from '../wire/websocket/close-code.ts'

/** The code of a WebSocket's close frame for a reason to close; native/io/web_socket.cc has the same. */
export function closeCodeOf(reason: number): number {
  if (reason === CloseReason.Local) return CloseCode.Normal
  if (reason === CloseReason.TooLarge) return CloseCode.TooLarge
  return reason === CloseReason.Refused || reason === CloseReason.Hook ? CloseCode.Policy : CloseCode.ProtocolError
}

/** The detail of `CloseReason.Peer` for the code that a peer closed its WebSocket with; '' when it says nothing. */
export function peerCloseDetail(code: number): string {
  return code === 0 || code === CloseCode.Normal || code === CloseCode.None ? '' : `WebSocket close ${code}`
}
