import { type ByteReader, setMember } from '../binary/byte-reader.ts'

/** Functions that decode the extensions of an application, by type. */
export type ExtensionReaders = ReadonlyMap<number, (bytes: Uint8Array) => unknown> | undefined

/**
 * Reads the next value, inside of `depth` arrays and maps.
 * @throws StatusError 400
 */
export function readMsgpack(reader: ByteReader, depth: number, extensions: ExtensionReaders): unknown {
  const head = reader.u8()
  if (head < 0x80) return head
  if (head >= 0xe0) return head - 0x100
  if (head < 0x90) return readMap(reader, head & 15, depth, extensions)
  if (head < 0xa0) return readArray(reader, head & 15, depth, extensions)
  if (head < 0xc0) return reader.text(head & 31)
  switch (head) {
    case 0xc0:
      return null
    case 0xc2:
      return false
    case 0xc3:
      return true
    case 0xc4:
      return reader.bytes(reader.u8())
    case 0xc5:
      return reader.bytes(reader.u16())
    case 0xc6:
      return reader.bytes(reader.u32())
    case 0xc7:
      return readExtension(reader, reader.u8(), extensions)
    case 0xc8:
      return readExtension(reader, reader.u16(), extensions)
    case 0xc9:
      return readExtension(reader, reader.u32(), extensions)
    case 0xca:
      return reader.f32()
    case 0xcb:
      return reader.f64()
    case 0xcc:
      return reader.u8()
    case 0xcd:
      return reader.u16()
    case 0xce:
      return reader.u32()
    case 0xcf:
      return reader.u64()
    case 0xd0:
      return (reader.u8() << 24) >> 24
    case 0xd1:
      return (reader.u16() << 16) >> 16
    case 0xd2:
      return reader.u32() | 0
    case 0xd3:
      return reader.i64()
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return readExtension(reader, 1 << (head - 0xd4), extensions)
    case 0xd9:
      return reader.text(reader.u8())
    case 0xda:
      return reader.text(reader.u16())
    case 0xdb:
      return reader.text(reader.u32())
    case 0xdc:
      return readArray(reader, reader.u16(), depth, extensions)
    case 0xdd:
      return readArray(reader, reader.u32(), depth, extensions)
    case 0xde:
      return readMap(reader, reader.u16(), depth, extensions)
    case 0xdf:
      return readMap(reader, reader.u32(), depth, extensions)
    default:
      return reader.refuse('no value begins with c1')
  }
}

function readArray(reader: ByteReader, size: number, depth: number, extensions: ExtensionReaders): unknown[] {
  reader.open(depth, size)
  const items: unknown[] = []
  for (let i = 0; i < size; i++) items.push(readMsgpack(reader, depth + 1, extensions))
  return items
}

function readMap(reader: ByteReader, size: number, depth: number, extensions: ExtensionReaders): object {
  reader.open(depth, 2 * size)
  const members = {}
  for (let i = 0; i < size; i++) {
    const key = readMsgpack(reader, depth + 1, extensions)
    if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'bigint') reader.refuse('a key is neither text nor a number')
    setMember(members, `${key}`, readMsgpack(reader, depth + 1, extensions))
  }
  return members
}

function readExtension(reader: ByteReader, size: number, extensions: ExtensionReaders): unknown {
  const type = (reader.u8() << 24) >> 24
  const read = extensions?.get(type)
  if (read !== undefined) return read(reader.bytes(size))
  return type === TIMESTAMP ? readTime(reader, size) : reader.refuse(`extension type ${type} is unknown`)
}

const TIMESTAMP = -1

/** Reads a timestamp. Nanoseconds are cut to the milliseconds of a Date. */
function readTime(reader: ByteReader, size: number): Date {
  let seconds: number | bigint
  let nanoseconds = 0
  if (size === 4) {
    seconds = reader.u32()
  } else if (size === 8) {
    const high = reader.u32()
    nanoseconds = high >>> 2
    seconds = (high & 3) * 2 ** 32 + reader.u32()
  } else if (size === 12) {
    nanoseconds = reader.u32()
    seconds = reader.i64()
  } else {
    return reader.refuse(`a timestamp of ${size} bytes`)
  }
  const date = new Date(Number(seconds) * 1000 + Math.floor(nanoseconds / 1_000_000))
  if (nanoseconds > 999_999_999 || Number.isNaN(date.getTime())) reader.refuse('a timestamp out of range')
  return date
}
