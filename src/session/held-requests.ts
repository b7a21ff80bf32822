import { Queue } from '../base/collections/queue.ts'
import type { Incoming } from '../message/message.ts'
import type { Meta } from '../message/meta.ts'
import type { PeerLink } from './peer-link.ts'

/** A received CALL or PUSH that may not be started yet. */
export interface HeldRequest {
  /** An undecoded copy that owns its memory. */
  readonly message: Incoming
  readonly meta: Meta
  readonly isCall: boolean
  /** Time when its caller's deadline passes; 0 for none. */
  readonly expires: number
  /** Link that it was received on. */
  readonly link: PeerLink
}

/** Bytes that a held request costs besides its own. */
const OVERHEAD = 512

/**
 * Requests of one peer that wait, in the order received: because too many replies to the peer are unsent, or because a
 * PUSH found no free handler. Reading goes on meanwhile, because replies to our own calls arrive on the same
 * connection, until `limitReading` pauses it.
 */
export class HeldRequests {
  /** Whether many replies to the peer wait in its connection. */
  connectionNeedsDrain = false
  /** Whether many replies wait for their filters. */
  filtersNeedDrain = false
  /** Bytes of all held requests. */
  bytes = 0
  /** Whether a check of the queue is scheduled. */
  scheduled = false
  /** Whether the first one waits until a handler of any session finishes. */
  starved = false
  /** Whether the session is closed. */
  orphaned = false
  readonly #queue = new Queue<HeldRequest>()
  #resume: (() => void) | undefined

  get size(): number {
    return this.#queue.size
  }

  get first(): HeldRequest | undefined {
    return this.#queue.first
  }

  /** Whether no request may be started that will be answered. */
  get needsDrain(): boolean {
    return this.connectionNeedsDrain || this.filtersNeedDrain
  }

  push(request: HeldRequest): void {
    this.#queue.push(request)
    this.bytes += sizeOf(request)
  }

  shift(): HeldRequest | undefined {
    const request = this.#queue.shift()
    if (request !== undefined) this.bytes -= sizeOf(request)
    return request
  }

  /**
   * Pauses reading when more than `limit` bytes wait, and resumes it at half of that.
   *
   * @param stop pauses reading and returns a function that resumes it
   */
  limitReading(limit: number, stop: () => () => void): void {
    if (this.#resume === undefined) {
      if (this.bytes > limit) this.#resume = stop()
    } else if (this.bytes <= limit / 2) {
      this.readOn()
    }
  }

  /** Resumes reading: enough requests were started, or the connection is replaced. */
  readOn(): void {
    const resume = this.#resume
    this.#resume = undefined
    resume?.()
  }
}

function sizeOf({ message }: HeldRequest): number {
  return message.bodyEnd - message.nameStart + OVERHEAD
}
