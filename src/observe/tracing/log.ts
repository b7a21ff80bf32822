import { context, isSpanContextValid, trace } from '@opentelemetry/api'
import type { LogFields, Logger, LogLevel } from '../../base/log.ts'
import { unrecordedSpan } from './span-tracer.ts'
import { logFieldsOf } from './spans.ts'

/** `log` with `trace_id` and `span_id` of the span in whose context a line is written, where there is one. */
export function tracedLogger(log: Logger): Logger {
  const at =
    (level: LogLevel) =>
    (text: string, fields?: LogFields): void =>
      log[level](text, withTrace(fields))
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function withTrace(fields: LogFields | undefined): LogFields | undefined {
  const span = trace.getSpanContext(context.active())
  const isNone = span === undefined || span === unrecordedSpan || !isSpanContextValid(span)
  return isNone || fields?.trace_id !== undefined ? fields : { ...logFieldsOf(span), ...fields }
}
