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
      if (Array.isArray(container)) collect(container, next)
      else collect(Object.values(container), next)
    }
    level = next
  }
  return false
}

function collect(values: readonly unknown[], into: object[]): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (isContainer(value)) into.push(value)
  }
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
