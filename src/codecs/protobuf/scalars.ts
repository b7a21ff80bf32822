import type { Writer } from 'protobufjs'

/**
 * Checks for the values of fields, by kind. protobufjs writes 0 or '' for most values that do not fit (`'abc'` for an
 * int32, a BigInt for an int64); here such a value is an error. Numbers as text are accepted, because keys of maps are
 * text.
 */

/** A 64-bit integer in a form that protobufjs writes exactly: a number, a text of digits, or the halves of a Long. */
export type Int64 = Parameters<Writer['int64']>[0]

/** @throws TypeError for no whole number, or one outside -2^31..2^31-1 */
export function int32(value: unknown): number {
  const number = numberOf(value)
  if ((number | 0) !== number) throw unfit('int32', value)
  return number
}

/** @throws TypeError for no whole number, or one outside 0..2^32-1 */
export function uint32(value: unknown): number {
  const number = numberOf(value)
  if (number >>> 0 !== number) throw unfit('uint32', value)
  return number
}

/** @throws TypeError for no whole number, or one outside -2^63..2^63-1 */
export function int64(value: unknown): Int64 {
  if (typeof value === 'bigint') return halves(value, BigInt.asIntN(64, value) === value, 'int64')
  return wide(value, -(2 ** 63), 2 ** 63, 'int64')
}

/** @throws TypeError for no whole number, or one outside 0..2^64-1 */
export function uint64(value: unknown): Int64 {
  if (typeof value === 'bigint') return halves(value, BigInt.asUintN(64, value) === value, 'uint64')
  return wide(value, 0, 2 ** 64, 'uint64')
}

export function float(value: unknown): number {
  if (typeof value !== 'number') throw unfit('float or double', value)
  return value
}

export function bool(value: unknown): boolean {
  if (typeof value !== 'boolean') throw unfit('bool', value)
  return value
}

/**
 * `value`, with U+FFFD for lone surrogates, which have no UTF-8: Go refuses a message that has them.
 * @throws TypeError for no string
 */
export function string(value: unknown): string {
  if (typeof value !== 'string') throw unfit('string', value)
  return value.isWellFormed() ? value : value.toWellFormed()
}

const nothing = new Uint8Array(0)

/**
 * `value` as protobufjs accepts bytes. A string is base64; an empty list is what protobufjs itself puts where a message
 * lacked bytes, as in an entry of a map.
 */
export function bytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array || typeof value === 'string') return value as Uint8Array
  if (Array.isArray(value) && value.length === 0) return nothing
  throw unfit('bytes', value)
}

function numberOf(value: unknown): number {
  if (typeof value === 'string' && /^-?[0-9]{1,10}$/.test(value)) return Number(value)
  return typeof value === 'number' ? value : Number.NaN
}

/** A 64-bit integer from `min` up to `limit`, `limit` excluded. Requires that `value` is no BigInt. */
function wide(value: unknown, min: number, limit: number, kind: string): Int64 {
  if (typeof value === 'number') {
    if (!Number.isInteger(value) || value < min || value >= limit) throw unfit(kind, value)
    return value
  }
  if (typeof value === 'string' && /^-?[0-9]{1,20}$/.test(value)) return min === 0 ? uint64(BigInt(value)) : int64(BigInt(value))
  const { low, high } = Object(value) as { low?: unknown; high?: unknown }
  if (typeof low !== 'number' || typeof high !== 'number') throw unfit(kind, value)
  return value as Int64
}

/** A BigInt in two's complement, as two halves. */
function halves(value: bigint, fits: boolean, kind: string): Int64 {
  if (!fits) throw unfit(kind, value)
  return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)) } as unknown as Int64
}

function unfit(kind: string, value: unknown): TypeError {
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 64)) : typeof value === 'object' ? 'an object' : String(value)
  return new TypeError(`protobuf: a field of type ${kind} cannot hold ${shown}`)
}
