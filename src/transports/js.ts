import type { Duplex } from 'node:stream'
import { type Address, isQuic } from './address.ts'
import { netModule } from './js/deferred.ts'
import { kcpModule } from './js/kcp/deferred.ts'
import type { KcpSockets } from './js/kcp/module.ts'
import { quicModule } from './js/quic/deferred.ts'
import type { Sockets } from './js/sockets.ts'
import type { ConnectionOptions, Transport, TransportConnection, TransportListener, TransportListenOptions } from './transport.ts'

/** The transport that needs no addon: the raw protocol over `node:net`. Its first use loads its code. */
export class JsTransport implements Transport {
  readonly kind = 'js'
  #sockets: Sockets | undefined
  #kcp: KcpSockets | undefined

  async listen(
    address: Address,
    options: ConnectionOptions,
    onConnection: (connection: TransportConnection) => void,
    how?: TransportListenOptions,
  ): Promise<TransportListener> {
    if (isQuic(address)) {
      const { turns } = await this.#load()
      return (await quicModule.load()).listenOnQuic(address, options, onConnection, turns)
    }
    if (address.kind === 'udp') return (await this.#loadKcp()).listen(address, options, onConnection)
    return (await this.#load()).listen(address, options, onConnection, how)
  }

  async dial(address: Address, options: ConnectionOptions, signal: AbortSignal): Promise<TransportConnection> {
    if (isQuic(address)) {
      const { turns } = await this.#load()
      return (await quicModule.load()).dialOnQuic(address, options, signal, turns)
    }
    if (address.kind === 'udp') return (await this.#loadKcp()).dial(address, options, signal)
    return (await this.#load()).dial(address, options, signal)
  }

  /** Makes a connection of a stream that others have accepted, as `Sockets.adopt` says. */
  async adopt(stream: Duplex, head: Uint8Array, options: ConnectionOptions): Promise<TransportConnection | undefined> {
    return (await this.#load()).adopt(stream, head, options)
  }

  flush(): void {
    this.#sockets?.flush()
  }

  async #load(): Promise<Sockets> {
    const { Sockets } = await netModule.load()
    this.#sockets ??= new Sockets()
    return this.#sockets
  }

  async #loadKcp(): Promise<KcpSockets> {
    const { turns } = await this.#load()
    const { KcpSockets } = await kcpModule.load()
    this.#kcp ??= new KcpSockets(turns)
    return this.#kcp
  }
}
