import type { Duplex } from 'node:stream'
import type { Clock, ClockTimer } from '../base/time/clock.ts'
import { CloseReason } from '../message/close-reason.ts'
import { type Address, formatAddress, parseAddress } from '../transports/address.ts'
import { SocketConnection } from '../transports/js/connection.ts'
import { TurnScheduler } from '../transports/js/turn-scheduler.ts'
import type { ConnectionOptions, ListenOptions, Transport, TransportConnection, TransportListener } from '../transports/transport.ts'
import type { Link, LinkEnd } from './link.ts'
import { seeded } from './random.ts'
import { describeConnection } from './report.ts'
import type { MemorySocket } from './socket.ts'
import type { Happening, VirtualTime } from './virtual-time.ts'

/** The services of the network that a host uses. */
interface HostOwner {
  readonly seed: string
  readonly time: VirtualTime
  /** @throws Error ENOTFOUND when there is no such host, ENETDOWN when the network is closed */
  find(host: string): TestHost
  newLink(client: LinkEnd, server: LinkEnd): Link
  note(text: string): void
  links(): readonly Link[]
}

/** First port of those that a host chooses, as in operating systems. */
const FIRST_PORT = 49_152
const LAST_PORT = 65_535

/** Names by which a host dials itself. */
const own = new Set(['localhost', '127.0.0.1', '::1', '0.0.0.0', '::'])

type Accept = (socket: MemorySocket, local: string, remote: string) => void

/** A machine of a `TestNetwork`. Endpoints with its `transport` run on it. */
export class TestHost {
  /** Name of the host, as urls have it. */
  readonly name: string
  /** The transport of this host, for `new Endpoint({ transport })`. */
  readonly transport: Transport
  readonly #owner: HostOwner
  /** Listeners by port, or by path of a Unix socket. */
  readonly #listening = new Map<number | string, Accept>()
  readonly #clock: Clock
  readonly #turns: TurnScheduler
  #lastPort = FIRST_PORT - 1

  /** @internal */
  constructor(owner: HostOwner, name: string) {
    this.name = name
    this.#owner = owner
    this.#clock = virtualClock(owner.time, seeded(`${owner.seed}/host/${name}`))
    this.#turns = new TurnScheduler(this.#clock)
    this.transport = Object.freeze({
      kind: 'memory',
      name: `host ${name} of a TestNetwork`,
      clock: this.#clock,
      resolves: true,
      listen: (
        address: Address,
        options: ConnectionOptions,
        onConnection: (connection: TransportConnection) => void,
        how?: ListenOptions,
      ) => this.#listen(address, options, onConnection, how),
      dial: (address: Address, options: ConnectionOptions, signal: AbortSignal) => this.#dial(address, options, signal),
    })
  }

  /**
   * Opens a plain connection from this host, for a test that plays the peer by hand. Its bytes pass through the
   * network's faults as all others do.
   * @returns the client's end
   * @throws TypeError (rejects) for a bad url
   * @throws Error (rejects) with `code` ENOTFOUND, ECONNREFUSED …
   */
  async connect(url: string): Promise<Duplex> {
    const { sockets } = await this.#connect(parseAddress(url), new AbortController().signal)
    return sockets.client
  }

