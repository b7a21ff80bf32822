import type { Incoming } from '../../message/message.ts'
import type { TransportConnection } from '../../transports/transport.ts'
import type { Proto } from '../proto.ts'
import { message, ProtocolConnection, type ProtoOwner } from './protocol-connection.ts'

/** Connection whose transport passes whole messages, those of a WebSocket. They have no transfer filters. */
export class MessageConnection extends ProtocolConnection {
  readonly envelope = undefined
  protected readonly enveloped = false

  constructor(connection: TransportConnection, proto: Pick<Proto, 'open'>, owner: ProtoOwner, authority: string | undefined) {
    super(connection, proto, owner, authority)
    connection.handler = this
  }

  onMessage({ buffer, bodyStart, bodyEnd }: Incoming): void {
    if (this.over) return
    message.clear()
    try {
      this.proto.unpack(buffer, bodyStart, bodyEnd, message)
    } catch (error) {
      this.refuse(error)
      return
    }
    this.deliver()
  }
}
