import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { reasonOf } from '../base/errors/error-text.ts'
import { CommandError, Exit, usage } from './failure.ts'

/**
 * The value of an argument: JSON, `-` for JSON on stdin, `@FILE` for JSON in a file. For codec plain it is the text
 * itself.
 *
 * @throws CommandError for what is no JSON, with its place
 */
export async function readArgument(argument: string | undefined, codec: string | undefined): Promise<unknown> {
  if (argument === undefined) return undefined
  const [source, name] = await sourceOf(argument)
  if (codec === 'plain') return source
  try {
    const value: unknown = JSON.parse(source)
    requireExact(source, name)
    return value
  } catch (error) {
    if (error instanceof CommandError) throw error
    const hint = /^[A-Za-z]/.test(source) ? `; text needs quotes: '"${source.slice(0, 20).trim()}"'` : ''
    throw usage(`${name} is not JSON: ${reasonOf(error)}${hint}`)
  }
}

/** Refuses numbers that would arrive as others, such as an id of 64 bits. */
function requireExact(source: string, name: string): void {
  for (const [text] of source.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g)) {
    if (text.startsWith('"')) continue
    const value = Number(text)
    const isExact = Number.isFinite(value) && (!/^-?\d+$/.test(text) || Number.isSafeInteger(value) || BigInt(text) === BigInt(value))
    if (!isExact)
      throw usage(`${name} has the number ${text.slice(0, 40)}, which would be sent as ${Number.isFinite(value) ? BigInt(value) : 'null'}`)
  }
}

async function sourceOf(argument: string): Promise<[source: string, name: string]> {
  if (argument === '-') return [await text(process.stdin), 'stdin']
  if (!argument.startsWith('@')) return [argument, 'the argument']
  const file = argument.slice(1)
  try {
    return [readFileSync(file, 'utf8'), file]
  } catch (error) {
    throw new CommandError(Exit.BadFile, `cannot read ${file}: ${reasonOf(error)}`)
  }
}
