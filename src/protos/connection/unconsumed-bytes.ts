const empty = Buffer.alloc(0)

/** Minimum size of a buffer in bytes. */
const MIN_SIZE = 4096

/**
 * Bytes that a stream protocol has not used up. Each is copied once, plus the doublings of the buffer, so the cost is
 * linear however they arrive, and memory follows what was received.
 */
export class UnconsumedBytes {
  buffer: Buffer = empty
  start = 0
  end = 0

  get length(): number {
    return this.end - this.start
  }

  append(bytes: Buffer, start: number, end: number): void {
    const length = this.length
    const size = length + end - start
    if (this.end + end - start > this.buffer.length) {
      // When most of the buffer is used up, its beginning is reused instead of a larger buffer.
      const target = size * 2 <= this.buffer.length ? this.buffer : Buffer.allocUnsafeSlow(Math.max(MIN_SIZE, size * 2))
      this.buffer.copy(target, 0, this.start, this.end)
      this.buffer = target
      this.start = 0
      this.end = length
    }
    bytes.copy(this.buffer, this.end, start, end)
    this.end += end - start
  }

  /** Removes the first `count` bytes, which are used up. */
  consume(count: number): void {
    this.start += count
    if (this.start === this.end) this.drop()
  }

  drop(): void {
    this.buffer = empty
    this.start = this.end = 0
  }
}
