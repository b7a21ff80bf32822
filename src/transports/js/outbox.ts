/** Chunks are this size and its doublings up to `LARGEST`: room for the few frames of a quiet connection's turn … */
const SMALLEST = 4 * 1024

/** … and for what a busy one produces in a turn, so that it need not be cut into pieces. A larger frame has a chunk to itself. */
const LARGEST = 64 * 1024

/** What the idle chunks of one size may hold together. */
const MAX_POOLED = 2 * 1024 * 1024

/** Queued bytes: `buffer[start, end)`. What lies behind `end` is free. */
export interface Chunk {
  readonly buffer: Buffer
  start: number
  end: number
  /** Bytes of it that answer the peer. Which ones is not kept: they are taken to be the last. */
  replies: number
}

/** Idle chunks by size, the smallest first. */
const pools: Chunk[][] = []
for (let size = SMALLEST; size <= LARGEST; size *= 2) pools.push([])

/**
 * Bytes on their way to one peer, in order. Frames are packed straight into its chunks and the socket writes the chunks
 * as they are, so a body is copied once however large it is. Chunks come from a pool and return to it when written.
 */
export class Outbox {
  /** Bytes committed and not yet taken. */
  size = 0
  /** Those of them that answer the peer. */
  replies = 0
  /** Oldest first; only the last one has room. */
  #chunks: Chunk[] = []
  /** Wholly taken, but perhaps still being written. */
  #taken: Chunk[] = []
  /** Size of the next chunk: follows what the connection produces. */
  #chunkSize = SMALLEST

  /** A chunk with room for `size` bytes behind its `end`. Write there, then `commit`. */
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

  /** Makes what was written up to `end` part of the queue. @param reply it answers the peer */
  commit(chunk: Chunk, end: number, reply: boolean): void {
    const size = end - chunk.end
    this.size += size
    if (reply) {
      this.replies += size
      chunk.replies += size
    }
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

  /** Everything taken so far has been written. */
  release(): void {
    for (let chunk = this.#taken.pop(); chunk !== undefined; chunk = this.#taken.pop()) recycle(chunk)
  }

  /** Forgets everything. Nothing is recycled: the system may still be reading what was taken. */
  drop(): void {
    this.#chunks = []
    this.#taken = []
    this.size = this.replies = 0
  }
}

/** The pool of chunks of `size`, or undefined for a size that is not pooled. */
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
