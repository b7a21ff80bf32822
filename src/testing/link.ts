import { checkDelay, checkFaults, type Delay, type Drawn, drawer, type Faults, type FaultTable } from './faults.ts'
import { Pipe, type PipeOwner } from './pipe.ts'
import { seeded } from './random.ts'
import { MemorySocket } from './socket.ts'
import type { VirtualTime } from './virtual-time.ts'

/** What a connection needs of its network. */
export interface LinkOwner {
  readonly seed: string
  readonly time: VirtualTime
  readonly faultTable: FaultTable
  readonly highWater: number
  /** Nothing passes from one host to the other. */
  cut(from: string, to: string): boolean
  fail(error: unknown): void
  note(text: string): void
  onLinkClosed(link: Link): void
}

/** One side of a connection. */
export interface LinkEnd {
  readonly host: string
  /** `host:port`, or the path of a Unix socket. */
  readonly address: string
}

type Side = 'client' | 'server'

const State = { Dialling: 0, Open: 1, Closed: 2 } as const
type State = (typeof State)[keyof typeof State]

/** A connection between two hosts, or one that is being made. */
export class Link {
  /** Counts from 1 in the order of dialling. */
  readonly id: number
  /** Who dialled. */
  readonly client: LinkEnd
  readonly server: LinkEnd
  /** @internal */
  readonly sockets: Readonly<Record<Side, MemorySocket>>
  readonly #owner: LinkOwner
  /** By the side that sends. */
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

  get open(): boolean {
    return this.#state === State.Open
  }

  get closed(): boolean {
    return this.#state === State.Closed
  }

  /** Nothing passes any more, and nobody was told. */
  get dropped(): boolean {
    return this.#dark
  }

  /** Bytes that `host` sent and the other side has not read. */
  unread(host: string): number {
    const pipe = this.#pipes[this.#sideOf(host)]
    return pipe.held + pipe.waiting
  }

  /** What goes wrong on this connection, both ways, over what is set for its hosts; takes the place of what was set here before. */
  faults(faults: Faults): void {
    checkFaults(faults)
    this.#own = { ...faults }
    this.#ownVersion++
  }

  /** Both sides see a connection that was reset; what was on its way is lost. */
  reset(): void {
    if (this.#state === State.Closed) return
    this.#note('reset')
    const { time } = this.#owner
    this.#pipes.client.clear()
    this.#pipes.server.clear()
    for (const socket of [this.sockets.client, this.sockets.server]) time.at(time.now, () => socket.fail('ECONNRESET'))
  }

  /** From now on nothing arrives on either side, and nobody is told. */
  drop(): void {
    if (this.#dark || this.#state === State.Closed) return
    this.#note('drop')
    this.#dark = true
  }

  /** What is sent from now on arrives in so many milliseconds at the earliest. @param from only what this host sends; default: both */
  stall(ms: Delay, from?: string): void {
    checkDelay('stall', ms)
    const sides: Side[] = from === undefined ? ['client', 'server'] : [this.#sideOf(from)]
    for (const side of sides) this.#pipes[side].stall(drawer(ms)(this.#random(side)))
  }

  /** The peer of `host` gets the end of the stream, though `host` has not ended it; what `host` sends from now on is lost. */
  halfClose(host: string): void {
    if (this.#state === State.Open) this.#pipes[this.#sideOf(host)].finish()
  }

  /**
   * Makes the connection.
   * @param accept the server's side is there; undefined: nobody listens
   * @param done the client's side is there, or was refused
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

  /** The process of `host` is gone: its side is told nothing that matters, its peer that the connection is reset. @internal */
  kill(host: string): void {
    for (const side of ['client', 'server'] as const) {
      if (this[side].host !== host || this.#gone[side]) continue
      if (this.#state === State.Open) this.#abort(side)
      this.sockets[side].fail('ECONNRESET')
    }
  }

  /** The network ends. @internal */
  end(): void {
    this.#pipes.client.clear()
    this.#pipes.server.clear()
    this.#tell('ENETDOWN')
    this.sockets.client.fail('ENETDOWN')
    this.sockets.server.fail('ENETDOWN')
    this.#close()
  }

  /** Something may pass again. @internal */
  unblock(): void {
    this.#pipes.client.unblock()
    this.#pipes.server.unblock()
  }

  /** For reports. @internal */
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
    // One that no wire has yet.
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

  /** Tells the other side that this one knows of no connection. */
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

  /** What became of the dial, once. */
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

  /** Of its own, so that what one connection draws changes nothing for another. */
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
