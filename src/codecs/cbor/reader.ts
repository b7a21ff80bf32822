import { type ByteReader, setMember } from '../binary/byte-reader.ts'
import { ByteWriter } from '../binary/byte-writer.ts'
import { Major, Simple, Tag } from './items.ts'

/** Longest bignum in bytes. */
const MAX_BIGNUM = 1024

/** Value of a head's lower five bits when the item's length is indefinite: `Simple.Break` ends the item. */
const INDEFINITE = 31

/** Functions that decode the items of further tags, by tag. */
export type TagReaders = ReadonlyMap<number | bigint, (value: unknown) => unknown> | undefined

/**
 * Reads the next value, inside of `depth` arrays, maps and tags.
 * @throws StatusError 400
 */
export function readCbor(reader: ByteReader, depth: number, tags: TagReaders): unknown {
  const head = reader.u8()
  const low = head & 31
  switch (head >> 5) {
    case Major.Unsigned:
      return readArgument(reader, low)
    case Major.Negative:
      return negative(readArgument(reader, low))
    case Major.Bytes:
      return low === INDEFINITE ? new Uint8Array(readChunks(reader, Major.Bytes, depth)) : reader.bytes(readLength(reader, low))
    case Major.Text:
      return low === INDEFINITE ? readChunks(reader, Major.Text, depth).toString() : reader.text(readLength(reader, low))
    case Major.Array:
      return readArray(reader, low, depth, tags)
    case Major.Map:
      return readMap(reader, low, depth, tags)
    case Major.Tag:
      return readTagged(reader, readArgument(reader, low), depth, tags)
    default:
      return readSimple(reader, head)
  }
}

function readArgument(reader: ByteReader, low: number): number | bigint {
  if (low < 24) return low
  switch (low) {
    case 24:
      return reader.u8()
    case 25:
      return reader.u16()
    case 26:
      return reader.u32()
    case 27:
      return reader.u64()
    default:
      return reader.refuse(`no item has the length ${low}`)
  }
}

function readLength(reader: ByteReader, low: number): number {
  // Rounding is harmless: no body has more than 2^53 bytes.
  return Number(readArgument(reader, low))
}

function negative(argument: number | bigint): number | bigint {
  if (typeof argument === 'bigint') return -1n - argument
  const value = -1 - argument
  return Number.isSafeInteger(value) ? value : -1n - BigInt(argument)
}

function readArray(reader: ByteReader, low: number, depth: number, tags: TagReaders): unknown[] {
  const items: unknown[] = []
  if (low === INDEFINITE) {
    reader.open(depth, 1)
    while (!ends(reader)) items.push(readCbor(reader, depth + 1, tags))
    return items
  }
  const size = readLength(reader, low)
  reader.open(depth, size)
  for (let i = 0; i < size; i++) items.push(readCbor(reader, depth + 1, tags))
  return items
}

function readMap(reader: ByteReader, low: number, depth: number, tags: TagReaders): object {
  const members = {}
  if (low === INDEFINITE) {
    reader.open(depth, 1)
    while (!ends(reader)) readMember(reader, members, depth, tags)
    return members
  }
  const size = readLength(reader, low)
  reader.open(depth, 2 * size)
  for (let i = 0; i < size; i++) readMember(reader, members, depth, tags)
  return members
}

function readMember(reader: ByteReader, members: Record<string, unknown>, depth: number, tags: TagReaders): void {
  const key = readCbor(reader, depth + 1, tags)
  if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'bigint') reader.refuse('a key is neither text nor a number')
  setMember(members, `${key}`, readCbor(reader, depth + 1, tags))
}

/** Consumes the break that ends an item of indefinite length, if that is what comes next. */
function ends(reader: ByteReader): boolean {
  if (reader.peek() !== Simple.Break) return false
  reader.u8()
  return true
}

/** Reads bytes or text of indefinite length: chunks of the same kind, each with its length. */
function readChunks(reader: ByteReader, major: number, depth: number): Buffer {
  reader.open(depth, 1)
  const joined = new ByteWriter()
  while (!ends(reader)) {
    const head = reader.u8()
    if (head >> 5 !== major || (head & 31) === INDEFINITE) reader.refuse('a chunk is of another kind')
    const size = readLength(reader, head & 31)
    reader.requireLeft(size)
    const at = joined.reserve(size)
    reader.copy(size, joined.buffer, at)
  }
  return joined.buffer.subarray(0, joined.size)
}

function readTagged(reader: ByteReader, tag: number | bigint, depth: number, tags: TagReaders): unknown {
  reader.open(depth, 1)
  const value = readCbor(reader, depth + 1, tags)
  const read = tags?.get(tag)
  if (read !== undefined) return read(value)
  switch (tag) {
    case Tag.TextTime:
      return typeof value === 'string' && rfc3339.test(value) ? dateOf(reader, Date.parse(value)) : reader.refuse('no date and time')
    case Tag.EpochTime:
      return typeof value === 'number' ? dateOf(reader, Math.round(value * 1000)) : reader.refuse('no seconds since 1970')
    case Tag.Bignum:
    case Tag.NegativeBignum: {
      if (!(value instanceof Uint8Array) || value.length > MAX_BIGNUM) return reader.refuse(`no bignum of up to ${MAX_BIGNUM} bytes`)
      const size = BigInt(`0x0${Buffer.from(value).toString('hex')}`)
      return narrow(tag === Tag.Bignum ? size : -1n - size)
    }
    case Tag.Uint8Array:
      return value instanceof Uint8Array ? value : reader.refuse('a typed array that is no bytes')
    case Tag.SelfDescribed:
      return value
    default:
      return reader.refuse(`tag ${tag} is unknown`)
  }
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

function dateOf(reader: ByteReader, time: number): Date {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? reader.refuse('a time out of range') : date
}

function narrow(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function readSimple(reader: ByteReader, head: number): unknown {
  switch (head) {
    case Simple.False:
      return false
    case Simple.True:
      return true
    case Simple.Null:
      return null
    case Simple.Undefined:
      return undefined
    case Simple.Half:
      return half(reader.u16())
    case Simple.Float:
      return reader.f32()
    case Simple.Double:
      return reader.f64()
    default:
      return reader.refuse(`the item ${head.toString(16)} is unknown here`)
  }
}

/** Decodes a float of 16 bits: one for the sign, five for the exponent. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * (0x400 + fraction) * 2 ** (exponent - 25)
}
