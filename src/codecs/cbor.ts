import type { Codec } from '../codec.ts'
import { ByteReader } from './binary/byte-reader.ts'
import { written } from './binary/byte-writer.ts'
import { readCbor } from './cbor/reader.ts'
import { writeCbor } from './cbor/writer.ts'

/**
 * CBOR (RFC 8949). Go DMicro has no such codec.
 *
 * - What JSON has, and bytes (Uint8Array), Dates, BigInts, undefined, NaN and the infinities. A Map is written as an object; what has no
 *   form (a Set, an Error, a function, a Map with other keys than text and whole numbers) is a TypeError.
 * - An integer is read as a number, or as a BigInt where a number would lose digits, whatever it was written from.
 * - An own `__proto__` stays an own property. Of a repeated key the last wins. Text that is no UTF-8 is repaired, as in json.
 * - Lengths may be indefinite. Tags 0 and 1 are read as Dates, to the millisecond, 2 and 3 as BigInts of up to 1 KiB; others are refused.
 * - Bodies may nest `maxDepth` deep, tags included, and hold a million arrays, maps and tags.
 */
export const cborCodec: Codec = {
  id: 99,
  name: 'cbor',

  encode: (value) => written((writer) => writeCbor(writer, value, 0)),

  decode(buffer, start, end, _hint, limits) {
    const reader = new ByteReader('cbor', buffer, start, end, limits.maxDepth)
    const value = readCbor(reader, 0)
    reader.requireEnd()
    return value
  },
}
