import type { Meta } from '../../message/meta.ts'

/** Classes of calls, the most important first. */
export type Criticality = 'critical' | 'default' | 'sheddable'

/** Meta key with the class of a call: `critical`, `default` or `sheddable`. */
export const CRITICALITY_KEY = 'X-Criticality'

/** Number of classes. */
export const CLASSES = 3

/** Number of a class: 0 for the most important one. A class that is unknown or missing is the default one. */
export function rankOf(criticality: unknown): number {
  return criticality === 'critical' ? 0 : criticality === 'sheddable' ? 2 : 1
}

/** Number of the class that a message claims in its meta. */
export function rankOfMeta(meta: Meta): number {
  return rankOf(meta[CRITICALITY_KEY])
}
