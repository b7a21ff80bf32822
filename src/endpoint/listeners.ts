import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { runInRoot } from '../base/async/root-context.ts'
import { isClusterWorker } from '../base/builtin.ts'
import { reasonOf } from '../base/errors/error-text.ts'
import { turn } from '../base/time/clock.ts'
import type { PluginContainer } from '../hooks/plugin.ts'
import { framingOf } from '../protos/connection/protocol-detector.ts'
import { prepareProtocol } from '../protos/prepare.ts'
import type { LifeHookRunner } from '../session/life-hooks.ts'
import type { Settings } from '../session/options.ts'
import { formatAddress, parseAddress, webSocketPath, withLayers } from '../transports/address.ts'
import { javaScriptTransport, type TransportInfo } from '../transports/choose.ts'
import { adoption, mayInherit } from '../transports/handover/deferred.ts'
import { type OpenSocket, openSockets, type SocketOwner, unpassable } from '../transports/handover/sockets.ts'
import { resolveAddress } from '../transports/resolve.ts'
import type { Transport, TransportListener } from '../transports/transport.ts'
import { Framing } from '../wire/framing.ts'
import type { Acceptor } from './acceptor.ts'
import {
  type Listener,
  type ListenOptions,
  readListenOptions,
  readUpgradeOptions,
  type UpgradeOptions,
  upgradeAddress,
} from './connect-options.ts'

/** The endpoint that listens, with what it is made of. */
interface Listening extends SocketOwner {
  readonly settings: Settings
  readonly transport: Transport
  readonly kind: TransportInfo['kind']
  readonly acceptor: Acceptor
  readonly lifeHooks: LifeHookRunner
  readonly plugins: PluginContainer
  /** @throws StatusError 102 when the endpoint is closed */
  requireOpen(): void
  /** Waits for the hooks about making the endpoint. */
  ready(): Promise<void>
}

/** The listeners of an endpoint. */
export class Listeners {
  readonly #endpoint: Listening
  readonly #open = new Map<TransportListener, OpenSocket | undefined>()

  constructor(endpoint: Listening) {
    this.#endpoint = endpoint
  }

  /** Listens, as `Endpoint.listen` says. */
  async listen(url: string, options: ListenOptions | undefined): Promise<Listener> {
    const endpoint = this.#endpoint
    const { settings, transport, kind, acceptor } = endpoint
    const address = parseAddress(url)
    const { protocols, socket, webSocket, serverTls, kcp, quic } = await readListenOptions(options, settings, kind, address)
    endpoint.requireOpen()
    await endpoint.ready()
    for (const protocol of protocols) await prepareProtocol(protocol)
    const detected = protocols.length > 1 || webSocket !== undefined
    const framing = detected ? Framing.Peek : framingOf(protocols[0])
    const gate = serverTls && acceptor.gate(serverTls.maxHandshakes)
    const acceptance = { protocols, webSocket, onlyWebSocket: webSocketPath(address) !== undefined, gate }
    const engine = webSocket && (await (await acceptor.prepareWebSockets()).listenEngine(webSocket, address))
    const { limits, lookup } = settings
    const [resolved] = await resolveAddress(address, { transport, lookup })
    const open = (descriptor?: number): Promise<TransportListener> =>
      (engine ?? transport).listen(
        resolved,
        { ...limits, countsBodies: settings.meter !== null, framing, socket, serverTls, gate, kcp, quic },
        (connection) => runInRoot(acceptor.accept, acceptor, connection, acceptance),
        { reusePort: options?.reusePort, exclusive: options?.exclusive, descriptor },
      )
    const streams = address.kind !== 'udp' && engine === undefined && (kind === 'native' || kind === 'js')
    const inherits = streams && mayInherit() && !isClusterWorker()
    const listener = inherits ? await (await adoption.load()).adoptOr(address, resolved, open) : await open()
    try {
      endpoint.requireOpen()
      const bound = formatAddress(withLayers(listener.address, address))
      this.#add(listener, formatAddress(address), bound)
      await endpoint.lifeHooks.run(endpoint.plugins.hooks.afterListen, bound)
      return {
        url: bound,
        close: () => this.#close(listener),
        setSecureContext: (context) => {
          if (serverTls === undefined) throw new TypeError('the listener has no TLS')
          serverTls.setSecureContext(context)
          listener.setSecureContext?.()
        },
      }
    } catch (error) {
      await this.#close(listener)
      throw error
    }
  }

  /** Accepts a WebSocket, as `Endpoint.upgrade` says. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array, options?: UpgradeOptions): Promise<void> {
    if (typeof request?.url !== 'string' || typeof socket?.pause !== 'function' || !(head instanceof Uint8Array))
      throw new TypeError("upgrade needs the request, the socket and the head that the event 'upgrade' of an HTTP server gives")
    const { settings, acceptor } = this.#endpoint
    // An error of the socket before the connection listens: without a listener it would end the process.
    socket.on('error', () => {})
    socket.pause()
    try {
      const { method = '', url: target, rawHeaders: fields } = request
      const offer = await readUpgradeOptions(options, settings, target.split('?', 1)[0])
      const { webSocket, socket: socketSettings } = offer
      for (const protocol of offer.protocols) await prepareProtocol(protocol)
      await (await acceptor.prepareWebSockets()).listenEngine(webSocket!, upgradeAddress)
      const obstacle = await this.#obstacle()
      const given = { ...settings.limits, framing: Framing.Peek, socket: socketSettings }
      const connection = await javaScriptTransport().adopt(socket, head, given)
      if (connection === undefined) return
      const acceptance = { ...offer, onlyWebSocket: true, gate: undefined }
      runInRoot(acceptor.acceptUpgrade, acceptor, connection, acceptance, { method, target, fields }, obstacle)
    } catch (error) {
      socket.destroy()
      throw error
    }
  }

  /** Why no connection can be accepted; undefined when one can. */
  async #obstacle(): Promise<string | undefined> {
    try {
      this.#endpoint.requireOpen()
      await this.#endpoint.ready()
      return undefined
    } catch (error) {
      return reasonOf(error)
    }
  }

  /** Keeps a listener, which the next process may inherit. */
  #add(listener: TransportListener, asked: string, url: string): void {
    const socket: OpenSocket | undefined = listener.descriptor && {
      asked,
      url,
      descriptor: () => listener.descriptor!(),
      release: () => this.#close(listener, true),
      owner: this.#endpoint,
    }
    this.#open.set(listener, socket)
    if (socket !== undefined) openSockets.add(socket)
    if (/^(kcp|quic):/.test(url)) unpassable.set(listener, url)
  }

  async #close(listener: TransportListener, handedOver = false): Promise<void> {
    const socket = this.#open.get(listener)
    if (socket !== undefined) openSockets.delete(socket)
    this.#open.delete(listener)
    unpassable.delete(listener)
    await listener.close(handedOver)
  }

  /** Closes all. Connections that the system has made already are accepted before, because it would reset them. */
  async close(): Promise<void> {
    if (this.#open.size > 0) for (let turns = 0; turns < 2; turns++) await turn()
    await Promise.all([...this.#open.keys()].map((listener) => this.#close(listener)))
  }
}
