import { CloseReason } from '../../message/close-reason.ts'
import { ProtoError, type ProtoLink } from '../proto.ts'

/** Bytes that a held reply costs besides its content. */
const OVERHEAD = 64

/**
 * Replies in the order of their commands, because only the order tells a client which reply is whose. Replies that are
 * ready early wait.
 */
export class ReplyQueue {
  readonly #link: ProtoLink
  /** Number of the command whose reply is written next. */
  #first = 1
  #next = 1
  #last = 0
  readonly #held = new Map<number, string | Uint8Array>()
  #heldBytes = 0

  constructor(link: ProtoLink) {
    this.#link = link
  }

  /** Number of the command whose reply is written next. */
  get first(): number {
    return this.#first
  }

  /**
   * Counts a received command.
   *
   * @returns its number
   */
  begin(): number {
    return this.#next++
  }

  /** Ends the connection when the reply of the command with this number is written. */
  endWith(seq: number, reply: string): void {
    this.#last = seq
    if (seq !== this.#first) {
      this.#held.set(seq, reply)
      return
    }
    this.#link.write(reply)
    this.#link.end()
  }

  /**
   * Adds the reply to command `seq`.
   *
   * @returns what to write now; '' while an earlier reply is missing
   * @throws ProtoError when too many bytes wait
   */
  ready(seq: number, reply: string | Uint8Array): string | Uint8Array {
    if (seq < this.#first || this.#held.has(seq)) return '' // answered before
    if (seq > this.#first) {
      this.#heldBytes += Buffer.byteLength(reply as string) + OVERHEAD
      if (this.#heldBytes > this.#link.limits.maxUnsent)
        throw new ProtoError('replies that wait for an earlier one are over the limit', CloseReason.Unsent)
      this.#held.set(seq, typeof reply === 'string' ? reply : Buffer.from(reply))
      return ''
    }
    this.#first++
    return this.#held.size === 0 ? reply : this.#release(reply)
  }

  /** Returns `reply` and the replies that waited for it. */
  #release(reply: string | Uint8Array): string | Uint8Array {
    const replies = [reply]
    for (let held = this.#held.get(this.#first); held !== undefined; held = this.#held.get(this.#first)) {
      replies.push(held)
      this.#held.delete(this.#first)
      if (this.#first === this.#last) this.#link.end()
      else this.#heldBytes -= Buffer.byteLength(held as string) + OVERHEAD
      this.#first++
    }
    return replies.every((text) => typeof text === 'string')
      ? replies.join('')
      : Buffer.concat(replies.map((bytes) => Buffer.from(bytes as string)))
  }
}
