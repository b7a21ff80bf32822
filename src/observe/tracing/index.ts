// The entry point `dmicro/tracing`.

export type { Conventions } from './conventions.ts'
export { tracedLogger } from './log.ts'
export { type TracingOptions, type TracingPlugin, tracing } from './tracing.ts'
