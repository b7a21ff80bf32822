import picocolors from 'picocolors'
import { printable, printableLines } from '../base/text/printable.ts'
import { printableJson } from '../base/text/printable-json.ts'

/** Text that is escaped already, with its colours. */
class Shown {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Format = (text: string) => Shown

/** Colours of what is written to stdout and to stderr; none where that is no terminal, or with NO_COLOR. */
const wanted = process.env.NO_COLOR === undefined || process.env.NO_COLOR === ''
export const colors = colorsFor(process.stdout)
export const errorColors = colorsFor(process.stderr)

function colorsFor({ isTTY }: NodeJS.WriteStream): Readonly<Record<'bold' | 'dim' | 'cyan' | 'green' | 'yellow' | 'red', Format>> {
  const { bold, dim, cyan, green, yellow, red } = picocolors.createColors(wanted && isTTY === true)
  const format =
    (paint: (text: string) => string): Format =>
    (text) =>
      new Shown(paint(printable(text)))
  return { bold: format(bold), dim: format(dim), cyan: format(cyan), green: format(green), yellow: format(yellow), red: format(red) }
}

type Part = string | Shown

/**
 * Prints a line for people, or several. What steers a terminal is escaped, because names, texts and values of a peer
 * come here as they are.
 */
export function print(...parts: readonly Part[]): void {
  process.stdout.write(`${textOf(parts)}\n`)
}

/** Prints a value for programs. */
export function printJson(value: unknown, indent?: number): void {
  process.stdout.write(`${jsonOf(value, indent)}\n`)
}

/** Prints text that is itself the result: a file or a program gets it as it is, a terminal without what steers it. */
export function printData(text: string): void {
  if (process.stdout.isTTY === true) print(text)
  else process.stdout.write(`${text}\n`)
}

/** Writes a line for people, which scripts that read stdout do not get. */
export function note(...parts: readonly Part[]): void {
  process.stderr.write(`${textOf(parts)}\n`)
}

function textOf(parts: readonly Part[]): string {
  return parts.map((part) => (part instanceof Shown ? part.text : printableLines(part))).join('')
}

/** A received value as JSON, to be shown. */
export function shownJson(value: unknown): Shown {
  return new Shown(jsonOf(value))
}

/** JSON of a received value: bytes become base64, big integers decimal strings. */
export function jsonOf(value: unknown, indent?: number): string {
  const replace = (_: string, member: unknown): unknown => {
    if (typeof member === 'bigint') return String(member)
    return member
  }
  return printableJson(JSON.stringify(plainOf(value), replace, indent) ?? 'null')
}

/** Replaces bytes before JSON sees them, because a Buffer has a `toJSON` of its own. */
function plainOf(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (Array.isArray(value)) return value.map(plainOf)
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, member]) => [String(key), plainOf(member)]))
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plainOf(member)]))
}

/** Lines of two columns, the first one as wide as its longest text. A cell is one line, whatever it has in it. */
export function columns(rows: readonly (readonly [string, string])[], indent = '  '): string {
  const cells = rows.map(([name, text]) => [printable(name), printable(text)] as const)
  const width = Math.max(0, ...cells.map(([name]) => name.length))
  return cells.map(([name, text]) => `${indent}${name.padEnd(width)}  ${text}`.trimEnd()).join('\n')
}
