const empty = Buffer.alloc(0)

/** A body whose length is not known before it is complete. Memory follows the bytes received. */
export class ChunkedBody {
  /** Whether the body exceeds the limit. */
  overflow = false
  #memory = empty
  #size = 0
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  /**
   * Adds bytes.
   *
   * @returns false when the body exceeds the limit
   */
  readonly add = (bytes: Buffer): boolean => {
    const size = this.#size + bytes.length
    if (size > this.#limit) {
      this.overflow = true
      return false
    }
    if (size > this.#memory.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(1024, size, Math.min(2 * this.#memory.length, this.#limit)))
      this.#memory.copy(grown, 0, 0, this.#size)
      this.#memory = grown
    }
    bytes.copy(this.#memory, this.#size)
    this.#size = size
    return true
  }

  /** Returns the whole body, which the caller then owns. */
  take(): Buffer {
    const bytes = this.#memory.subarray(0, this.#size)
    this.#memory = empty
    this.#size = 0
    this.overflow = false
    return bytes
  }
}
