import type { Codec } from '../codec.ts'
import { ByteReader } from './binary/byte-reader.ts'
import { written } from './binary/byte-writer.ts'
import { readMsgpack } from './msgpack/reader.ts'
import { writeMsgpack } from './msgpack/writer.ts'

/**
 * MessagePack. Go DMicro has no such codec.
 *
 * - What JSON has, and bytes (Uint8Array), Dates, BigInts of up to 64 bits, NaN and the infinities. A Map is written as an object; what has
 *   no form (a Set, an Error, a function, a Map with other keys than text and whole numbers) is a TypeError.
 * - An integer is read as a number, or as a BigInt where a number would lose digits, whatever it was written from.
 * - An own `__proto__` stays an own property. Of a repeated key the last wins. Text that is no UTF-8 is repaired, as in json.
 * - Timestamps are read as Dates, to the millisecond; other extensions are refused.
 * - Bodies may nest `maxDepth` deep and hold a million arrays and maps.
 */
export const msgpackCodec: Codec = {
  id: 109,
  name: 'msgpack',

  encode: (value) => written((writer) => writeMsgpack(writer, value, 0)),

  decode(buffer, start, end, _hint, limits) {
    const reader = new ByteReader('msgpack', buffer, start, end, limits.maxDepth)
    const value = readMsgpack(reader, 0)
    reader.requireEnd()
    return value
  },
}
