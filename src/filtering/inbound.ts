import type { FilterTable } from '../filters/filter-table.ts'
import { CloseReason } from '../message/close-reason.ts'
import { type Filter, FilterOverflow, type Unpacker } from '../message/filter.ts'
import { Incoming } from '../message/message.ts'
import type { Connection } from '../transports/transport.ts'
import type { Envelope, Opened } from '../wire/envelope.ts'
import { unpackLayers } from './layers.ts'

/** The session that receives messages once their filters are removed. */
export interface Receiver {
  /** Receives one message; it is borrowed until this returns. */
  onMessage(message: Incoming): void
  /** Closes the session because a message could not be read. */
  fail(reason: CloseReason): void
  /** Called when no message is processed off the loop any longer. */
  onFiltersIdle(): void
  /** Called with true when many replies wait for their filters, and with false when most of them were sent. */
  onFiltersNeedDrain(on: boolean): void
}

/** Most bytes, over all protocols, that a frame has besides its payload and filter ids. */
const FRAME_BYTES = 6

/**
 * The message that every `onMessage` borrows. Messages never nest: they come from a connection or from the end of a
 * job.
 */
const message = new Incoming()

/**
 * Removes the filters of one session's frames, between its connection and its `onMessage`. While a frame is processed
 * off the loop, reading is paused, so that messages keep their order and only one of them is in memory decompressed.
 */
export class FilteredIn {
  readonly #connection: Connection
  readonly #envelope: Envelope
  readonly #filters: FilterTable
  readonly #maxPayload: number
  #receiver: Receiver
  readonly #unpackers = new Map<Filter, Unpacker>()
  #busy = false
  #over = false

  /** @param maxMessage largest frame in bytes, both with and without its filters */
  constructor(connection: Connection, envelope: Envelope, filters: FilterTable, maxMessage: number, receiver: Receiver) {
    this.#connection = connection
    this.#envelope = envelope
    this.#filters = filters
    this.#maxPayload = maxMessage - FRAME_BYTES
    this.#receiver = receiver
  }

  /** Replaces the receiver, when another session resumes on this connection. */
  moveTo(receiver: Receiver): void {
    this.#receiver = receiver
  }

  /** Whether a message is being processed off the loop. */
  get busy(): boolean {
    return this.#busy
  }

  /**
   * Receives a frame of type `UNPARSED`. Requires that its number of filters was checked. Borrowed until this returns.
   */
  receive(frame: Incoming): void {
    const opened = this.#envelope.open(frame, this.#filters)
    if (opened === undefined) {
      this.#receiver.fail(CloseReason.Filter)
      return
    }
    const layers = opened.filters.map((filter) => this.#unpackerOf(filter))
    let payload: Uint8Array | Promise<Uint8Array>
    try {
      payload = unpackLayers(layers, opened.payload, this.#maxPayload)
    } catch (error) {
      this.#refuse(error)
      return
    }
    if (payload instanceof Promise) void this.#handOnLater(payload, opened)
    else this.#handOn(payload, opened)
  }

  /** The session is closed: results of running jobs are dropped. */
  drop(): void {
    this.#over = true
  }

  async #handOnLater(payload: Promise<Uint8Array>, opened: Opened): Promise<void> {
    this.#connection.pauseReading()
    this.#busy = true
    let bytes: Uint8Array | undefined
    try {
      bytes = await payload
    } catch (error) {
      if (!this.#over) this.#refuse(error)
    }
    try {
      if (bytes !== undefined && !this.#over) this.#handOn(bytes, opened)
    } catch (error) {
      // The session layer catches what handlers throw, so this is an internal error. It closes this session and no
      // other, as in the transports.
      process.emitWarning(error instanceof Error ? error : new Error(`a session threw ${String(error)}`))
      this.#receiver.fail(CloseReason.Local)
    }
    this.#busy = false
    this.#connection.resumeReading()
    this.#receiver.onFiltersIdle()
  }

  #handOn(payload: Uint8Array, opened: Opened): void {
    message.clear()
    const refused = opened.finish(Buffer.from(payload.buffer, payload.byteOffset, payload.length), message)
    if (refused !== CloseReason.Local) {
      this.#receiver.fail(refused)
      return
    }
    message.filters = opened.filters
    this.#receiver.onMessage(message)
  }

  #refuse(error: unknown): void {
    this.#receiver.fail(error instanceof FilterOverflow ? CloseReason.TooLarge : CloseReason.FilterFailed)
  }

  #unpackerOf(filter: Filter): Unpacker {
    if (filter.receiver === undefined) return filter
    let unpacker = this.#unpackers.get(filter)
    if (unpacker === undefined) this.#unpackers.set(filter, (unpacker = filter.receiver()))
    return unpacker
  }
}
