import { posix } from 'node:path'
import { markOf } from '../base/mark.ts'

/**
 * Makes a service method of a prefix, taken as it is, and a name, which is transformed (docs/spec/behaviour.md#names).
 * Called when a route is registered, never per message.
 */
export type NameMapper = (prefix: string, name: string) => string

const namingMark: unique symbol = markOf('naming') as typeof namingMark

/** Marks a built-in mapper for `namingOf`. A call, so that pages, which have one mapper, leave the other out. */
function named(naming: 'http' | 'rpc', mapper: NameMapper): NameMapper {
  return Object.defineProperty(mapper, namingMark, { value: naming })
}

/**
 * The default mapper: `/math/add_func`. Snake case under a cleaned path; `_` separates, `__` is a literal underscore.
 */
export const httpName: NameMapper = /* @__PURE__ */ named('http', (prefix, name) => {
  const words = snakeCase(separate(name, '/')).replaceAll('__', '_').replaceAll('/_', '/')
  const path = posix.normalize(`/${prefix}/${words}`)
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
})

/** The mapper for names such as `Math.AddFunc`: case is kept; `_` separates, `__` is a literal underscore. */
export const rpcName: NameMapper = /* @__PURE__ */ named('rpc', (prefix, name) => {
  const path = `${prefix}.${separate(name, '.')}`
  let start = 0
  let end = path.length
  while (start < end && path[start] === '.') start++
  while (end > start && path[end - 1] === '.') end--
  return path.slice(start, end)
})

/** Which built-in mapper `mapper` is, of this or another copy of this package; undefined for a user's mapper. */
export function namingOf(mapper: NameMapper): 'http' | 'rpc' | undefined {
  return (mapper as { [namingMark]?: 'http' | 'rpc' })[namingMark]
}

/** The prefix of nested groups, outermost first; without groups the root's prefix. */
export function groupPrefix(mapper: NameMapper, ...groups: string[]): string {
  return groups.reduce((prefix, group) => mapper(prefix, group), mapper('', ''))
}

/** The name of a method of a controller ("struct" in Go) registered under a group's `prefix`. */
export function controllerName(mapper: NameMapper, prefix: string, typeName: string, methodName: string): string {
  return mapper(mapper(prefix, typeName), methodName)
}

/**
 * The name of a single function registered under a group's `prefix`.
 * @throws TypeError for a function without a name, which would silently become the prefix itself
 */
export function functionName(mapper: NameMapper, prefix: string, name: string): string {
  if (name === '') throw new TypeError('a route needs a name: the function has none')
  return mapper(prefix, name)
}

/**
 * Replaces a single `_` between two characters by `separator` and a run of them by one `_`. Leading ones are dropped, a
 * last single one stays.
 */
function separate(name: string, separator: string): string {
  let result = ''
  // '_': a single underscore whose next character is not known yet. '': at the start or after a run, where further
  // underscores are dropped.
  let last = ''
  for (const c of name) {
    if (c !== '_') {
      if (last === '_') result += separator
      result += c
      last = c === '\0' ? '' : c // Go marks "nothing before" by NUL, so a NUL in a name acts as one
    } else if (last === '_') {
      result += '_'
      last = ''
    } else if (last !== '') {
      last = '_'
    }
  }
  return last === '_' ? `${result}_` : result
}

/**
 * Puts `_` before an ASCII capital if there was anything but capitals and `_` since the start or the last `_` put;
 * lowers all.
 */
function snakeCase(text: string): string {
  let result = ''
  let wordBegun = false
  for (const c of text) {
    if (c >= 'A' && c <= 'Z') {
      if (wordBegun) result += '_'
      wordBegun = false
    } else if (c !== '_') {
      wordBegun = true
    }
    result += lower(c)
  }
  return result
}

/** Lower case of one character as in Go: without context (a final sigma), and one to one (U+0130 gives a plain i). */
function lower(c: string): string {
  return c === '\u0130' ? 'i' : c.toLowerCase()
}
