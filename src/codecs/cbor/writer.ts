import { keySizes } from '../../base/json/keys.ts'
import { isWhole, MAX_DEPTH, refuseDepth, requireMap, timeOf } from '../binary/members.ts'
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
  ROOM,
  shift,
  slotOfKey,
  target,
} from '../binary/output.ts'
import { isRecord, represented } from '../record.ts'
import { Major, Simple, Tag } from './items.ts'

const codec = 'cbor'
const objects = Object.prototype
const { hasOwnProperty: hasOwn } = objects
const TEXT = Major.Text << 5
const MAP = Major.Map << 5
/** Arguments below it stand in the first byte of an item. */
const WIDE = 24

type Members = Readonly<Record<string, unknown>>

/** Writes the value of a body (`WriteRoot`). */
export function writeCbor(value: unknown, at: number, parent: number): number {
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
      return (value | 0) === value && (value > 0 || (value === 0 && 1 / value > 0)) ? writeHead(0, value, at) : writeNumber(value, at)
    case 'boolean':
      target[at] = value ? Simple.True : Simple.False
      return at + 1
    case 'undefined':
      target[at] = Simple.Undefined
      return at + 1
    case 'object':
      if (value === null) {
        target[at] = Simple.Null
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
  if (value instanceof Date) return writeTime(value, at)
  return writeMap(requireMap(codec, value), at, depth)
}

function writeArray(items: readonly unknown[], start: number, depth: number, parent: number): number {
  let at = writeHead(Major.Array << 5, items.length, start)
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
    if (slot !== 0 && keySizes[slot] - 3 < WIDE) {
      at = putKey(slot, TEXT, at)
    } else {
      at = writeText(key, at)
      if (at < 0) return -1
    }
    previous = slot
    at = writeValue(member, at, depth + 1, parent < 0 ? -1 : slot)
    if (at < 0) return -1
  }
  if (count < WIDE) {
    target[start] = MAP + count
    return at
  }
  if (!makeRoom(at, 8)) return -1
  at = shift(start + 1, at, headSize(count) - 1)
  writeHead(MAP, count, start)
  return at
}

function writeMap(map: ReadonlyMap<string | number | bigint, unknown>, start: number, depth: number): number {
  let at = writeHead(MAP, map.size, start)
  for (const [key, member] of map) {
    at = writeValue(key, at, depth + 1, -1)
    if (at < 0) return -1
    at = writeValue(represented(member, key), at, depth + 1, -1)
    if (at < 0) return -1
  }
  return at
}

/** Number of milliseconds whose multiples are exact as a float of seconds: an eighth of a second. */
const EXACT = 125

/**
 * Writes seconds as a number where that is exact: whole ones and eighths. Other times are text, since decoders of other
 * languages cut a float that is a little too small to the millisecond before. Only years of four digits have a text.
 */
function writeTime(date: Date, start: number): number {
  const time = timeOf(codec, date)
  const text = time % EXACT === 0 ? '' : date.toISOString()
  if (/^\d/.test(text)) return writeText(text, writeHead(Major.Tag << 5, Tag.TextTime, start))
  return writeNumber(time / 1000, writeHead(Major.Tag << 5, Tag.EpochTime, start))
}

function writeNumber(value: number, at: number): number {
  if (!isWhole(value)) return putDouble(Simple.Double, value, at)
  return value >= 0 ? writeHead(0, value, at) : writeHead(Major.Negative << 5, -1 - value, at)
}

function writeBigInt(value: bigint, at: number): number {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return writeNumber(number, at)
  const size = value < 0n ? -1n - value : value
  if (size < 2n ** 64n) return putU64(((value < 0n ? Major.Negative : Major.Unsigned) << 5) | 27, size, at)
  const hex = size.toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return writeBytes(bytes, writeHead(Major.Tag << 5, value < 0n ? Tag.NegativeBignum : Tag.Bignum, at))
}

function writeText(text: string, at: number): number {
  const { length } = text
  if (length < WIDE && at + length + ROOM <= end) {
    const after = putAscii(text, at + 1)
    if (after >= 0) {
      target[at] = TEXT + length
      return after
    }
  }
  return writeLongText(text, at)
}

function writeLongText(text: string, at: number): number {
  const { length } = text
  if (!fitsAnyway(length, at)) {
    const size = Buffer.byteLength(text)
    return makeRoom(at, size + ROOM) ? putMeasured(text, writeHead(TEXT, size, at), size) : -1
  }
  const guess = headSize(length)
  let after = putText(text, at + guess)
  const size = after - at - guess
  const head = headSize(size)
  if (head !== guess) after = shift(at + guess, after, head - guess)
  writeHead(TEXT, size, at)
  return after
}

function writeBytes(bytes: Uint8Array, at: number): number {
  return makeRoom(at, bytes.length + ROOM) ? putBytes(bytes, writeHead(Major.Bytes << 5, bytes.length, at)) : -1
}

function headSize(argument: number): number {
  return argument < WIDE ? 1 : argument < 0x100 ? 2 : argument < 0x1_0000 ? 3 : argument < 2 ** 32 ? 5 : 9
}

/** Writes the major type, in the upper bits of `first`, and its argument, a whole number from 0, as short as can be. */
function writeHead(first: number, argument: number, at: number): number {
  if (argument < WIDE) {
    target[at] = first | argument
    return at + 1
  }
  if (argument < 0x100) return putU8(first | 24, argument, at)
  if (argument < 0x1_0000) return putU16(first | 25, argument, at)
  if (argument < 2 ** 32) return putU32(first | 26, argument, at)
  return putU64(first | 27, argument, at)
}
