/** Largest buffer, in bytes, of a writer that is kept for the next message. */
const MAX_KEPT = 256 * 1024
const FIRST = 1024

/** Appends bytes to a buffer that grows. */
export class ByteWriter {
  buffer = Buffer.allocUnsafeSlow(FIRST)
  size = 0

  u8(value: number): void {
    const at = this.reserve(1)
    this.buffer[at] = value
  }

  /** Appends a byte and an unsigned number of 1, 2 or 4 bytes. */
  head(first: number, bytes: 1 | 2 | 4, value: number): void {
    const at = this.reserve(1 + bytes)
    this.buffer[at] = first
    if (bytes === 1) this.buffer[at + 1] = value
    else if (bytes === 2) this.buffer.writeUInt16BE(value, at + 1)
    else this.buffer.writeUInt32BE(value, at + 1)
  }

  /** Appends a byte and the 64 bits of a whole number, in two's complement when it is negative. */
  head64(first: number, value: number | bigint): void {
    const at = this.reserve(9)
    this.buffer[at] = first
    if (typeof value === 'bigint') {
      this.buffer.writeBigUInt64BE(BigInt.asUintN(64, value), at + 1)
    } else {
      this.buffer.writeInt32BE(Math.floor(value / 2 ** 32) | 0, at + 1)
      this.buffer.writeUInt32BE(value >>> 0, at + 5)
    }
  }

  /** Appends a byte and a double. */
  headFloat(first: number, value: number): void {
    const at = this.reserve(9)
    this.buffer[at] = first
    this.buffer.writeDoubleBE(value, at + 1)
  }

  /**
   * Appends a byte and short ASCII text, which costs less than two calls of Node to measure and write it. Returns
   * false, and appends nothing, when the text has other characters.
   */
  shortText(first: number, text: string): boolean {
    const { length } = text
    const at = this.reserve(1 + length)
    const { buffer } = this
    buffer[at] = first
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) {
        this.size = at
        return false
      }
      buffer[at + 1 + i] = unit
    }
    return true
  }

  /**
   * Appends text.
   * @param size length of the text in UTF-8
   */
  text(text: string, size: number): void {
    const at = this.reserve(size)
    this.buffer.write(text, at)
  }

  bytes(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length)
    this.buffer.set(bytes, at)
  }

  /** Makes room for `bytes` bytes and returns the offset of the first. */
  reserve(bytes: number): number {
    const at = this.size
    this.size = at + bytes
    if (this.size > this.buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.size, 2 * this.buffer.length))
      larger.set(this.buffer.subarray(0, at))
      this.buffer = larger
    }
    return at
  }
}

/**
 * The writer of the last message. Taken out while in use, so that a writer that failed in the middle, or is used inside
 * of another message, is never used again.
 */
let spare: ByteWriter | undefined

/** The bytes that `write` appends; valid until this is called again. */
export function written(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = spare ?? new ByteWriter()
  spare = undefined
  write(writer)
  const body = writer.buffer.subarray(0, writer.size)
  writer.size = 0
  if (body.length <= MAX_KEPT) spare = writer
  return body
}
