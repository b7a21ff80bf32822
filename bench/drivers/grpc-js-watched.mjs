// gRPC as its users watch it: OpenTelemetry's instrumentation, 1 % sampled, and a counter and a histogram of prom-client.
import { createRequire } from 'node:module'
import { GrpcInstrumentation } from '@opentelemetry/instrumentation-grpc'
import { Counter, Histogram } from 'prom-client'
import { sampling } from '../peers/observed.mjs'

export const label = 'gRPC (grpc-js), OpenTelemetry (1 %), prom-client'
export const payloads = ['json', 'protobuf']

export async function serve(options) {
  // The instrumentation patches what is required, not what is imported: both get the same object.
  new GrpcInstrumentation().setTracerProvider(sampling(0.01))
  createRequire(import.meta.url)('@grpc/grpc-js')
  const { serveWith } = await import('./grpc-js.mjs')
  const [calls, durations] = [
    new Counter({ name: 'calls_total', help: 'Calls by code.', labelNames: ['method', 'code'] }),
    new Histogram({ name: 'duration_seconds', help: 'Durations.', labelNames: ['method'] }),
  ]
  return serveWith(options, (method, handler) => {
    // Kept for each method, as prom-client advises: looking for a child of labels costs more than what it counts.
    const [ok, failed, duration] = [calls.labels(method, '0'), calls.labels(method, 'other'), durations.labels(method)]
    return (call, answer) => {
      const began = process.hrtime.bigint()
      handler(call, (error, value) => {
        duration.observe(Number(process.hrtime.bigint() - began) / 1e9)
        if (error === null) ok.inc()
        else failed.inc()
        answer(error, value)
      })
    }
  })
}

export const dial = async (address, options) => (await import('./grpc-js.mjs')).dial(address, options)
