import type { ConfigPlace } from './config-error.ts'
import type { ConfigTree, KeyPath } from './tree.ts'

/** One source of the configuration. */
export interface ConfigLayer {
  readonly values: ConfigTree
  /** Whether all values are text, which stands for what the reader expects. */
  readonly isText: boolean
  /** Where the value with these keys is, as the source writes them. */
  place(path: KeyPath): ConfigPlace
}
