import { optionNames, requireOptions } from '../base/check-options.ts'
import { encoded, writtenTo } from './binary/output.ts'
import type { Codec } from './codec.ts'
import { type ExtensionReaders, readMsgpack } from './msgpack/reader.ts'
import { writeMsgpack } from './msgpack/writer.ts'

/** Options of `msgpack`. */
export interface MsgpackOptions {
  /**
   * Functions that decode extensions of an application, by type (-128 to 127): `{ 5: (bytes) => new Point(bytes) }`. A
   * function gets a copy of the bytes; an exception is answered with 400. Extensions that are neither here nor the
   * timestamp are refused.
   * @default none
   */
  extensions?: Readonly<Record<number, (bytes: Uint8Array) => unknown>> | undefined
}

const known = optionNames<MsgpackOptions>({ extensions: true })

/**
 * MessagePack. Go DMicro has no such codec. Every endpoint has one; pass your own in `codecs` to read other extensions.
 *
 * - Encodes what JSON has, and bytes (Uint8Array), Dates, BigInts of up to 64 bits, NaN and the infinities. A Map is
 *   written as an object. Values without a MessagePack form here (a Set, an Error, a function, a Map with other keys
 *   than text and whole numbers) are a TypeError. `toJSON` counts as in JSON.
 * - An integer is read as a number, or as a BigInt where a number would lose digits, whatever it was written from.
 * - An own `__proto__` stays an own property. Of a repeated key the last wins. Invalid UTF-8 is repaired, as in json.
 * - Timestamps are read as Dates, to the millisecond; other extensions are refused.
 * - Bodies may nest `maxDepth` deep and hold a million arrays and maps.
 * @param options default: no further extensions
 * @throws TypeError for invalid options
 */
export function msgpack(options: MsgpackOptions = {}): Codec {
  requireOptions('options', options, known)
  const extensions = readExtensions(options.extensions)
  return {
    id: 109,
    name: 'msgpack',

    encode: (value) => encoded(writeMsgpack, value),
    write: (value, target, at, end) => writtenTo(writeMsgpack, value, target, at, end),

    decode(buffer, start, end, _hint, limits) {
      return readMsgpack(buffer, start, end, limits.maxDepth, extensions)
    },
  }
}

export const msgpackCodec: Codec = msgpack()

function readExtensions(extensions: MsgpackOptions['extensions']): ExtensionReaders {
  if (extensions === undefined) return undefined
  if (typeof extensions !== 'object' || extensions === null) throw new TypeError('option extensions must be an object of functions')
  const readers = new Map<number, (bytes: Uint8Array) => unknown>()
  for (const [type, read] of Object.entries(extensions)) {
    if (!/^-?[0-9]{1,3}$/.test(type) || Number(type) < -128 || Number(type) > 127) {
      throw new TypeError(`option extensions: ${JSON.stringify(type)} is no type`)
    }
    if (typeof read !== 'function') throw new TypeError(`option extensions: what type ${type} stands for must be a function`)
    readers.set(Number(type), read)
  }
  return readers
}
