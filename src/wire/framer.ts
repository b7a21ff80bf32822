import type { Incoming } from '../message/message.ts'
import { type Cutter, cutterOf } from './cutters.ts'
import { Framing } from './framing.ts'
import type { FrameLimits } from './raw-unpack.ts'

const empty = Buffer.alloc(0)

/** The smallest buffer for the bytes of a frame that is not complete yet. */
const MIN_PARTIAL = 4096

/** At most this many small buffers wait for the next cut frame, so that reads that end inside a frame allocate nothing. */
const MAX_SPARE = 64
const spare: Buffer[] = []

/**
 * Cuts a byte stream into frames: `feed` a chunk, then `take` until it returns 0 or less.
 *
 * A frame that lies in one chunk is read in place. Only a frame that a chunk cuts is copied, each byte once plus the
 * doublings of its buffer, so the cost is linear however the bytes arrive, and memory follows what was received, never
 * what was announced: a partial frame's buffer is at most max(4 KiB, twice the bytes received).
 */
export class Framer {
  /** Frames that were cut by the end of a chunk so far: tells two partial frames apart. */
  cuts = 0
  readonly #limits: FrameLimits
  #cutter: Cutter
  /** What was fed and not yet taken. Borrowed unless `keep` copied it. */
  #chunk: Buffer = empty
  #at = 0
  #end = 0
  /** The frame that earlier chunks began: its first `#have` bytes. */
  #partial: Buffer = empty
  #have = 0
  /** `#chunk` is ours: `keep` copied it. */
  #kept = false
  /** `#partial` holds the frame that `take` returned last; its bytes are borrowed until the next `take`. */
  #joined = false

  constructor(limits: FrameLimits, framing: Framing = Framing.Raw) {
    this.#limits = limits
    this.#cutter = cutterOf(framing)
  }

  /** Cuts what was fed and not taken in another way. Between frames only. */
  reframe(framing: Framing): void {
    this.#cutter = cutterOf(framing)
  }

  /** Reads all that was fed into `into`, and takes nothing. */
  peek(into: Incoming): void {
    into.setUnparsed(this.#chunk, this.#at, this.#end)
  }

  /** Bytes of the frame that was begun and is not complete; 0 between frames. Valid after `take` returned 0. */
  get partial(): number {
    return this.#have
  }

  /** Bytes that were fed and not taken. */
  get rest(): number {
    return this.#end - this.#at
  }

  /** Borrows `chunk[0, length)` until `take` returns 0 or less, or `keep` is called. */
  feed(chunk: Buffer, length: number): void {
    const rest = this.#end - this.#at
    // Callers take all they fed before they feed again; one whose reading did not stop at once may be a chunk ahead.
    this.#chunk = rest === 0 ? chunk : Buffer.concat([this.#chunk.subarray(this.#at, this.#end), chunk.subarray(0, length)])
    this.#kept = rest !== 0
    this.#at = 0
    this.#end = rest + length
  }

  /**
   * Reads the next frame into `into`, whose offsets are valid until the next call. Returns the frame's size; 0 when more
   * bytes are needed, and then nothing of the chunk is needed any more; or `-CloseReason`, after which this stream is dead.
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

  /** Copies what was fed and not taken, for a caller that stops taking and must give the chunk back. */
  keep(): void {
    if (this.#kept) return
    this.#kept = true
    this.#chunk = Buffer.from(this.#chunk.subarray(this.#at, this.#end))
    this.#end -= this.#at
    this.#at = 0
  }

  /** Lets go of all memory. Nothing may be fed afterwards. */
  drop(): void {
    this.#dropPartial()
    this.#chunk = empty
    this.#at = 0
    this.#end = 0
  }

  /** Completes the partial frame from the chunk. Takes no byte beyond it, so that what follows is read in place. */
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
