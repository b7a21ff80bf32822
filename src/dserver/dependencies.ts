/** Something that starts after what it depends on. */
export interface Dependent {
  readonly name: string
  readonly dependsOn: readonly string[]
}

/** `names` and all that they depend on. */
export function withDependencies(all: readonly Dependent[], names: Iterable<string>): Set<string> {
  const byName = new Map(all.map((each) => [each.name, each]))
  const found = new Set<string>()
  const visit = (name: string): void => {
    if (found.has(name)) return
    found.add(name)
    for (const other of byName.get(name)?.dependsOn ?? []) visit(other)
  }
  for (const name of names) visit(name)
  return found
}
