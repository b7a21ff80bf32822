import type { Exemplar } from './durations.ts'
import { type Buckets, type DurationCounts, type Family, shownCounts, type Visitor } from './family.ts'
import type { Labels } from './labels.ts'
import { sampledTrace } from './page-text.ts'

/** Value of AggregationTemporality for sums since the start. */
const CUMULATIVE = 2
const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } })

/**
 * Writes metrics in OTLP's JSON (ExportMetricsServiceRequest), in pieces. Names are those of the page without `_total`,
 * which a collector adds again for Prometheus.
 */
export class OtlpText implements Visitor {
  readonly #pieces: string[] = []
  readonly #start: string
  readonly #now: string
  readonly #tail = ']}]}]}'
  #family: Family | undefined
  #points: string[] = []
  #kind: 'value' | 'histogram' = 'value'

  /**
   * @param start time of day of the process, in milliseconds
   * @param now time of day, in milliseconds
   */
  constructor(service: string, start: number, now: number) {
    this.#start = nanos(start)
    this.#now = nanos(now)
    const resource = { attributes: service === '' ? [] : [attribute('service.name', service)] }
    this.#pieces.push(`{"resourceMetrics":[{"resource":${JSON.stringify(resource)},"scopeMetrics":[{"scope":{"name":"dmicro"},"metrics":[`)
  }

  begin(family: Family): void {
    this.#end()
    this.#family = family
  }

  value({ values }: Labels, value: number): void {
    this.#kind = 'value'
    if (Number.isFinite(value)) this.#points.push(JSON.stringify({ ...this.#point(values), asDouble: value }))
  }

  histogram({ values }: Labels, durations: DurationCounts, buckets: Buckets): void {
    this.#kind = 'histogram'
    const { le, scale } = buckets
    const { counts, exemplars } = shownCounts(durations, buckets)
    const point = {
      ...this.#point(values),
      count: String(counts.reduce((a, b) => a + b, 0)),
      sum: durations.sum * scale,
      bucketCounts: counts.map(String),
      explicitBounds: le.slice(0, -1).map(Number),
      exemplars: exemplars.flatMap((exemplar) => exemplarOf(exemplar, scale)),
    }
    this.#points.push(JSON.stringify(point))
  }

  #point(values: Readonly<Record<string, string>>): object {
    const attributes = Object.entries(values).map(([key, value]) => attribute(key, value.toWellFormed()))
    return { attributes, startTimeUnixNano: this.#start, timeUnixNano: this.#now }
  }

  #end(): void {
    const family = this.#family
    if (family === undefined || this.#points.length === 0) return
    const { name, help, type } = family
    const isFirst = this.#pieces.length === 1
    const unit = name.includes('_seconds') ? 's' : name.includes('_bytes') ? 'By' : name.endsWith('_ms') ? 'ms' : ''
    const head = JSON.stringify({ name: name.replace(/_total$/, ''), description: help, unit }).slice(0, -1)
    const kind = this.#kind === 'histogram' ? 'histogram' : type === 'gauge' ? 'gauge' : 'sum'
    const how = kind === 'gauge' ? '' : `,"aggregationTemporality":${CUMULATIVE}${kind === 'sum' ? ',"isMonotonic":true' : ''}`
    this.#pieces.push(`${isFirst ? '' : ','}${head},"${kind}":{"dataPoints":[${this.#points.join(',')}]${how}}}`)
    this.#points = []
  }

  finish(): Buffer {
    this.#end()
    this.#pieces.push(this.#tail)
    return Buffer.from(this.#pieces.join(''))
  }
}

function exemplarOf(exemplar: Exemplar | undefined, scale: number): object[] {
  const trace = exemplar === undefined ? null : sampledTrace.exec(exemplar.trace)
  if (trace === null || exemplar === undefined) return []
  return [{ timeUnixNano: nanos(exemplar.at), asDouble: exemplar.ms * scale, traceId: trace[1], spanId: trace[2] }]
}

function nanos(ms: number): string {
  return `${Math.floor(ms)}000000`
}
