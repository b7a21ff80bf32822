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

/** What a host needs of its network. */
export interface HostOwner {
  readonly seed: string
  readonly time: VirtualTime
  /** @throws Error ENOTFOUND when there is no such host, ENETDOWN when the network is closed */
  find(host: string): TestHost
  newLink(client: LinkEnd, server: LinkEnd): Link
  note(text: string): void
  links(): readonly Link[]
}

/** As systems do it: ports that were not asked for begin here. */
const FIRST_PORT = 49_152
const LAST_PORT = 65_535

/** Names by which a host means itself. */
const own = new Set(['localhost', '127.0.0.1', '::1', '0.0.0.0', '::'])

type Accept = (socket: MemorySocket, local: string, remote: string) => void

/** A machine of a `TestNetwork`. Endpoints that are given its `transport` run on it. */
export class TestHost {
  readonly name: string
  /** For `new Endpoint({ transport })`. */
  readonly transport: Transport
  readonly #owner: HostOwner
  /** By port, or by path of a Unix socket. */
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
   * A bare connection from here, to be a peer by hand. Its bytes pass as all others do.
   * @throws TypeError (rejects) for a bad url; Error with `code` ENOTFOUND, ECONNREFUSED …
   */
  async connect(url: string): Promise<Duplex> {
    const { sockets } = await this.#connect(parseAddress(url), new AbortController().signal)
    return sockets.client
  }

  /**
   * As if its process were killed: nobody listens any more, and connections are reset. What else its endpoints do goes on: make new ones for
   * the process that comes after it.
   */
  crash(): void {
    this.#owner.note(`${this.name} crashes`)
    this.#listening.clear()
    for (const link of this.#owner.links()) link.kill(this.name)
  }

  /** @internal */
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
      const connection = this.#wire(socket, local, remote, options)
      try {
        onConnection(connection)
      } catch (error) {
        process.emitWarning(error instanceof Error ? error : new Error(`onWire threw ${String(error)}`))
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
    return this.#wire(sockets.client, client.address, server.address, options)
  }

  #wire(socket: MemorySocket, local: string, remote: string, options: ConnectionOptions): SocketConnection {
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

  /** The next one in turn, as systems give them: not again soon. */
  #freePort(): number {
    do this.#lastPort = this.#lastPort >= LAST_PORT ? FIRST_PORT : this.#lastPort + 1
    while (this.#listening.has(this.#lastPort))
    return this.#lastPort
  }
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The network's time, as an endpoint asks for it: its timers run in the context of the network, which is nobody's. */
export function virtualClock(time: VirtualTime, random: () => number): Clock {
  return Object.freeze({
    now: () => time.now,
    // As node's: a timer takes a millisecond at least, so that one that sets itself anew does not stop time.
    setTimeout: (run: () => void, ms: number): ClockTimer => time.at(time.now + (ms >= 1 ? ms : 1), run),
    clearTimeout: (timer: ClockTimer | undefined) => time.cancel(timer as Happening | undefined),
    random,
    secret: () => Array.from({ length: 22 }, () => LETTERS[Math.floor(random() * LETTERS.length)]).join(''),
  })
}

function shown(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** As node's: `code` 'ECONNREFUSED' and the address in the text. */
export function failure(syscall: string, code: string, address: Address): NodeJS.ErrnoException {
  return Object.assign(new Error(`${syscall} ${code} ${formatAddress(address)}`), { code, syscall })
}
