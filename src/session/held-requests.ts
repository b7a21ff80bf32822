import { Queue } from '../base/collections/queue.ts'
import type { Incoming } from '../message/message.ts'
import type { Meta } from '../message/meta.ts'
import type { PeerLink } from './peer-link.ts'

/** A CALL or PUSH that came and may not be started yet. */
export interface HeldRequest {
  /** Its own memory, undecoded. */
  readonly message: Incoming
  readonly meta: Meta
  readonly isCall: boolean
  /** When its caller gives up, 0 for never. */
  readonly expires: number
  /** The connection that brought it. */
  readonly link: PeerLink
}

/** What a request takes that waits, besides its bytes. */
const OVERHEAD = 512

/**
 * Requests of one peer that wait, in the order they came: because too many replies to it are unsent, or because a PUSH found no room among the handlers
 * that run. The connection is read on meanwhile, since the replies to our own calls come on it too, until too much waits.
 */
export class HeldRequests {
  /** Many replies wait for the peer in its wire. */
  connectionNeedsDrain = false
  /** Many replies wait for their filters. */
  filtersNeedDrain = false
  /** Of all that waits. */
  bytes = 0
  /** They are looked at soon. */
  scheduled = false
  /** The first of them waits for a handler of any session to end. */
  starved = false
  /** Its session is closed. */
  orphaned = false
  readonly #queue = new Queue<HeldRequest>()
  #resume: (() => void) | undefined

  get size(): number {
    return this.#queue.size
  }

  get first(): HeldRequest | undefined {
    return this.#queue.first
  }

  /** None may be started that is answered. */
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

  /** Stops reading when more than `limit` bytes wait, and goes on at half of it. @param stop returns what goes on */
  limitReading(limit: number, stop: () => () => void): void {
    if (this.#resume === undefined) {
      if (this.bytes > limit) this.#resume = stop()
    } else if (this.bytes <= limit / 2) {
      this.readOn()
    }
  }

  /** The connection is read again, or another one has its place. */
  readOn(): void {
    const resume = this.#resume
    this.#resume = undefined
    resume?.()
  }
}

function sizeOf({ message }: HeldRequest): number {
  return message.bodyEnd - message.nameStart + OVERHEAD
}
