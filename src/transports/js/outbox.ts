/** Room for a few dozen small frames: what a connection that answers one call at a time needs for a turn. */
const SMALL = 4 * 1024

/** What a busy connection produces in a turn without being cut into pieces. */
const LARGE = 64 * 1024

/** Bounds what idle pools hold to 1 MiB and 2 MiB. */
const MAX_SMALL = 256
const MAX_LARGE = 32

/** Queued bytes: `buffer[start, end)`. What lies behind `end` is free. */
export interface Chunk {
  readonly buffer: Buffer
  start: number
  end: number
}

const small: Chunk[] = []
const large: Chunk[] = []

/**
 * Bytes on their way to one peer, in order. Frames are packed straight into its chunks and the socket writes the chunks
 * as they are, so a body is copied once however large it is. Chunks come from a pool and return to it when written.
 */
export class Outbox {
  /** Bytes committed and not yet taken. */
  size = 0
  /** Oldest first; only the last one has room. */
  #chunks: Chunk[] = []
  /** Wholly taken, but perhaps still being written. */
  #taken: Chunk[] = []
  /** This connection outgrew a small chunk since it was last idle. */
  #busy = false

  /** A chunk with room for `size` bytes behind its `end`. Write there, then `commit`. */
  reserve(size: number): Chunk {
    const last = this.#chunks.at(-1)
    if (last !== undefined && last.buffer.length - last.end >= size) return last
    if (last !== undefined) this.#busy = true
    const chunk = allocate(size, this.#busy)
    this.#chunks.push(chunk)
    return chunk
  }

  /** Makes what was written up to `end` part of the queue. */
  commit(chunk: Chunk, end: number): void {
    this.size += end - chunk.end
    chunk.end = end
  }

  /** Moves the oldest bytes, `limit` at most, to `views`. They must stay untouched until `release`. Returns how many. */
  take(limit: number, views: Buffer[]): number {
    let left = limit
    while (left > 0 && this.#chunks.length > 0) {
      const chunk = this.#chunks[0]
      const count = Math.min(left, chunk.end - chunk.start)
      views.push(chunk.buffer.subarray(chunk.start, chunk.start + count))
      chunk.start += count
      left -= count
      if (chunk.start < chunk.end) break
      this.#taken.push(chunk)
      this.#chunks.shift()
    }
    const count = limit - left
    if (this.size === count && count < SMALL) this.#busy = false
    this.size -= count
    return count
  }

  /** Everything taken so far has been written. */
  release(): void {
    for (let chunk = this.#taken.pop(); chunk !== undefined; chunk = this.#taken.pop()) recycle(chunk)
  }

  /** Forgets everything. Nothing is recycled: the system may still be reading what was taken. */
  drop(): void {
    this.#chunks = []
    this.#taken = []
    this.size = 0
  }
}

function allocate(size: number, busy: boolean): Chunk {
  const isSmall = size <= SMALL && !busy
  const pooled = isSmall ? small.pop() : size <= LARGE ? large.pop() : undefined
  return pooled ?? { buffer: Buffer.allocUnsafeSlow(isSmall ? SMALL : Math.max(size, LARGE)), start: 0, end: 0 }
}

function recycle(chunk: Chunk): void {
  const [pool, most] = chunk.buffer.length === SMALL ? [small, MAX_SMALL] : [large, chunk.buffer.length === LARGE ? MAX_LARGE : 0]
  if (pool.length >= most) return
  chunk.start = 0
  chunk.end = 0
  pool.push(chunk)
}
