import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { context, propagation, SpanKind, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { Endpoint } from '../../src/index.ts'
import { prometheus } from '../../src/observe/metrics/index.ts'
import { tracing } from '../../src/observe/tracing/index.ts'
import { parentOf, spans } from '../support/spans.ts'
import { GoPeer, type GoServer } from './go-peer.ts'
import { speaking } from './protocols.ts'

delete process.env.DMICRO_TRANSPORT

const peer = await GoPeer.build()
const missing = typeof peer === 'string' ? peer : undefined
if (missing !== undefined && process.env.DMICRO_INTEROP === 'required') throw new Error(`the Go peer is required: ${missing}`)

describe('traces through Go DMicro', { skip: missing }, () => {
  const go = peer as GoPeer
  after(() => go.dispose())

  for (const protocol of ['raw', 'json', 'http'] as const)
    for (const transport of ['native', 'js'] as const)
      describe(`${transport} in ${protocol}`, () => {
        let server: GoServer
        before(async () => {
          server = await go.serve('tcp', protocol)
        })
        after(() => server.stop())

        it('a call to Go, and the call that Go makes back, are one trace with one id', {
          skip: protocol === 'http' && 'Go does not call back over http',
        }, async (t) => {
          const traced = spans({ steps: false })
          const client = new Endpoint({ ...speaking(protocol), transport, log: false, plugins: [traced.plugin] })
          t.after(() => client.close())
          client.routeCall('/client/double', (n: number) => {
            assert.equal(propagation.getActiveBaggage()?.getEntry('user')?.value, 'gr\u00fcn')
            return n * 2
          })
          const session = await client.dial(server.url)
          const baggage = propagation.createBaggage({ user: { value: 'gr\u00fcn' } })
          const read = await context.with(propagation.setBaggage(context.active(), baggage), () => session.call('/trace/back', 4))
          const [called, served] = [traced.one('/trace/back', SpanKind.CLIENT), traced.one('/client/double', SpanKind.SERVER)]
          assert.equal(read, called.spanContext().traceId)
          assert.equal(served.spanContext().traceId, called.spanContext().traceId)
          assert.equal(parentOf(served), called.spanContext().spanId)
        })

        it('Go keeps a trace whose parent had flags of a later level, because it is sent 01', async (t) => {
          const traced = spans({ steps: false })
          const client = new Endpoint({ ...speaking(protocol), transport, log: false, plugins: [traced.plugin] })
          t.after(() => client.close())
          const parent = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', traceFlags: 3, isRemote: true }
          const session = await client.dial(server.url)
          const seen = await context.with(trace.setSpanContext(context.active(), parent), () =>
            session.call<Record<string, string>>('/meta/echo', {}),
          )
          const sent = Object.entries(seen).find(([key]) => key.toLowerCase() === 'traceparent')?.[1]
          assert.match(sent as string, new RegExp(`^00-${parent.traceId}-[0-9a-f]{16}-01$`))
        })
      })
})

describe('what a collector gets, by the protobuf definitions of OpenTelemetry', { skip: missing }, () => {
  let directory: string
  let binary: string
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'dmicro-otlp-'))
    binary = join(directory, 'dmicro-otlp')
    await promisify(execFile)('go', ['build', '-o', binary, '.'], { cwd: join(import.meta.dirname, 'go-otlp') })
  })
  after(() => rm(directory, { recursive: true, force: true }))

  async function decoded(kind: 'metrics' | 'traces', body: Buffer): Promise<string> {
    const run = promisify(execFile)(binary, [kind], { maxBuffer: 1 << 26 })
    run.child.stdin?.end(body)
    return (await run).stdout
  }

  it('metrics and spans of a call are read', async (t) => {
    const bodies = new Map<string, Buffer>()
    const collector = createServer(async (request, response) => {
      bodies.set(request.url as string, await buffer(request))
      response.writeHead(200).end()
    })
    collector.listen(0, '127.0.0.1')
    await once(collector, 'listening')
    t.after(() => collector.close().closeAllConnections())
    const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
    const exporter = new OTLPTraceExporter({ url: `${url}/v1/traces` })
    const provider = new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter })] })
    const plugins = [prometheus({ service: 'math', otlp: { url: `${url}/v1/metrics` } }), tracing({ provider })]
    const server = new Endpoint({ plugins, log: false })
    server.routeCall('/add', ([a, b]: number[]) => a + b)
    const client = new Endpoint({ log: false })
    await (await client.dial((await server.listen('tcp://127.0.0.1:0')).url)).call('/add', [1, 2])
    await client.close()
    await server.close()
    const metrics = await decoded('metrics', bodies.get('/v1/metrics') as Buffer)
    assert.match(metrics, /"dmicro_server_calls"/)
    assert.match(metrics, /"aggregationTemporality":\s*"AGGREGATION_TEMPORALITY_CUMULATIVE"/)
    assert.match(metrics, /"exemplars"/)
    const traces = await decoded('traces', bodies.get('/v1/traces') as Buffer)
    assert.match(traces, /"name":\s*"\/add"/)
    assert.match(traces, /"SPAN_KIND_SERVER"/)
  })
})
