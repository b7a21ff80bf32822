import type { TracerProvider } from '@opentelemetry/api'
import { duration, flag, optionNames, requireOptions } from '../../base/check-options.ts'
import { realClock } from '../../base/time/clock.ts'
import type { Endpoint } from '../../endpoint/endpoint.ts'
import { settingsOf } from '../../endpoint/settings-of.ts'
import type { Plugin } from '../../hooks/plugin.ts'
import type { Conventions } from './conventions.ts'
import { flushSpans } from './flush.ts'
import { tracedLogger } from './log.ts'
import { globalProvider, SpanTracer } from './span-tracer.ts'

/** Options of `tracing`. */
export interface TracingOptions {
  /** Provider of an SDK of OpenTelemetry. Default: the one that is registered, also if that happens later. */
  provider?: TracerProvider | undefined
  /**
   * Share of the traces that begin here which are recorded, 0 to 1. The others cost nearly nothing, because the SDK is
   * not asked about them. A trace that began elsewhere is recorded if it is there. Default: the SDK's sampler is asked
   * about each span.
   */
  ratio?: number | undefined
  /**
   * Names of attributes: `'current'`, those of OpenTelemetry's RPC conventions 1.45; `'old'`, those before; `'both'`.
   * Default: 'current'.
   */
  conventions?: Conventions | undefined
  /** Whether dialling, reconnecting and looking for nodes are spans. Default: true. */
  steps?: boolean | undefined
  /** Whether W3C baggage is sent and received. Default: true. */
  baggage?: boolean | undefined
  /** Whether the lines of the endpoint's log get `trace_id` and `span_id`. Default: true. */
  logs?: boolean | undefined
  /** Most milliseconds that closing the last endpoint waits for the SDK to export its spans. Default: 1500. */
  flushTimeout?: number | undefined
}

/** The plugin that `tracing` makes. */
export interface TracingPlugin extends Plugin {
  /**
   * Makes the SDK export the spans that it holds back, within `flushTimeout`.
   *
   * @returns false when that failed or took too long
   */
  flush(): Promise<boolean>
}

const known = optionNames<TracingOptions>({
  provider: true,
  ratio: true,
  conventions: true,
  steps: true,
  baggage: true,
  logs: true,
  flushTimeout: true,
})
const FLUSH_MS = 1500

/**
 * Makes spans of calls and pushes (docs/tracing.md) with an SDK of OpenTelemetry, and hands their context on to the
 * peer. The plugin may be given to several endpoints.
 *
 * @throws TypeError or RangeError for bad options
 * @example
 * new Endpoint({ plugins: [tracing({ ratio: 0.01 })] })
 */
export function tracing(options: TracingOptions = {}): TracingPlugin {
  requireOptions('options', options, known)
  const { provider, ratio, conventions = 'current' } = options
  if (provider !== undefined && typeof provider?.getTracer !== 'function')
    throw new TypeError('option provider must be a TracerProvider of OpenTelemetry')
  if (ratio !== undefined && !(typeof ratio === 'number' && ratio >= 0 && ratio <= 1))
    throw new RangeError(`option ratio must be a number from 0 to 1, got ${String(ratio)}`)
  if (!['current', 'old', 'both'].includes(conventions))
    throw new TypeError(`option conventions must be 'current', 'old' or 'both', got ${JSON.stringify(conventions)}`)
  const logs = flag('logs', options.logs, true)
  const flushTimeout = duration('flushTimeout', options.flushTimeout, FLUSH_MS, 0)
  let { random } = realClock
  const tracer = new SpanTracer({
    provider,
    ratio,
    conventions,
    steps: flag('steps', options.steps, true),
    baggage: flag('baggage', options.baggage, true),
    random: () => random(),
  })
  const open = new Set<Endpoint>()
  const flush = (): Promise<boolean> => flushSpans(provider ?? globalProvider(), flushTimeout)
  return {
    name: 'tracing',
    flush,
    afterNewEndpoint(endpoint: Endpoint) {
      const settings = settingsOf(endpoint)
      if (open.size === 0) random = settings.clock.random
      open.add(endpoint)
      settings.tracer = tracer
      if (logs) settings.log = tracedLogger(settings.log)
    },
    async afterCloseEndpoint(endpoint: Endpoint) {
      open.delete(endpoint)
      if (open.size === 0) await flush()
    },
  }
}
