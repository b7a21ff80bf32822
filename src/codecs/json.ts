import { badMessage } from '../base/errors/status.ts'
import { deeperThan } from '../base/text/json-depth.ts'
import { TextHint } from '../message/message.ts'
import { bodyText, type Codec } from './codec.ts'

/**
 * JSON as JavaScript has it: numbers are doubles, an own `__proto__` stays an own property, and invalid UTF-8 is
 * repaired to U+FFFD as in Go; other errors are not repaired. Bodies that nest deeper than `maxDepth` are refused.
 */
export const jsonCodec: Codec = {
  id: 106,
  name: 'json',

  encode(value) {
    // In many services half of all replies are such a number: 10 ns instead of 80.
    if (typeof value === 'number' && (value | 0) === value) return `${value}`
    const text = stringify(value)
    if (text === undefined) throw new TypeError(`json cannot encode a ${typeof value}`)
    return text
  },

  isPlainJsonString: isPlain,

  decode(buffer, start, end, hint, limits) {
    if (hint === TextHint.Quoted) return bodyText(buffer, start + 1, end - 1, hint)
    const small = smallInteger(buffer, start, end)
    if (small >= 0) return small
    const text = bodyText(buffer, start, end, hint)
    const value = parse(text)
    if (mayBeDeeper(text, limits.maxDepth) && deeperThan(value, limits.maxDepth))
      throw badMessage(`json nests deeper than ${limits.maxDepth}`)
    return value
  },
}

/**
 * ASCII text that needs no escape. Four characters at a time, written out, take a tenth to a sixth less than `*` of
 * one: 48 instead of 54 ns for 62 characters. The rest must be bounded: with `*` a long text that is refused at its end
 * would take quadratic time.
 */
const plain = /^(?:[ !#-[\]-~][ !#-[\]-~][ !#-[\]-~][ !#-[\]-~])*[ !#-[\]-~]?[ !#-[\]-~]?[ !#-[\]-~]?$/
/** Longest text in UTF-16 units for which a loop takes half as long as the pattern. */
const SHORT = 12

function isPlain(text: string): boolean {
  if (text.length > SHORT) return plain.test(text)
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c < 0x20 || c > 0x7e || c === 0x22 || c === 0x5c) return false
  }
  return true
}

/**
 * JSON text; undefined for values without one: undefined, a function, a symbol, an object whose toJSON returns one of
 * these.
 */
function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof TypeError && error.message.includes('BigInt')) {
      throw new TypeError('json cannot encode a bigint: send it as a string or a number', { cause: error })
    }
    throw error
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw badMessage((error as Error).message)
  }
}

/**
 * The number in a body of one to nine digits; -1 for any other body. A string and JSON.parse cost ten times as much.
 */
function smallInteger(buffer: Buffer, start: number, end: number): number {
  if (end - start > 9 || end === start) return -1
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = buffer[i] - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  // JSON allows no leading zero.
  return buffer[start] === 0x30 && end - start > 1 ? -1 : value
}

/** False when the text has too few brackets to nest deeper than `max`, which spares nearly every body the walk. */
function mayBeDeeper(text: string, max: number): boolean {
  if (text.length <= 2 * max) return false
  let left = max
  for (let i = text.indexOf('['); i >= 0; i = text.indexOf('[', i + 1)) if (--left < 0) return true
  for (let i = text.indexOf('{'); i >= 0; i = text.indexOf('{', i + 1)) if (--left < 0) return true
  return false
}
