import { framingOf } from '../protos/connection/protocol-detector.ts'
import type { Protocol } from '../protos/proto-table.ts'
import type { Framing } from '../wire/framing.ts'

/** The form that a protocol has over WebSocket: those of Go for json and protobuf, its own otherwise. */
export function overWebSocket(protocol: Protocol): Protocol {
  return protocol
}

/** How the messages of a protocol lie in the payload. */
export function framingOfMessages(protocol: Protocol): Framing {
  return framingOf(protocol)
}
