import { innerKey, keyTexts, nextKey, storeOf } from '../../base/json/keys.ts'
import { setKnownMember } from '../../base/json/members.ts'
import {
  aside,
  beginBody,
  bytesOf,
  endBody,
  f32,
  f64,
  i32,
  i64,
  learning,
  open,
  readKey,
  refuse,
  setMember,
  textOf,
  u8,
  u16,
  u32,
  u64,
} from '../binary/input.ts'

/** Functions that decode the extensions of an application, by type. */
export type ExtensionReaders = ReadonlyMap<number, (bytes: Uint8Array) => unknown> | undefined

let extensions: ExtensionReaders

/**
 * Reads `buffer[start, end)`.
 * @throws StatusError 400
 */
export function readMsgpack(buffer: Buffer, start: number, end: number, maxDepth: number, readers: ExtensionReaders): unknown {
  beginBody('msgpack', buffer, start, end, maxDepth)
  extensions = readers
  const value = readValue(0, 0)
  endBody()
  return value
}

/**
 * Reads the next value, inside of `depth` arrays and maps.
 * @param parent slot of the key whose value this is
 */
function readValue(depth: number, parent: number): unknown {
  const head = u8()
  if (head < 0x80) return head
  if (head >= 0xe0) return head - 0x100
  if (head < 0x90) return readMap(head & 15, depth, parent)
  if (head < 0xa0) return readArray(head & 15, depth, parent)
  if (head < 0xc0) return textOf(head & 31)
  return readWide(head, depth, parent)
}

function readWide(head: number, depth: number, parent: number): unknown {
  switch (head) {
    case 0xc0:
      return null
    case 0xc2:
      return false
    case 0xc3:
      return true
    case 0xc4:
      return bytesOf(u8())
    case 0xc5:
      return bytesOf(u16())
    case 0xc6:
      return bytesOf(u32())
    case 0xc7:
      return readExtension(u8())
    case 0xc8:
      return readExtension(u16())
    case 0xc9:
      return readExtension(u32())
    case 0xca:
      return f32()
    case 0xcb:
      return f64()
    case 0xcc:
      return u8()
    case 0xcd:
      return u16()
    case 0xce:
      return u32()
    case 0xcf:
      return u64()
    case 0xd0:
      return (u8() << 24) >> 24
    case 0xd1:
      return (u16() << 16) >> 16
    case 0xd2:
      return i32()
    case 0xd3:
      return i64()
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return readExtension(1 << (head - 0xd4))
    case 0xd9:
      return textOf(u8())
    case 0xda:
      return textOf(u16())
    case 0xdb:
      return textOf(u32())
    case 0xdc:
      return readArray(u16(), depth, parent)
    case 0xdd:
      return readArray(u32(), depth, parent)
    case 0xde:
      return readMap(u16(), depth, parent)
    case 0xdf:
      return readMap(u32(), depth, parent)
    default:
      return refuse('no value begins with c1')
  }
}

function readArray(size: number, depth: number, parent: number): unknown[] {
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

function readMap(size: number, depth: number, parent: number): object {
  open(depth, 2 * size)
  const members: Record<string, unknown> = {}
  let previous = 0
  for (let i = 0; i < size; i++) {
    const slot = learning ? readKey(previous === 0 ? innerKey[parent] : nextKey[previous], 0xa0, 31) : 0
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

function readExtension(size: number): unknown {
  const type = (u8() << 24) >> 24
  const read = extensions?.get(type)
  if (read !== undefined) return readOwn(read, bytesOf(size))
  return type === TIMESTAMP ? readTime(size) : refuse(`extension type ${type} is unknown`)
}

/** Calls a function of the application, which may decode other bodies. */
function readOwn(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
  const readers = extensions
  const value = aside(() => read(bytes))
  extensions = readers
  return value
}

const TIMESTAMP = -1

/** Reads a timestamp. Nanoseconds are cut to the milliseconds of a Date. */
function readTime(size: number): Date {
  let seconds: number | bigint
  let nanoseconds = 0
  if (size === 4) {
    seconds = u32()
  } else if (size === 8) {
    const high = u32()
    nanoseconds = high >>> 2
    seconds = (high & 3) * 2 ** 32 + u32()
  } else if (size === 12) {
    nanoseconds = u32()
    seconds = i64()
  } else {
    return refuse(`a timestamp of ${size} bytes`)
  }
  const date = new Date(Number(seconds) * 1000 + Math.floor(nanoseconds / 1_000_000))
  if (nanoseconds > 999_999_999 || Number.isNaN(date.getTime())) refuse('a timestamp out of range')
  return date
}
