import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { defaultLimits } from '../../../src/base/limits.ts'
import { CloseReason } from '../../../src/message/close-reason.ts'
import type { Incoming } from '../../../src/message/message.ts'
import { nameText } from '../../../src/message/names.ts'
import type { Address } from '../../../src/transports/address.ts'
import { JsTransport } from '../../../src/transports/js.ts'
import type { Connection, ConnectionHandler, ConnectionOptions, TransportListener } from '../../../src/transports/transport.ts'
import { once } from '../../support/helpers.ts'
import { RawPeer } from '../../support/raw-peer.ts'

/** A copy of what an `Incoming` said. */
export interface Got {
  type: number
  seq: number
  name: string
  status: string
  meta: string
  codec: number
  body: string
}

/** A sink that keeps what it is told, and lets a test wait for it. */
export class Recorder implements ConnectionHandler {
  readonly messages: Got[] = []
  readonly closes: [reason: string, detail: string][] = []
  /** `[reason, detail]` of the first close. */
  readonly closed: Promise<[string, string]>
  /** Called after each message was kept. */
  onEach: (message: Incoming) => void = () => {}
  onNeedsDrain?: () => void
  onDrained?: () => void
  #waiting: { count: number; resolve: () => void; reject: (error: unknown) => void }[] = []
  #closed = once<[string, string]>()

  constructor() {
    this.closed = this.#closed.promise
  }

  onMessage(m: Incoming): void {
    const text = (start: number, end: number): string => m.buffer.toString('utf8', start, end)
    this.messages.push({
      type: m.type,
      seq: m.seq,
      name: m.route >= 0 ? nameText(m.route) : text(m.nameStart, m.nameEnd),
      status: text(m.statusStart, m.statusEnd),
      meta: text(m.metaStart, m.metaEnd),
      codec: m.codec,
      body: text(m.bodyStart, m.bodyEnd),
    })
    this.onEach(m)
    if (this.#waiting.length === 0) return
    for (const { count, resolve } of this.#waiting) if (this.messages.length >= count) resolve()
    this.#waiting = this.#waiting.filter(({ count }) => this.messages.length < count)
  }

  onClose(reason: number, detail: string): void {
    const close: [string, string] = [Object.keys(CloseReason)[reason], detail]
    this.closes.push(close)
    this.#closed.resolve(close)
    for (const { count, reject } of this.#waiting) reject(this.#missing(count))
    this.#waiting = []
  }

  /** Once at least `count` messages have come; fails when the connection closes before. */
  async received(count: number): Promise<Got[]> {
    if (this.messages.length < count) {
      if (this.closes.length > 0) throw this.#missing(count)
      const { promise, resolve, reject } = once()
      this.#waiting.push({ count, resolve, reject })
      await promise
    }
    return this.messages
  }

  #missing(count: number): Error {
    return new Error(`closed (${this.closes.join(' ')}) after ${this.messages.length} messages of ${count}`)
  }
}

export const transport = new JsTransport()

export const loopback: Address = { kind: 'tcp', host: '127.0.0.1', port: 0 }

export function options(changes: Partial<ConnectionOptions> = {}): ConnectionOptions {
  const { maxMessage, maxFilters, maxUnsent, frameTimeout, writeTimeout } = defaultLimits
  return { maxMessage, maxFilters, maxUnsent, frameTimeout, writeTimeout, ...changes }
}

/** One end of a connection under test, and what its sink was told. */
export interface End {
  wire: Connection
  sink: Recorder
}

export interface Listening {
  listener: TransportListener
  /** The next accepted connection. */
  accepted(): Promise<End>
}

/** Listens until the test ends. `prepare` runs before anything of a connection is delivered. */
export async function listen(
  t: TestContext,
  changes: Partial<ConnectionOptions> = {},
  address: Address = loopback,
  prepare: (end: End) => void = () => {},
): Promise<Listening> {
  const ends: End[] = []
  const waiting: ((end: End) => void)[] = []
  const listener = await transport.listen(address, options(changes), (wire) => {
    const end = { wire, sink: new Recorder() }
    wire.handler = end.sink
    prepare(end)
    t.after(() => wire.destroy(CloseReason.Local))
    const next = waiting.shift()
    if (next === undefined) ends.push(end)
    else next(end)
  })
  t.after(() => listener.close())
  const accepted = async (): Promise<End> => ends.shift() ?? (await new Promise((resolve) => waiting.push(resolve)))
  return { listener, accepted }
}

export async function dial(t: TestContext, address: Address, changes: Partial<ConnectionOptions> = {}): Promise<End> {
  const wire = await transport.dial(address, options(changes), new AbortController().signal)
  t.after(() => wire.destroy(CloseReason.Local))
  const sink = new Recorder()
  wire.handler = sink
  return { wire, sink }
}

/** Two wires connected to each other. */
export async function wirePair(
  t: TestContext,
  changes: Partial<ConnectionOptions> = {},
  address = loopback,
): Promise<{ server: End; client: End }> {
  const { listener, accepted } = await listen(t, changes, address)
  const client = await dial(t, listener.address, changes)
  return { server: await accepted(), client }
}

/** A wire whose peer is a bare socket. */
export async function wireAndPeer(
  t: TestContext,
  changes: Partial<ConnectionOptions> = {},
  prepare?: (end: End) => void,
): Promise<End & { peer: RawPeer; socket: Socket }> {
  const { listener, accepted } = await listen(t, changes, loopback, prepare)
  const { port } = listener.address as { port: number }
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  t.after(() => socket.destroy())
  const end = await accepted()
  return { ...end, peer: new RawPeer(socket), socket }
}

/** Lets the loop turn `count` times. */
export async function turns(count = 1): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate)
}
