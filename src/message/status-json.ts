import { defaultLimits } from '../base/limits.ts'
import { JsonScanner } from '../base/text/json-scan.ts'

/** A status as sent in a message; code 0 is OK. */
export interface DecodedStatus {
  code: number
  message: string
  cause: string
}

/**
 * The JSON of a status (docs/spec/wire.md#status): `{"code":N,"msg":"..","cause":".."}`, keys in this order, no spaces.
 * All escapes are valid JSON, unlike Go's own, and lone surrogates become U+FFFD.
 * @param code an int32
 */
export function encodeStatus(code: number, message: string, cause: string): string {
  return `{"code":${code},"msg":${JSON.stringify(message.toWellFormed())},"cause":${JSON.stringify(cause.toWellFormed())}}`
}

/**
 * Reads a status as Go does, and accepts the string escapes of Go that are no JSON. Keys match in any case, unknown
 * ones are ignored, missing or null ones are zero, and '' is OK.
 * @param maxDepth deepest nesting inside ignored keys
 * @returns undefined when the text is unreadable: trailing text, a code that is no int32, any other malformation
 */
export function decodeStatus(text: string, maxDepth: number = defaultLimits.maxDepth): DecodedStatus | undefined {
  const usual = usualPattern.exec(text)
  if (usual !== null) {
    const code = int32(usual[1])
    return code === undefined ? undefined : { code, message: usual[2], cause: usual[3] }
  }
  return scan(new JsonScanner(text, true), maxDepth)
}

/**
 * Matches what encodeStatus and Go produce when nothing needs an escape. JSON.parse would not do: of repeated keys it
 * keeps the last only, where in Go each one takes effect. Every part ends at the first character it excludes, so time
 * is linear.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids raw control characters in strings
const usualPattern = /^\{"code":(-?(?:0|[1-9][0-9]*)),"msg":"([^"\\\u0000-\u001f]*)","cause":"([^"\\\u0000-\u001f]*)"\}$/

function scan(json: JsonScanner, maxDepth: number): DecodedStatus | undefined {
  const status: DecodedStatus = { code: 0, message: '', cause: '' }
  if (json.text === '') return status
  if (!json.word('null') && !members(json, maxDepth, status)) return undefined
  return Number.isNaN(json.peek()) ? status : undefined
}

function members(json: JsonScanner, maxDepth: number, status: DecodedStatus): boolean {
  if (maxDepth < 1 || !json.take(0x7b)) return false
  if (json.take(0x7d)) return true
  do {
    const key = json.key()
    if (key === undefined || !member(json, fold(key), maxDepth, status)) return false
  } while (json.take(0x2c))
  return json.take(0x7d)
}

function member(json: JsonScanner, key: string, maxDepth: number, status: DecodedStatus): boolean {
  if (key !== 'code' && key !== 'msg' && key !== 'cause') return json.skip(maxDepth - 1)
  if (json.word('null')) return true
  if (key === 'code') {
    const code = int32(json.number())
    if (code === undefined) return false
    status.code = code
    return true
  }
  const value = json.string()
  if (value === undefined) return false
  if (key === 'msg') status.message = value
  else status.cause = value
  return true
}

/** Folds a key as Go compares keys: simple case folding, where U+017F, the long s, is an s. */
function fold(key: string): string {
  return key.length > 5 ? '' : key.toLowerCase().replaceAll('\u017f', 's')
}

/** Reads an int32. Go takes an integer literal only: 1.0 and 1e2 are refused. */
function int32(literal: string | undefined): number | undefined {
  if (literal === undefined || !/^-?[0-9]{1,10}$/.test(literal)) return undefined
  const code = Number(literal)
  return (code | 0) === code ? code | 0 : undefined
}
