import type { FilterTable } from '../filters/filter-table.ts'
import { CloseReason } from '../message/close-reason.ts'
import { type Filter, FilterOverflow, type Unpacker } from '../message/filter.ts'
import { Incoming } from '../message/message.ts'
import type { Connection } from '../transports/transport.ts'
import type { Envelope, Opened } from '../wire/envelope.ts'
import { unpackLayers } from './layers.ts'

/** Where messages go when their filters are removed, and what ends the session when that fails. */
export interface Receiver {
  /** `message` is borrowed. */
  onMessage(message: Incoming): void
  fail(reason: CloseReason): void
  /** The last message that was worked on off the loop is done. */
  onFiltersIdle(): void
  /** Many replies wait for their filters, or no more. */
  onFiltersPressed(on: boolean): void
}

/** What a frame has besides its payload, filter ids not counted; of all protocols the most. */
const FRAME_BYTES = 6

/** Borrowed by every `onMessage`. Messages never nest: they come from the wire or from the end of a job. */
const message = new Incoming()

/**
 * Frames with filters of one session, from its wire to its `onMessage`. While one is worked on off the loop the wire is held, so that
 * messages keep their order and only one of them is held decompressed.
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

  /** @param maxMessage limit of a frame, with its filters and without */
  constructor(connection: Connection, envelope: Envelope, filters: FilterTable, maxMessage: number, receiver: Receiver) {
    this.#connection = connection
    this.#envelope = envelope
    this.#filters = filters
    this.#maxPayload = maxMessage - FRAME_BYTES
    this.#receiver = receiver
  }

  moveTo(receiver: Receiver): void {
    this.#receiver = receiver
  }

  /** A message is worked on off the loop. */
  get busy(): boolean {
    return this.#busy
  }

  /** `frame` is of type `UNPARSED`, its number of filters checked; it is borrowed. */
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

  /** The session is over: what is still worked on comes to nothing. */
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
      // The session layer catches what handlers throw: a bug of ours, which costs this session and no other, as in the transports.
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
