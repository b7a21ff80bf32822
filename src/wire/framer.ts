import type { Incoming } from '../message/message.ts'
import { type Cutter, cutterOf } from './cutters.ts'
import { Framing } from './framing.ts'
import type { FrameLimits } from './raw-unpack.ts'

const empty = Buffer.alloc(0)

/** Smallest buffer, in bytes, for a frame that is incomplete. */
const MIN_PARTIAL = 4096

/** Most small buffers kept for the next cut frame, so that reads that end inside a frame allocate nothing. */
const MAX_SPARE = 64
const spare: Buffer[] = []

/**
 * Cuts a byte stream into frames: `feed` a chunk, then `take` until it returns 0 or less.
 *
 * A frame that lies in one chunk is read in place. Only a frame that is split between chunks is copied, each byte once
 * plus the doublings of its buffer. So the cost is linear however the bytes arrive, and memory follows the bytes
 * received, never the size announced: a partial frame's buffer is at most max(4 KiB, twice the bytes received).
 */
export class Framer {
  /** Number of frames that were cut by the end of a chunk so far: distinguishes partial frames from each other. */
  cuts = 0
  readonly #limits: FrameLimits
  #cutter: Cutter
  /** Bytes fed and not taken yet. Borrowed unless `keep` copied them. */
  #chunk: Buffer = empty
  #at = 0
  #end = 0
  /** The first `#have` bytes of the frame that earlier chunks began. */
  #partial: Buffer = empty
  #have = 0
  /** Whether `#chunk` is our own copy, made by `keep`. */
  #kept = false
  /** Whether `#partial` has the frame that `take` returned last; its bytes are borrowed until the next `take`. */
  #joined = false

  constructor(limits: FrameLimits, framing: Framing = Framing.Raw) {
    this.#limits = limits
    this.#cutter = cutterOf(framing)
  }

  /** Changes the framing for the bytes fed and not taken, and all later ones. Requires that no frame is partial. */
  setFraming(framing: Framing): void {
    this.#cutter = cutterOf(framing)
  }

  /** Drops the first `count` bytes fed and not taken. */
  skip(count: number): void {
    this.#at += Math.min(count, this.#end - this.#at)
  }

  /** Takes all bytes fed and not taken away, for a layer below that decodes them. Requires `keep`. */
  takeBack(): Buffer {
    const rest = this.#chunk.subarray(this.#at, this.#end)
    this.#at = this.#end
    return rest
  }

  /** Makes all bytes fed and not taken the body of `into`, and takes none. */
  peek(into: Incoming): void {
    into.setUnparsed(this.#chunk, this.#at, this.#end)
  }

  /** Bytes of the incomplete frame; 0 between frames. Valid after `take` returned 0. */
  get partial(): number {
    return this.#have
  }

  /** Number of bytes fed and not taken. */
  get rest(): number {
    return this.#end - this.#at
  }

  /** Borrows `chunk[0, length)` until `take` returns 0 or less, or `keep` is called. */
  feed(chunk: Buffer, length: number): void {
    const rest = this.#end - this.#at
    // Callers take everything before they feed again, but where reading did not stop at once one more chunk may come.
    this.#chunk = rest === 0 ? chunk : Buffer.concat([this.#chunk.subarray(this.#at, this.#end), chunk.subarray(0, length)])
    this.#kept = rest !== 0
    this.#at = 0
    this.#end = rest + length
  }

  /**
   * Reads the next frame into `into`, whose offsets are valid until the next call.
   * @returns the frame's size; 0 when more bytes are needed, and then the chunk is no longer borrowed; or
   *   `-CloseReason`, after which this framer must not be used
   */
  take(into: Incoming): number {
    if (this.#joined) this.#dropPartial()
    if (this.#have > 0) return this.#takeJoined(into)
    const result = this.#cutter.unpack(this.#chunk, this.#at, this.#end, this.#limits, into)
    if (result > 0) {
      this.#at += result
    } else if (result === 0 && this.#at < this.#end) {
      this.cuts++
      this.#append(this.#end - this.#at)
    }
    return result
  }

  /** Copies the bytes fed and not taken, for a caller that stops taking and must return the chunk. */
  keep(): void {
    if (this.#kept) return
    this.#kept = true
    this.#chunk = Buffer.from(this.#chunk.subarray(this.#at, this.#end))
    this.#end -= this.#at
    this.#at = 0
  }

  /** Frees all memory. Nothing may be fed afterwards. */
  drop(): void {
    this.#dropPartial()
    this.#chunk = empty
    this.#at = 0
    this.#end = 0
  }

  /**
   * Completes the partial frame from the chunk. Takes no byte beyond the frame, so that the next one is read in place.
   */
  #takeJoined(into: Incoming): number {
    const cutter = this.#cutter
    if (this.#have < cutter.headerBytes) {
      this.#append(Math.min(cutter.headerBytes - this.#have, this.#end - this.#at))
      const refused = cutter.check(this.#partial, 0, this.#have, this.#limits)
      if (refused !== 0 || this.#have < cutter.headerBytes) return refused
    }
    const total = cutter.length(this.#partial, 0)
    this.#append(Math.min(total - this.#have, this.#end - this.#at))
    if (this.#have < total) return 0
    this.#joined = true
    return cutter.unpack(this.#partial, 0, total, this.#limits, into)
  }

  #append(count: number): void {
    const have = this.#have + count
    if (have > this.#partial.length) this.#grow(have)
    this.#chunk.copy(this.#partial, this.#have, this.#at, this.#at + count)
    this.#have = have
    this.#at += count
  }

  #grow(needed: number): void {
    const small = needed <= MIN_PARTIAL
    const larger = (small && spare.pop()) || Buffer.allocUnsafeSlow(small ? MIN_PARTIAL : needed * 2)
    const outgrown = this.#partial
    outgrown.copy(larger, 0, 0, this.#have)
    this.#partial = larger
    giveBack(outgrown)
  }

  #dropPartial(): void {
    giveBack(this.#partial)
    this.#partial = empty
    this.#have = 0
    this.#joined = false
  }
}

function giveBack(buffer: Buffer): void {
  if (buffer.length === MIN_PARTIAL && spare.length < MAX_SPARE) spare.push(buffer)
}
