import type { Filter } from '../message/filter.ts'
import { isReply } from '../message/message.ts'
import type { Outgoing } from '../message/outgoing.ts'
import { type Connection, SendResult } from '../transports/transport.ts'
import type { Envelope } from '../wire/envelope.ts'
import { packLayers } from './layers.ts'

/** A message that waits for its filters, or for one before it. */
interface Waiting {
  readonly message: Outgoing
  readonly filters: readonly Filter[]
  readonly payload: Uint8Array
  /** Begun already. */
  readonly packed: Promise<Uint8Array> | undefined
  settle(result: SendResult): void
  fail(error: unknown): void
}

const none: readonly Filter[] = []

/** What a message takes that waits, besides its bytes. */
const OVERHEAD = 256

/**
 * Messages with filters of one session on their way to its wire. What takes long is done off the loop, and all that the session sends
 * meanwhile waits behind it, so that order is kept. What waits counts against `maxUnsent`; when replies are half of it no request of
 * the peer's is started, so that they do not pile up.
 */
export class FilteredOut {
  readonly #connection: Connection
  readonly #envelope: Envelope
  readonly #maxMessage: number
  readonly #maxUnsent: number
  readonly #onIdle: () => void
  readonly #onPressed: (on: boolean) => void
  #queue: Waiting[] = []
  /** Bytes of what waits, before filters, with `OVERHEAD` for each message. */
  #queued = 0
  /** Those of them that answer the peer. */
  #replies = 0
  #running = false
  #pressed = false
  #over = false

  /** @param onIdle called when the last of what waited was sent @param onPressed many replies wait, or no more */
  constructor(
    connection: Connection,
    envelope: Envelope,
    limits: { readonly maxMessage: number; readonly maxUnsent: number },
    onIdle: () => void,
    onPressed: (on: boolean) => void,
  ) {
    this.#connection = connection
    this.#envelope = envelope
    this.#maxMessage = limits.maxMessage
    this.#maxUnsent = limits.maxUnsent
    this.#onIdle = onIdle
    this.#onPressed = onPressed
  }

  /** Something waits: whatever the session sends must come through here. */
  get busy(): boolean {
    return this.#running
  }

  /**
   * As `Connection.send`. The body is copied before this returns.
   * @returns at once, or a promise when the message waits
   * @throws (or rejects) what a filter throws
   */
  send(filters: readonly Filter[] | undefined, outgoing: Outgoing): SendResult | Promise<SendResult> {
    if (this.#over) return SendResult.Closed
    const message = outgoing.quote().copy()
    const pipe = filters === undefined ? none : this.#envelope.choose(message, filters)
    const payload = this.#envelope.payload(message, this.#maxMessage)
    if (payload === undefined) return SendResult.TooLarge
    const reply = isReply(message.type)
    if (this.#running && (reply ? this.#replies : this.#queued) + payload.length > this.#maxUnsent) return SendResult.Unsent
    message.body = null
    if (this.#running) return this.#wait(message, pipe, payload, undefined)
    const packed = packLayers(pipe, payload)
    if (!(packed instanceof Promise)) return this.#connection.sendFrame(this.#envelope.seal(message, pipe, packed), reply)
    const sent = this.#wait(message, pipe, payload, packed)
    void this.#run()
    return sent
  }

  /** The session ends: what waits is not sent. */
  drop(): void {
    this.#over = true
  }

  #wait(message: Outgoing, filters: readonly Filter[], payload: Uint8Array, packed: Promise<Uint8Array> | undefined): Promise<SendResult> {
    this.#count(message, payload.length + OVERHEAD)
    if (!this.#pressed && this.#replies > this.#maxUnsent / 2) {
      this.#pressed = true
      this.#onPressed(true)
    }
    return new Promise((settle, fail) => this.#queue.push({ message, filters, payload, packed, settle, fail }))
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#queue.length > 0) {
      const batch = this.#queue
      this.#queue = []
      for (const waiting of batch) await this.#sendOne(waiting)
    }
    this.#running = false
    this.#onIdle()
  }

  async #sendOne({ message, filters, payload, packed, settle, fail }: Waiting): Promise<void> {
    try {
      const bytes = this.#over ? payload : await (packed ?? packLayers(filters, payload))
      settle(
        this.#over ? SendResult.Closed : this.#connection.sendFrame(this.#envelope.seal(message, filters, bytes), isReply(message.type)),
      )
    } catch (error) {
      fail(error)
    }
    this.#count(message, -payload.length - OVERHEAD)
    if (this.#pressed && this.#replies < this.#maxUnsent / 4) {
      this.#pressed = false
      if (!this.#over) this.#onPressed(false)
    }
  }

  #count({ type }: Outgoing, bytes: number): void {
    this.#queued += bytes
    if (isReply(type)) this.#replies += bytes
  }
}
