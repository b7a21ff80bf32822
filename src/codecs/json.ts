import { badMessage } from '../base/errors/status.ts'
import { readJson, UNREAD } from '../base/json/read.ts'
import { isPlain, writeJson, writeJsonString } from '../base/json/write.ts'
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
    if (typeof value === 'string' && isPlain(value)) return `"${value}"`
    const text = stringify(value)
    if (text === undefined) throw new TypeError(`json cannot encode a ${typeof value}`)
    return text
  },

  write(value, target, at, end) {
    return typeof value === 'string' ? writeJsonString(value, target, at, end) : writeJson(value, target, at, end)
  },

  decode(buffer, start, end, hint, limits) {
    if (hint === TextHint.Quoted) return bodyText(buffer, start + 1, end - 1, hint)
    const read = readJson(buffer, start, end, limits.maxDepth)
    if (read !== UNREAD) return read
    const text = bodyText(buffer, start, end, hint)
    const value = parse(text)
    if (mayBeDeeper(text, limits.maxDepth) && deeperThan(value, limits.maxDepth))
      throw badMessage(`json nests deeper than ${limits.maxDepth}`)
    return value
  },
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

/** False when the text has too few brackets to nest deeper than `max`, which spares nearly every body the walk. */
function mayBeDeeper(text: string, max: number): boolean {
  if (text.length <= 2 * max) return false
  let left = max
  for (let i = text.indexOf('['); i >= 0; i = text.indexOf('[', i + 1)) if (--left < 0) return true
  for (let i = text.indexOf('{'); i >= 0; i = text.indexOf('{', i + 1)) if (--left < 0) return true
  return false
}
