import type { Exemplar } from './durations.ts'
import { type Buckets, type DurationCounts, type Family, type Merging, mergingOf, shownCounts, type Visitor } from './family.ts'
import { Labels } from './labels.ts'

/** A histogram of one series, by the buckets that a page shows. */
interface Histogram {
  /** Number of durations by bucket, not cumulative. */
  counts: number[]
  sum: number
  exemplars: (Exemplar | undefined)[] | undefined
}

type Series = [labels: Readonly<Record<string, string>>, value: number | Histogram]

interface FamilyCopy {
  readonly family: Family
  readonly le: readonly string[]
  readonly scale: number
  readonly series: Series[]
}

/** Series that are sent at once: copying these takes a fraction of a millisecond. */
const MAX_PART = 50

/** A snapshot as it is sent from one thread or process to another. */
export type SnapshotData = readonly FamilyCopy[]

interface Kept extends Omit<FamilyCopy, 'series'> {
  readonly series: Map<string, { labels: Labels; value: number | Histogram }>
}

/** Whether a family's numbers count what has happened, and so stay true when their process has ended. */
export function isLasting({ type }: Family): boolean {
  return type !== 'gauge'
}

/** A copy of all series, which can be sent to another process and added to those of others. */
export class Snapshot implements Visitor {
  readonly #families = new Map<string, Kept>()
  #current: Kept | undefined

  begin(family: Family): void {
    this.#current = this.#familyOf(family, [], 1)
  }

  #familyOf(family: Family, le: readonly string[], scale: number): Kept {
    const known = this.#families.get(family.name)
    if (known !== undefined && (known.le.length > 0 || le.length === 0)) return known
    const made: Kept = { family, le, scale, series: known?.series ?? new Map() }
    this.#families.set(family.name, made)
    return made
  }

  value(labels: Labels, value: number): void {
    this.#add(this.#current as Kept, labels, value)
  }

  histogram(labels: Labels, durations: DurationCounts, buckets: Buckets): void {
    const { family } = this.#current as Kept
    const kept = (this.#current = this.#familyOf(family, buckets.le, buckets.scale))
    const { counts, exemplars } = shownCounts(durations, buckets)
    this.#add(kept, labels, { counts, sum: durations.sum, exemplars: durations.exemplars === undefined ? undefined : exemplars })
  }

  /** Adds the numbers of another process or thread. Histograms with other buckets are left out. */
  add(data: SnapshotData, which?: (family: Family) => boolean): void {
    for (const _ of this.adding(data, which));
  }

  /** Adds as `add` does, and yields after each series. */
  *adding(data: SnapshotData, which: (family: Family) => boolean = () => true): Generator<void, void> {
    for (const { family, le, scale, series } of data) {
      if (!which(family)) continue
      const kept = this.#familyOf(family, le, scale)
      if (kept.le.length !== le.length || kept.le.some((bound, i) => bound !== le[i])) continue
      for (const [labels, value] of series) {
        this.#add(kept, new Labels(labels), value)
        yield
      }
    }
  }

  #add(kept: Kept, labels: Labels, value: number | Histogram): void {
    const known = kept.series.get(labels.text)
    if (known === undefined) kept.series.set(labels.text, { labels, value })
    else known.value = merged(known.value, value, mergingOf(kept.family))
  }

  data(): SnapshotData {
    return [...this.parts()].flat()
  }

  /** The data in parts of at most `MAX_PART` series, at least one part. A family may be in several of them. */
  *parts(): Generator<SnapshotData, void> {
    let part: FamilyCopy[] = []
    let size = 0
    let isFirst = true
    for (const { series, ...rest } of this.#families.values()) {
      let copy: FamilyCopy | undefined
      for (const { labels, value } of series.values()) {
        if (copy === undefined) part.push((copy = { ...rest, series: [] }))
        copy.series.push([labels.values, value])
        if (++size < MAX_PART) continue
        yield part
        isFirst = false
        part = []
        size = 0
        copy = undefined
      }
      if (series.size === 0) part.push({ ...rest, series: [] })
    }
    if (isFirst || part.length > 0) yield part
  }

  /** Visits all series, and yields between two of them. */
  *visit(visitor: Visitor): Generator<void, void> {
    for (const { family, le, scale, series } of this.#families.values()) {
      visitor.begin(family)
      const buckets: Buckets = { le, scale, shown: le.slice(1).map((_, i) => i) }
      for (const { labels, value } of series.values()) {
        if (typeof value === 'number') visitor.value(labels, value)
        else visitor.histogram(labels, value, buckets)
        yield
      }
    }
  }
}

function merged(a: number | Histogram, b: number | Histogram, merging: Merging): number | Histogram {
  if (typeof a === 'number') {
    if (typeof b !== 'number') return a
    return merging === 'sum' ? a + b : merging === 'max' ? Math.max(a, b) : Math.min(a, b)
  }
  if (typeof b === 'number') return a
  return {
    counts: a.counts.map((count, i) => count + b.counts[i]),
    sum: a.sum + b.sum,
    exemplars: a.exemplars === undefined ? b.exemplars : a.exemplars.map((exemplar, i) => newer(exemplar, b.exemplars?.[i])),
  }
}

function newer(a: Exemplar | undefined, b: Exemplar | undefined): Exemplar | undefined {
  return a === undefined || (b !== undefined && b.at > a.at) ? b : a
}
