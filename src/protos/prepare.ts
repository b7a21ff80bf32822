import type { Connection, TransportConnection } from '../transports/transport.ts'
import { EnvelopeConnection } from './connection/envelope-connection.ts'
import type { ProtoOwner } from './connection/protocol-connection.ts'
import { StreamConnection } from './connection/stream-connection.ts'
import type { Proto } from './proto.ts'
import type { Protocol } from './proto-table.ts'

/**
 * Loads what connections of `protocol` need.
 *
 * @throws (rejects) as `Proto.prepare`
 */
export async function prepareProtocol(protocol: Protocol): Promise<void> {
  if (protocol.framing !== 'raw') await protocol.prepare?.()
}

/**
 * Wraps a transport's connection for the messages of `proto`, which must be prepared.
 *
 * @param authority host and port that were dialled (`ProtoLink.authority`); undefined for an accepted connection
 */
export function connectionOf(connection: TransportConnection, proto: Proto, owner: ProtoOwner, authority: string | undefined): Connection {
  return proto.framing === 'envelope'
    ? new EnvelopeConnection(connection, proto, owner, authority)
    : new StreamConnection(connection, proto, owner, authority)
}
