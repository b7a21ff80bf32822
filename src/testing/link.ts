import { checkDelay, checkFaults, type Delay, type Drawn, drawer, type Faults, type FaultTable } from './faults.ts'
import { Pipe, type PipeOwner } from './pipe.ts'
import { seeded } from './random.ts'
import { MemorySocket } from './socket.ts'
import type { VirtualTime } from './virtual-time.ts'

/** The services of the network that a connection uses. */
interface LinkOwner {
  readonly seed: string
  readonly time: VirtualTime
  readonly faultTable: FaultTable
  readonly highWater: number
  /** Whether a partition blocks the direction from one host to another. */
  cut(from: string, to: string): boolean
  fail(error: unknown): void
  note(text: string): void
  onLinkClosed(link: Link): void
}

/** One side of a connection. */
export interface LinkEnd {
  /** Name of the host. */
  readonly host: string
  /** `host:port`, or the path of a Unix socket. */
  readonly address: string
}

type Side = 'client' | 'server'

const State = { Dialling: 0, Open: 1, Closed: 2 } as const
type State = (typeof State)[keyof typeof State]

/** A connection between two hosts, from the dial on. */
export class Link {
  /** Number of the connection, from 1 in the order of dialling. */
  readonly id: number
  /** The dialling side. */
  readonly client: LinkEnd
  /** The accepting side. */
  readonly server: LinkEnd
  /** @internal */
  readonly sockets: Readonly<Record<Side, MemorySocket>>
  readonly #owner: LinkOwner
  /** The directions of the connection, by sending side. */
  readonly #pipes: Readonly<Record<Side, Pipe>>
  readonly #gone = { client: false, server: false }
  readonly #randoms: Partial<Record<Side, () => number>> = {}
  #own: Faults = {}
  #ownVersion = 0
  #dark = false
  #state: State = State.Dialling
  #done: ((code?: string) => void) | undefined

  /** @internal */
  constructor(owner: LinkOwner, id: number, client: LinkEnd, server: LinkEnd) {
    this.#owner = owner
    this.id = id
    this.client = client
    this.server = server
    this.#pipes = { client: new Pipe(this.#pipeOwner('client')), server: new Pipe(this.#pipeOwner('server')) }
    this.sockets = { client: this.#socket('client'), server: this.#socket('server') }
  }

  /** True from the moment the server has accepted the connection until it is closed. */
  get open(): boolean {
    return this.#state === State.Open
  }

  /** True once both sides have closed the connection, or it was reset or refused. */
  get closed(): boolean {
    return this.#state === State.Closed
  }

  /** True after `drop`: nothing arrives on either side, and neither side was notified. */
  get dropped(): boolean {
    return this.#dark
  }

  /**
   * Number of bytes that `host` has sent and the other side has not read.
   * @throws TypeError when `host` is neither side
   */
  unread(host: string): number {
    const pipe = this.#pipes[this.#sideOf(host)]
    return pipe.held + pipe.waiting
  }

  /**
   * Sets the faults of this connection, both directions, which win over those of its hosts. Replaces the faults that
   * were set here before.
   * @throws TypeError, RangeError for bad faults
   */
  faults(faults: Faults): void {
    checkFaults(faults)
    this.#own = { ...faults }
    this.#ownVersion++
  }

  /** Resets the connection: both sides see ECONNRESET, bytes on their way are lost. */
  reset(): void {
    if (this.#state === State.Closed) return
    this.#note('reset')
    const { time } = this.#owner
    this.#pipes.client.clear()
    this.#pipes.server.clear()
    for (const socket of [this.sockets.client, this.sockets.server]) time.at(time.now, () => socket.fail('ECONNRESET'))
  }

  /** Loses the connection: from now on nothing arrives on either side, and neither side is notified. */
  drop(): void {
    if (this.#dark || this.#state === State.Closed) return
    this.#note('drop')
    this.#dark = true
  }

  /**
   * Delays everything sent from now on by at least this many milliseconds.
   * @param ms milliseconds, drawn once per direction
   * @param from only bytes sent by this host; default: both
   * @throws TypeError when `from` is neither side, RangeError for a bad delay
   */
  stall(ms: Delay, from?: string): void {
    checkDelay('stall', ms)
    const sides: Side[] = from === undefined ? ['client', 'server'] : [this.#sideOf(from)]
    for (const side of sides) this.#pipes[side].stall(drawer(ms)(this.#random(side)))
  }

  /**
   * Ends the stream that `host` sends: its peer receives FIN although `host` has not ended it, and bytes that `host`
   * sends from now on are lost.
   * @throws TypeError when `host` is neither side
   */
  halfClose(host: string): void {
    if (this.#state === State.Open) this.#pipes[this.#sideOf(host)].finish()
  }

  /**
   * Makes the connection.
   * @param accept returns a function that gives the server its side; undefined: no listener
   * @param done called when the client's side is connected, or with the code of the failure
   * @internal
   */
  connect(accept: () => (() => void) | undefined, done: (code?: string) => void): void {
    this.#note('dial')
    this.#done = done
    this.#pipes.client.control(() => {
      const { refuse } = this.#faults('client')
      const accepted = refuse > 0 && this.#random('client')() < refuse ? undefined : accept()
      if (accepted === undefined) {
        this.#note('refuse')
        this.#pipes.server.control(() => {
          this.#tell('ECONNREFUSED')
          this.#close()
        })
        return
      }
      this.#note('accept')
      this.#state = State.Open
      this.#pipes.server.control(() => {
        if (!this.#gone.client) this.#tell()
      })
      accepted()
    })
  }

