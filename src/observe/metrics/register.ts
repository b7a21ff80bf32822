import { collect, type Sources } from './collect.ts'
import { type Buckets, type DurationCounts, eachBucket, type Family, mergingOf, type Visitor } from './family.ts'
import type { Labels } from './labels.ts'

/** A registry of prom-client 15, or one that has the same methods. */
export interface MetricsRegistry {
  /** Adds a metric, in the form that registries of prom-client read. Throws when the name is taken. */
  registerMetric(metric: never): void
  /** The metric with this name; undefined for none. */
  getSingleMetric(name: string): unknown
  /** Removes the metric with this name. */
  removeSingleMetric(name: string): void
}

/** @throws TypeError for what is no registry */
export function requireRegistry(value: unknown): void {
  const methods = ['registerMetric', 'getSingleMetric', 'removeSingleMetric']
  const given = value as Record<string, unknown> | null
  if (methods.some((method) => typeof given?.[method] !== 'function'))
    throw new TypeError('option register must be a registry of prom-client')
}

/** A value as prom-client's metrics return it. */
interface RegistryValue {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  readonly metricName?: string
}

/** A metric as a registry of prom-client reads it. */
interface RegistryMetric extends Family {
  readonly values: RegistryValue[]
}

/** Collects what a registry reads. */
class RegistryValues implements Visitor {
  readonly metrics = new Map<string, RegistryMetric>()
  #metric: RegistryMetric | undefined

  begin(family: Family): void {
    this.#metric = { ...family, values: [] }
    this.metrics.set(family.name, this.#metric)
  }

  value(labels: Labels, value: number): void {
    this.#metric?.values.push({ labels: labels.values, value })
  }

  histogram({ values: labels }: Labels, durations: DurationCounts, buckets: Buckets): void {
    const { name, values } = this.#metric as RegistryMetric
    const total = eachBucket(durations, buckets, (le, value) => {
      values.push({ labels: { ...labels, le }, value, metricName: `${name}_bucket` })
    })
    values.push({ labels, value: durations.sum * buckets.scale, metricName: `${name}_sum` })
    values.push({ labels, value: total, metricName: `${name}_count` })
  }
}

/**
 * Makes a registry of the user's show our metrics. Its page reads them one by one, and all that it reads in one turn of
 * the loop is collected once.
 *
 * @returns a function that removes them
 * @throws Error of the registry when it has one of the names
 */
export function registerIn(registry: MetricsRegistry, sources: Sources): () => void {
  let values: Promise<RegistryValues> | undefined
  const read = (): Promise<RegistryValues> => {
    values ??= collected(sources).finally(() => {
      values = undefined
    })
    return values
  }
  const families = new RegistryValues()
  for (const _ of collect(sources, families));
  for (const family of families.metrics.values()) {
    const { name, help, type } = family
    const aggregator = mergingOf(family)
    const metric = {
      name,
      help,
      type,
      aggregator,
      get: async () => ({ name, help, type, aggregator, values: (await read()).metrics.get(name)?.values ?? [] }),
      reset: () => {},
    }
    registry.registerMetric(metric as never)
  }
  return () => {
    for (const name of families.metrics.keys()) registry.removeSingleMetric(name)
  }
}

async function collected(sources: Sources): Promise<RegistryValues> {
  await sources.process?.prepare()
  const values = new RegistryValues()
  for (const _ of collect(sources, values));
  return values
}
