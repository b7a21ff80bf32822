import type { ByteWriter } from '../binary/byte-writer.ts'
import { isWhole, membersOf, requireMap, requireShallow, timeOf } from '../binary/members.ts'
import { isRecord, represented } from '../record.ts'
import { Major, Simple, Tag } from './items.ts'

const codec = 'cbor'

/** @param value the value after `represented`, that is the result of its `toJSON` where it has one */
export function writeCbor(writer: ByteWriter, value: unknown, depth: number): void {
  requireShallow(codec, depth)
  switch (typeof value) {
    case 'string':
      writeText(writer, value)
      return
    case 'number':
      writeNumber(writer, value)
      return
    case 'boolean':
      writer.u8(value ? Simple.True : Simple.False)
      return
    case 'bigint':
      writeBigInt(writer, value)
      return
    case 'undefined':
      writer.u8(Simple.Undefined)
      return
  }
  if (value === null) {
    writer.u8(Simple.Null)
  } else if (Array.isArray(value)) {
    writeHead(writer, Major.Array, value.length)
    for (let i = 0; i < value.length; i++) writeCbor(writer, represented(value[i], i), depth + 1)
  } else if (isRecord(value)) {
    const { keys, members } = membersOf(value)
    writeHead(writer, Major.Map, keys.length)
    for (const key of keys) {
      writeText(writer, key)
      writeCbor(writer, members[key], depth + 1)
    }
  } else if (value instanceof Uint8Array) {
    writeHead(writer, Major.Bytes, value.length)
    writer.bytes(value)
  } else if (value instanceof Date) {
    writeTime(writer, value)
  } else {
    const map = requireMap(codec, value)
    writeHead(writer, Major.Map, map.size)
    for (const [key, member] of map) {
      writeCbor(writer, key, depth + 1)
      writeCbor(writer, represented(member, key), depth + 1)
    }
  }
}

/** Number of milliseconds whose multiples are exact as a float of seconds: an eighth of a second. */
const EXACT = 125

/**
 * Writes seconds as a number where that is exact: whole ones and eighths. Other times are text, since decoders of other
 * languages cut a float that is a little too small to the millisecond before. Only years of four digits have a text.
 */
function writeTime(writer: ByteWriter, date: Date): void {
  const time = timeOf(codec, date)
  const text = time % EXACT === 0 ? '' : date.toISOString()
  if (/^\d/.test(text)) {
    writeHead(writer, Major.Tag, Tag.TextTime)
    writeText(writer, text)
  } else {
    writeHead(writer, Major.Tag, Tag.EpochTime)
    writeNumber(writer, time / 1000)
  }
}

function writeNumber(writer: ByteWriter, value: number): void {
  if (!isWhole(value)) writer.headFloat(Simple.Double, value)
  else if (value >= 0) writeHead(writer, Major.Unsigned, value)
  else writeHead(writer, Major.Negative, -1 - value)
}

function writeBigInt(writer: ByteWriter, value: bigint): void {
  const number = Number(value)
  if (Number.isSafeInteger(number)) {
    writeNumber(writer, number)
    return
  }
  const size = value < 0n ? -1n - value : value
  if (size < 2n ** 64n) {
    writer.head64(((value < 0n ? Major.Negative : Major.Unsigned) << 5) | 27, size)
    return
  }
  const hex = size.toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  writeHead(writer, Major.Tag, value < 0n ? Tag.NegativeBignum : Tag.Bignum)
  writeHead(writer, Major.Bytes, bytes.length)
  writer.bytes(bytes)
}

function writeText(writer: ByteWriter, text: string): void {
  if (text.length < 24 && writer.shortText((Major.Text << 5) + text.length, text)) return
  const size = Buffer.byteLength(text)
  writeHead(writer, Major.Text, size)
  writer.text(text, size)
}

/** Writes the major type with its argument, a whole number from 0, in the shortest form. */
function writeHead(writer: ByteWriter, major: number, argument: number): void {
  const first = major << 5
  if (argument < 24) writer.u8(first | argument)
  else if (argument < 0x100) writer.head(first | 24, 1, argument)
  else if (argument < 0x1_0000) writer.head(first | 25, 2, argument)
  else if (argument < 2 ** 32) writer.head(first | 26, 4, argument)
  else writer.head64(first | 27, argument)
}
