import { ProtoError } from '../proto.ts'

/** Wire types of protobuf. */
const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const GROUP = 3
const END_GROUP = 4
const FIXED32 = 5

/** Maximum length of a varint in bytes. */
const MAX_VARINT = 10

/** Reads the fields of one protobuf message as protobuf-go does. All its errors are `ProtoError`s. */
export class FieldReader {
  /** Offset of the next field, or of its value. */
  at: number
  readonly #bytes: Uint8Array
  readonly #end: number
  /** Bits of the last varint above its low 32. */
  #high = 0

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes
    this.at = start
    this.#end = end
  }

  /** Reads a tag: field number times 8 plus wire type, unsigned. Field numbers have 29 bits. */
  tag(): number {
    const tag = this.int32() >>> 0
    if (this.#high !== 0 || tag < 8) throw new ProtoError('illegal protobuf field number')
    return tag
  }

  /** Reads a varint and truncates it to its low 32 bits, as protobuf does for an int32. */
  int32(): number {
    if (this.at < this.#end) {
      const byte = this.#bytes[this.at]
      if (byte < 0x80) {
        this.at++
        this.#high = 0
        return byte
      }
    }
    return this.#longVarint()
  }

  #longVarint(): number {
    let low = 0
    let high = 0
    for (let i = 0; i < MAX_VARINT && this.at < this.#end; i++) {
      const byte = this.#bytes[this.at++]
      const bits = byte & 0x7f
      if (i < 5) low |= bits << (7 * i)
      if (i >= 4) high |= i === 4 ? bits >>> 4 : bits
      if (byte < 0x80) {
        if (i === MAX_VARINT - 1 && byte > 1) break // more than 64 bits
        this.#high = high
        return low
      }
    }
    throw new ProtoError('protobuf varint that does not end')
  }

  /** Reads a length, which lies within the message. */
  length(): number {
    const length = this.int32() >>> 0
    if (this.#high !== 0 || length > this.#end - this.at) throw new ProtoError('protobuf field runs past the end of its message')
    return length
  }

  /**
   * Skips the value of an unknown field.
   *
   * @param maxDepth maximum nesting of groups, an old form of message that ends at a tag
   */
  skip(tag: number, maxDepth: number): void {
    const groups: number[] = []
    for (let current = tag; ; current = this.tag()) {
      const field = current >>> 3
      const wireType = current & 7
      if (wireType === GROUP) {
        if (groups.length >= maxDepth) throw new ProtoError('protobuf groups nest too deeply')
        groups.push(field)
      } else if (wireType === END_GROUP) {
        if (groups.pop() !== field) throw new ProtoError('protobuf group that ends without a beginning')
      } else {
        this.#skipValue(wireType)
      }
      if (groups.length === 0) return
    }
  }

  #skipValue(wireType: number): void {
    if (wireType === VARINT) {
      this.int32()
      return
    }
    if (wireType !== BYTES && wireType !== FIXED64 && wireType !== FIXED32) throw new ProtoError('unknown protobuf wire type')
    const size = wireType === BYTES ? this.length() : wireType === FIXED64 ? 8 : 4
    if (size > this.#end - this.at) throw new ProtoError('protobuf field runs past the end of its message')
    this.at += size
  }
}
