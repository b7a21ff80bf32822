import type { LogFields, Logger } from '../../base/log.ts'
import type { Clock } from '../../base/time/clock.ts'
import { type Endpoint, settingsOf } from '../../endpoint/endpoint.ts'
import type { Plugin } from '../../hooks/plugin.ts'
import type { Meter, MeteredCall, MeteredRoute, MeteredSession, RouteCounts } from '../../overload/meter.ts'

/** Number of ticks in a millisecond, as long as no other meter has its own. */
const TICKS_PER_MS = 128
/** Name of methods without a route, which peers choose. */
const OTHER = '_OTHER'
const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/

/**
 * The access log of `runLog`.
 *
 * @param log undefined for that of the endpoint
 * @param sample share of the requests with code 0 that are logged
 * @param slow milliseconds from which a request is always logged
 */
export function accessLog(log: Logger | undefined, sample: number, slow: number): Plugin {
  return {
    name: 'run-log',
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
