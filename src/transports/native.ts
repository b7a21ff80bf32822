import { closeSync } from 'node:fs'
import { getSystemErrorName } from 'node:util'
import { turn } from '../base/time/clock.ts'
import { type Address, isQuic } from './address.ts'
import { netModule } from './js/deferred.ts'
import type { NativeAddon } from './native/addon.ts'
import { descriptorOf, listensThroughPrimary } from './native/cluster.ts'
import { type Acceptor, acceptFor, acceptNoMore, NativeCore } from './native/core.ts'
import { handshakes } from './native/deferred.ts'
import { systemError } from './system-error.ts'
import type { ConnectionOptions, Transport, TransportConnection, TransportListener, TransportListenOptions } from './transport.ts'

/**
 * Cores of this copy of the code in its environment: the one on the thread of JavaScript, and those with a thread each,
 * which all transports share.
 */
let own: NativeCore | undefined
const threads: NativeCore[] = []
let lastToken = 0

/** The transport over the C++ core. */
export class NativeTransport implements Transport {
  readonly kind = 'native'
  readonly #cores: readonly NativeCore[]
  readonly #other: () => Transport
  /** Why TLS runs on the other transport; '' when it runs in the core. */
  readonly noTls: string
  #dialled = 0

  /**
   * @param ioThreads 0: sockets live in this thread; n: on n threads of their own, over which connections are spread
   * @param other the transport for connections that the core cannot carry here
   * @throws Error when no thread can be started
   */
  constructor(addon: NativeAddon, ioThreads: number, other: () => Transport) {
    this.#other = other
    this.noTls = addon.tlsSupport()
    if (ioThreads === 0) own ??= new NativeCore(addon, false)
    while (threads.length < ioThreads) threads.push(new NativeCore(addon, true))
    this.#cores = ioThreads === 0 ? [own!] : threads.slice(0, ioThreads)
  }

  async listen(
    address: Address,
    options: ConnectionOptions,
    onConnection: (connection: TransportConnection) => void,
    how: TransportListenOptions = {},
  ): Promise<TransportListener> {
    if (isQuic(address) || (options.serverTls !== undefined && this.noTls !== ''))
      return this.#other().listen(address, options, onConnection, how)
    if (options.serverTls !== undefined) await handshakes.load()
    const [core] = this.#cores
    const acceptor: Acceptor = { token: ++lastToken, options, onConnection }
    // Workers of a cluster share no port for datagrams: it would have to be known which worker has a session.
    const ofPrimary = address.kind !== 'udp' && how.descriptor === undefined && listensThroughPrimary(how)
    if (ofPrimary) return this.#listenThroughPrimary(address, acceptor, how)
    const { descriptor = -1 } = how
    const bind = (): number => core.listen(address, acceptor, this.#cores, how.reusePort ?? false, descriptor)
    let id = bind()
    if (id < 0 && address.kind === 'unix' && getSystemErrorName(id) === 'EADDRINUSE') {
      const { removeStaleSocket } = await netModule.load()
      if (await removeStaleSocket(address.path)) id = bind()
    }
    if (id < 0) throw systemError('listen', id, address)
    if (descriptor >= 0) closeSync(descriptor) // the core has one of its own
    let open = true
    return {
      address: address.kind === 'unix' ? address : { ...address, ...core.listenerAddress(id) },
      descriptor: () => (open ? core.listenerDescriptor(id) : -1),
      close: async (handedOver = false) => {
        if (!handedOver) await this.#drainAcceptQueues()
        if (!open) return
        open = false
        core.closeListener(id, handedOver)
        if (handedOver) {
          await turn() // what was accepted last is in the batch of this turn
          await this.#drainAcceptQueues()
        }
        acceptNoMore(acceptor)
      },
    }
  }

  /**
   * Accepts connections by `node:net`, through the cluster's primary, and passes them to the cores before their first
   * byte is read.
   */
  async #listenThroughPrimary(address: Address, acceptor: Acceptor, how: TransportListenOptions): Promise<TransportListener> {
    const { listenOnNet } = await netModule.load()
    let accepted = 0
    acceptFor(acceptor)
    const listener = await listenOnNet(address, how, (socket) => {
      const core = this.#cores[accepted++ % this.#cores.length]
      core.adopt(descriptorOf(socket), address.kind === 'unix', acceptor)
      socket.destroy() // closes the descriptor: the core has one of its own
    }).catch((error) => {
      acceptNoMore(acceptor)
      throw error
    })
    return {
      address: listener.address,
      close: async () => {
        await listener.close()
        await turn() // what was adopted last is in the batch of this turn
        await this.#drainAcceptQueues()
        acceptNoMore(acceptor)
      },
    }
  }

  /**
   * Accepts the connections that the system has made for listeners on other threads, because the system would reset
   * them with the listener.
   */
  async #drainAcceptQueues(): Promise<void> {
    if (this.#cores[0] === own) return
    // An accepted socket may be passed on to another thread, and its record then comes to this one.
    for (let round = 0; round < 2; round++) for (const core of this.#cores) core.drainAcceptQueue()
    await turn()
    await turn()
  }

  async dial(address: Address, options: ConnectionOptions, signal: AbortSignal): Promise<TransportConnection> {
    if (isQuic(address) || (options.tls !== undefined && this.noTls !== '')) return this.#other().dial(address, options, signal)
    if (options.tls !== undefined) await handshakes.load()
    return this.#cores[this.#dialled++ % this.#cores.length].dial(address, options, signal)
  }

  busyPoll(owner: object, microseconds: number): void {
    for (const core of this.#cores) core.busyPoll(owner, microseconds)
  }
}
