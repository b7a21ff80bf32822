/** A version as semver.org defines it, without its build. */
interface Version {
  readonly major: number
  readonly minor: number
  readonly patch: number
  /** Parts after the hyphen; none for a release. */
  readonly pre: readonly string[]
}

/** One bound of a range. */
interface Bound {
  readonly isMet: (order: number) => boolean
  readonly by: Version
}

/** Longest version and range that are read, in UTF-16 units. */
const MAX_TEXT = 256
const NUMBER = /^(?:0|[1-9]\d{0,14})$/
const PRE = /^[0-9A-Za-z-]+$/
const WILD = /^[xX*]$/
const OPERATOR = /^(?:\^|~>?|[<>]=?|=)/

/** A version that may leave out its last numbers, or say `x` for them. */
interface PartialVersion {
  /** The numbers up to the first one left out. */
  readonly numbers: readonly number[]
  readonly pre: readonly string[]
}

const atLeast = (by: Version): Bound => ({ isMet: (order) => order >= 0, by })
const above = (by: Version): Bound => ({ isMet: (order) => order > 0, by })
const atMost = (by: Version): Bound => ({ isMet: (order) => order <= 0, by })
const below = (by: Version): Bound => ({ isMet: (order) => order < 0, by })

/**
 * Reads a range as npm writes them: `1.2.3`, `^1.2`, `~1.2.3`, `>=1.2 <3`, `1.2 - 2.3`, `1.x`, `*`, several joined by
 * `||`. As there, a pre-release is in a range only if a bound names a pre-release of the same three numbers.
 *
 * @returns whether a version is in the range; undefined when `range` is none
 */
export function readRange(range: string): ((version: string) => boolean) | undefined {
  if (range.length > MAX_TEXT) return undefined
  const sets: Bound[][] = []
  for (const part of range.split('||')) {
    const set = readSet(part.trim())
    if (set === undefined) return undefined
    sets.push(set)
  }
  return (text) => {
    const version = readVersion(text)
    return version !== undefined && sets.some((set) => contains(set, version))
  }
}

function contains(set: readonly Bound[], version: Version): boolean {
  if (!set.every(({ isMet, by }) => isMet(compare(version, by)))) return false
  return version.pre.length === 0 || set.some(({ by }) => by.pre.length > 0 && compareNumbers(version, by) === 0)
}

/** Bounds that are separated by spaces, or the two ends of a hyphen. */
function readSet(text: string): Bound[] | undefined {
  const hyphen = text.split(/\s+-\s+/)
  if (hyphen.length === 2) return readHyphen(hyphen[0], hyphen[1])
  const words = text.split(/\s+/).filter((word) => word !== '')
  const bounds: Bound[] = []
  for (let i = 0; i < words.length; i++) {
    const operator = OPERATOR.exec(words[i])?.[0] ?? ''
    // The operator may stand apart: `>= 1.2`.
    const version = words[i] === operator ? words[++i] : words[i].slice(operator.length)
    const partial = version === undefined ? undefined : readPartial(version)
    if (partial === undefined) return undefined
    bounds.push(...boundsOf(operator, partial))
  }
  return bounds
}

function readHyphen(from: string, to: string): Bound[] | undefined {
  const [low, high] = [readPartial(from), readPartial(to)]
  if (low === undefined || high === undefined) return undefined
  return [...boundsOf('>=', low), ...boundsOf('<=', high)]
}

function boundsOf(operator: string, { numbers, pre }: PartialVersion): Bound[] {
  const [major, minor, patch] = numbers
  const low: Version = { major: major ?? 0, minor: minor ?? 0, patch: patch ?? 0, pre }
  if (major === undefined) return operator === '<' || operator === '>' ? [below(low)] : []
  switch (operator) {
    case '>=':
      return [atLeast(low)]
    case '<':
      return [below(numbers.length < 3 ? lowest(low) : low)]
    case '>':
      return numbers.length < 3 ? [atLeast(after(low, numbers.length))] : [above(low)]
    case '<=':
      return numbers.length < 3 ? [below(lowest(after(low, numbers.length)))] : [atMost(low)]
    case '^':
      return [atLeast(low), below(lowest(after(low, major > 0 || minor === undefined ? 1 : minor > 0 || patch === undefined ? 2 : 3)))]
    case '~':
    case '~>':
      return [atLeast(low), below(lowest(after(low, Math.min(numbers.length, 2))))]
    default:
      if (numbers.length === 3) return [atLeast(low), atMost(low)]
      return [atLeast(low), below(lowest(after(low, numbers.length)))]
  }
}

/** The first release after all those that have the first `count` numbers of `version`. */
function after({ major, minor, patch }: Version, count: number): Version {
  if (count === 1) return { major: major + 1, minor: 0, patch: 0, pre: [] }
  return count === 2 ? { major, minor: minor + 1, patch: 0, pre: [] } : { major, minor, patch: patch + 1, pre: [] }
}

/** `version` and all its pre-releases excluded, where it is an upper bound that names none. */
function lowest(version: Version): Version {
  return version.pre.length > 0 ? version : { ...version, pre: ['0'] }
}

/** A version of a service, which may leave out its last numbers: `1.2` is 1.2.0. */
function readVersion(text: string): Version | undefined {
  const partial = text.length > MAX_TEXT || text.includes('*') || /[xX]$/.test(text) ? undefined : readPartial(text)
  if (partial === undefined) return undefined
  const [major = 0, minor = 0, patch = 0] = partial.numbers
  return { major, minor, patch, pre: partial.pre }
}

function readPartial(text: string): PartialVersion | undefined {
  const plain = text.split('+', 1)[0].replace(/^[v=]/, '')
  const hyphen = plain.indexOf('-')
  const pre = hyphen < 0 ? [] : plain.slice(hyphen + 1).split('.')
  const words = (hyphen < 0 ? plain : plain.slice(0, hyphen)).split('.')
  if (words.length > 3 || !pre.every((part) => PRE.test(part))) return undefined
  if (!words.every((word) => WILD.test(word) || NUMBER.test(word))) return undefined
  const wild = words.findIndex((word) => WILD.test(word))
  if (wild >= 0 && !words.slice(wild).every((word) => WILD.test(word))) return undefined
  const numbers = (wild < 0 ? words : words.slice(0, wild)).map(Number)
  return pre.length > 0 && numbers.length < 3 ? undefined : { numbers, pre }
}

function compareNumbers(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch
}

function compare(a: Version, b: Version): number {
  const order = compareNumbers(a, b)
  if (order !== 0 || (a.pre.length === 0 && b.pre.length === 0)) return order
  if (a.pre.length === 0) return 1
  if (b.pre.length === 0) return -1
  for (let i = 0; i < Math.min(a.pre.length, b.pre.length); i++) {
    const part = comparePart(a.pre[i], b.pre[i])
    if (part !== 0) return part
  }
  return a.pre.length - b.pre.length
}

/** Numbers by their value and before texts, texts by their letters. */
function comparePart(a: string, b: string): number {
  const [isNumber, isOtherNumber] = [NUMBER.test(a), NUMBER.test(b)]
  if (isNumber && isOtherNumber) return Number(a) - Number(b)
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}
