import { badMessage } from '../../base/errors/status.ts'
import { MAX_CONTAINERS } from '../../base/limits.ts'
import { readText } from '../protobuf/text.ts'

/**
 * The bytes of one body, read in order. Nothing is made of a length before its bytes are known to be there, and what is returned
 * refers to no borrowed memory. Everything here throws StatusError 400.
 */
export class ByteReader {
  readonly codec: string
  readonly buffer: Buffer
  readonly end: number
  readonly #maxDepth: number
  #at: number
  #containers = 0

  /** Reads `buffer[at, end)`. @param codec its name, for what is thrown */
  constructor(codec: string, buffer: Buffer, at: number, end: number, maxDepth: number) {
    this.codec = codec
    this.buffer = buffer
    this.end = end
    this.#at = at
    this.#maxDepth = maxDepth
  }

  refuse(reason: string): never {
    throw badMessage(`${this.codec}: ${reason}`)
  }

  u8(): number {
    return this.buffer[this.#take(1)]
  }

  u16(): number {
    return this.buffer.readUInt16BE(this.#take(2))
  }

  u32(): number {
    return this.buffer.readUInt32BE(this.#take(4))
  }

  /** A BigInt where a number would lose digits. */
  u64(): number | bigint {
    const at = this.#take(8)
    const high = this.buffer.readUInt32BE(at)
    return high < 0x20_0000 ? high * 2 ** 32 + this.buffer.readUInt32BE(at + 4) : this.buffer.readBigUInt64BE(at)
  }

  i64(): number | bigint {
    const at = this.#take(8)
    const high = this.buffer.readInt32BE(at)
    const value = high * 2 ** 32 + this.buffer.readUInt32BE(at + 4)
    return Number.isSafeInteger(value) ? value : this.buffer.readBigInt64BE(at)
  }

  f32(): number {
    return this.buffer.readFloatBE(this.#take(4))
  }

  f64(): number {
    return this.buffer.readDoubleBE(this.#take(8))
  }

  /** UTF-8; what is none becomes U+FFFD, as in json. */
  text(size: number): string {
    const at = this.#take(size)
    return readText(this.buffer, at, at + size, false)
  }

  bytes(size: number): Uint8Array {
    const at = this.#take(size)
    return new Uint8Array(this.buffer.subarray(at, at + size))
  }

  /** Puts the next `size` bytes at `at` of `target`, which has room for them. */
  copy(size: number, target: Buffer, at: number): void {
    const from = this.#take(size)
    this.buffer.copy(target, at, from, from + size)
  }

  /** That so many bytes follow. */
  requireLeft(size: number): void {
    if (size > this.end - this.#at) this.refuse('the body is cut off')
  }

  /** An array, a map or a tag begins, inside of `depth` others. @param items that must follow, of a byte at least */
  open(depth: number, items: number): void {
    if (depth >= this.#maxDepth) this.refuse(`nests deeper than ${this.#maxDepth}`)
    this.requireLeft(items)
    if (++this.#containers > MAX_CONTAINERS) this.refuse(`more than ${MAX_CONTAINERS} arrays and maps`)
  }

  /** The next byte, not consumed. */
  peek(): number {
    this.requireLeft(1)
    return this.buffer[this.#at]
  }

  requireEnd(): void {
    if (this.#at !== this.end) this.refuse(`${this.end - this.#at} bytes after the value`)
  }

  /** Where the next `size` bytes begin. */
  #take(size: number): number {
    const at = this.#at
    this.requireLeft(size)
    this.#at = at + size
    return at
  }
}

/** Sets an own property, whatever its name. Of a repeated one the last wins. */
export function setMember(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  else object[key] = value
}
