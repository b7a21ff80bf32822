// Calls whose replies come in the order of the calls.

/** A ring of resolvers that grows. */
export class InOrder {
  #slots = new Array(64).fill(null)
  #asked = 0
  #answered = 0
  #wait = (resolve) => {
    if (this.#asked - this.#answered === this.#slots.length) this.#grow()
    this.#slots[this.#asked++ & (this.#slots.length - 1)] = resolve
  }

  /** A promise for the reply of the call just sent. */
  next() {
    return new Promise(this.#wait)
  }

  /** @param {unknown} reply to the oldest call */
  settle(reply) {
    if (this.#answered === this.#asked) throw new Error('a reply nobody waits for')
    this.#slots[this.#answered++ & (this.#slots.length - 1)](reply)
  }

  /** Rejects all that wait. */
  fail(error) {
    while (this.#answered !== this.#asked) this.settle(Promise.reject(error))
  }

  #grow() {
    const { length } = this.#slots
    const slots = new Array(length * 2).fill(null)
    for (let i = this.#answered; i < this.#asked; i++) slots[i & (length * 2 - 1)] = this.#slots[i & (length - 1)]
    this.#slots = slots
  }
}
