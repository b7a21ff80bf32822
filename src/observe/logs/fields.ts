import { describe, reasonOf } from '../../base/errors/error-text.ts'
import { isPlain } from '../../base/json/write.ts'
import type { LogFields } from '../../base/log.ts'
import { HIDDEN, secretKey } from '../../base/text/secrets.ts'
import { hideInUrls } from './url-secrets.ts'

/** Longest text of one field in UTF-16 units. */
const MAX_VALUE = 1024
/** Longest text of the field `error`, which may have causes and stack frames. */
const MAX_ERROR = 4096

/** Most keys that are remembered: those of dmicro and of one program are few. */
const MAX_KEYS = 512
const knownKeys = new Map<string, KnownKey>()

interface KnownKey {
  /** The key as JSON, after a comma and before a colon. */
  readonly json: string
  readonly isSecret: boolean
  /** Whether the JSON logger writes a field of this key itself. */
  readonly isLoggers: boolean
}

/** A value as it is written. */
export type PlainValue = string | number | boolean | null

/**
 * Fields as they are written: plain values of bounded length, without what looks like a secret by its key. Those that
 * are undefined are left out.
 */
export function plainFields(fields: LogFields | undefined): Record<string, PlainValue> {
  const plain: Record<string, PlainValue> = {}
  if (fields === undefined) return plain
  for (const key of Object.keys(fields)) {
    const value = shown(fields, key, lookUp(key))
    if (value !== undefined) plain[key] = value
  }
  return plain
}

/** A text as JSON. */
export function jsonText(text: string): string {
  return isPlain(text) ? `"${text}"` : JSON.stringify(text)
}

/** The same as JSON: each field after a comma, without braces. Those that the logger itself writes are left out. */
export function jsonFields(fields: LogFields | undefined): string {
  let json = ''
  if (fields === undefined) return json
  for (const key of Object.keys(fields)) {
    const known = lookUp(key)
    const value = shown(fields, key, known)
    if (value === undefined || known.isLoggers) continue
    json += known.json
    json += typeof value === 'string' ? jsonText(value) : String(value)
  }
  return json
}

function lookUp(key: string): KnownKey {
  let known = knownKeys.get(key)
  if (known === undefined) {
    known = { json: `,${jsonText(key)}:`, isSecret: secretKey.test(key), isLoggers: key === 'time' || key === 'level' || key === 'msg' }
    if (knownKeys.size < MAX_KEYS) knownKeys.set(key, known)
  }
  return known
}

function shown(fields: LogFields, key: string, { isSecret }: KnownKey): PlainValue | undefined {
  try {
    const value = fields[key]
    // `session` is an id that the log itself needs; `session_id` and the like are taken for secrets.
    if (value !== undefined && isSecret) return HIDDEN
    if (value === undefined || value === null || typeof value === 'boolean') return value
    if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
    const text = typeof value === 'object' ? objectText(value) : String(value)
    return cut(hideInUrls(text), key === 'error' ? MAX_ERROR : MAX_VALUE)
  } catch {
    return '?'
  }
}

function objectText(value: object): string {
  if (value instanceof Error) return describe(value)
  const { toJSON } = value as { toJSON?: unknown }
  const plain: unknown = typeof toJSON === 'function' ? toJSON.call(value) : value
  // A date, a URL and the like are texts, which are not to be quoted twice.
  return typeof plain === 'string' ? plain : (JSON.stringify(plain, hideSecrets) ?? '')
}

function hideSecrets(key: string, value: unknown): unknown {
  if (secretKey.test(key)) return HIDDEN
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Error) return reasonOf(value)
  return Array.isArray(value) ? value.map((item, i) => (namesSecret(value[i - 1]) ? HIDDEN : item)) : value
}

/** Whether what follows in a list is a secret, as in a list of headers. */
function namesSecret(before: unknown): boolean {
  return typeof before === 'string' && /^[\w-]+$/.test(before) && secretKey.test(before)
}

export function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}...` : text
}
