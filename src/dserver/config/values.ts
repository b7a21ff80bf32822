import { isTree } from './tree.ts'

/** Text of an environment variable or flag as a value of this type; undefined when it is none. */
export function fromText(value: unknown, type: 'number' | 'boolean' | 'list'): unknown {
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (type === 'list') return text === '' ? [] : text.split(',').map((each) => each.trim())
  if (type === 'number') return text === '' || Number.isNaN(Number(text)) ? undefined : Number(text)
  if (/^(?:1|true|yes|on)$/i.test(text)) return true
  return /^(?:0|false|no|off)$/i.test(text) ? false : undefined
}

/** A value of text with the types that `under` has at the same keys, where the text allows it. */
export function inTextOf(value: unknown, under: unknown): unknown {
  if (isTree(value)) {
    const result: Record<string, unknown> = Object.create(null)
    for (const key of Object.keys(value)) result[key] = inTextOf(value[key], isTree(under) ? under[key] : undefined)
    return result
  }
  if (typeof under === 'number') return fromText(value, 'number') ?? value
  if (typeof under === 'boolean') return fromText(value, 'boolean') ?? value
  return Array.isArray(under) ? (fromText(value, 'list') ?? value) : value
}

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of a number, or of text with a unit; undefined for anything else. */
export function durationOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value >= 0 && Number.isFinite(value) ? value : undefined
  if (typeof value !== 'string') return undefined
  const found = /^\s*(\d{1,15}(?:\.\d{1,6})?)\s*(ms|s|m|h|d)?\s*$/.exec(value)
  return found === null ? undefined : Number(found[1]) * units[found[2] ?? 'ms']
}

/** A value as an error's text shows it: text in quotes, what has parts by its kind. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value)
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Date) return 'a date'
  return typeof value === 'object' ? 'an object' : String(value)
}
