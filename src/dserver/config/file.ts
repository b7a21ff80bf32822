import { readFileSync } from 'node:fs'
import { extname, relative } from 'node:path'
import { ConfigError } from './config-error.ts'
import { type ConfigFormat, formats } from './formats.ts'
import type { ConfigLayer } from './layer.ts'
import { doubledKey, isTree } from './tree.ts'

/** A file that was read, and its text, by which a change is seen. */
export interface ConfigFile extends ConfigLayer {
  readonly path: string
  readonly text: string
}

/**
 * Reads a file, in the format that its name ends with.
 * @throws ConfigError (rejects) that names the file and, for a syntax error, the line
 */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const source = shownPath(path)
  const nowhere = { source, line: undefined, key: '' }
  const format: ConfigFormat | undefined = formats[extname(path).toLowerCase()]
  if (format === undefined) throw new ConfigError(nowhere, `is of no known format, expected ${Object.keys(formats).join(', ')}`)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(nowhere, `cannot be read: ${(error as Error).message}`)
  }
  const { values, line } = await format(text.startsWith('\ufeff') ? text.slice(1) : text, source)
  if (!isTree(values)) throw new ConfigError({ ...nowhere, line: 1 }, 'the file must be an object with keys', 'an object')
  const doubled = doubledKey(values)
  if (doubled !== undefined)
    throw new ConfigError(
      { source, line: line(doubled), key: doubled.join('.') },
      'is there twice: case, _ and - make no difference',
      'one key',
    )
  return { path, text, values, isText: false, place: (keys) => ({ source, line: line(keys), key: keys.join('.') }) }
}

/** The path as an operator knows it: from the working folder, if it is there. */
function shownPath(path: string): string {
  const fromHere = relative('', path)
  return fromHere === '' || fromHere.startsWith('..') ? path : fromHere
}
