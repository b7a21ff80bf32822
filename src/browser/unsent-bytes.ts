/** Counts what was given to a WebSocket and not sent yet: all of it, and the part that replies take. */
export class UnsentBytes {
  readonly #socket: { readonly bufferedAmount: number }
  /** Bytes given in total. */
  #given = 0
  /** Ends and sizes of replies in what was given, in order; those sent are removed when they are counted. */
  #replies: { end: number; size: number }[] = []
  #replyBytes = 0

  constructor(socket: { readonly bufferedAmount: number }) {
    this.#socket = socket
  }

  add(size: number, reply: boolean): void {
    this.#given += size
    if (!reply) return
    this.#replies.push({ end: this.#given, size })
    this.#replyBytes += size
  }

  /** Bytes that were sent, in total. */
  get taken(): number {
    return this.#given - this.#socket.bufferedAmount
  }

  /** @param replies whether only replies count */
  count(replies: boolean): number {
    const unsent = this.#socket.bufferedAmount
    if (unsent === 0) {
      this.#replies = []
      this.#replyBytes = 0
    }
    if (!replies || unsent === 0) return unsent
    const taken = this.taken
    let done = 0
    for (; done < this.#replies.length && this.#replies[done].end <= taken; done++) this.#replyBytes -= this.#replies[done].size
    if (done > 0) this.#replies.splice(0, done)
    return this.#replyBytes
  }
}
