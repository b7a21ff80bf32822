/** Smallest chunk in bytes: room for the few frames of a quiet connection's turn. */
const SMALLEST = 4 * 1024

/**
 * Largest pooled chunk in bytes: room for what a busy connection sends in one turn, so that it need not be cut into
 * pieces. Sizes are doublings of `SMALLEST`; a larger frame has a chunk to itself.
 */
const LARGEST = 64 * 1024

/** Most bytes of the idle chunks of one size together. */
const MAX_POOLED = 2 * 1024 * 1024

/** Queued bytes: `buffer[start, end)`. The buffer is free from `end` on. */
export interface Chunk {
  readonly buffer: Buffer
  start: number
  end: number
  /** Number of queued bytes that are replies to the peer. Their place is not kept: they are taken to be the last. */
  replies: number
}

/** Idle chunks by size, the smallest size first. */
const pools: Chunk[][] = []
for (let size = SMALLEST; size <= LARGEST; size *= 2) pools.push([])

/**
 * Bytes queued for one peer, in order. Frames are packed directly into its chunks, and the socket writes the chunks as
 * they are, so a body is copied once however large it is. Chunks come from a pool and return to it when written.
 */
export class Outbox {
  /** Number of bytes committed and not yet taken. */
  size = 0
  /** Part of `size` that replies to the peer take. */
  replies = 0
  /** Chunks with queued bytes, the oldest first; only the last one has room. */
  #chunks: Chunk[] = []
  /** Chunks that are taken completely, but perhaps still being written. */
  #taken: Chunk[] = []
  /** Size of the next chunk in bytes, which follows the bytes the connection sends per turn. */
  #chunkSize = SMALLEST

  /** A chunk with room for `size` bytes after its `end`. Write there, then call `commit`. */
  reserve(size: number): Chunk {
    const last = this.#chunks.at(-1)
    if (last !== undefined) {
      if (last.buffer.length - last.end >= size) return last
      if (this.#chunkSize < LARGEST) this.#chunkSize *= 2
    }
    const chunk = allocate(size, this.#chunkSize)
    this.#chunks.push(chunk)
    return chunk
  }

  /**
   * Appends the bytes written up to `end` to the queue.
   * @param reply whether they are a reply to the peer
   */
  commit(chunk: Chunk, end: number, reply: boolean): void {
    const size = end - chunk.end
    this.size += size
    if (reply) {
      this.replies += size
      chunk.replies += size
    }
    chunk.end = end
  }

  /**
   * Moves the oldest bytes to `views`. They must not change until `release`.
   * @param limit most bytes to take
   * @returns the number of bytes taken
   */
  take(limit: number, views: Buffer[]): number {
    let left = limit
    while (left > 0 && this.#chunks.length > 0) {
      const chunk = this.#chunks[0]
      const count = Math.min(left, chunk.end - chunk.start)
      views.push(chunk.buffer.subarray(chunk.start, chunk.start + count))
      chunk.start += count
      left -= count
      const replies = Math.min(chunk.replies, chunk.end - chunk.start)
      this.replies -= chunk.replies - replies
      chunk.replies = replies
      if (chunk.start < chunk.end) break
      this.#taken.push(chunk)
      this.#chunks.shift()
    }
    const count = limit - left
    this.size -= count
    if (this.size === 0 && count < this.#chunkSize / 4 && this.#chunkSize > SMALLEST) this.#chunkSize /= 2
    return count
  }

  /** Returns the chunks of everything taken so far to the pool. Requires that they have been written. */
  release(): void {
    for (let chunk = this.#taken.pop(); chunk !== undefined; chunk = this.#taken.pop()) recycle(chunk)
  }

  /** Drops everything. No chunk returns to the pool, because the system may still be reading from it. */
  drop(): void {
    this.#chunks = []
    this.#taken = []
    this.size = this.replies = 0
  }
}

/** The pool of chunks of `size`; undefined for a size that is not pooled. */
function poolOf(size: number): Chunk[] | undefined {
  return size > LARGEST ? undefined : pools[Math.clz32(SMALLEST) - Math.clz32(size)]
}

function allocate(size: number, usual: number): Chunk {
  let length = usual
  while (length < size && length < LARGEST) length *= 2
  length = Math.max(length, size)
  return poolOf(length)?.pop() ?? { buffer: Buffer.allocUnsafeSlow(length), start: 0, end: 0, replies: 0 }
}

function recycle(chunk: Chunk): void {
  const { length } = chunk.buffer
  const pool = poolOf(length)
  if (pool === undefined || pool.length * length >= MAX_POOLED) return
  chunk.start = 0
  chunk.end = 0
  pool.push(chunk)
}
