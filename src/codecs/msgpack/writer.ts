import { MAX_DEPTH, refuseDepth, requireMap, timeOf } from '../binary/members.ts'
import {
  end,
  fitsAnyway,
  makeRoom,
  putAscii,
  putBytes,
  putDouble,
  putKey,
  putMeasured,
  putText,
  putU8,
  putU16,
  putU32,
  putU64,
  putWord,
  ROOM,
  shift,
  slotOfKey,
  target,
} from '../binary/output.ts'
import { isRecord, represented } from '../record.ts'

const codec = 'msgpack'
const objects = Object.prototype
const { hasOwnProperty: hasOwn } = objects

type Members = Readonly<Record<string, unknown>>

/** Writes the value of a body (`WriteRoot`). */
export function writeMsgpack(value: unknown, at: number, parent: number): number {
  return writeValue(represented(value, ''), at, 0, parent)
}

/**
 * @param value the value after `represented`, that is the result of its `toJSON` where it has one
 * @param parent slot of the key whose value this is; negative when no keys may be learnt
 * @returns where it ends; -1 for no room
 */
function writeValue(value: unknown, at: number, depth: number, parent: number): number {
  if (at + ROOM > end && !makeRoom(at, ROOM)) return -1
  switch (typeof value) {
    case 'string':
      return writeText(value, at)
    case 'number':
      return (value | 0) === value ? writeInt32(value, at) : writeNumber(value, at)
    case 'boolean':
      target[at] = value ? 0xc3 : 0xc2
      return at + 1
    case 'undefined':
      target[at] = 0xc0
      return at + 1
    case 'object':
      if (value === null) {
        target[at] = 0xc0
        return at + 1
      }
      if (depth > MAX_DEPTH) refuseDepth(codec)
      if (Array.isArray(value)) return writeArray(value, at, depth, parent)
      return Object.getPrototypeOf(value) === objects
        ? writeRecord(value as Members, at, depth, parent)
        : writeOther(value, at, depth, parent)
    default:
      return typeof value === 'bigint' ? writeBigInt(value, at) : writeOther(value, at, depth, parent)
  }
}

function writeOther(value: unknown, at: number, depth: number, parent: number): number {
  if (isRecord(value)) return writeRecord(value, at, depth, parent)
  if (value instanceof Uint8Array) return writeBytes(value, at)
  if (value instanceof Date) return writeTime(timeOf(codec, value), at)
  return writeMap(requireMap(codec, value), at, depth)
}

function writeArray(items: readonly unknown[], start: number, depth: number, parent: number): number {
  let at = writeSize(0x90, 0xdc, items.length, start)
  for (let i = 0; i < items.length; i++) {
    at = writeValue(represented(items[i], i), at, depth + 1, parent)
    if (at < 0) return -1
  }
  return at
}

function writeRecord(record: Members, start: number, depth: number, parent: number): number {
  let at = start + 1
  let previous = 0
  let count = 0
  for (const key in record) {
    const own = record[key]
    // Members that are undefined are left out, as in JSON.
    if (own === undefined || !hasOwn.call(record, key)) continue
    const member = represented(own, key)
    if (member === undefined) continue
    count++
    if (at + ROOM > end && !makeRoom(at, ROOM)) return -1
    const slot = slotOfKey(key, previous, parent)
    if (slot !== 0) {
      at = putKey(slot, 0xa0, at)
    } else {
      at = writeText(key, at)
      if (at < 0) return -1
    }
    previous = slot
    at = writeValue(member, at, depth + 1, parent < 0 ? -1 : slot)
    if (at < 0) return -1
  }
  if (count <= 15) {
    target[start] = 0x80 + count
    return at
  }
  if (!makeRoom(at, 4)) return -1
  at = shift(start + 1, at, count < 0x1_0000 ? 2 : 4)
  writeSize(0x80, 0xde, count, start)
  return at
}

function writeMap(map: ReadonlyMap<string | number | bigint, unknown>, start: number, depth: number): number {
  let at = writeSize(0x80, 0xde, map.size, start)
  for (const [key, member] of map) {
    at = writeValue(key, at, depth + 1, -1)
    if (at < 0) return -1
    at = writeValue(represented(member, key), at, depth + 1, -1)
    if (at < 0) return -1
  }
  return at
}

