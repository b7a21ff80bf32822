/** Values by key, of a file or another source. */
export type ConfigTree = { readonly [key: string]: unknown }
/** Keys from the outermost to the innermost. */
export type KeyPath = readonly string[]

export function isTree(value: unknown): value is ConfigTree {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** A key without its style: `listenPort`, `ListenPort`, `listen_port` and `LISTEN-PORT` are the same. */
export function plainKey(key: string): string {
  return key.replace(/[_-]/g, '').toLowerCase()
}

export function splitKey(key: string): KeyPath {
  return key === '' ? [] : key.split('.')
}

/** The keys as this tree writes them; undefined when the tree has no such value. */
export function actualPath(tree: unknown, path: KeyPath): string[] | undefined {
  const actual: string[] = []
  let at = tree
  for (const key of path) {
    if (!isTree(at)) return undefined
    const found = Object.hasOwn(at, key) ? key : Object.keys(at).find((other) => plainKey(other) === plainKey(key))
    if (found === undefined) return undefined
    actual.push(found)
    at = at[found]
  }
  return actual
}

export function valueAt(tree: unknown, path: KeyPath): unknown {
  let at = tree
  for (const key of path) at = (at as ConfigTree)[key]
  return at
}

/** The path of a key that differs from an earlier one of its object by style alone; undefined for none. */
export function doubledKey(tree: ConfigTree, path: KeyPath = []): string[] | undefined {
  const seen = new Set<string>()
  for (const key of Object.keys(tree)) {
    if (seen.has(plainKey(key))) return [...path, key]
    seen.add(plainKey(key))
    const value = tree[key]
    const inner = isTree(value) ? doubledKey(value, [...path, key]) : undefined
    if (inner !== undefined) return inner
  }
  return undefined
}

/** Puts a value into a tree that this function made, making objects on the way. */
export function setAt(tree: Record<string, unknown>, path: KeyPath, value: unknown): void {
  let at = tree
  for (const key of path.slice(0, -1)) {
    const found = Object.keys(at).find((other) => plainKey(other) === plainKey(key)) ?? key
    if (!isTree(at[found])) at[found] = Object.create(null)
    at = at[found] as Record<string, unknown>
  }
  const last = path[path.length - 1]
  at[Object.keys(at).find((other) => plainKey(other) === plainKey(last)) ?? last] = value
}

/** Both trees in a new one; values of `over` win, objects are joined. */
export function merged(under: ConfigTree, over: ConfigTree): ConfigTree {
  const result: Record<string, unknown> = Object.create(null)
  for (const key of Object.keys(under)) result[key] = under[key]
  for (const key of Object.keys(over)) {
    const same = Object.keys(result).find((other) => plainKey(other) === plainKey(key)) ?? key
    const [below, above] = [result[same], over[key]]
    result[same] = isTree(below) && isTree(above) ? merged(below, above) : above
  }
  return result
}
