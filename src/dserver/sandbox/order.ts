import type { Dependent } from '../dependencies.ts'

/**
 * Checks that dependencies exist and form no circle.
 * @param what plural of what depends, for the error's text
 * @returns all names in an order in which each comes after what it depends on, otherwise as given
 * @throws Error that names the dependency, or the circle
 */
export function startOrder(all: readonly Dependent[], what = 'sandboxes'): string[] {
  const byName = new Map(all.map((each) => [each.name, each]))
  const order = new Set<string>()
  const path: string[] = []
  const visit = (each: Dependent): void => {
    if (order.has(each.name)) return
    const circle = path.indexOf(each.name)
    if (circle >= 0) throw new Error(`${what} depend on each other in a circle: ${[...path.slice(circle), each.name].join(' > ')}`)
    path.push(each.name)
    for (const name of each.dependsOn) {
      const other = byName.get(name)
      if (other === undefined) throw new Error(`sandbox ${each.name} depends on ${name}, which was not added`)
      visit(other)
    }
    path.pop()
    order.add(each.name)
  }
  for (const each of all) visit(each)
  return [...order]
}
