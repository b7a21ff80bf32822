// Latencies in a histogram of three digits.
import { createHistogram } from 'node:perf_hooks'

const HOUR_NS = 3_600_000_000_000

export function createLatencies() {
  const histogram = createHistogram({ lowest: 1, highest: HOUR_NS, figures: 3 })
  const us = (ns) => (histogram.count === 0 ? null : Number((ns / 1000).toFixed(2)))
  return {
    /** @param {number} ms as between two `performance.now()` */
    record(ms) {
      histogram.record(Math.max(1, Math.round(ms * 1e6)))
    },
    summary() {
      return {
        p50_us: us(histogram.percentile(50)),
        p99_us: us(histogram.percentile(99)),
        p999_us: us(histogram.percentile(99.9)),
        max_us: us(histogram.max),
      }
    },
  }
}
