import type { QuicAddress } from '../../address.ts'
import { defaultQuic } from '../../quic-options.ts'
import type { ConnectionOptions, TransportConnection, TransportListener } from '../../transport.ts'
import { acceptConnection, SocketConnection } from '../shared.ts'
import type { TurnScheduler } from '../turn-scheduler.ts'
import { dialQuic } from './dial.ts'
import { loadQuiche } from './quiche.ts'
import { QuicServer } from './server.ts'
import { clientConfig, factsOf, serverConfig } from './tls.ts'

export { clientConfig, loadQuiche }

/**
 * Listens by QUIC. Open connections outlive the listener, on its socket.
 *
 * @throws Error (rejects) of the system; TypeError for an option of TLS; StatusError 1 without the package
 */
export async function listenOnQuic(
  address: QuicAddress,
  options: ConnectionOptions,
  onConnection: (connection: TransportConnection) => void,
  turns: TurnScheduler,
): Promise<TransportListener> {
  await loadQuiche()
  const { gate, quic: settings = defaultQuic } = options
  const tls = options.serverTls!
  const authorized = tls.requestCert && tls.rejectUnauthorized
  const server = new QuicServer(address.host, serverConfig(tls, settings), turns, {
    tls,
    settings,
    gate,
    accept: (carrier, connection, local, remote) =>
      acceptConnection(new SocketConnection(carrier, local, remote, options, turns, factsOf(connection, authorized)), onConnection),
  })
  const bound = await server.bind(address.host, address.port)
  return {
    address: { ...address, ...bound },
    close: async () => server.stop(),
    setSecureContext: () => {
      server.config = serverConfig(tls, settings)
    },
  }
}

/** Dials by QUIC. Rejects as `dialQuic` does. */
export async function dialOnQuic(
  address: QuicAddress,
  options: ConnectionOptions,
  signal: AbortSignal,
  turns: TurnScheduler,
): Promise<TransportConnection> {
  await loadQuiche()
  const { carrier, local, remote, facts } = await dialQuic(address, options, signal, turns)
  return new SocketConnection(carrier, local, remote, options, turns, facts)
}
