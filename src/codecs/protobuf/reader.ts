import type { Reader } from 'protobufjs'
import { readText } from './text.ts'

/** A reader of borrowed memory whose results never refer to it. */
export type BorrowedReader = new (buffer: Buffer, start: number, end: number) => Reader

export function borrowedReader(Base: typeof Reader): BorrowedReader {
  return class extends Base {
    constructor(buffer: Buffer, start: number, end: number) {
      super(buffer)
      this.pos = start
      this.len = end
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
