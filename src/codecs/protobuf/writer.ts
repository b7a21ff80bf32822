import { end, fitsAnyway, makeRoom, putAscii, putBytes, putMeasured, putText, shift, target } from '../binary/output.ts'
import type { AnyMessageType } from './runtime.ts'
import { bool, bytes, float, type Int64, int32, int64, string, uint32, uint64 } from './scalars.ts'

// A writer for the classes of protobufjs that refuses the values that protobufjs writes as 0 or as nothing, accepts
// BigInts (scalars.ts), and writes where other codecs do (binary/output.ts). It has the methods of
// protobufjs.Writer that generated code calls. The state is the module's; messages inside of
// others, made by a getter, save it.

/** Thrown where a message is written in place and there is no room for it. */
const noRoom: unique symbol = Symbol('no room')

let at = 0
/** Where the lengths of the messages that are being written begin. */
const starts: number[] = []
let depth = 0

/** Longest text, in UTF-16 units, for which a loop is faster than a call into Node's C++. */
const SHORT = 40

const scratch = new DataView(new ArrayBuffer(8))
const scratchBytes = new Uint8Array(scratch.buffer)

/**
 * Writes a message from `start`.
 * @returns where it ends; -1 for no room
 */
export function writeMessage(type: Pick<AnyMessageType, 'encode'>, message: unknown, start: number): number {
  const before = at
  const level = depth
  at = start
  try {
    type.encode(message, writer)
    return at
  } catch (error) {
    if (error !== noRoom) throw error
    return -1
  } finally {
    at = before
    depth = level
  }
}

class StrictWriter {
  uint32(value: number): this {
    const checked = value >>> 0 === value ? value : uint32(value)
    if (at + 10 > end) reserve(10)
    if (checked < 0x80) target[at++] = checked
    else putVarint(checked)
    return this
  }

  int32(value: number): this {
    const checked = (value | 0) === value ? value : int32(value)
    if (at + 10 > end) reserve(10)
    if (checked < 0) putVarint64(checked >>> 0, 0xffff_ffff)
    else putVarint(checked)
    return this
  }

  sint32(value: number): this {
    const checked = int32(value)
    return this.uint32(((checked << 1) ^ (checked >> 31)) >>> 0)
  }

  fixed32(value: number): this {
    return this.#word(uint32(value))
  }

  sfixed32(value: number): this {
    return this.#word(int32(value))
  }

  uint64(value: Int64): this {
    const checked = uint64(value)
    return this.#varint64(lowOf(checked), highOf(checked))
  }

  int64(value: Int64): this {
    const checked = int64(value)
    return this.#varint64(lowOf(checked), highOf(checked))
  }

  sint64(value: Int64): this {
    const checked = int64(value)
    const low = lowOf(checked)
    const high = highOf(checked)
    const sign = high >> 31
    return this.#varint64((low << 1) ^ sign, ((high << 1) | (low >>> 31)) ^ sign)
  }

  fixed64(value: Int64): this {
    const checked = uint64(value)
    return this.#word(lowOf(checked)).#word(highOf(checked))
  }

  sfixed64(value: Int64): this {
    const checked = int64(value)
    return this.#word(lowOf(checked)).#word(highOf(checked))
  }

  float(value: number): this {
    if (at + 4 > end) reserve(4)
    scratch.setFloat32(0, float(value), true)
    for (let i = 0; i < 4; i++) target[at++] = scratchBytes[i]
    return this
  }

  double(value: number): this {
    if (at + 8 > end) reserve(8)
    scratch.setFloat64(0, float(value), true)
    for (let i = 0; i < 8; i++) target[at++] = scratchBytes[i]
    return this
  }

  bool(value: boolean): this {
    if (at + 1 > end) reserve(1)
    target[at++] = bool(value) ? 1 : 0
    return this
  }

  string(value: string): this {
    if (typeof value !== 'string') string(value)
    const { length } = value
    if (length <= SHORT && at + length < end) {
      const after = putAscii(value, at + 1)
      if (after >= 0) {
        target[at] = length
        at = after
        return this
      }
    }
    return this.#longString(value)
  }

