import { constants } from 'node:os'
import type { Address } from '../address.ts'
import { turn } from '../clock.ts'
import type { NativeAddon } from '../native.ts'
import type { ListenOptions, SocketWire, Transport, WireListener, WireOptions } from '../transport.ts'
import { removeStaleSocket } from './js/stale-socket.ts'
import { type Acceptor, NativeCore } from './native/core.ts'
import { checkLayout } from './native/ring-layout.ts'
import { systemError } from './system-error.ts'

/** Cores of this environment: the loop's own, and those with a thread each, which all transports share. */
let own: NativeCore | undefined
const threads: NativeCore[] = []
/** The addon counts cores in the order they are made. */
let made = 0
let lastToken = 0

/** The C++ core behind the seam. */
export class NativeTransport implements Transport {
  readonly kind = 'native'
  readonly #cores: readonly NativeCore[]
  #dialled = 0

  /**
   * @param ioThreads 0: sockets live in this thread; n: on n threads of their own, over which connections are spread
   * @throws Error when the binary was built with another layout, or no thread can be started
   */
  constructor(addon: NativeAddon, ioThreads: number) {
    if (!checkLayout(addon.layout)) throw new Error('the native binary is of another version')
    const core = (thread: number): NativeCore => {
      const result = new NativeCore(addon, made, thread)
      made++
      return result
    }
    if (ioThreads === 0) own ??= core(-1)
    while (threads.length < ioThreads) threads.push(core(threads.length))
    this.#cores = ioThreads === 0 ? [own!] : threads.slice(0, ioThreads)
  }

  async listen(address: Address, options: WireOptions, onWire: (wire: SocketWire) => void, how: ListenOptions = {}): Promise<WireListener> {
    const [core] = this.#cores
    const acceptor: Acceptor = { token: ++lastToken, options, onWire }
    const bind = (): number => core.listen(address, acceptor, this.#cores, how.reusePort ?? false)
    let id = bind()
    if (id === -constants.errno.EADDRINUSE && address.kind === 'unix' && (await removeStaleSocket(address.path))) id = bind()
    if (id < 0) throw systemError('listen', id, address)
    return {
      address: address.kind === 'tcp' ? core.listenerAddress(id) : address,
      close: async () => {
        await this.#lookAround()
        core.closeListener(id, acceptor)
      },
    }
  }

  /** Threads of their own take the connections that the system has made, which it would reset with the listener. */
  async #lookAround(): Promise<void> {
    if (this.#cores[0] === own) return
    // An accepted socket may go on to another thread, and its news then come to this one.
    for (let round = 0; round < 2; round++) for (const core of this.#cores) core.lookAround()
    await turn()
    await turn()
  }

  async dial(address: Address, options: WireOptions, signal: AbortSignal): Promise<SocketWire> {
    return this.#cores[this.#dialled++ % this.#cores.length].dial(address, options, signal)
  }

  busyPoll(owner: object, microseconds: number): void {
    for (const core of this.#cores) core.busyPoll(owner, microseconds)
  }
}
