import type { LogFields } from '../../base/log.ts'
import { HIDDEN, secretKey } from '../../base/text/secrets.ts'

/** Longest text of one field in UTF-16 units. */
const MAX_VALUE = 1024
/** Longest text of the field `error`, which may have causes and stack frames. */
const MAX_ERROR = 4096

/** Most keys whose answer is remembered: those of dmicro and of one program are few. */
const MAX_KEYS = 512
const secretKeys = new Map<string, boolean>()

/**
 * Fields as they are written: plain values of bounded length, without what looks like a secret by its key.
 *
 * @param plain gets the fields; what it has already stays
 */
export function plainFields(fields: LogFields | undefined, plain: Record<string, unknown> = {}): Record<string, unknown> {
  if (fields === undefined) return plain
  for (const key of Object.keys(fields)) if (!Object.hasOwn(plain, key)) plain[key] = shown(fields, key)
  return plain
}

function looksSecret(key: string): boolean {
  let is = secretKeys.get(key)
  if (is === undefined) {
    is = secretKey.test(key)
    if (secretKeys.size < MAX_KEYS) secretKeys.set(key, is)
  }
  return is
}

function shown(fields: LogFields, key: string): unknown {
  try {
    const value = fields[key]
    // `session` is an id that the log itself needs; `session_id` and the like are taken for secrets.
    if (value !== undefined && looksSecret(key)) return HIDDEN
    if (value === undefined || value === null || typeof value === 'boolean') return value
    if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
    if (typeof value === 'object') return cut(JSON.stringify(value, hideSecrets) ?? '', MAX_VALUE)
    return cut(String(value), key === 'error' ? MAX_ERROR : MAX_VALUE)
  } catch {
    return '?'
  }
}

function hideSecrets(key: string, value: unknown): unknown {
  return secretKey.test(key) ? HIDDEN : value
}

export function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}...` : text
}
