import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
  TracerProvider,
  type TracerProviderOptions,
} from '@opentelemetry/sdk-trace'
import { type TracingOptions, tracing } from '../../src/observe/tracing/index.ts'

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())

/** A provider of the real SDK that keeps its spans, and a plugin that uses it. */
export function spans(options: TracingOptions & { sampler?: Sampler } = {}) {
  const { sampler, ...own } = options
  const exporter = new InMemorySpanExporter()
  const settings: TracerProviderOptions = { spanProcessors: [new SimpleSpanProcessor({ exporter } as never)] }
  const provider = new TracerProvider(sampler === undefined ? settings : { ...settings, sampler })
  return {
    provider,
    plugin: tracing({ provider, ...own }),
    /** The spans that have ended, the first that ended first. */
    all: () => exporter.getFinishedSpans(),
    /** The only span of a name and kind. */
    one(name: string, kind: number): ReadableSpan {
      const found = exporter.getFinishedSpans().filter((span) => span.name === name && span.kind === kind)
      if (found.length !== 1)
        throw new Error(
          `${found.length} spans ${name} of kind ${kind} in ${exporter
            .getFinishedSpans()
            .map((span) => `${span.name}:${span.kind}`)
            .join(' ')}`,
        )
      return found[0]
    },
  }
}

export function parentOf(span: ReadableSpan): string | undefined {
  return span.parentSpanContext?.spanId
}
