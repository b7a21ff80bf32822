import type { Endpoint } from '../../endpoint/endpoint.ts'
import type { Plugin } from '../../hooks/plugin.ts'
import type { Family, Visitor } from './family.ts'
import type { Labels } from './labels.ts'
import { countingPlugins, limiterFamilies, showLimiter } from './limiters.ts'
import { serviceFamilies, showService } from './services.ts'
import { isLasting, Snapshot } from './snapshot.ts'

/** Reads what clients, servers and plugins with limits count themselves, and keeps the counts of what is closed. */
export class PartCounts {
  readonly #name: string
  readonly #past = new Snapshot()
  /** Counts of plugins when their endpoint was closed, which are in `#past`: they may be used again. */
  readonly #counted = new WeakMap<Plugin, ReadonlyMap<string, number>>()

  /** @param name label of the series */
  constructor(name: string) {
    this.#name = name
  }

  /** Keeps the counts of an endpoint that is closed. */
  closed(endpoint: Endpoint, open: Iterable<Endpoint>): void {
    const used = new Set([...open].flatMap((other) => [...countingPlugins(other)].map(({ plugin }) => plugin)))
    showService(endpoint, this.#name, this.#keep)
    for (const read of countingPlugins(endpoint)) {
      if (used.has(read.plugin)) continue
      showLimiter(read, this.#name, this.#counted.get(read.plugin), this.#keep)
      this.#counted.set(read.plugin, new Map(read.counts))
    }
  }

  readonly #keep = (family: Family, labels: Labels, value: number): void => {
    if (isLasting(family)) add(this.#past, family, labels, value)
  };

  /** Visits all series, and yields between two of them. */
  *visit(endpoints: Iterable<Endpoint>, visitor: Visitor): Generator<void, void> {
    const sum = new Snapshot()
    for (const family of [...serviceFamilies, ...limiterFamilies]) sum.begin(family)
    sum.add(this.#past.data())
    const show = (family: Family, labels: Labels, value: number): void => add(sum, family, labels, value)
    const seen = new Set<Plugin>()
    for (const endpoint of endpoints) {
      showService(endpoint, this.#name, show)
      for (const read of countingPlugins(endpoint)) {
        if (seen.has(read.plugin)) continue
        seen.add(read.plugin)
        showLimiter(read, this.#name, this.#counted.get(read.plugin), show)
        yield
      }
      yield
    }
    yield* sum.visit(visitor)
  }
}

function add(sum: Snapshot, family: Family, labels: Labels, value: number): void {
  sum.begin(family)
  sum.value(labels, value)
}
