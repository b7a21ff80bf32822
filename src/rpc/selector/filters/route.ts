import type { NodeFilter } from './filter.ts'

/** Options of `byRoute`. */
export interface RouteOptions {
  /**
   * Whether a path that no node lists fails with 503. By default such a call goes to any node, which may have a handler
   * for unknown paths, or names paths in another way.
   * @default false
   */
  readonly strict?: boolean | undefined
}

/** Leaves nodes that serve the path of the call; nodes whose registry does not carry paths are left too. */
export function byRoute(options: RouteOptions = {}): NodeFilter {
  const { strict = false } = options
  return {
    name: 'route',
    byPath: true,
    filter(candidates, { path }) {
      const left = candidates.filter(({ node: { paths } }) => !Array.isArray(paths) || paths.includes(path))
      return left.length > 0 || strict ? left : candidates
    },
  }
}
