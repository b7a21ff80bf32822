import picocolors from 'picocolors'

/** Colours of what is written to stdout and to stderr; none where that is no terminal, or with NO_COLOR. */
const wanted = process.env.NO_COLOR === undefined || process.env.NO_COLOR === ''
export const colors = picocolors.createColors(wanted && process.stdout.isTTY === true)
export const errorColors = picocolors.createColors(wanted && process.stderr.isTTY === true)

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Writes a line for people, which scripts that read stdout do not get. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** JSON of a received value: bytes become base64, big integers decimal strings. */
export function jsonOf(value: unknown, indent?: number): string {
  const replace = (_: string, member: unknown): unknown => {
    if (typeof member === 'bigint') return String(member)
    return member
  }
  return JSON.stringify(plainOf(value), replace, indent) ?? 'null'
}

/** Replaces bytes before JSON sees them, because a Buffer has a `toJSON` of its own. */
function plainOf(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (Array.isArray(value)) return value.map(plainOf)
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, member]) => [String(key), plainOf(member)]))
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plainOf(member)]))
}

/** Lines of two columns, the first one as wide as its longest text. */
export function columns(rows: readonly (readonly [string, string])[], indent = '  '): string {
  const width = Math.max(0, ...rows.map(([name]) => name.length))
  return rows.map(([name, text]) => `${indent}${name.padEnd(width)}  ${text}`.trimEnd()).join('\n')
}
