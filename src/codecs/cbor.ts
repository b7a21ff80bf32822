import { optionNames, requireOptions } from '../base/check-options.ts'
import { encoded, writtenTo } from './binary/output.ts'
import { readCbor, type TagReaders } from './cbor/reader.ts'
import { writeCbor } from './cbor/writer.ts'
import type { Codec } from './codec.ts'

/** Options of `cbor`. */
export interface CborOptions {
  /**
   * Functions that decode further tags, by the tag's number: `{ 258: (items) => new Set(items) }`. A function gets the
   * decoded value inside the tag; an exception is answered with 400. Tags that are neither here nor listed at `cbor`
   * are refused.
   * @default none
   */
  tags?: Readonly<Record<number, (value: unknown) => unknown>> | undefined
}

const known = optionNames<CborOptions>({ tags: true })

/**
 * CBOR (RFC 8949). Go DMicro has no such codec. Every endpoint has one; pass your own in `codecs` to read other tags.
 *
 * - Encodes what JSON has, and bytes (Uint8Array), Dates, BigInts, undefined, NaN and the infinities. A Map is written
 *   as an object. Values without a CBOR form here (a Set, an Error, a function, a Map with other keys than text and
 *   whole numbers) are a TypeError. `toJSON` counts as in JSON.
 * - A Date is written as seconds (tag 1) where they are exact as a number, else as text (tag 0): decoders of other
 *   languages cut fractions short. Outside of the years 0 to 9999, which that text does not have, a Date is a float all
 *   the same.
 * - An integer is read as a number, or as a BigInt where a number would lose digits, whatever it was written from.
 * - An own `__proto__` stays an own property. Of a repeated key the last wins. Invalid UTF-8 is repaired, as in json.
 * - Lengths may be indefinite. Tags 0 and 1 are read as Dates, to the millisecond, 2 and 3 as BigInts of up to 1 KiB,
 *   64 as bytes; others are refused.
 * - Bodies may nest `maxDepth` deep, tags included, and hold a million arrays, maps and tags.
 * @param options default: no further tags
 * @throws TypeError for invalid options
 */
export function cbor(options: CborOptions = {}): Codec {
  requireOptions('options', options, known)
  const tags = readTags(options.tags)
  return {
    id: 99,
    name: 'cbor',

    encode: (value) => encoded(writeCbor, value),
    write: (value, target, at, end) => writtenTo(writeCbor, value, target, at, end),

    decode(buffer, start, end, _hint, limits) {
      return readCbor(buffer, start, end, limits.maxDepth, tags)
    },
  }
}

export const cborCodec: Codec = cbor()

function readTags(tags: CborOptions['tags']): TagReaders {
  if (tags === undefined) return undefined
  if (typeof tags !== 'object' || tags === null) throw new TypeError('option tags must be an object of functions')
  const readers = new Map<number, (value: unknown) => unknown>()
  for (const [tag, read] of Object.entries(tags)) {
    if (!/^[0-9]{1,15}$/.test(tag)) throw new TypeError(`option tags: ${JSON.stringify(tag)} is no tag`)
    if (typeof read !== 'function') throw new TypeError(`option tags: what tag ${tag} stands for must be a function`)
    readers.set(Number(tag), read)
  }
  return readers
}
