import { optionNames, requireOptions } from '../../base/check-options.ts'
import { checkLogger, guarded, type LogFields, type Logger } from '../../base/log.ts'
import type { Clock } from '../../base/time/clock.ts'
import { type Endpoint, settingsOf } from '../../endpoint/endpoint.ts'
import type { Plugin } from '../../hooks/plugin.ts'
import type { Meter, MeteredCall, MeteredRoute, MeteredSession, RouteCounts } from '../../overload/meter.ts'

/** Number of ticks in a millisecond, as long as no other meter has its own. */
const TICKS_PER_MS = 128
/** Name of methods without a route, which peers choose. */
const OTHER = '_OTHER'
const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/

/** Options of `accessLog`. */
export interface AccessLogOptions {
  /** Logger, which gets the lines at level info. Default: the endpoint's log. */
  log?: Logger | undefined
  /**
   * Share of the requests with code 0 that are logged, 0 to 1. Those that fail, or take `slow` milliseconds, are always
   * logged. Default: 1.
   */
  sample?: number | undefined
  /** Milliseconds from which a request is always logged. Default: none. */
  slow?: number | undefined
}

const known = optionNames<AccessLogOptions>({ log: true, sample: true, slow: true })

/**
 * Logs one line for each request that was served, with fields and without bodies and meta: `session`, `remote`, `kind`,
 * `method`, `code`, `ms`, `size`, and the ids of its trace. It has no hooks, so it costs little.
 *
 * @throws TypeError or RangeError for bad options
 */
export function accessLog(options: AccessLogOptions = {}): Plugin {
  requireOptions('options', options, known)
  const { sample = 1, slow = Number.POSITIVE_INFINITY } = options
  if (!(typeof sample === 'number' && sample >= 0 && sample <= 1))
    throw new RangeError(`option sample must be a number from 0 to 1, got ${String(sample)}`)
  if (!(typeof slow === 'number' && slow >= 0)) throw new RangeError('option slow must be milliseconds')
  const log = options.log === undefined ? undefined : guarded(checkLogger('log', options.log))
  return {
    name: 'access-log',
    afterNewEndpoint(endpoint: Endpoint) {
      const settings = settingsOf(endpoint)
      settings.meter = new AccessMeter(log ?? endpoint.log, settings.clock, sample, slow, settings.meter)
    },
  }
}

/**
 * Logs requests where they are counted, and hands all on to the endpoint's meter. What it is asked for each message
 * allocates nothing, unless the message is logged.
 */
class AccessMeter implements Meter {
  inner: Meter | null
  readonly #log: Logger
  readonly #clock: Clock
  readonly #sample: number
  readonly #slow: number
  readonly #calls = new Map<MeteredRoute | undefined, RequestLog>()
  readonly #pushes = new Map<MeteredRoute | undefined, RequestLog>()

  constructor(log: Logger, clock: Clock, sample: number, slow: number, inner: Meter | null) {
    this.inner = inner
    this.#log = log
    this.#clock = clock
    this.#sample = sample
    this.#slow = slow
  }

  arrived(): number {
    return this.inner === null ? (this.#clock.now() * TICKS_PER_MS) | 0 : this.inner.arrived()
  }

  since(begun: number): number {
    if (this.inner !== null) return this.inner.since(begun)
    return ((((this.#clock.now() * TICKS_PER_MS) | 0) - begun) >>> 0) / TICKS_PER_MS
  }

  received(route: MeteredRoute | undefined, isCall: boolean, bytes: number): RouteCounts {
    const all = isCall ? this.#calls : this.#pushes
    let log = all.get(route)
    if (log === undefined) all.set(route, (log = new RequestLog(this, route?.name ?? OTHER, isCall ? 'call' : 'push')))
    log.counts = this.inner === null ? null : this.inner.received(route, isCall, bytes)
    return log
  }

  /** Whether a request that took `ms` is logged. */
  isLogged(code: number, ms: number): boolean {
    return code !== 0 || ms >= this.#slow || this.#sample === 1 || (this.#sample > 0 && this.#clock.random() < this.#sample)
  }

  write(text: string, fields: LogFields): void {
    this.#log.info(text, fields)
  }

  calling(call: MeteredCall, bytes: number): void {
    this.inner?.calling(call, bytes)
  }

  notCalled(method: string, code: number): void {
    this.inner?.notCalled(method, code)
  }

  pushed(method: string, bytes: number): void {
    this.inner?.pushed(method, bytes)
  }

  notPushed(method: string): void {
    this.inner?.notPushed(method)
  }

  redialled(success: boolean): void {
    this.inner?.redialled(success)
  }

  sessionClosed(reason: number): void {
    this.inner?.sessionClosed(reason)
  }
}

/** Logs the requests of one route. */
class RequestLog implements RouteCounts {
  readonly #owner: AccessMeter
  readonly #method: string
  readonly #kind: 'call' | 'push'
  /** Counts of the route by the meter behind; null without one. */
  counts: RouteCounts | null = null

  constructor(owner: AccessMeter, method: string, kind: 'call' | 'push') {
    this.#owner = owner
    this.#method = method
    this.#kind = kind
  }

  ended(begun: number, code: number, bytes: number, trace: string | undefined, session?: MeteredSession): void {
    if (this.counts !== null) this.counts.ended(begun, code, bytes, trace, session)
    const ms = this.#owner.since(begun)
    if (!this.#owner.isLogged(code, ms)) return
    const [, traceId, spanId] = trace === undefined ? [] : (traceparent.exec(trace) ?? [])
    this.#owner.write('request', {
      session: session?.id,
      remote: session?.remoteAddress,
      kind: this.#kind,
      method: this.#method,
      code,
      ms: Math.round(ms * 1000) / 1000,
      size: bytes,
      ...(traceId === undefined ? undefined : { trace_id: traceId, span_id: spanId }),
    })
  }

  replied(): void {}

  retried(): void {}
}
