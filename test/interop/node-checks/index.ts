import { bodyChecks } from './bodies.ts'
import type { NodeCheck } from './check.ts'
import { codecChecks } from './codecs.ts'
import { filterChecks } from './filters.ts'
import { loadChecks } from './load.ts'
import { pairChecks } from './pairs.ts'
import { peerChecks } from './peers.ts'
import { statusChecks } from './statuses.ts'

/** In the order they run. */
export const nodeChecks: readonly NodeCheck[] = [
  ...bodyChecks,
  ...codecChecks,
  ...statusChecks,
  ...peerChecks,
  ...pairChecks,
  ...filterChecks,
  ...loadChecks,
]
