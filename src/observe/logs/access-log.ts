import { optionNames, requireOptions } from '../../base/check-options.ts'
import { checkLogger, guarded, type LogFields, type Logger } from '../../base/log.ts'
import { Sampler } from '../../base/sampler.ts'
import type { Clock } from '../../base/time/clock.ts'
import type { Endpoint } from '../../endpoint/endpoint.ts'
import { settingsOf } from '../../endpoint/settings-of.ts'
import type { Plugin } from '../../hooks/plugin.ts'
import type { Meter, MeteredCall, MeteredRoute, MeteredSession, ServedCounts, WaitingCall } from '../../overload/meter.ts'
import { Turn } from '../metrics/turn.ts'

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
  readonly slow: number
  readonly #log: Logger
  /** Tells the time as long as no other meter does. */
  readonly #turn: Turn
  readonly #sampler: Sampler
  /** By kind and name. */
  readonly #logs = new Map<string, RequestLog>()

  constructor(log: Logger, clock: Clock, sample: number, slow: number, inner: Meter | null) {
    this.inner = inner
    this.#log = log
    this.#turn = new Turn(clock.now)
    this.#sampler = new Sampler(sample, clock.random)
    this.slow = slow
  }

  arrived(): number {
    return this.inner === null ? this.#turn.begin() : this.inner.arrived()
  }

  since(begun: number): number {
    return this.inner === null ? this.#turn.since(begun) : this.inner.since(begun)
  }

  countsOf(route: MeteredRoute | undefined, isCall: boolean): ServedCounts {
    const name = route === undefined ? OTHER : route.name
    const key = `${isCall ? 'call' : 'push'} ${name}`
    const before = route?.counts
    const log = this.#logs.get(key) ?? new RequestLog(this, name, isCall, this.inner?.countsOf(route, isCall) ?? null)
    this.#logs.set(key, log)
    // A route of calls may also take pushes, which are rarer there.
    if (route !== undefined) route.counts = isCall ? log : (before ?? log)
    return log
  }

  /** Whether a request is logged by chance. */
  isSampled(): boolean {
    return this.#sampler.takes()
  }

  write(text: string, fields: LogFields): void {
    this.#log.info(text, fields)
  }

  calling(call: MeteredCall, bytes: number, begun: number | undefined, forwarded: boolean): void {
    this.inner?.calling(call, bytes, begun, forwarded)
  }

  waiting(call: WaitingCall, forwarded?: boolean): void {
    this.inner?.waiting(call, forwarded)
  }

  notCalled(method: string, code: number, ms: number, forwarded?: boolean): void {
    this.inner?.notCalled(method, code, ms, forwarded)
  }

  pushed(method: string, bytes: number, forwarded: boolean): void {
    this.inner?.pushed(method, bytes, forwarded)
  }

  notPushed(method: string, forwarded?: boolean): void {
    this.inner?.notPushed(method, forwarded)
  }

  redialled(success: boolean): void {
    this.inner?.redialled(success)
  }

  sessionClosed(reason: number): void {
    this.inner?.sessionClosed(reason)
  }
}

/** Logs the requests of one route, and hands their counts on. */
class RequestLog implements ServedCounts {
  readonly name: string
  readonly isCall: boolean
  readonly #owner: AccessMeter
  /** Counts of the meter behind; null for none. */
  readonly #counts: ServedCounts | null

  constructor(owner: AccessMeter, name: string, isCall: boolean, counts: ServedCounts | null) {
    this.#owner = owner
    this.name = name
    this.isCall = isCall
    this.#counts = counts
  }

  arrive(bytes: number): void {
    if (this.#counts !== null) this.#counts.arrive(bytes)
  }

  ended(begun: number, code: number, bytes: number, trace: string | undefined, session?: MeteredSession): void {
    if (this.#counts !== null) this.#counts.ended(begun, code, bytes, trace, session)
    const { slow } = this.#owner
    const isDue = code !== 0 || this.#owner.isSampled()
    // Without asking for the time.
    if (isDue || slow !== Number.POSITIVE_INFINITY) this.#look(isDue, begun, code, bytes, trace, session)
  }

  #look(isDue: boolean, begun: number, code: number, bytes: number, trace: string | undefined, session: MeteredSession | undefined): void {
    const { slow } = this.#owner
    const ms = this.#owner.since(begun)
    if (!isDue && ms < slow) return
    const [, traceId, spanId] = trace === undefined ? [] : (traceparent.exec(trace) ?? [])
    const fields = {
      session: session?.id,
      remote: session?.remoteAddress,
      kind: this.isCall ? 'call' : 'push',
      method: this.name,
      code,
      ms: Math.round(ms * 1000) / 1000,
      size: bytes,
    }
    this.#owner.write('request', traceId === undefined ? fields : { ...fields, trace_id: traceId, span_id: spanId })
  }

  sized(): void {}

  replied(): void {}

  retried(): void {}
}
