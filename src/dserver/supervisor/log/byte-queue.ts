import { Queue } from '../../../base/collections/queue.ts'

const NEWLINE = 10
/** Most buffers in one write. */
const MAX_BUFFERS = 256

/** Bytes that wait to be written. */
export class ByteQueue {
  readonly #chunks = new Queue<Buffer>()
  #size = 0
  /** Bytes of the first chunk that are gone. */
  #gone = 0

  get size(): number {
    return this.#size
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#size += chunk.length
  }

  /** The first `max` bytes, or fewer; they stay in the queue. */
  peek(max: number): Buffer[] {
    const found: Buffer[] = []
    let room = max
    for (let i = 0; room > 0 && i < MAX_BUFFERS; i++) {
      const chunk = this.#at(i)
      if (chunk === undefined) break
      const part = chunk.length > room ? chunk.subarray(0, room) : chunk
      found.push(part)
      room -= part.length
    }
    return found
  }

  /** Removes the first `count` bytes. */
  consume(count: number): void {
    this.#size -= count
    let left = count
    while (left > 0) {
      const first = this.#chunks.first as Buffer
      const there = first.length - this.#gone
      if (there > left) {
        this.#gone += left
        return
      }
      this.#chunks.shift()
      this.#gone = 0
      left -= there
    }
  }

  #at(i: number): Buffer | undefined {
    const chunk = this.#chunks.at(i)
    return i === 0 && this.#gone > 0 ? chunk?.subarray(this.#gone) : chunk
  }
}

/** Number of bytes up to the last line end within `buffers`, 0 when there is none. */
export function lastLineEnd(buffers: readonly Buffer[]): number {
  let end = buffers.reduce((sum, { length }) => sum + length, 0)
  for (let i = buffers.length - 1; i >= 0; i--) {
    end -= buffers[i].length
    const at = buffers[i].lastIndexOf(NEWLINE)
    if (at >= 0) return end + at + 1
  }
  return 0
}
