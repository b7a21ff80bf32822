/** Throws a TypeError that names `place` for a value that is not what is expected. */
export type Check = (value: unknown, place: string) => void

/** What is nested deeper was not made by people, and would exhaust the stack. */
const MAX_DEPTH = 100
const MAX_SHOWN = 60

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @param wanted names what is expected */
export function when(matches: (value: unknown) => boolean, wanted: string): Check {
  return (value, place) => {
    if (!matches(value)) throw new TypeError(`${place} must be ${wanted}, got ${shown(value)}`)
  }
}

export const text: Check = when((value) => typeof value === 'string', 'a text')
export const flag: Check = when((value) => typeof value === 'boolean', 'true or false')
const list = when(Array.isArray, 'a list')
const object = when(isObject, 'an object')

export function oneOf(...values: readonly unknown[]): Check {
  return when((value) => values.includes(value), values.map((each) => JSON.stringify(each)).join(' or '))
}

export function maybe(check: Check): Check {
  return (value, place) => value === undefined || check(value, place)
}

export function orNull(check: Check): Check {
  return (value, place) => value === null || check(value, place)
}

export function listOf(check: Check): Check {
  return (value, place) => {
    list(value, place)
    for (const [i, each] of (value as unknown[]).entries()) check(each, `${place}[${i}]`)
  }
}

/** An object whose members are checked by name; others may be there too. */
export function fields(checks: Readonly<Record<string, Check>>): Check {
  return (value, place) => {
    object(value, place)
    for (const [name, check] of Object.entries(checks)) check((value as Record<string, unknown>)[name], field(place, name))
  }
}

/** An object whose members are all checked alike. */
export function membersOf(check: Check, nameMatches: RegExp = /^/): Check {
  return (value, place) => {
    object(value, place)
    for (const [name, each] of Object.entries(value as object)) {
      if (!nameMatches.test(name)) throw new TypeError(`${place} has no member that may be named ${shown(name)}`)
      check(each, field(place, name))
    }
  }
}

/** @throws TypeError */
export function field(place: string, name: string): string {
  const own = /^[\w$-]+$/.test(name) ? `${place}.${name}` : `${place}[${shown(name)}]`
  if (own.split(/[.[]/).length > MAX_DEPTH) throw new TypeError(`${place.slice(0, MAX_SHOWN)}… is nested too deep`)
  return own
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  const found = JSON.stringify(value) ?? typeof value
  return found.length > MAX_SHOWN ? `${found.slice(0, MAX_SHOWN)}…` : found
}
