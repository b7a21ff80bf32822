import type { Socket } from 'node:net'
import type { Address } from '../../address.ts'
import type { ConnectionOptions, TransportConnection, TransportListener } from '../../transport.ts'
import { CarrierStream } from '../carrier-stream.ts'
import type { SocketConnection as Connection } from '../connection.ts'
import { acceptConnection, hostPort, SocketConnection, secureDialled, TlsAcceptor } from '../shared.ts'
import type { SecureSocket } from '../tls.ts'
import type { TurnScheduler } from '../turn-scheduler.ts'
import { dialKcp } from './dial.ts'
import { KcpServer } from './server.ts'
import { KcpTlsCarrier } from './tls.ts'

/** The UDP sockets of the JavaScript transport, over `node:dgram`. */
export class KcpSockets {
  readonly #turns: TurnScheduler
  /** By bound address: one whose listener is closed goes on for its conversations, and may listen again. */
  readonly #servers = new Map<string, KcpServer>()

  constructor(turns: TurnScheduler) {
    this.#turns = turns
  }

  async listen(
    address: Address,
    options: ConnectionOptions,
    onConnection: (connection: TransportConnection) => void,
  ): Promise<TransportListener> {
    if (address.kind === 'unix') throw new TypeError('KCP has no Unix sockets')
    const server = await this.#bind(address.host, address.port)
    const { serverTls, gate } = options
    const bound = { address: { ...address, ...server.address }, close: () => server.stop() }
    if (serverTls === undefined) {
      server.listen({
        settings: options.kcp,
        accept: (carrier, local, remote) =>
          acceptConnection(new SocketConnection(carrier, local, remote, options, this.#turns), onConnection),
      })
      return bound
    }
    const acceptor = new TlsAcceptor(serverTls, gate, (secure) => acceptConnection(this.#secureOn(secure, options), onConnection))
    server.listen({
      settings: options.kcp,
      accept: (carrier, local, remote) => acceptor.accept(new CarrierStream(carrier, local, remote) as unknown as Socket),
    })
    return { ...bound, setSecureContext: () => acceptor.setSecureContext() }
  }

  /** The connection of a handshake that is done on a `CarrierStream`, which `node:tls` takes for a socket. */
  #secureOn({ socket, raw, facts }: SecureSocket, options: ConnectionOptions): Connection {
    const below = raw as unknown as CarrierStream
    const remote = hostPort(below.remoteAddress, below.remotePort)
    return new SocketConnection(new KcpTlsCarrier(socket, below), below.localAddress, remote, options, this.#turns, facts)
  }

  /** A server that nobody listens on: an own one that has lost its listener, or a new one. */
  async #bind(host: string, port: number): Promise<KcpServer> {
    const known = this.#servers.get(`${host} ${port}`)
    if (known !== undefined && !known.listening) return known
    let key = ''
    const server = new KcpServer(host, this.#turns, () => this.#servers.delete(key))
    await server.bind(host, port)
    key = `${host} ${server.address.port}`
    this.#servers.set(key, server)
    return server
  }

  async dial(address: Address, options: ConnectionOptions, signal: AbortSignal): Promise<TransportConnection> {
    const { carrier, local, remote } = await dialKcp(address, options, signal, this.#turns)
    if (options.tls === undefined) return new SocketConnection(carrier, local, remote, options, this.#turns)
    const below = new CarrierStream(carrier, local, remote) as unknown as Socket
    return this.#secureOn(await secureDialled(below, options.tls, signal), options)
  }
}
