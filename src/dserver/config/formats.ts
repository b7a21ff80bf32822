import { ConfigError } from './config-error.ts'
import { tomlLine } from './toml-line.ts'
import type { KeyPath } from './tree.ts'

/** The values of a file, and where they are in it. */
interface Parsed {
  readonly values: unknown
  /** Line of a key, from 1; undefined when it cannot be told. */
  line(path: KeyPath): number | undefined
}

/**
 * Reads text of one format.
 * @throws ConfigError (rejects) with the line
 */
export type ConfigFormat = (text: string, source: string) => Promise<Parsed>

/** The formats by how the name of a file ends. Their libraries are loaded when there is such a file. */
export const formats: Record<string, ConfigFormat> = { '.toml': toml, '.yaml': yaml, '.yml': yaml, '.json': json }

async function toml(text: string, source: string): Promise<Parsed> {
  const { parse, TomlError } = await import('smol-toml')
  try {
    return { values: parse(text), line: (path) => tomlLine(text, path) }
  } catch (error) {
    const line = error instanceof TomlError ? error.line : undefined
    throw syntaxError(source, line, 'TOML', error)
  }
}

async function yaml(text: string, source: string): Promise<Parsed> {
  const { parseDocument, LineCounter } = await import('yaml')
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, merge: true, prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined) throw syntaxError(source, counter.linePos(error.pos[0]).line, 'YAML', error)
  let values: unknown
  try {
    values = document.toJS() ?? {}
  } catch (error) {
    throw syntaxError(source, undefined, 'YAML', error) // too many aliases
  }
  const line = (path: KeyPath): number | undefined => {
    const node = document.getIn(path, true) as { range?: [number, number, number] | null } | undefined
    return node?.range ? counter.linePos(node.range[0]).line : undefined
  }
  return { values, line }
}

async function json(text: string, source: string): Promise<Parsed> {
  let values: unknown
  try {
    values = JSON.parse(text)
  } catch (error) {
    const position = /position (\d+)/.exec((error as Error).message)?.[1]
    const before = text.slice(0, position === undefined ? text.trimEnd().length : Number(position))
    throw syntaxError(source, before.split('\n').length, 'JSON', error)
  }
  const { parseDocument, LineCounter } = await import('yaml')
  const counter = new LineCounter()
  // JSON is YAML but for tabs, which are errors that take away no position.
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: false })
  const line = (path: KeyPath): number | undefined => {
    const node = document.getIn(path, true) as { range?: [number, number, number] | null } | undefined
    return node?.range ? counter.linePos(node.range[0]).line : undefined
  }
  return { values, line }
}

function syntaxError(source: string, line: number | undefined, format: string, error: unknown): ConfigError {
  const [reason] = (error as Error).message.split('\n', 1)
  return new ConfigError({ source, line, key: '' }, `is no valid ${format}: ${reason}`, `valid ${format}`)
}
