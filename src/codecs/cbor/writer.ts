import type { ByteWriter } from '../binary/byte-writer.ts'
import { isWhole, keysOf, requireMap, requireShallow, timeOf } from '../binary/members.ts'
import { isRecord } from '../record.ts'
import { Major, Simple, Tag } from './items.ts'

const codec = 'cbor'

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
    for (const item of value) writeCbor(writer, item, depth + 1)
  } else if (isRecord(value)) {
    const keys = keysOf(value)
    writeHead(writer, Major.Map, keys.length)
    for (const key of keys) {
      writeText(writer, key)
      writeCbor(writer, value[key], depth + 1)
    }
  } else if (value instanceof Uint8Array) {
    writeHead(writer, Major.Bytes, value.length)
    writer.bytes(value)
  } else if (value instanceof Date) {
    writeHead(writer, Major.Tag, Tag.EpochTime)
    writeNumber(writer, timeOf(codec, value) / 1000)
  } else {
    const map = requireMap(codec, value)
    writeHead(writer, Major.Map, map.size)
    for (const [key, member] of map) {
      writeCbor(writer, key, depth + 1)
      writeCbor(writer, member, depth + 1)
    }
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

/** The major type with its argument, a whole number from 0, in the shortest form. */
function writeHead(writer: ByteWriter, major: number, argument: number): void {
  const first = major << 5
  if (argument < 24) writer.u8(first | argument)
  else if (argument < 0x100) writer.head(first | 24, 1, argument)
  else if (argument < 0x1_0000) writer.head(first | 25, 2, argument)
  else if (argument < 2 ** 32) writer.head(first | 26, 4, argument)
  else writer.head64(first | 27, argument)
}
