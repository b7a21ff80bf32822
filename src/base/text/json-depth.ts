/**
 * True when `value`, as made by JSON.parse, nests arrays and objects more than `max` deep: `1` is 0 deep, `[]` is 1,
 * `[{}]` is 2. Goes level by level, so neither a deep nor a wide value can exhaust the stack.
 */
export function deeperThan(value: unknown, max: number): boolean {
  let level: object[] = isContainer(value) ? [value] : []
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > max) return true
    const next: object[] = []
    for (const container of level) {
      if (Array.isArray(container)) collectItems(container, next)
      else collectMembers(container as Record<string, unknown>, next)
    }
    level = next
  }
  return false
}

function collectItems(items: readonly unknown[], into: object[]): void {
  for (let i = 0; i < items.length; i++) {
    const item = items[i]
    if (isContainer(item)) into.push(item)
  }
}

/**
 * Adds the containers among `members` to `into`. `for in` is six times faster than Object.values here; inherited keys,
 * which a program may have added to Object.prototype, are sorted out afterwards.
 */
function collectMembers(members: Readonly<Record<string, unknown>>, into: object[]): void {
  for (const key in members) {
    const member = members[key]
    if (isContainer(member) && Object.hasOwn(members, key)) into.push(member)
  }
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
