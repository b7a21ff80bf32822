import { badMessage } from '../../base/errors/status.ts'
import { shortDecimal } from '../decimal.ts'
import { kindOf } from '../record.ts'

const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n
const MAX_UINT64 = 2n ** 64n - 1n

/**
 * A value's text inside of an element or attribute, as Go's encoding/xml writes it; undefined for values that are no
 * scalars.
 */
export function scalarText(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
      return isInteger(value) ? `${value}` : shortDecimal(value)
    case 'boolean':
    case 'bigint':
      return `${value}`
  }
  return value instanceof Date ? value.toISOString() : undefined
}

/**
 * The element that Go makes of a bare value: the name of its type. Undefined for values without one.
 * @throws RangeError for a BigInt of more than 64 bits
 */
export function scalarElement(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'number':
      return isInteger(value) ? 'int' : 'float64'
    case 'boolean':
      return 'bool'
    case 'bigint':
      if (value >= MIN_INT64 && value <= MAX_INT64) return 'int'
      if (value > 0n && value <= MAX_UINT64) return 'uint64'
      throw new RangeError(`xml: ${kindOf(value)} of more than 64 bits`)
  }
  return undefined
}

/**
 * The value of a root element that is named by a type; undefined when `element` is no type's name.
 * @throws StatusError 400
 */
export function readScalar(element: string, text: string): unknown {
  const read = readers.get(element)
  if (read === undefined) return undefined
  const value = read(text)
  if (value === undefined) throw badMessage(`xml: no ${element}: ${JSON.stringify(text.slice(0, 32))}`)
  return value
}

const integers = ['', '8', '16', '32', '64'].flatMap((bits) => [`int${bits}`, `uint${bits}`])

const readers = new Map<string, (text: string) => unknown>([
  ['string', (text) => text],
  ['bool', readBool],
  ['float32', readFloat],
  ['float64', readFloat],
  ...integers.map((name): [string, typeof readInteger] => [name, readInteger]),
])

/** A number, or a BigInt where a number would lose digits. Empty text is 0, as in Go. */
function readInteger(text: string): number | bigint | undefined {
  if (text === '') return 0
  const digits = text.trim()
  if (digits.length > 64 || !/^[+-]?[0-9]+$/.test(digits)) return undefined
  const value = Number(digits)
  if (Number.isSafeInteger(value)) return value + 0 // no -0
  const exact = BigInt(digits)
  return exact >= MIN_INT64 && exact <= MAX_UINT64 ? exact : undefined
}

function readFloat(text: string): number | undefined {
  if (text === '') return 0
  const digits = text.trim()
  const special = /^([+-]?)(?:inf|infinity)$/i.exec(digits)
  if (special !== null) return special[1] === '-' ? -Infinity : Infinity
  if (/^nan$/i.test(digits)) return Number.NaN
  if (!/^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(digits)) return undefined
  const value = Number(digits)
  return Number.isFinite(value) ? value : undefined
}

function readBool(text: string): boolean | undefined {
  if (text === '') return false
  const word = text.trim()
  if (/^(?:1|t|T|true|TRUE|True)$/.test(word)) return true
  return /^(?:0|f|F|false|FALSE|False)$/.test(word) ? false : undefined
}

function isInteger(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0)
}
