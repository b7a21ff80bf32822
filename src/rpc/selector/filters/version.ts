import type { NodeFilter } from './filter.ts'
import { readRange } from './version-range.ts'

/**
 * Leaves nodes whose service has a version in `range`, such as `1.4.2`, `^1.2`, `~1.2.3`, `>=1 <3`, `1.2 - 1.4`, `2.x`,
 * `1.x || 3.x`. A version equal to `range` is always left, so versions may be any text, as `blue`.
 */
export function byVersion(range: string): NodeFilter {
  const isInRange = readRange(range)
  return {
    name: `version ${range}`,
    filter: (candidates) =>
      candidates.filter(({ service: { version } }) => version === range || (typeof version === 'string' && isInRange?.(version) === true)),
  }
}
