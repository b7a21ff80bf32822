import { innerKey, keyTexts, nextKey, storeOf } from '../../base/json/keys.ts'
import { setKnownMember } from '../../base/json/members.ts'
import {
  aside,
  beginBody,
  bytesOf,
  copyTo,
  endBody,
  f32,
  f64,
  learning,
  open,
  peek,
  readKey,
  refuse,
  requireLeft,
  setMember,
  textOf,
  u8,
  u16,
  u32,
  u64,
} from '../binary/input.ts'
import { Major, Simple, Tag } from './items.ts'

/** Longest bignum in bytes. */
const MAX_BIGNUM = 1024

/** Value of a head's lower five bits when the item's length is indefinite: `Simple.Break` ends the item. */
const INDEFINITE = 31

/** Functions that decode the items of further tags, by tag. */
export type TagReaders = ReadonlyMap<number | bigint, (value: unknown) => unknown> | undefined

let tags: TagReaders

/**
 * Reads `buffer[start, end)`.
 * @throws StatusError 400
 */
export function readCbor(buffer: Buffer, start: number, end: number, maxDepth: number, readers: TagReaders): unknown {
  beginBody('cbor', buffer, start, end, maxDepth)
  tags = readers
  const value = readValue(0, 0)
  endBody()
  return value
}

/**
 * Reads the next value, inside of `depth` arrays, maps and tags.
 * @param parent slot of the key whose value this is
 */
function readValue(depth: number, parent: number): unknown {
  const head = u8()
  if (head < 24) return head
  const low = head & 31
  switch (head >> 5) {
    case Major.Unsigned:
      return readArgument(low)
    case Major.Negative:
      return negative(readArgument(low))
    case Major.Bytes:
      return low === INDEFINITE ? new Uint8Array(readChunks(Major.Bytes, depth)) : bytesOf(readLength(low))
    case Major.Text:
      return low === INDEFINITE ? readChunks(Major.Text, depth).toString() : textOf(readLength(low))
    case Major.Array:
      return readArray(low, depth, parent)
    case Major.Map:
      return readMap(low, depth, parent)
    case Major.Tag:
      return readTagged(readArgument(low), depth)
    default:
      return readSimple(head)
  }
}

function readArgument(low: number): number | bigint {
  if (low < 24) return low
  switch (low) {
    case 24:
      return u8()
    case 25:
      return u16()
    case 26:
      return u32()
    case 27:
      return u64()
    default:
      return refuse(`no item has the length ${low}`)
  }
}

function readLength(low: number): number {
  // Rounding is harmless: no body has more than 2^53 bytes.
  return Number(readArgument(low))
}

function negative(argument: number | bigint): number | bigint {
  if (typeof argument === 'bigint') return -1n - argument
  const value = -1 - argument
  return Number.isSafeInteger(value) ? value : -1n - BigInt(argument)
}

function readArray(low: number, depth: number, parent: number): unknown[] {
  if (low === INDEFINITE) {
    open(depth, 1)
    const items: unknown[] = []
    while (!ends()) items.push(readValue(depth + 1, parent))
    return items
  }
  const size = readLength(low)
  open(depth, size)
  // An array that `push` makes has room for 17 items, which takes longer than reading few.
  if (size === 0) return []
  const first = readValue(depth + 1, parent)
  if (size === 1) return [first]
  const second = readValue(depth + 1, parent)
  if (size === 2) return [first, second]
  const items = [first, second, readValue(depth + 1, parent)]
  for (let i = 3; i < size; i++) items.push(readValue(depth + 1, parent))
  return items
}

function readMap(low: number, depth: number, parent: number): object {
  const members: Record<string, unknown> = {}
  const indefinite = low === INDEFINITE
  const size = indefinite ? Number.POSITIVE_INFINITY : readLength(low)
  open(depth, indefinite ? 1 : 2 * size)
  let previous = 0
  for (let i = 0; i < size; i++) {
    if (indefinite && ends()) break
    const slot = learning ? readKey(previous === 0 ? innerKey[parent] : nextKey[previous], Major.Text << 5, 23) : 0
    if (slot === 0) {
      readMember(members, depth)
    } else {
      if (previous === 0) innerKey[parent] = slot
      else nextKey[previous] = slot
      // Read before the value, since functions of the application may decode other bodies.
      const key = keyTexts[slot]
      const store = storeOf(slot)
      setKnownMember(members, store, key, readValue(depth + 1, slot))
    }
    previous = slot
  }
  return members
}

/** Reads a member whose key is none that is remembered. */
function readMember(members: Record<string, unknown>, depth: number): void {
  const key = readValue(depth + 1, 0)
  if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'bigint') refuse('a key is neither text nor a number')
  setMember(members, `${key}`, readValue(depth + 1, 0))
}

/** Consumes the break that ends an item of indefinite length, if that is what comes next. */
function ends(): boolean {
  if (peek() !== Simple.Break) return false
  u8()
  return true
}

/** Reads bytes or text of indefinite length: chunks of the same kind, each with its length. */
function readChunks(major: number, depth: number): Buffer {
  open(depth, 1)
  let joined = Buffer.allocUnsafeSlow(1024)
  let size = 0
  while (!ends()) {
    const head = u8()
    if (head >> 5 !== major || (head & 31) === INDEFINITE) refuse('a chunk is of another kind')
    const more = readLength(head & 31)
    requireLeft(more)
    if (size + more > joined.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(size + more, 2 * joined.length))
      larger.set(joined.subarray(0, size))
      joined = larger
    }
    copyTo(joined, size, more)
    size += more
  }
  return joined.subarray(0, size)
}

function readTagged(tag: number | bigint, depth: number): unknown {
  open(depth, 1)
  const value = readValue(depth + 1, 0)
  const read = tags?.get(tag)
  if (read !== undefined) return readOwn(read, value)
  switch (tag) {
    case Tag.TextTime:
      return typeof value === 'string' && rfc3339.test(value) ? dateOf(Date.parse(value)) : refuse('no date and time')
    case Tag.EpochTime:
      return typeof value === 'number' ? dateOf(Math.round(value * 1000)) : refuse('no seconds since 1970')
    case Tag.Bignum:
    case Tag.NegativeBignum: {
      if (!(value instanceof Uint8Array) || value.length > MAX_BIGNUM) return refuse(`no bignum of up to ${MAX_BIGNUM} bytes`)
      const size = BigInt(`0x0${Buffer.from(value).toString('hex')}`)
      return narrow(tag === Tag.Bignum ? size : -1n - size)
    }
    case Tag.Uint8Array:
      return value instanceof Uint8Array ? value : refuse('a typed array that is no bytes')
    case Tag.SelfDescribed:
      return value
    default:
      return refuse(`tag ${tag} is unknown`)
  }
}

/** Calls a function of the application, which may decode other bodies. */
function readOwn(read: (value: unknown) => unknown, inner: unknown): unknown {
  const readers = tags
  const value = aside(() => read(inner))
  tags = readers
  return value
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

function dateOf(time: number): Date {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? refuse('a time out of range') : date
}

function narrow(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function readSimple(head: number): unknown {
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
      return half(u16())
    case Simple.Float:
      return f32()
    case Simple.Double:
      return f64()
    default:
      return refuse(`the item ${head.toString(16)} is unknown here`)
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
