import type { Reader } from 'protobufjs'
import { readText } from './text.ts'

/** A reader of borrowed memory whose results never refer to it. */
export interface BorrowedReader extends Reader {
  /** Begins with `buffer[start, end)`. */
  begin(buffer: Buffer, start: number, end: number): void
}

export type BorrowedReaderClass = new (buffer: Buffer) => BorrowedReader

export function borrowedReader(Base: typeof Reader): BorrowedReaderClass {
  return class extends Base {
    begin(buffer: Buffer, start: number, end: number): void {
      this.buf = buffer
      this.pos = start
      this.len = end
      this.view = null
      this.discardUnknown = Base.discardUnknown
    }

    // Most tags and lengths are one byte, and most numbers up to three.

    override tag(): number {
      const { pos } = this
      if (pos < this.len) {
        const first = this.buf[pos]
        if (first < 0x80) {
          this.pos = pos + 1
          return first
        }
      }
      return super.tag()
    }

    override uint32(): number {
      const { pos } = this
      if (pos + 2 >= this.len) return super.uint32()
      const { buf } = this
      const first = buf[pos]
      if (first < 0x80) {
        this.pos = pos + 1
        return first
      }
      const second = buf[pos + 1]
      if (second < 0x80) {
        this.pos = pos + 2
        return (first & 0x7f) | (second << 7)
      }
      const third = buf[pos + 2]
      if (third >= 0x80) return super.uint32()
      this.pos = pos + 3
      return (first & 0x7f) | ((second & 0x7f) << 7) | (third << 14)
    }

    override int32(): number {
      return this.uint32() | 0
    }

    override bool(): boolean {
      const { pos } = this
      if (pos < this.len) {
        const first = this.buf[pos]
        if (first < 0x80) {
          this.pos = pos + 1
          return first !== 0
        }
      }
      return super.bool()
    }

    override size(): number {
      const { pos } = this
      if (pos < this.len) {
        const first = this.buf[pos]
        if (first < 0x80) {
          this.pos = pos + 1
          return first
        }
      }
      return super.size()
    }

    /** Copies fields of bytes, and unknown fields when they are kept. */
    override raw(start: number, end: number): Uint8Array {
      return Buffer.from(this.buf.subarray(start, end))
    }

    override string(): string {
      return text(this, false)
    }

    override stringVerify(): string {
      return text(this, true)
    }
  }
}

function text(reader: Reader, strict: boolean): string {
  const size = reader.size()
  const start = reader.pos
  const end = start + size
  if (end > reader.len) throw new RangeError(`index out of range: ${start} + ${size} > ${reader.len}`)
  reader.pos = end
  return readText(reader.buf as Buffer, start, end, strict)
}
