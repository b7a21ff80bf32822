// The entry point `dmicro/metrics`.

export { type ConsoleOptions, type ConsolePlugin, console } from '../console/console.ts'
export type { OtlpOptions } from './otlp-push.ts'
export { type MetricsPage, type PrometheusOptions, type PrometheusPlugin, prometheus } from './prometheus.ts'
export type { MetricsRegistry } from './register.ts'