  /**
   * The process of `host` is killed: the peer sees a reset connection.
   * @internal
   */
  kill(host: string): void {
    for (const side of ['client', 'server'] as const) {
      if (this[side].host !== host || this.#gone[side]) continue
      if (this.#state === State.Open) this.#abort(side)
      this.sockets[side].fail('ECONNRESET')
    }
  }

  /**
   * The network is closed: both sides see ENETDOWN.
   * @internal
   */
  end(): void {
    this.#pipes.client.clear()
    this.#pipes.server.clear()
    this.#tell('ENETDOWN')
    this.sockets.client.fail('ENETDOWN')
    this.sockets.server.fail('ENETDOWN')
    this.#close()
  }

  /**
   * A partition has ended: packets may pass again.
   * @internal
   */
  unblock(): void {
    this.#pipes.client.unblock()
    this.#pipes.server.unblock()
  }

  /**
   * One line about the connection, for reports.
   * @internal
   */
  describe(): string {
    const side = (of: Side): string => {
      const pipe = this.#pipes[of]
      const parts = [
        this.#gone[of] ? 'closed' : (this.sockets[of].describe?.() ?? ''),
        pipe.held > 0 ? `${pipe.held} bytes not read by the peer` : '',
      ]
      parts.push(pipe.waiting > 0 ? `${pipe.waiting} bytes without room` : '', this.#blocked(of) ? 'cut off' : '')
      return `${this[of].address}${parts.some(Boolean) ? ` (${parts.filter(Boolean).join(', ')})` : ''}`
    }
    return `#${this.id} ${this.#state === State.Open ? 'open' : 'dialling'}: ${side('client')} > ${side('server')}`
  }

  #socket(side: Side): MemorySocket {
    const socket: MemorySocket = new MemorySocket(this.#pipes[other(side)], this.#pipes[side], (unread) => this.#onClosed(side, unread))
    // A socket without a connection object has no other listener for errors.
    socket.on('error', () => {})
    return socket
  }

  #onClosed(side: Side, unread: boolean): void {
    if (this.#gone[side]) return
    this.#gone[side] = true
    if (this.#state === State.Closed) return
    this.#note(`close ${this[side].address}`)
    if (this.#state === State.Dialling || this.#gone[other(side)]) this.#close()
    else if (unread && !this.#pipes[side].over) this.#abort(side)
    else this.#pipes[side].finish()
  }

  /** Resets the connection from one side: the other side is notified by a packet. */
  #abort(side: Side): void {
    this.#pipes[side].abort(() => this.sockets[other(side)].fail('ECONNRESET'))
  }

  #close(): void {
    if (this.#state === State.Closed) return
    this.#state = State.Closed
    this.#pipes.client.clear()
    this.#pipes.server.clear()
    for (const side of ['client', 'server'] as const) if (!this.#gone[side]) this.sockets[side].destroy()
    this.#tell('ECONNRESET')
    this.#owner.onLinkClosed(this)
  }

  /** Reports the result of the dial, once. */
  #tell(code?: string): void {
    const done = this.#done
    this.#done = undefined
    done?.(code)
  }

  #pipeOwner(side: Side): PipeOwner {
    const { time, highWater } = this.#owner
    return {
      time,
      highWater,
      random: this.#random(side),
      faults: this.#cachedFaults(side),
      blocked: () => this.#blocked(side),
      fail: (error) => this.#owner.fail(error),
      note: (text) => this.#owner.note(`#${this.id} ${this[side].address}>${this[other(side)].address} ${text}`),
      onWrite: () => this.#onWrite(side),
      onStray: () => this.#abort(other(side)),
    }
  }

  #onWrite(side: Side): boolean {
    const { reset, drop } = this.#faults(side)
    const random = this.#random(side)
    if (reset > 0 && random() < reset) {
      this.reset()
      return false
    }
    if (drop > 0 && random() < drop) this.drop()
    return true
  }

  #blocked(side: Side): boolean {
    return this.#dark || this.#owner.cut(this[side].host, this[other(side)].host)
  }

  /**
   * The generator of one direction. Each has its own, so that the draws of one connection do not change those of
   * another.
   */
  #random(side: Side): () => number {
    return (this.#randoms[side] ??= seeded(`${this.#owner.seed}/link/${this.id}/${side}`))
  }

  #faults(side: Side): Drawn {
    return this.#owner.faultTable.find(this[side].host, this[other(side)].host, this.#own)
  }

  #cachedFaults(side: Side): () => Drawn {
    let drawn: Drawn | undefined
    let version = -1
    let own = -1
    return () => {
      const { faultTable } = this.#owner
      if (drawn === undefined || version !== faultTable.version || own !== this.#ownVersion) {
        drawn = this.#faults(side)
        version = faultTable.version
        own = this.#ownVersion
      }
      return drawn
    }
  }

  #sideOf(host: string): Side {
    if (host === this.client.host) return 'client'
    if (host === this.server.host) return 'server'
    throw new TypeError(`${JSON.stringify(host)} is no host of connection #${this.id}`)
  }

  #note(text: string): void {
    this.#owner.note(`#${this.id} ${this.client.address}>${this.server.address} ${text}`)
  }
}

function other(side: Side): Side {
  return side === 'client' ? 'server' : 'client'
}
