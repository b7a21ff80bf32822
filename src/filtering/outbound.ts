import type { Filter } from '../message/filter.ts'
import { isReply } from '../message/message.ts'
import type { Outgoing } from '../message/outgoing.ts'
import { type Connection, SendResult } from '../transports/transport.ts'
import type { Envelope } from '../wire/envelope.ts'
import { packLayers } from './layers.ts'

/** A message that waits for its filters, or for a message before it. */
interface Waiting {
  readonly message: Outgoing
  readonly filters: readonly Filter[]
  readonly payload: Uint8Array
  /** The payload with its filters, when packing has begun already. */
  readonly packed: Promise<Uint8Array> | undefined
  settle(result: SendResult): void
  fail(error: unknown): void
}

const none: readonly Filter[] = []

/** Bytes that a waiting message is counted with besides its payload. */
const OVERHEAD = 256

/**
 * Adds filters to one session's messages before they are sent. Slow filters run off the loop, and everything that the
 * session sends meanwhile waits in this queue, so that order is kept. Waiting messages count against `maxUnsent`. When
 * replies are half of it, no request of the peer is started, so that replies do not pile up.
 */
export class FilteredOut {
  readonly #connection: Connection
  readonly #envelope: Envelope
  readonly #maxMessage: number
  readonly #maxUnsent: number
  readonly #onIdle: () => void
  readonly #onNeedsDrain: (on: boolean) => void
  #queue: Waiting[] = []
  /** Bytes of waiting messages before filters, with `OVERHEAD` for each message. */
  #queued = 0
  /** Part of `#queued` that replies to the peer take. */
  #replies = 0
  #running = false
  #needsDrain = false
  #over = false

  /**
   * @param onIdle called when the last waiting message was sent
   * @param onNeedsDrain called with true when many replies wait, and with false when most of them were sent
   */
  constructor(
    connection: Connection,
    envelope: Envelope,
    limits: { readonly maxMessage: number; readonly maxUnsent: number },
    onIdle: () => void,
    onNeedsDrain: (on: boolean) => void,
  ) {
    this.#connection = connection
    this.#envelope = envelope
    this.#maxMessage = limits.maxMessage
    this.#maxUnsent = limits.maxUnsent
    this.#onIdle = onIdle
    this.#onNeedsDrain = onNeedsDrain
  }

  /** Whether messages wait. Then everything that the session sends must go through this queue. */
  get busy(): boolean {
    return this.#running
  }

  /**
   * Sends a message as `Connection.send` does. The body is copied before this returns.
   * @returns the result, or a promise when the message waits
   * @throws (or rejects) the error of a filter
   */
  send(filters: readonly Filter[] | undefined, outgoing: Outgoing): SendResult | Promise<SendResult> {
    if (this.#over) return SendResult.Closed
    const message = outgoing.encoded().copy()
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

  /** The session is closed: waiting messages are dropped. */
  drop(): void {
    this.#over = true
  }

  #wait(message: Outgoing, filters: readonly Filter[], payload: Uint8Array, packed: Promise<Uint8Array> | undefined): Promise<SendResult> {
    this.#count(message, payload.length + OVERHEAD)
    if (!this.#needsDrain && this.#replies > this.#maxUnsent / 2) {
      this.#needsDrain = true
      this.#onNeedsDrain(true)
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
    if (this.#needsDrain && this.#replies < this.#maxUnsent / 4) {
      this.#needsDrain = false
      if (!this.#over) this.#onNeedsDrain(false)
    }
  }

  #count({ type }: Outgoing, bytes: number): void {
    this.#queued += bytes
    if (isReply(type)) this.#replies += bytes
  }
}
