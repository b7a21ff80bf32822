import { Framing } from '../../wire/framing.ts'
import { framingOf } from '../connection/protocol-detector.ts'
import type { Protocol } from '../proto-table.ts'
import { webSocketJson } from './json-proto.ts'
import type { MessageProto } from './message-proto.ts'
import { webSocketProtobuf } from './protobuf-proto.ts'

/** The form that a protocol has over WebSocket: those of Go for json and protobuf, its own for others. */
export function overWebSocket(protocol: Protocol): Protocol | MessageProto {
  const own = [webSocketJson, webSocketProtobuf].find(({ id, name }) => id === protocol.id && name === protocol.name)
  return protocol.framing === 'envelope' && own !== undefined ? own : protocol
}

/** How the messages of a protocol lie in the payload. */
export function framingOfMessages(protocol: Protocol | MessageProto): Framing {
  return protocol.framing === 'message' ? Framing.Message : framingOf(protocol)
}

/** Built-in protocols of streams whose messages have bodies of any bytes, by their id. */
const binaryStreams: Readonly<Record<number, string>> = { 104: 'http', 114: 'redis' }

/**
 * Whether all messages of a protocol are text (UTF-8) over WebSocket, as far as that is known: an application's own
 * protocol of a stream may be.
 */
export function isText(protocol: Protocol): boolean {
  if (overWebSocket(protocol) === webSocketJson) return true
  return protocol.framing === 'stream' && binaryStreams[protocol.id] !== protocol.name
}
