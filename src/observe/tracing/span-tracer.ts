import {
  type Context,
  context,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  type Tracer as SpanSource,
  SpanStatusCode,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import { type CallScope, runHandler } from '../../base/async/call-context.ts'
import { StatusError } from '../../base/errors/status.ts'
import { Sampler } from '../../base/sampler.ts'
import { realClock, wallTime } from '../../base/time/clock.ts'
import { methodOf } from '../../endpoint/requests.ts'
import type { Incoming } from '../../message/message.ts'
import { type Meta, noMeta } from '../../message/meta.ts'
import type { MeteredSession } from '../../overload/meter.ts'
import type {
  CallOrigin,
  TracedAttempts,
  TracedCall,
  TracedRequest,
  TracedRoute,
  TracedStep,
  Tracer,
  TraceScope,
} from '../../session/tracer.ts'
import { AttemptsSpan, UnrecordedAttempts } from './attempts.ts'
import { readBaggage, writeBaggage } from './baggage.ts'
import { Attribution, type Conventions, OTHER } from './conventions.ts'
import { CalledSpan, Origin, ServedSpan, scopeOf, UnrecordedCall, UnrecordedRequest } from './spans.ts'
import { isSampled, readSpanContext, writeTraceparent, writeTracestate } from './trace-context.ts'

/** The options of `tracing` that a tracer needs, with their defaults. */
interface SpanTracerOptions {
  readonly provider: TracerProvider | undefined
  readonly ratio: number | undefined
  readonly conventions: Conventions
  readonly steps: boolean
  readonly baggage: boolean
  readonly random: () => number
}

/**
 * Marks the contexts of requests whose trace began here and is not recorded. One for all of them, because making ids
 * and a context for each would cost more than the rest of what an unrecorded request costs. The ids are made when they
 * are read, by other instrumentations that send them on: a constant would join all such requests into one trace there.
 */
export const unrecordedSpan: SpanContext = {
  get traceId(): string {
    return hex(realClock.random, 4)
  },
  get spanId(): string {
    return hex(realClock.random, 2)
  },
  traceFlags: 0,
}
const unrecordedRoot = scopeOf(unrecordedSpan, ROOT_CONTEXT)
const unrecordedAttempts = new UnrecordedAttempts(unrecordedSpan, ROOT_CONTEXT)
const unrecordedRequest = new UnrecordedRequest(unrecordedRoot)
/** One whose handler makes calls after an `await`, so that its context is entered. */
const unrecordedAsyncRequest = new UnrecordedRequest(unrecordedRoot)

/** Whether the code that runs is that of a request with `unrecordedRoot`, whose context was not entered. */
let isUnrecorded = false

/** Makes spans of calls and pushes with an SDK of OpenTelemetry. Without one it does nothing. */
export class SpanTracer implements Tracer {
  readonly #options: SpanTracerOptions
  readonly #attribution: Attribution
  readonly #source: SpanSource
  /** Decides about traces that begin here; undefined where the SDK does. */
  readonly #sampler: Sampler | undefined
  #hasSdk: boolean

  constructor(options: SpanTracerOptions) {
    this.#options = options
    this.#sampler = options.ratio === undefined ? undefined : new Sampler(options.ratio, options.random)
    this.#attribution = new Attribution(options.conventions)
    this.#source = (options.provider ?? trace).getTracer('dmicro')
    this.#hasSdk = options.provider !== undefined
  }

  /** Whether an SDK was registered, which may happen after the endpoint was made. */
  #isOn(): boolean {
    return this.#hasSdk || this.#looksForSdk()
  }

  #looksForSdk(): boolean {
    this.#hasSdk = globalProvider().constructor.name !== 'NoopTracerProvider'
    return this.#hasSdk
  }

  serving(session: MeteredSession, route: TracedRoute | undefined, message: Incoming, meta: Meta, isCall: boolean): TracedRequest | null {
    // Short, because V8 inlines only so much into the function that calls this for each request.
    if (meta === noMeta && this.#hasSdk && this.#sampler?.passesOver() === true)
      return route !== undefined && !route.isAsync ? unrecordedRequest : unrecordedAsyncRequest
    return this.#servingElse(session, route, message, meta, isCall)
  }

  /** Begins the span of a request that may belong to a trace, or that is sampled. */
  #servingElse(
    session: MeteredSession,
    route: TracedRoute | undefined,
    message: Incoming,
    meta: Meta,
    isCall: boolean,
  ): TracedRequest | null {
    if (!this.#isOn()) return null
    const sampler = this.#sampler
    const parent = readSpanContext(meta)
    const base = this.#baseOf(parent, meta)
    if (sampler !== undefined && !(parent === undefined ? sampler.takes() : isSampled(parent)))
      return base === ROOT_CONTEXT
        ? unrecordedOf(route)
        : new UnrecordedRequest(parent === undefined ? scopeOf(unrecordedSpan, base) : base)
    return this.#serve(session, route?.name, message, base, isCall)
  }

  /** The context that a request brings along. */
  #baseOf(parent: SpanContext | undefined, meta: Meta): Context {
    const base = parent === undefined ? ROOT_CONTEXT : scopeOf(parent, ROOT_CONTEXT)
    const baggage = this.#options.baggage ? readBaggage(meta.baggage ?? meta.Baggage) : undefined
    return baggage === undefined ? base : propagation.setBaggage(base, baggage)
  }

  #serve(session: MeteredSession, route: string | undefined, message: Incoming, base: Context, isCall: boolean): TracedRequest {
    const method = route ?? OTHER
    const original = route === undefined ? methodOf(message) : undefined
    const attributes = this.#attribution.of(method, session, false, original)
    const kind = isCall ? SpanKind.SERVER : SpanKind.CONSUMER
    const span = this.#source.startSpan(this.#attribution.spanName(method), { kind, attributes }, base)
    const scope = trace.setSpan(base, span)
    return span.isRecording() ? new ServedSpan(scope, span, this.#attribution) : new UnrecordedRequest(scope)
  }

  calling(session: MeteredSession, method: string, isCall: boolean, given: CallOrigin): TracedCall | null {
    if (!this.#isOn()) return null
    const origin = given as Origin | undefined
    const parent = origin === undefined ? activeScope() : origin.scope
    const sampler = this.#sampler
    if (sampler !== undefined) {
      const span = trace.getSpanContext(parent)
      if (span === unrecordedSpan) return this.#unrecorded(span, parent)
      if (span === undefined || !isSpanContextValid(span)) {
        if (!sampler.takes()) return this.#unrecorded(unrecordedSpan, parent)
      } else if (!isSampled(span)) return this.#unrecorded(span, parent)
    }
    const attributes = this.#attribution.of(method, session, true)
    if (origin !== undefined && origin.retries > 0) attributes['dmicro.retries'] = origin.retries
    if (origin?.isHedge === true) attributes['dmicro.hedge'] = true
    const links = origin?.previous === undefined ? [] : [{ context: origin.previous }]
    const kind = isCall ? SpanKind.CLIENT : SpanKind.PRODUCER
    const options: SpanOptions = { kind, attributes, links }
    if (origin?.since !== undefined) options.startTime = origin.since
    const span = this.#source.startSpan(this.#attribution.spanName(method), options, parent)
    const spanContext = span.spanContext()
    if (!isSpanContextValid(spanContext)) return null // tracing is suppressed here
    if (!span.isRecording()) return this.#unrecorded(spanContext, parent)
    const meta = this.#metaOf(spanContext, parent)
    return new CalledSpan(trace.setSpan(parent, span), span, this.#attribution, meta, origin ?? new Origin(parent, undefined, 0))
  }

  attempting(service: string, method: string): TracedAttempts | null {
    if (!this.#isOn()) return null
    const parent = activeScope()
    const sampler = this.#sampler
    if (sampler !== undefined) {
      const span = trace.getSpanContext(parent)
      if (span !== unrecordedSpan && (span === undefined || !isSpanContextValid(span))) {
        if (!sampler.takes()) return parent === ROOT_CONTEXT ? unrecordedAttempts : new UnrecordedAttempts(unrecordedSpan, parent)
      } else if (!isSampled(span)) return parent === unrecordedRoot ? unrecordedAttempts : new UnrecordedAttempts(span, parent)
    }
    const attributes = this.#attribution.ofAttempts(service, method)
    const span = this.#source.startSpan(this.#attribution.spanName(method), { kind: SpanKind.INTERNAL, attributes }, parent)
    const spanContext = span.spanContext()
    if (!isSpanContextValid(spanContext)) return null // tracing is suppressed here
    return span.isRecording() ? new AttemptsSpan(parent, span, this.#attribution) : new UnrecordedAttempts(spanContext, parent)
  }

  #unrecorded(span: SpanContext, parent: Context): TracedCall {
    const sent =
      span === unrecordedSpan ? { traceId: hex(this.#options.random, 4), spanId: hex(this.#options.random, 2), traceFlags: 0 } : span
    return new UnrecordedCall(scopeOf(span, parent), this.#metaOf(sent, parent))
  }

  #metaOf(span: SpanContext, parent: Context): Record<string, string> {
    const meta: Record<string, string> = { traceparent: writeTraceparent(span) }
    const state = span.traceState === undefined ? undefined : writeTracestate(span)
    if (state !== undefined) meta.tracestate = state
    const baggage = this.#options.baggage ? writeBaggage(propagation.getBaggage(parent)) : undefined
    if (baggage !== undefined) meta.baggage = baggage
    return meta
  }

  origin(given: CallOrigin): CallOrigin {
    const now = wallTime(realClock)
    if (given === undefined) return new Origin(activeScope(), undefined, 0, false, now)
    const { scope, previous, retries, isHedge, since } = given as Origin
    return new Origin(scope, previous, retries, isHedge, since ?? now)
  }

  runHandler<Arg, Call extends CallScope, Result>(
    request: TracedRequest,
    call: Call,
    handler: (arg: Arg, context: Call) => Result,
    arg: Arg,
  ): Result {
    if (request !== unrecordedRequest) return enter(request, call, handler, arg)
    // To enter a context would cost most of what following such a request costs, and only what a handler does after an
    // `await` needs it.
    const before = isUnrecorded
    isUnrecorded = true
    try {
      return runHandler(call, handler, arg)
    } finally {
      isUnrecorded = before
    }
  }

  run<This, Args extends unknown[], Result>(
    scope: TraceScope,
    run: (this: This, ...args: Args) => Result,
    self: This,
    ...args: Args
  ): Result {
    const entered = scope instanceof Origin ? scope.scope : (scope as Context)
    return context.with(entered, run as (...args: unknown[]) => Result, self as never, ...args)
  }

  step<T>(step: TracedStep, target: string, run: () => Promise<T>): Promise<T> {
    const parent = context.active()
    if (!this.#options.steps || !this.#isOn() || (this.#sampler !== undefined && !isFollowed(parent))) return run()
    const attributes = this.#attribution.ofStep(target)
    const span = this.#source.startSpan(step, { kind: SpanKind.INTERNAL, attributes }, parent)
    const end = (error: unknown): void => {
      if (error !== undefined) failed(span, error)
      span.end()
    }
    const made = context.with(trace.setSpan(parent, span), run)
    made.then(
      () => end(undefined),
      (error) => end(error ?? null),
    )
    return made
  }
}

function enter<Arg, Call extends CallScope, Result>(
  request: TracedRequest,
  call: Call,
  handler: (arg: Arg, context: Call) => Result,
  arg: Arg,
): Result {
  return context.with(request.scope as Context, runHandler<Arg, Call, Result>, undefined, call, handler, arg)
}

/** The provider that was registered, or the one of the API that does nothing. */
export function globalProvider(): TracerProvider {
  const provider = trace.getTracerProvider() as TracerProvider & { getDelegate?(): TracerProvider }
  return provider.getDelegate?.() ?? provider
}

function unrecordedOf(route: TracedRoute | undefined): UnrecordedRequest {
  return route?.isAsync === false ? unrecordedRequest : unrecordedAsyncRequest
}

function activeScope(): Context {
  const active = context.active()
  return isUnrecorded && trace.getSpanContext(active) === undefined ? unrecordedRoot : active
}

function isFollowed(scope: Context): boolean {
  const span = trace.getSpanContext(scope)
  return span !== undefined && isSampled(span)
}

/** Only the kind of failure: texts may come from a peer, or name what is secret. */
function failed(span: Span, error: unknown): void {
  span.setAttribute('error.type', error instanceof StatusError ? String(error.code) : error instanceof Error ? error.name : '_OTHER')
  span.setStatus({ code: SpanStatusCode.ERROR })
}

/** `words` times 8 hex digits, never all zero. */
function hex(random: () => number, words: number): string {
  let text = ''
  for (let i = 0; i < words; i++) text += ((random() * 0xffff_ffff + 1) >>> 0).toString(16).padStart(8, '0')
  return text
}
