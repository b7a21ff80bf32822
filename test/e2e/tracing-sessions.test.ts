import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { it } from 'node:test'
import { SpanKind, trace } from '@opentelemetry/api'
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import { EventBus } from '../../src/dserver/eventbus/index.ts'
import { tracing } from '../../src/observe/tracing/index.ts'
import { endpoint, once, onEachTransport, pair, status } from '../support/helpers.ts'
import { mathServer, over, ownRegistry, rpcClient } from '../support/rpc.ts'
import { parentOf, spans } from '../support/spans.ts'

const { CLIENT, SERVER, INTERNAL, PRODUCER } = SpanKind
const quick = { minDelay: 1, maxDelay: 20 }

onEachTransport('tracing of sessions', (transport) => {
  it('a call that is made again after a loss has a span of its own, linked to the one before, in the trace of its caller', async (t) => {
    const traced = spans()
    const server = endpoint(t, { transport })
    const seen: (string | undefined)[] = []
    const begun = once()
    server.routeCall('/twice', (_, ctx) => {
      seen.push(ctx.meta.traceparent)
      begun.resolve()
      return seen.length === 1 ? new Promise(() => {}) : 'done'
    })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const accepted = event(server, 'session')
    const client = endpoint(t, { transport, redial: quick, plugins: [traced.plugin] })
    const session = await client.dial(url)
    const [peer] = await accepted
    const answer = traced.provider.getTracer('test').startActiveSpan('work', async (work) => {
      const made = session.call('/twice', 1, { idempotent: true })
      work.end()
      return made
    })
    await begun.promise
    peer.destroy()
    assert.equal(await answer, 'done')
    const [first, second] = traced.all().filter(({ name, kind }) => name === '/twice' && kind === CLIENT)
    assert.equal(first.attributes['error.type'], '102')
    assert.equal(second.attributes['dmicro.retries'], 1)
    assert.deepEqual(
      second.links.map(({ context }) => context.spanId),
      [first.spanContext().spanId],
    )
    const work = traced.one('work', INTERNAL).spanContext()
    assert.deepEqual([parentOf(first), parentOf(second)], [work.spanId, work.spanId])
    assert.ok(seen[1]?.includes(second.spanContext().spanId))
    assert.equal(traced.one('redial', INTERNAL).attributes['server.address'], '127.0.0.1')
  })

  it('a call and a push that wait for a connection belong to the trace of their caller', async (t) => {
    const traced = spans({ steps: false })
    const server = endpoint(t, { transport })
    server.routeCall('/echo', (value: unknown) => value)
    server.routePush('/note', () => {})
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const client = endpoint(t, { transport, redial: quick, plugins: [traced.plugin] })
    const accepted = event(server, 'session')
    const session = await client.dial(url)
    const [peer] = await accepted
    const lost = event(session, 'redialing')
    peer.destroy()
    await lost
    await traced.provider.getTracer('test').startActiveSpan('work', async (work) => {
      const all = Promise.all([session.push('/note', 1), session.call('/echo', 1)])
      work.end()
      await all
    })
    const work = traced.one('work', INTERNAL).spanContext().spanId
    assert.equal(parentOf(traced.one('/echo', CLIENT)), work)
    assert.equal(parentOf(traced.one('/note', PRODUCER)), work)
  })

  it('a client of a service has spans for the search, the dial and each attempt, all of one trace', async (t) => {
    const traced = spans()
    const registry = ownRegistry(t)
    const [good, bad] = [await mathServer(t, transport, registry), await mathServer(t, transport, registry)]
    let refused = 0
    for (const server of [good, bad])
      server.routeCall('/math/once', (_, ctx) => {
        if (refused++ > 0) return 'done'
        ctx.session.destroy()
        return new Promise(() => {})
      })
    const gate = once()
    const slow = over(registry, { getService: (name) => gate.promise.then(() => registry.getService(name)) })
    const client = rpcClient(t, transport, slow, { plugins: [traced.plugin] })
    const answer = traced.provider.getTracer('test').startActiveSpan('work', async (work) => {
      const made = client.call('/math/once', 1, { idempotent: true })
      work.end()
      return made
    })
    gate.resolve()
    assert.equal(await answer, 'done')
    const { traceId, spanId } = traced.one('work', INTERNAL).spanContext()
    const call = traced.one('/math/once', INTERNAL)
    assert.equal(parentOf(call), spanId)
    assert.deepEqual(call.attributes, {
      'rpc.system.name': 'dmicro',
      'rpc.method': '/math/once',
      'rpc.status_code': '0',
      'dmicro.service': 'math',
      'dmicro.attempts': 2,
    })
    const own = call.spanContext().spanId
    const attempts = traced.all().filter(({ name, kind }) => name === '/math/once' && kind === CLIENT)
    assert.deepEqual(
      attempts.map((span) => [span.attributes['rpc.status_code'], span.attributes['dmicro.retries'], parentOf(span)]),
      [
        ['102', undefined, own],
        ['0', 1, own],
      ],
    )
    const [found] = traced.all().filter(({ name }) => name === 'discover')
    assert.equal(found.attributes['dmicro.service'], 'math')
    assert.equal(parentOf(found), own)
    const dials = traced.all().filter(({ name }) => name === 'dial')
    assert.deepEqual(
      dials.map((span) => [parentOf(span), span.spanContext().traceId]),
      dials.map(() => [own, traceId]),
    )
    assert.ok(dials.length > 0)
  })

  it('listeners of an event bus run in the context of the handler that emits, also those that are queued', async (t) => {
    const traced = spans({ steps: false })
    const { server, session } = await pair(t, transport, { server: { plugins: [traced.plugin] } })
    const bus = new EventBus<{ sold: string }>()
    const heard = once<string | undefined>()
    bus.on('sold', () => heard.resolve(trace.getActiveSpan()?.spanContext().spanId))
    server.routeCall('/buy', async () => {
      await new Promise((resolve) => setImmediate(resolve))
      bus.publish('sold', 'tea')
    })
    await session.call('/buy')
    assert.equal(await heard.promise, traced.one('/buy', SERVER).spanContext().spanId)
  })

  it('an exporter that hangs or fails delays a close by no more than flushTimeout', async (t) => {
    const exporters: SpanExporter[] = [
      { export: () => {}, shutdown: async () => {} },
      { export: (_, done) => done({ code: 1, error: new Error('no') }), shutdown: async () => {} },
      {
        export: () => {
          throw new Error('no')
        },
        shutdown: async () => {},
      },
    ]
    for (const exporter of exporters) {
      const provider = new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: 300 })] })
      const plugin = tracing({ provider, flushTimeout: 100 })
      const { client, session } = await pair(t, transport, { client: { plugins: [plugin] } })
      await status(session.call('/x'))
      const begun = performance.now()
      await client.close()
      assert.ok(performance.now() - begun < 2_000)
      assert.equal(typeof (await plugin.flush()), 'boolean')
    }
  })
})