function writeNumber(value: number, at: number): number {
  if (!Number.isSafeInteger(value)) return putDouble(0xcb, value, at)
  if (value < 0) return putU64(0xd3, value, at)
  return value < 2 ** 32 ? putU32(0xce, value, at) : putU64(0xcf, value, at)
}

/** Writes an int32, or -0. */
function writeInt32(value: number, at: number): number {
  if (value > 0 || (value === 0 && 1 / value > 0)) {
    if (value >= 0x80) return value < 0x100 ? putU8(0xcc, value, at) : value < 0x1_0000 ? putU16(0xcd, value, at) : putU32(0xce, value, at)
    target[at] = value
    return at + 1
  }
  if (value === 0) return putDouble(0xcb, value, at)
  if (value < -0x20) return value >= -0x80 ? putU8(0xd0, value, at) : value >= -0x8000 ? putU16(0xd1, value, at) : putU32(0xd2, value, at)
  target[at] = value
  return at + 1
}

function writeBigInt(value: bigint, at: number): number {
  if (Number.isSafeInteger(Number(value))) return writeValue(Number(value), at, 0, -1)
  if (value > 0n && value < 2n ** 64n) return putU64(0xcf, value, at)
  if (value < 0n && value >= -(2n ** 63n)) return putU64(0xd3, value, at)
  throw new RangeError(`${codec}: a bigint of more than 64 bits`)
}

function headSize(size: number): number {
  return size < 32 ? 1 : size < 0x100 ? 2 : size < 0x1_0000 ? 3 : 5
}

function writeText(text: string, at: number): number {
  const { length } = text
  if (length < 32 && at + length + ROOM <= end) {
    const after = putAscii(text, at + 1)
    if (after >= 0) {
      target[at] = 0xa0 + length
      return after
    }
  }
  return writeLongText(text, at)
}

function writeLongText(text: string, at: number): number {
  const { length } = text
  if (!fitsAnyway(length, at)) {
    const size = Buffer.byteLength(text)
    return makeRoom(at, size + ROOM) ? putMeasured(text, writeTextHead(size, at), size) : -1
  }
  const guess = headSize(length)
  let after = putText(text, at + guess)
  const size = after - at - guess
  const head = headSize(size)
  if (head !== guess) after = shift(at + guess, after, head - guess)
  writeTextHead(size, at)
  return after
}

function writeTextHead(size: number, at: number): number {
  if (size >= 32) return size < 0x100 ? putU8(0xd9, size, at) : size < 0x1_0000 ? putU16(0xda, size, at) : putU32(0xdb, size, at)
  target[at] = 0xa0 + size
  return at + 1
}

function writeBytes(bytes: Uint8Array, at: number): number {
  const size = bytes.length
  if (!makeRoom(at, size + ROOM)) return -1
  const head = size < 0x100 ? putU8(0xc4, size, at) : size < 0x1_0000 ? putU16(0xc5, size, at) : putU32(0xc6, size, at)
  return putBytes(bytes, head)
}

/** Writes a number of items: up to 15 in the first byte, else in 2 bytes after `wide` or in 4 after `wide + 1`. */
function writeSize(narrow: number, wide: number, size: number, at: number): number {
  if (size > 15) return size < 0x1_0000 ? putU16(wide, size, at) : putU32(wide + 1, size, at)
  target[at] = narrow + size
  return at + 1
}

/** Writes the extension "timestamp" in its shortest form. */
function writeTime(time: number, at: number): number {
  const seconds = Math.floor(time / 1000)
  const nanoseconds = (time - seconds * 1000) * 1_000_000
  if (seconds >= 0 && seconds < 2 ** 34) {
    if (nanoseconds === 0 && seconds < 2 ** 32) {
      target[at] = 0xd6
      return putU32(0xff, seconds, at + 1)
    }
    target[at] = 0xd7
    putU32(0xff, nanoseconds * 4 + Math.floor(seconds / 2 ** 32), at + 1)
    return putWord(seconds, at + 6)
  }
  putU8(0xc7, 12, at)
  putU32(0xff, nanoseconds, at + 2)
  putWord(Math.floor(seconds / 2 ** 32), at + 7)
  return putWord(seconds, at + 11)
}
