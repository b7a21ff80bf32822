// The entry point `dmicro/metrics`.

export { type MetricsPage, type PrometheusOptions, type PrometheusPlugin, prometheus } from './prometheus.ts'
export type { MetricsRegistry } from './register.ts'
