import { Deferred } from '../base/deferred.ts'
import type { Connection, TransportConnection } from '../transports/transport.ts'
import type { ProtoOwner } from './connection/protocol-connection.ts'
import type { Proto } from './proto.ts'
import type { Protocol } from './proto-table.ts'
import type { MessageProto } from './websocket/message-proto.ts'

/** Connections of protocols other than raw. */
export const connections = new Deferred(() => import('./connection/module.ts'))

/**
 * Loads what connections of `protocol` need.
 *
 * @throws (rejects) as `Proto.prepare`
 */
export async function prepareProtocol(protocol: Protocol): Promise<void> {
  if (protocol.framing === 'raw') return
  await connections.load()
  await protocol.prepare?.()
}

/**
 * Wraps a transport's connection for the messages of `proto`, which must be prepared.
 *
 * @param authority host and port that were dialled (`ProtoLink.authority`); undefined for an accepted connection
 */
export function connectionOf(
  connection: TransportConnection,
  proto: Proto | MessageProto,
  owner: ProtoOwner,
  authority: string | undefined,
): Connection {
  const { EnvelopeConnection, MessageConnection, StreamConnection } = connections.module
  if (proto.framing === 'message') return new MessageConnection(connection, proto, owner, authority)
  if (proto.framing === 'envelope') return new EnvelopeConnection(connection, proto, owner, authority)
  return new StreamConnection(connection, proto, owner, authority)
}
