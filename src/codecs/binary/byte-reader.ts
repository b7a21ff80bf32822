import { badMessage } from '../../base/errors/status.ts'
import { MAX_CONTAINERS } from '../../base/limits.ts'
import { readText } from '../protobuf/text.ts'

/**
 * Reads the bytes of one body in order. No length is acted on before its bytes are known to be there, and no result
 * refers to borrowed memory. All methods throw StatusError 400.
 */
export class ByteReader {
  readonly codec: string
  readonly buffer: Buffer
  readonly end: number
  readonly #maxDepth: number
  #at: number
  #containers = 0

  /**
   * Reads `buffer[at, end)`.
   * @param codec name of the codec, for error texts
   */
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

  /** An unsigned integer of 64 bits; a BigInt where a number would lose digits. */
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

  /** `size` bytes as UTF-8 text; invalid bytes become U+FFFD, as in json. */
  text(size: number): string {
    const at = this.#take(size)
    return readText(this.buffer, at, at + size, false)
  }

  bytes(size: number): Uint8Array {
    const at = this.#take(size)
    return new Uint8Array(this.buffer.subarray(at, at + size))
  }

  /** Copies the next `size` bytes to `target` at `at`. Requires room for them. */
  copy(size: number, target: Buffer, at: number): void {
    const from = this.#take(size)
    this.buffer.copy(target, at, from, from + size)
  }

  /** Throws unless `size` more bytes follow. */
  requireLeft(size: number): void {
    if (size > this.end - this.#at) this.refuse('the body is cut off')
  }

  /**
   * Counts an array, a map or a tag that begins inside of `depth` others.
   * @param items number of items that must follow, each at least a byte long
   */
  open(depth: number, items: number): void {
    if (depth >= this.#maxDepth) this.refuse(`nests deeper than ${this.#maxDepth}`)
    this.requireLeft(items)
    if (++this.#containers > MAX_CONTAINERS) this.refuse(`more than ${MAX_CONTAINERS} arrays and maps`)
  }

  /** The next byte, which is not consumed. */
  peek(): number {
    this.requireLeft(1)
    return this.buffer[this.#at]
  }

  requireEnd(): void {
    if (this.#at !== this.end) this.refuse(`${this.end - this.#at} bytes after the value`)
  }

  /** Consumes `size` bytes and returns the offset of the first. */
  #take(size: number): number {
    const at = this.#at
    this.requireLeft(size)
    this.#at = at + size
    return at
  }
}

/** Sets an own property, whatever its name. Of a repeated key the last wins. */
export function setMember(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  else object[key] = value
}
