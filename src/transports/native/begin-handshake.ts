import { CloseReason } from '../../message/close-reason.ts'
import type { TlsTarget } from '../tls/client-tls.ts'
import type { ServerTls } from '../tls/server-tls.ts'
import type { HandshakeGate } from '../transport.ts'
import type { NativeConnection } from './connection.ts'
import { ClientHandshake, type HandshakeConnection, ServerHandshake } from './handshake.ts'
import type { TlsAddon } from './tls-addon.ts'
import { clientContext, identityOf, serverContext } from './tls-contexts.ts'

/** A connection whose handshake begins, and its place in the core. */
export interface ConnectionPlace {
  readonly addon: TlsAddon
  /** Number of the core. */
  readonly number: number
  readonly slot: number
  readonly connection: NativeConnection
}

/** Begins the handshake of an accepted connection, which was opened paused. */
export function beginServer(place: ConnectionPlace, tls: ServerTls, gate: HandshakeGate | undefined, done: () => void): void {
  const { addon, number, slot, connection } = place
  const { remoteAddress, generation } = connection
  if (gate?.begin(remoteAddress) === false) {
    connection.destroy(CloseReason.Refused)
    return
  }
  connection.handshake = new ServerHandshake(tls, gate, remoteAddress, handshakeConnection(place), (facts) => {
    connection.handshake = undefined
    connection.tls = facts
    done()
  })
  addon.tlsBegin(number, slot, generation, serverContext(addon, tls), null, null)
}

/** Begins the handshake of a connection that was dialled, and opened paused. */
export function beginClient(place: ConnectionPlace, target: TlsTarget, done: () => void, fail: (error: Error) => void): void {
  const { addon, number, slot, connection } = place
  const { tls, host, port } = target
  connection.handshake = new ClientHandshake(target, handshakeConnection(place), (error, facts) => {
    connection.handshake = undefined
    connection.tls = facts
    if (error === undefined) done()
    else fail(error)
  })
  const server = `${tls.nameOf(host)} ${host}:${port}`
  addon.tlsBegin(number, slot, connection.generation, clientContext(addon, tls), tls.servernameOf(host) ?? null, server)
}

function handshakeConnection({ addon, number, slot, connection }: ConnectionPlace): HandshakeConnection {
  return {
    destroy: (reason) => connection.destroy(reason),
    answer: (refuse, answer) => {
      const identity = answer?.context === undefined ? null : identityOf(addon, answer.context)
      addon.tlsAnswer(number, slot, connection.generation, refuse, identity, answer?.protocol ?? null)
    },
  }
}
