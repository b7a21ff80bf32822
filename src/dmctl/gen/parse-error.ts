import { textOf } from '../../base/errors/error-text.ts'
import { groupField } from './groups.ts'
import { declaring, type ProtoError, type Source } from './source.ts'

/**
 * The error of a file that the parser refuses. The parser names a line at most; the place is the end of the shortest
 * beginning of the file that it refuses with the same words.
 *
 * @param parse parses a text, and throws what the parser throws
 */
export function parseError(source: Source, error: unknown, parse: (text: string) => void): ProtoError {
  const message = textOf(error)
  const end = shortest(source.text, message, parse)
  const at = (offset: number, text: string): ProtoError => source.error(source.placeOf(offset < 0 ? end : offset), text)

  const expected = /^illegal token '(.*)', '(.*)' expected/s.exec(message)
  if (expected !== null) return at(lastToken(source, expected[1], end), `expected '${expected[2]}', got ${shown(expected[1])}`)
  const duplicate = /^duplicate (name|id) '?(.+?)'? in (.*)$/.exec(message)
  if (duplicate !== null) {
    const [, kind, what, where] = duplicate
    const isName = kind === 'name'
    // Packages have no fields.
    const inPackage = isPackage(where)
    const index = source.lastBefore(end, (token, previous, next) => {
      if (previous === 'group' && isName && groupField(token) === what) return true
      if (token !== what) return false
      return isName ? declaring.includes(previous) || (!inPackage && next === '=') : previous === '='
    })
    const offset = source.tokens[index]?.offset ?? -1
    return at(offset, `${isName ? 'name' : 'number'} ${what} is used twice in ${inWords(where)}`)
  }
  const reserved = /^(id|name) '?(.+?)'? is reserved in (.*)$/.exec(message)
  if (reserved !== null) {
    const [, kind, what, where] = reserved
    const index = source.lastBefore(end, (token, previous, next) => token === what && (kind === 'id' ? previous === '=' : next === '='))
    return at(source.tokens[index]?.offset ?? -1, `${kind === 'id' ? 'number' : 'name'} ${what} is reserved in ${inWords(where)}`)
  }
  const illegal = /^illegal (.*?)(?: '(.*)')? \((?:.*, )?line \d+\)$/s.exec(message)
  if (illegal === null) return at(end, message)
  const [, what, token] = illegal
  if (token === undefined) return at(end, `the ${what} is not closed`)
  if (token === 'null') return at(source.text.trimEnd().length, 'unexpected end of the file')
  const offset = lastToken(source, token, end)
  if (what === 'end of input') return at(offset, `unexpected ${shown(token)}`)
  if (what === 'token') return at(offset, `unexpected ${shown(token)}`)
  if (what === 'type' && /\bmap\s*<\s*$/.test(source.text.slice(0, offset)))
    return at(offset, `expected an integer type, bool or string for the keys of a map, got ${shown(token)}`)
  const wanted = what === 'id' ? 'number' : what
  return at(offset, `expected ${/^[aeiou]/.test(wanted) ? 'an' : 'a'} ${wanted}, got ${shown(token)}`)
}

function shown(token: string): string {
  return token === 'null' ? 'the end of the file' : `'${token}'`
}

function isPackage(where: string): boolean {
  return where === 'Root' || where.startsWith('Namespace')
}

function inWords(where: string): string {
  return isPackage(where) ? 'this package' : where.replace(/^\w+/, (kind) => (kind === 'Type' ? 'message' : kind.toLowerCase()))
}

function lastToken(source: Source, token: string, end: number): number {
  return token === 'null' ? source.text.trimEnd().length : source.text.lastIndexOf(token, Math.max(0, end - token.length))
}

/** Length of the shortest beginning of `text` that fails with `message`. */
function shortest(text: string, message: string, parse: (text: string) => void): number {
  let low = 0
  let high = text.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (failsWith(text.slice(0, middle), message, parse)) high = middle
    else low = middle + 1
  }
  return high
}

function failsWith(text: string, message: string, parse: (text: string) => void): boolean {
  try {
    parse(text)
    return false
  } catch (error) {
    return textOf(error) === message
  }
}
