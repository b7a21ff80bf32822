import { CloseReason } from '../../close-reason.ts'
import { ProtoError, type ProtoLink } from '../../proto.ts'

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
   * @throws RangeError when it is too large, ProtoError when too much waits
   */
  ready(seq: number, reply: string | Uint8Array): string | Uint8Array {
    const { maxMessage, maxUnsent } = this.#link.limits
    // Text has at most three bytes to a unit.
    if (reply.length * 3 > maxMessage && Buffer.byteLength(reply as string) > maxMessage)
      throw new RangeError('the reply is over the size limit')
    if (seq < this.#first || this.#held.has(seq)) return '' // answered before
    if (seq > this.#first) {
      this.#heldBytes += Buffer.byteLength(reply as string) + OVERHEAD
      if (this.#heldBytes > maxUnsent) throw new ProtoError('replies that wait for an earlier one are over the limit', CloseReason.Unsent)
      this.#held.set(seq, typeof reply === 'string' ? reply : Buffer.from(reply))
      return ''
    }
    this.#first++
    return this.#held.size === 0 ? reply : this.#release(reply)
  }

  /** Writes `reply` and those that waited for it, but for the last one, which is returned. */
  #release(reply: string | Uint8Array): string | Uint8Array {
    let last = reply
    for (let held = this.#held.get(this.#first); held !== undefined; held = this.#held.get(this.#first)) {
      this.#link.write(last)
      last = held
      this.#held.delete(this.#first)
      if (this.#first !== this.#last) this.#heldBytes -= Buffer.byteLength(held as string) + OVERHEAD
      this.#first++
    }
    if (this.#first - 1 !== this.#last) return last
    this.#link.write(last)
    this.#link.end()
    return ''
  }
}
