import { type Context, type Span, type SpanContext, trace } from '@opentelemetry/api'
import type { LogFields } from '../../base/log.ts'
import { realClock, wallTime } from '../../base/time/clock.ts'
import type { MeteredCall, MeteredSession, RouteCounts } from '../../overload/meter.ts'
import type { TracedCall, TracedRequest } from '../../session/tracer.ts'
import type { Attribution } from './conventions.ts'
import { writeTraceparent } from './trace-context.ts'

/** Place in its trace of a call that is made later, or again. */
export class Origin {
  readonly scope: Context
  /** The span of the attempt before this one. */
  readonly previous: SpanContext | undefined
  /** Number of attempts before this one. */
  readonly retries: number
  /** Whether it is made beside an attempt that has not ended. */
  readonly isHedge: boolean
  /** Time from which it waits, by `Date`; undefined while it has not waited. */
  readonly since: number | undefined

  constructor(scope: Context, previous: SpanContext | undefined, retries: number, isHedge = false, since?: number) {
    this.scope = scope
    this.previous = previous
    this.retries = retries
    this.isHedge = isHedge
    this.since = since
  }
}

type MetaValues = Readonly<Record<string, string>>

/** Status code of an attempt whose connection was lost, and which is made again. */
const CONNECTION_CLOSED = 102

/** A span that ends once, with a status code. */
class EndingSpan {
  readonly scope: Context
  protected readonly span: Span
  /** Counts of the endpoint's meter; null for none. */
  protected counts: RouteCounts | null = null
  readonly #attribution: Attribution
  #hasEnded = false

  constructor(scope: Context, span: Span, attribution: Attribution) {
    this.scope = scope
    this.span = span
    this.#attribution = attribution
  }

  get logFields(): LogFields {
    return logFieldsOf(this.span.spanContext())
  }

  ended(begun: number, code: number, bytes: number, _trace: string | undefined, session?: MeteredSession): void {
    this.counts?.ended(begun, code, bytes, writeTraceparent(this.span.spanContext()), session)
    this.finished(code)
  }

  sized(bytes: number): void {
    this.counts?.sized(bytes)
  }

  replied(bytes: number): void {
    this.counts?.replied(bytes)
  }

  finished(code: number): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#attribution.end(this.span, code)
  }
}

/** The span of a request that is served. */
export class ServedSpan extends EndingSpan implements TracedRequest, RouteCounts {
  counted(counts: RouteCounts | null): RouteCounts {
    this.counts = counts
    return this
  }

  retried(): void {}
}

/** A request that is followed and not recorded: calls that its handler makes carry its trace on. */
export class UnrecordedRequest implements TracedRequest {
  readonly scope: Context

  constructor(scope: Context) {
    this.scope = scope
  }

  counted(counts: RouteCounts | null): RouteCounts | null {
    return counts
  }
}

/** The span of a call or push that is sent. */
export class CalledSpan extends EndingSpan implements TracedCall, RouteCounts {
  readonly #meta: MetaValues
  readonly #origin: Origin
  #call: MeteredCall | undefined

  /** @param origin that of this attempt */
  constructor(scope: Context, span: Span, attribution: Attribution, meta: MetaValues, origin: Origin) {
    super(scope, span, attribution)
    this.#meta = meta
    this.#origin = origin
  }

  addTo(meta: MetaValues | undefined): MetaValues {
    return meta === undefined ? this.#meta : { ...meta, ...this.#meta }
  }

  begun(call: MeteredCall): void {
    this.counts = call.counts
    call.counts = this
    this.#call = call
  }

  pushed(sent: Promise<void> | undefined): void {
    if (sent === undefined) this.finished(0)
    else
      sent.then(
        () => this.finished(0),
        (error: { code: number }) => this.finished(error.code),
      )
  }

  retried(): void {
    this.counts?.retried()
    const request = this.#call?.retryRequest
    const { scope, retries } = this.#origin
    if (request) request.origin = new Origin(scope, this.span.spanContext(), retries + 1, this.#origin.isHedge, wallTime(realClock))
    this.finished(CONNECTION_CLOSED)
  }
}

/** A call or push whose trace is carried on and not recorded. */
export class UnrecordedCall implements TracedCall {
  readonly scope: Context
  readonly #meta: MetaValues

  constructor(scope: Context, meta: MetaValues) {
    this.scope = scope
    this.#meta = meta
  }

  addTo(meta: MetaValues | undefined): MetaValues {
    return meta === undefined ? this.#meta : { ...meta, ...this.#meta }
  }

  begun(call: MeteredCall): void {
    if (call.retryRequest) call.retryRequest.origin = new Origin(this.scope, undefined, 1)
  }

  pushed(): void {}

  finished(): void {}
}

/** Fields of log lines that name a span, in the spelling of OpenTelemetry's logs outside of OTLP. */
export function logFieldsOf({ traceId, spanId }: SpanContext): LogFields {
  return { trace_id: traceId, span_id: spanId }
}

/** The context in which `span` is the parent of what follows. */
export function scopeOf(span: SpanContext, base: Context): Context {
  return trace.setSpanContext(base, span)
}
