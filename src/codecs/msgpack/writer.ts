import type { ByteWriter } from '../binary/byte-writer.ts'
import { isWhole, membersOf, requireMap, requireShallow, timeOf } from '../binary/members.ts'
import { isRecord, represented } from '../record.ts'

const codec = 'msgpack'

/** @param value the value after `represented`, that is the result of its `toJSON` where it has one */
export function writeMsgpack(writer: ByteWriter, value: unknown, depth: number): void {
  requireShallow(codec, depth)
  switch (typeof value) {
    case 'string':
      writeText(writer, value)
      return
    case 'number':
      if (isWhole(value)) writeInteger(writer, value)
      else writer.headFloat(0xcb, value)
      return
    case 'boolean':
      writer.u8(value ? 0xc3 : 0xc2)
      return
    case 'bigint':
      writeBigInt(writer, value)
      return
  }
  if (value === null || value === undefined) {
    writer.u8(0xc0)
  } else if (Array.isArray(value)) {
    writeSize(writer, 0x90, 15, 0xdc, value.length)
    for (let i = 0; i < value.length; i++) writeMsgpack(writer, represented(value[i], i), depth + 1)
  } else if (isRecord(value)) {
    const { keys, members } = membersOf(value)
    writeSize(writer, 0x80, 15, 0xde, keys.length)
    for (const key of keys) {
      writeText(writer, key)
      writeMsgpack(writer, members[key], depth + 1)
    }
  } else if (value instanceof Uint8Array) {
    writeBytes(writer, value)
  } else if (value instanceof Date) {
    writeTime(writer, timeOf(codec, value))
  } else {
    const map = requireMap(codec, value)
    writeSize(writer, 0x80, 15, 0xde, map.size)
    for (const [key, member] of map) {
      writeMsgpack(writer, key, depth + 1)
      writeMsgpack(writer, represented(member, key), depth + 1)
    }
  }
}

function writeInteger(writer: ByteWriter, value: number): void {
  if (value >= 0) {
    if (value < 0x80) writer.u8(value)
    else if (value < 0x100) writer.head(0xcc, 1, value)
    else if (value < 0x1_0000) writer.head(0xcd, 2, value)
    else if (value < 2 ** 32) writer.head(0xce, 4, value)
    else writer.head64(0xcf, value)
  } else if (value >= -0x20) {
    writer.u8(value + 0x100)
  } else if (value >= -0x80) {
    writer.head(0xd0, 1, value + 0x100)
  } else if (value >= -0x8000) {
    writer.head(0xd1, 2, value + 0x1_0000)
  } else if (value >= -(2 ** 31)) {
    writer.head(0xd2, 4, value + 2 ** 32)
  } else {
    writer.head64(0xd3, value)
  }
}

function writeBigInt(writer: ByteWriter, value: bigint): void {
  if (Number.isSafeInteger(Number(value))) writeInteger(writer, Number(value))
  else if (value > 0n && value < 2n ** 64n) writer.head64(0xcf, value)
  else if (value < 0n && value >= -(2n ** 63n)) writer.head64(0xd3, value)
  else throw new RangeError(`${codec}: a bigint of more than 64 bits`)
}

function writeText(writer: ByteWriter, text: string): void {
  if (text.length < 32 && writer.shortText(0xa0 + text.length, text)) return
  const size = Buffer.byteLength(text)
  if (size < 32) writer.u8(0xa0 + size)
  else if (size < 0x100) writer.head(0xd9, 1, size)
  else if (size < 0x1_0000) writer.head(0xda, 2, size)
  else writer.head(0xdb, 4, size)
  writer.text(text, size)
}

function writeBytes(writer: ByteWriter, bytes: Uint8Array): void {
  const size = bytes.length
  if (size < 0x100) writer.head(0xc4, 1, size)
  else if (size < 0x1_0000) writer.head(0xc5, 2, size)
  else writer.head(0xc6, 4, size)
  writer.bytes(bytes)
}

/**
 * Writes a number of items: in the first byte up to `most`, else in the 2 bytes after `wide` or the 4 bytes after `wide
 * + 1`.
 */
function writeSize(writer: ByteWriter, narrow: number, most: number, wide: number, size: number): void {
  if (size <= most) writer.u8(narrow + size)
  else if (size < 0x1_0000) writer.head(wide, 2, size)
  else writer.head(wide + 1, 4, size)
}

/** Writes the extension "timestamp" in its shortest form. */
function writeTime(writer: ByteWriter, time: number): void {
  const seconds = Math.floor(time / 1000)
  const nanoseconds = (time - seconds * 1000) * 1_000_000
  if (seconds >= 0 && seconds < 2 ** 34) {
    if (nanoseconds === 0 && seconds < 2 ** 32) {
      writer.head(0xd6, 1, 0xff)
      writer.bytes(bigEndian(seconds, 4))
    } else {
      writer.head(0xd7, 1, 0xff)
      writer.bytes(bigEndian(nanoseconds * 4 + Math.floor(seconds / 2 ** 32), 4))
      writer.bytes(bigEndian(seconds % 2 ** 32, 4))
    }
    return
  }
  writer.head(0xc7, 1, 12)
  writer.head(0xff, 4, nanoseconds)
  const eight = Buffer.alloc(8)
  eight.writeBigInt64BE(BigInt(seconds))
  writer.bytes(eight)
}

function bigEndian(value: number, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  bytes.writeUIntBE(value, 0, size)
  return bytes
}