  #longString(value: string): this {
    if (!fitsAnyway(value.length, at)) {
      const size = Buffer.byteLength(value)
      this.uint32(size)
      reserve(size)
      at = putMeasured(value, at, size)
      return this
    }
    const start = at
    at = putText(value, at + 1)
    return close(this, start)
  }

  bytes(value: Uint8Array): this {
    const checked = bytes(value) as Uint8Array | string
    const given = typeof checked === 'string' ? Buffer.from(checked, 'base64') : checked
    this.uint32(given.length)
    return this.raw(given)
  }

  /** Appends bytes as they are. */
  raw(value: Uint8Array): this {
    reserve(value.length)
    at = putBytes(value, at)
    return this
  }

  /** Begins a message whose length comes before it. */
  fork(): this {
    starts[depth++] = begin()
    return this
  }

  ldelim(): this {
    return close(this, starts[--depth])
  }

  uint32s(values: ArrayLike<number>): this {
    const start = begin()
    for (let i = 0; i < values.length; i++) this.uint32(values[i])
    return close(this, start)
  }
  int32s(values: ArrayLike<number>): this {
    const start = begin()
    for (let i = 0; i < values.length; i++) this.int32(values[i])
    return close(this, start)
  }
  sint32s(values: ArrayLike<number>): this {
    const start = begin()
    for (let i = 0; i < values.length; i++) this.sint32(values[i])
    return close(this, start)
  }
  fixed32s(values: ArrayLike<number>): this {
    const start = begin()
    for (let i = 0; i < values.length; i++) this.fixed32(values[i])
    return close(this, start)
  }
  sfixed32s(values: ArrayLike<number>): this {
    const start = begin()
    for (let i = 0; i < values.length; i++) this.sfixed32(values[i])
    return close(this, start)
  }
  uint64s(values: ArrayLike<Int64>): this {
    const start = begin()
    for (let i = 0; i < values.length; i++) this.uint64(values[i])
    return close(this, start)
  }
  int64s(values: ArrayLike<Int64>): this {
    const start = begin()
    for (let i = 0; i < values.length; i++) this.int64(values[i])
    return close(this, start)
  }
  sint64s(values: ArrayLike<Int64>): this {
    const start = begin()
    for (let i = 0; i < values.length; i++) this.sint64(values[i])
    return close(this, start)
  }
  fixed64s(values: ArrayLike<Int64>): this {
    const start = begin()
    for (let i = 0; i < values.length; i++) this.fixed64(values[i])
    return close(this, start)
  }
  sfixed64s(values: ArrayLike<Int64>): this {
    const start = begin()
    for (let i = 0; i < values.length; i++) this.sfixed64(values[i])
    return close(this, start)
  }
  floats(values: ArrayLike<number>): this {
    const start = begin()
    for (let i = 0; i < values.length; i++) this.float(values[i])
    return close(this, start)
  }
  doubles(values: ArrayLike<number>): this {
    const start = begin()
    for (let i = 0; i < values.length; i++) this.double(values[i])
    return close(this, start)
  }
  bools(values: ArrayLike<boolean>): this {
    const start = begin()
    for (let i = 0; i < values.length; i++) this.bool(values[i])
    return close(this, start)
  }

  #word(value: number): this {
    if (at + 4 > end) reserve(4)
    target[at] = value
    target[at + 1] = value >>> 8
    target[at + 2] = value >>> 16
    target[at + 3] = value >>> 24
    at += 4
    return this
  }

  #varint64(low: number, high: number): this {
    if (at + 10 > end) reserve(10)
    putVarint64(low >>> 0, high >>> 0)
    return this
  }
}

export const writer = new StrictWriter()

function reserve(size: number): void {
  if (!makeRoom(at, size)) throw noRoom
}

/** Leaves a byte for a length. */
export function begin(): number {
  if (at + 1 > end) reserve(1)
  return at++
}

/** Writes the length of what follows it, at `start`. Most lengths are one byte; what follows a longer one is moved. */
export function close<W>(result: W, start: number): W {
  const size = at - start - 1
  if (size < 0x80) {
    target[start] = size
    return result
  }
  const more = size < 0x4000 ? 1 : size < 0x20_0000 ? 2 : size < 0x1000_0000 ? 3 : 4
  reserve(more)
  const after = shift(start + 1, at, more)
  at = start
  putVarint(size)
  at = after
  return result
}

function putVarint(value: number): void {
  let rest = value
  while (rest > 0x7f) {
    target[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  target[at++] = rest
}

/** Writes a number of 64 bits in two unsigned halves. */
function putVarint64(lower: number, upper: number): void {
  let low = lower
  let high = upper
  while (high !== 0) {
    target[at++] = (low & 0x7f) | 0x80
    low = ((low >>> 7) | (high << 25)) >>> 0
    high >>>= 7
  }
  putVarint(low)
}

function lowOf(value: Int64): number {
  return typeof value === 'number' ? value | 0 : (value as { low: number }).low
}

function highOf(value: Int64): number {
  return typeof value === 'number' ? Math.floor(value / 2 ** 32) | 0 : (value as { high: number }).high
}