  /**
   * Acts as if the process of this host were killed: its listeners are gone and its connections are reset. Its
   * endpoints are not stopped: make new ones for the process that is started next.
   */
  crash(): void {
    this.#owner.note(`${this.name} crashes`)
    this.#listening.clear()
    for (const link of this.#owner.links()) link.kill(this.name)
  }

  /**
   * Removes all listeners.
   * @internal
   */
  end(): void {
    this.#listening.clear()
  }

  async #listen(
    address: Address,
    options: ConnectionOptions,
    onConnection: (connection: TransportConnection) => void,
    how: ListenOptions = {},
  ): Promise<TransportListener> {
    this.#owner.find(this.name)
    if (how.reusePort === true) throw new Error('a TestNetwork has no reusePort')
    if (address.kind === 'tcp' && address.host !== this.name && !own.has(address.host)) throw failure('listen', 'EADDRNOTAVAIL', address)
    const bound: Address = address.kind === 'unix' ? address : { ...address, host: this.name, port: address.port || this.#freePort() }
    const key = bound.kind === 'unix' ? bound.path : bound.port
    if (this.#listening.has(key)) throw failure('listen', 'EADDRINUSE', address)
    const accept: Accept = (socket, local, remote) => {
      const connection = this.#connectionOn(socket, local, remote, options)
      try {
        onConnection(connection)
      } catch (error) {
        process.emitWarning(error instanceof Error ? error : new Error(`onConnection threw ${String(error)}`))
        connection.destroy(CloseReason.Local)
      }
    }
    this.#listening.set(key, accept)
    this.#owner.note(`${this.name} listens ${key}`)
    return {
      address: bound,
      close: async () => {
        if (this.#listening.get(key) === accept) this.#listening.delete(key)
      },
    }
  }

  async #dial(address: Address, options: ConnectionOptions, signal: AbortSignal): Promise<TransportConnection> {
    const { sockets, client, server } = await this.#connect(address, signal)
    return this.#connectionOn(sockets.client, client.address, server.address, options)
  }

  #connectionOn(socket: MemorySocket, local: string, remote: string, options: ConnectionOptions): SocketConnection {
    const connection = new SocketConnection(socket.pause(), local, remote, options, this.#turns)
    socket.describe = () => describeConnection(connection)
    return connection
  }

  async #connect(address: Address, signal: AbortSignal): Promise<Link> {
    signal.throwIfAborted()
    const unix = address.kind === 'unix'
    const target = this.#owner.find(unix || own.has(address.host) ? this.name : address.host)
    const key = unix ? address.path : address.port
    const client = unix ? '@' : shown(this.name, this.#freePort())
    const server = unix ? address.path : shown(target.name, address.port)
    const link = this.#owner.newLink({ host: this.name, address: client }, { host: target.name, address: server })
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        link.sockets.client.destroy()
        reject(signal.reason)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      const accept = (): (() => void) | undefined => {
        const listening = target.#listening.get(key)
        return listening && (() => listening(link.sockets.server, server, client))
      }
      const done = (code?: string): void => {
        signal.removeEventListener('abort', onAbort)
        if (code === undefined) resolve(link)
        else reject(failure('connect', unix && code === 'ECONNREFUSED' && !target.#listening.has(key) ? 'ENOENT' : code, address))
      }
      link.connect(accept, done)
    })
  }

  /** A free port. Ports are given out in turn, as operating systems do, so that a port is not used again soon. */
  #freePort(): number {
    do this.#lastPort = this.#lastPort >= LAST_PORT ? FIRST_PORT : this.#lastPort + 1
    while (this.#listening.has(this.#lastPort))
    return this.#lastPort
  }
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/**
 * A clock in the network's time, for an endpoint. Its timers run in the context of the network, which belongs to no
 * caller.
 */
export function virtualClock(time: VirtualTime, random: () => number): Clock {
  return Object.freeze({
    now: () => time.now,
    // A timer takes at least a millisecond, as in Node, so that a timer that starts itself again does not stop time.
    setTimeout: (run: () => void, ms: number): ClockTimer => time.at(time.now + (ms >= 1 ? ms : 1), run),
    clearTimeout: (timer: ClockTimer | undefined) => time.cancel(timer as Happening | undefined),
    random,
    secret: () => Array.from({ length: 22 }, () => LETTERS[Math.floor(random() * LETTERS.length)]).join(''),
  })
}

function shown(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** A system error as Node makes it: `code` 'ECONNREFUSED' and the address in the text. */
function failure(syscall: string, code: string, address: Address): NodeJS.ErrnoException {
  return Object.assign(new Error(`${syscall} ${code} ${formatAddress(address)}`), { code, syscall })
}
