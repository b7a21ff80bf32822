import { textOf } from '../../base/errors/error-text.ts'

/** Most characters of a name or pattern, so that a cached name stays small. */
const MAX_NAME = 1024
const plainName = /^[A-Za-z][\w.-]*$/
const plainSegment = /^[\w-]*$/

/**
 * The groups of listeners, in the order in which they run (docs/eventbus.md#order). Go has the first, the second for
 * the last dot alone, and the last.
 */
export const Tier = { Exact: 0, OneLevel: 1, Levels: 2, All: 3 } as const
export type Tier = (typeof Tier)[keyof typeof Tier]

/** A pattern with wildcards, taken apart. */
export interface Wildcard {
  readonly tier: Tier
  readonly segments: readonly string[]
}

/**
 * `name` without white space around it.
 *
 * @throws TypeError when it is no name that an event may have, such as one with a wildcard
 */
export function checkName(name: unknown): string {
  const text = typeof name === 'string' ? name.trim() : ''
  if (text.length > MAX_NAME || !plainName.test(text)) throw new TypeError(`not a name of an event: ${shown(name)}`)
  return text
}

/**
 * `pattern` without white space around it: a name, or one in which whole segments are `*` or `**`.
 *
 * @throws TypeError
 */
export function checkPattern(pattern: unknown): string {
  const text = typeof pattern === 'string' ? pattern.trim() : ''
  if (!text.includes('*')) return checkName(pattern)
  const segments = text.split('.')
  const isPlain = segments.every((segment) => isWildcard(segment) || plainSegment.test(segment))
  if (text.length > MAX_NAME || !isPlain || !/^[A-Za-z*]/.test(text))
    throw new TypeError(`not a name or pattern of events: ${shown(pattern)}`)
  return text
}

/** A checked pattern taken apart; undefined for a name. */
export function wildcardOf(pattern: string): Wildcard | undefined {
  if (!pattern.includes('*')) return undefined
  if (isWildcard(pattern)) return { tier: Tier.All, segments: [] }
  const segments = pattern.split('.')
  return { tier: segments.includes('**') ? Tier.Levels : Tier.OneLevel, segments }
}

/** Whether a name, given by its segments, is one of a wildcard's: `*` stands for one segment, `**` for one or more. */
export function matches({ tier, segments }: Wildcard, name: readonly string[]): boolean {
  if (tier === Tier.All) return true
  if (tier === Tier.OneLevel && segments.length !== name.length) return false
  let at = 0
  let next = 0
  // Where the last `**` stands, and the segment of the name that it has taken last.
  let star = -1
  let taken = 0
  while (at < name.length) {
    const segment = segments[next]
    if (segment === '**') {
      star = next++
      taken = at++
    } else if (segment === '*' || segment === name[at]) {
      next++
      at++
    } else if (star >= 0) {
      // The last `**` takes one segment more.
      next = star + 1
      at = ++taken + 1
    } else {
      return false
    }
  }
  return next === segments.length
}

function isWildcard(segment: string): boolean {
  return segment === '*' || segment === '**'
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 64)) : textOf(value).slice(0, 64)
}
