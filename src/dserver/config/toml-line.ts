import type { KeyPath } from './tree.ts'

/**
 * Line of a key in TOML, from 1; undefined when it is not found. The library that reads TOML keeps no positions, so
 * this goes through the lines of a text that it has accepted: table headers, and keys before `=`.
 */
export function tomlLine(text: string, path: KeyPath): number | undefined {
  const wanted = path.join('\0')
  let table: string[] = []
  let header: number | undefined
  let inner: number | undefined
  let fence: string | undefined
  for (const [index, line] of text.split('\n').entries()) {
    if (fence !== undefined) {
      if (line.includes(fence)) fence = undefined
      continue
    }
    const opened = tableOf(line)
    if (opened !== undefined) {
      table = opened
      if (header === undefined && isWithin(table, path)) header = index + 1
      continue
    }
    const keys = keysBefore(line, '=')
    if (keys === undefined) continue
    const full = [...table, ...keys]
    if (full.join('\0') === wanted) return index + 1
    // A table may be made by keys with dots, or hold the key in braces.
    if (isWithin(full, path)) header ??= index + 1
    if (full.length < path.length && isWithin(path, full)) inner = index + 1
    fence = openFence(line)
  }
  return header ?? inner
}

/** Whether `path` begins with all of `outer`. */
function isWithin(path: readonly string[], outer: KeyPath): boolean {
  return outer.every((key, index) => path[index] === key)
}

/** Keys of `[a.b]` and `[[a.b]]`. */
function tableOf(line: string): string[] | undefined {
  const text = line.trimStart()
  if (!text.startsWith('[')) return undefined
  return keysBefore(text.replace(/^\[\[?/, ''), ']')
}

/** Dotted keys at the begin of a line, plain or quoted, that `end` follows. */
function keysBefore(line: string, end: string): string[] | undefined {
  const keys: string[] = []
  let rest = line.trimStart()
  for (;;) {
    const found = /^(?:"([^"]*)"|'([^']*)'|([\w-]+))\s*/.exec(rest)
    if (found === null) return undefined
    keys.push(found[1] ?? found[2] ?? found[3])
    rest = rest.slice(found[0].length)
    if (rest.startsWith(end)) return keys
    if (!rest.startsWith('.')) return undefined
    rest = rest.slice(1).trimStart()
  }
}

/** The quotes that end a text of several lines which begins in this one; undefined when none does. */
function openFence(line: string): string | undefined {
  for (const fence of ['"""', "'''"]) if (line.split(fence).length === 2) return fence
  return undefined
}
