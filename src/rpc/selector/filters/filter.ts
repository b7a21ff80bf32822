import type { Candidate, PickContext } from '../strategy.ts'

/** Leaves out nodes before a strategy picks one. Filters run in order, each on what the one before it left. */
export interface NodeFilter {
  /** Condition of the filter as errors show it, such as `version ^1.2`. */
  readonly name: string
  /**
   * Whether the result depends on the call's path. Results are kept until a node comes, leaves, is ejected or returns;
   * those that depend on the path, for each path.
   */
  readonly byPath?: boolean
  /**
   * Whether the nodes that the filter leaves are only the better ones: a call that excludes all of them gets another.
   */
  readonly isPreference?: boolean
  /** Returns those of `candidates` that may be picked. May return `candidates` itself. */
  filter(candidates: readonly Candidate[], call: Pick<PickContext, 'path'>): readonly Candidate[]
}

/** The metadata value `key` of a node; undefined where it has none of its own. */
export function metadataOf({ node }: Candidate, key: string): string | undefined {
  const { metadata } = node
  const value: unknown = Object(metadata) === metadata && Object.hasOwn(metadata, key) ? metadata[key] : undefined
  return typeof value === 'string' ? value : undefined
}
