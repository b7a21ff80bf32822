import { type Context, type Span, type SpanContext, trace } from '@opentelemetry/api'
import type { CallOrigin, TracedAttempts, TraceScope } from '../../session/tracer.ts'
import type { Attribution } from './conventions.ts'
import { Origin, scopeOf } from './spans.ts'

/** The span of a call by a service's name, whose children are its attempts. */
export class AttemptsSpan implements TracedAttempts {
  readonly isRecorded = true
  readonly scope: Context
  readonly #span: Span
  readonly #attribution: Attribution
  #attempts = 0

  constructor(parent: Context, span: Span, attribution: Attribution) {
    this.scope = trace.setSpan(parent, span)
    this.#span = span
    this.#attribution = attribution
  }

  next(isHedge: boolean): CallOrigin {
    return new Origin(this.scope, undefined, this.#attempts++, isHedge)
  }

  finished(code: number): void {
    this.#span.setAttribute('dmicro.attempts', this.#attempts)
    this.#attribution.end(this.#span, code)
  }
}

/** A call by a service's name that is not recorded: nor are its attempts, whatever the share of other traces. */
export class UnrecordedAttempts implements TracedAttempts {
  readonly isRecorded = false
  readonly scope: TraceScope
  readonly #origin: Origin

  constructor(span: SpanContext, parent: Context) {
    const scope = scopeOf(span, parent)
    this.scope = scope
    this.#origin = new Origin(scope, undefined, 0)
  }

  next(): CallOrigin {
    return this.#origin
  }

  finished(): void {}
}
