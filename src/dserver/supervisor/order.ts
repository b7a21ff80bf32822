import { type Dependent, withDependencies } from '../dependencies.ts'

/** Properties of a process that decide its place in the order. */
interface Ordered extends Dependent {
  readonly priority: number
}

/**
 * Waves of names in which processes start: one wave after the other, those of one wave side by side. Lower priorities
 * come first; what a process depends on comes before it, whatever its priority. Stopping goes the other way round.
 *
 * @throws Error for a name that is not there, and for a circle
 */
export function startOrder(all: readonly Ordered[]): string[][] {
  const byName = new Map(all.map((each) => [each.name, each]))
  const places = new Map<string, { priority: number; depth: number }>()
  const path: string[] = []
  const place = (name: string): { priority: number; depth: number } => {
    const known = places.get(name)
    if (known !== undefined) return known
    const each = byName.get(name)
    if (each === undefined) throw new Error(`process ${path.at(-1)} depends on ${name}, which is not there`)
    if (path.includes(name)) throw new Error(`processes depend on each other: ${[...path.slice(path.indexOf(name)), name].join(' > ')}`)
    path.push(name)
    let { priority } = each
    let depth = 0
    for (const other of each.dependsOn) {
      const before = place(other)
      // A dependency of a later priority takes its dependants along.
      if (before.priority > priority || (before.priority === priority && before.depth >= depth)) {
        priority = before.priority
        depth = before.depth + 1
      }
    }
    path.pop()
    const found = { priority, depth }
    places.set(name, found)
    return found
  }
  const waves = new Map<string, { priority: number; depth: number; names: string[] }>()
  for (const { name } of all) {
    const { priority, depth } = place(name)
    const key = `${priority} ${depth}`
    const wave = waves.get(key)
    if (wave === undefined) waves.set(key, { priority, depth, names: [name] })
    else wave.names.push(name)
  }
  return [...waves.values()].sort((a, b) => a.priority - b.priority || a.depth - b.depth).map(({ names }) => names)
}

/**
 * The processes of these names and all that they depend on, in the order of `all`.
 *
 * @throws Error for a dependency that is not there
 */
export function needed(names: Iterable<string>, all: readonly Ordered[]): Ordered[] {
  const found = withDependencies(all, names)
  const known = new Set(all.map(({ name }) => name))
  const missing = [...found].find((name) => !known.has(name))
  if (missing !== undefined) {
    const dependant = all.find(({ dependsOn }) => dependsOn.includes(missing))
    throw new Error(`process ${dependant?.name ?? ''} depends on ${missing}, which is not there`)
  }
  return all.filter(({ name }) => found.has(name))
}
