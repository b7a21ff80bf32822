import type { Exemplar } from './durations.ts'
import type { Labels } from './labels.ts'

type FamilyType = 'counter' | 'gauge' | 'histogram'

/** A metric: the series of one name. */
export interface Family {
  /** Name, that of a counter with `_total`. */
  readonly name: string
  readonly type: FamilyType
  readonly help: string
  /** How the values of several processes become one. Default: 'sum'. */
  readonly merging?: Merging | undefined
}

export const counter = (name: string, help: string): Family => ({ name, help, type: 'counter' })
export const gauge = (name: string, help: string): Family => ({ name, help, type: 'gauge' })
export const histogram = (name: string, help: string): Family => ({ name, help, type: 'histogram' })

export type Merging = 'sum' | 'max' | 'min'

export function mergingOf({ merging = 'sum' }: Family): Merging {
  return merging
}

/** The durations of one series, as a visitor sees them. */
export interface DurationCounts {
  /** Number of durations by bucket, not cumulative. */
  readonly counts: ArrayLike<number>
  /** Sum in milliseconds. */
  readonly sum: number
  readonly exemplars: readonly (Exemplar | undefined)[] | undefined
}

/** Buckets of a histogram as a page shows them. */
export interface Buckets {
  /** Indices of the bounds shown, rising; the last bucket is always shown. */
  readonly shown: readonly number[]
  /** Values of label `le` of the bounds shown, and '+Inf'. */
  readonly le: readonly string[]
  /** Number of the family's units in a millisecond. */
  readonly scale: number
}

/** Takes the series of a scrape, family by family. */
export interface Visitor {
  begin(family: Family): void
  value(labels: Labels, value: number): void
  histogram(labels: Labels, durations: DurationCounts, buckets: Buckets): void
}

/**
 * Walks through a histogram's buckets as a page shows them: cumulative, each with an exemplar of what it adds.
 *
 * @returns the number of all durations
 */
export function eachBucket(
  { counts, exemplars }: DurationCounts,
  { shown, le }: Buckets,
  visit: (le: string, count: number, exemplar: Exemplar | undefined) => void,
): number {
  let total = 0
  let from = 0
  for (let i = 0; i < le.length; i++) {
    const to = i < shown.length ? shown[i] : counts.length - 1
    let exemplar: Exemplar | undefined
    for (; from <= to; from++) {
      total += counts[from]
      exemplar = exemplars?.[from] ?? exemplar
    }
    visit(le[i], total, exemplar)
  }
  return total
}

/** Counts of the buckets that are shown, not cumulative, and an exemplar of each. */
export function shownCounts(durations: DurationCounts, { shown, le }: Buckets): { counts: number[]; exemplars: (Exemplar | undefined)[] } {
  const counts: number[] = []
  const exemplars: (Exemplar | undefined)[] = []
  let from = 0
  for (let i = 0; i < le.length; i++) {
    const to = i < shown.length ? shown[i] : durations.counts.length - 1
    counts[i] = 0
    for (; from <= to; from++) {
      counts[i] += durations.counts[from]
      exemplars[i] = durations.exemplars?.[from] ?? exemplars[i]
    }
  }
  return { counts, exemplars }
}
