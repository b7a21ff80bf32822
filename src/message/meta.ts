import type { Limits } from '../base/limits.ts'
import { compareUtf8 } from '../base/text/compare-utf8.ts'
import { JsonScanner } from '../base/text/json-scan.ts'

/**
 * The meta of one message. The meta of a received message has no prototype, so `__proto__` and `constructor` are keys
 * like any other. Values are strings. A Go peer can send other JSON values: they appear as their JSON text, exactly as
 * sent (`7`, `1.0`, `null`, `["a"]`), so that a 64-bit number survives.
 */
export type Meta = Readonly<Record<string, string>>

/** The meta of a message that has none: one object, so that it can be recognized by identity. */
export const noMeta: Meta = Object.freeze(Object.create(null))

/**
 * The meta JSON of docs/spec/wire.md#meta, byte for byte as Go's encoder writes it: keys sorted by their UTF-8 bytes,
 * `<>&`, U+2028 and U+2029 escaped, lone surrogates as `\ufffd`.
 * @returns '' when there are no keys, as `Connection.send` expects it
 * @throws TypeError when `meta` is no plain object or a value is no string
 */
export function encodeMeta(meta: Readonly<Record<string, string>>): string {
  if (typeof meta !== 'object' || meta === null) throw new TypeError(`meta must be an object, got ${meta === null ? 'null' : typeof meta}`)
  const keys = Object.keys(meta)
  if (keys.length === 0) {
    checkPlain(meta)
    return ''
  }
  if (keys.length > 1) keys.sort(compareUtf8)
  let text = ''
  let separator = '{'
  for (const key of keys) {
    const value = meta[key]
    if (typeof value !== 'string') throw new TypeError(`meta value of ${JSON.stringify(key)} must be a string, got ${typeof value}`)
    text += `${separator}${quote(key)}:${quote(value)}`
    separator = ','
  }
  return `${text}}`
}

/**
 * Reads the first JSON value of `text`, an object or null, and ignores what follows it, as Go does. Of a repeated key
 * the last wins. '' is empty meta, though Go refuses it (docs/spec/go-defects.md W11).
 * @returns undefined when `text` is unreadable, has more than `maxMetaKeys` keys (repeated ones count), or nests more
 *   than `maxDepth` deep: then the session must be closed
 */
export function decodeMeta(text: string, limits: Pick<Limits, 'maxMetaKeys' | 'maxDepth'>): Meta | undefined {
  if (text === '' || text === '{}') return noMeta
  // JSON.parse is used only where the text is too short for too many keys: the shortest member is `"":0,`.
  if (text.length <= 5 * limits.maxMetaKeys && limits.maxDepth > 0) {
    const meta = parseStrings(text)
    if (meta !== undefined) return meta
  }
  return scan(text, limits)
}

/** Reads the usual meta, an object of strings. Undefined when the text is anything else, valid or not. */
function parseStrings(text: string): Meta | undefined {
  // JSON.parse keeps lone surrogates, where Go and the scanner put U+FFFD.
  if (text.includes('\\u')) return undefined
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined
  const keys = Object.keys(parsed)
  if (keys.length === 0) return noMeta
  const meta: Record<string, string> = Object.create(null)
  for (const key of keys) {
    const value = (parsed as Record<string, unknown>)[key]
    if (typeof value !== 'string') return undefined
    meta[key] = value
  }
  return meta
}

function scan(text: string, limits: Pick<Limits, 'maxMetaKeys' | 'maxDepth'>): Meta | undefined {
  const json = new JsonScanner(text, false)
  if (json.word('null')) return noMeta
  if (limits.maxDepth < 1 || !json.take(0x7b)) return undefined
  if (json.take(0x7d)) return noMeta
  const meta: Record<string, string> = Object.create(null)
  let keys = 0
  do {
    const key = json.key()
    if (key === undefined || ++keys > limits.maxMetaKeys) return undefined
    const value = json.peek() === 0x22 ? json.string() : otherValue(json, limits.maxDepth - 1)
    if (value === undefined) return undefined
    meta[key] = value
  } while (json.take(0x2c))
  return json.take(0x7d) ? meta : undefined
}

function otherValue(json: JsonScanner, maxDepth: number): string | undefined {
  const start = json.at
  return json.skip(maxDepth) ? json.text.slice(start, json.at) : undefined
}

/** Refuses class instances. A Map or Headers has no own keys: without this its entries would be dropped silently. */
function checkPlain(meta: object): void {
  const prototype = Object.getPrototypeOf(meta)
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return
  throw new TypeError(`meta must be a plain object, got ${meta.constructor?.name}`)
}

// Text that needs no escape in JSON or in Go's encoder.
const plain = /^[ !#-%'-;=?-[\]-\u007f]*$/
const goOnly = /[<>&\u2028\u2029]/g
const loneSurrogate = /[\ud800-\udfff]/u

function quote(text: string): string {
  if (plain.test(text)) return `"${text}"`
  if (text.isWellFormed()) return `"${escapeInner(text)}"`
  return `"${text.split(loneSurrogate).map(escapeInner).join('\\ufffd')}"`
}

function escapeInner(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(goOnly, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
