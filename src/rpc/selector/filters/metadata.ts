import { metadataOf, type NodeFilter } from './filter.ts'

/** Leaves nodes whose metadata has all `wanted` values; of a list of values, one of them. */
export function byMetadata(wanted: Readonly<Record<string, string | readonly string[]>>): NodeFilter {
  const entries = Object.entries(wanted).map(([key, value]) => ({ key, values: typeof value === 'string' ? [value] : value }))
  return {
    name: `metadata ${entries.map(({ key, values }) => `${key}=${values.join('|')}`).join(', ')}`,
    filter: (candidates) =>
      candidates.filter((candidate) =>
        entries.every(({ key, values }) => {
          const value = metadataOf(candidate, key)
          return value !== undefined && values.includes(value)
        }),
      ),
  }
}
