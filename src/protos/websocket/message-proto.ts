import { Code, statusText } from '../../base/errors/status.ts'
import { type Incoming, MessageType } from '../../message/message.ts'
import type { Proto } from '../proto.ts'

/** A protocol whose messages are those of a WebSocket. */
export interface MessageProto extends Pick<Proto, 'id' | 'name' | 'match' | 'open'> {
  readonly framing: 'message'
  prepare?: undefined
}

/**
 * Gives a REPLY with neither codec nor body nor status a status: that is all that Go sends of an error, and its own
 * clients take it for a success.
 */
export function setLostStatus(message: Incoming): void {
  if (message.type !== MessageType.Reply || message.codec !== 0) return
  if (message.status !== undefined || message.statusStart !== message.statusEnd || message.bodyStart !== message.bodyEnd) return
  const code = Code.UnknownError
  message.status = { code, message: statusText(code), cause: 'the peer does not send statuses over WebSocket' }
}
