import { CloseReason } from '../../message/close-reason.ts'
import { ProtoError, type ProtoLink } from '../proto.ts'

/** What a held reply costs beside its bytes. */
const OVERHEAD = 64

/**
 * Replies in the order of their commands, which is all that tells a client which is whose: what is ready too early waits.
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

  /** A command came. @returns its number */
  begin(): number {
    return this.#next++
  }

  /** The command with this number is the last one: when its reply is written, the connection ends. */
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
   * The reply to command `seq` is ready.
   * @returns what to write now, '' while an earlier one is missing
   * @throws ProtoError when too much waits
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

  /** `reply` and those that waited for it. */
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
