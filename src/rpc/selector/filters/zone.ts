import { metadataOf, type NodeFilter } from './filter.ts'

/** Options of `byZone`. */
export interface ZoneOptions {
  /**
   * Metadata key that names a node's zone.
   * @default 'zone'
   */
  readonly key?: string | undefined
  /**
   * Share of the own zone's nodes, 0 to 1, that must not be ejected for the zone to be used alone.
   * @default 0.5
   */
  readonly minHealthy?: number | undefined
  /**
   * Fewest nodes of the own zone that must not be ejected for the zone to be used alone.
   * @default 1
   */
  readonly minNodes?: number | undefined
}

/**
 * Leaves the nodes of the own zone while enough of them are well, all nodes of all zones otherwise (spill-over). A call
 * that excludes all nodes of the own zone, since they failed it, goes to another zone too.
 */
export function byZone(zone: string, options: ZoneOptions = {}): NodeFilter {
  const { key = 'zone', minHealthy = 0.5, minNodes = 1 } = options
  return {
    name: `zone ${zone}`,
    isPreference: true,
    filter(candidates) {
      const own = candidates.filter((candidate) => metadataOf(candidate, key) === zone)
      const well = own.filter(({ isEjected }) => !isEjected).length
      return well >= Math.max(1, minNodes) && well >= own.length * minHealthy ? own : candidates
    },
  }
}
