import assert from 'node:assert/strict'
import { it } from 'node:test'
import { context, ROOT_CONTEXT, type SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { StatusError } from '../../src/index.ts'
import { staticRegistry } from '../../src/rpc/index.ts'
import { endpoint, once, onEachTransport } from '../support/helpers.ts'
import { mathServer, ownRegistry, rpcClient } from '../support/rpc.ts'
import { parentOf, spans } from '../support/spans.ts'

const [INTERNAL, CLIENT]: SpanKind[] = [0, 2]

onEachTransport('traces of calls by the name of a service', (transport) => {
  it('have one span that ends with what the caller gets: a failure, a time-out, a cancel, a loss', async (t) => {
    const registry = ownRegistry(t)
    const server = await mathServer(t, transport, registry)
    const called = once()
    server.routeCall('/math/never', () => {
      called.resolve()
      return new Promise(() => {})
    })
    server.routeCall('/math/bad', () => Promise.reject(new StatusError(1001)))
    server.routeCall('/math/lost', (_, ctx) => {
      ctx.session.destroy()
      return new Promise(() => {})
    })
    const traced = spans()
    const client = rpcClient(t, transport, registry, { plugins: [traced.plugin], retry: false })
    await assert.rejects(client.call('/math/bad'), { code: 1001 })
    await assert.rejects(client.call('/math/lost'), { code: 102 })
    await assert.rejects(client.call('/math/never', 1, { timeout: 30 }), { code: 408 })
    const cancel = new AbortController()
    const canceled = client.call('/math/never', 1, { signal: cancel.signal })
    await called.promise
    cancel.abort()
    await assert.rejects(canceled, { code: 499 })
    await assert.rejects(client.call('/math/none', Symbol('x')), { code: 104 })
    await assert.rejects(client.call('/math/add', 1, { key: 7 as never }), TypeError)
    await assert.rejects(client.call('/math/add', 1, { strategy: 'nearest' as never }), TypeError)
    const ended = traced.all().filter(({ kind }) => kind === INTERNAL)
    const calls = ended.filter(({ name }) => name.startsWith('/math'))
    assert.deepEqual(
      calls.map(({ name, attributes, status }) => [name, attributes['rpc.status_code'], attributes['error.type'], status.code]),
      [
        ['/math/bad', '1001', '1001', SpanStatusCode.ERROR],
        ['/math/lost', '102', '102', SpanStatusCode.ERROR],
        ['/math/never', '408', '408', SpanStatusCode.ERROR],
        ['/math/never', '499', '499', SpanStatusCode.ERROR],
        ['/math/none', '104', '104', SpanStatusCode.ERROR],
        ['/math/add', '104', '104', SpanStatusCode.ERROR],
        ['/math/add', '104', '104', SpanStatusCode.ERROR],
      ],
    )
    assert.ok(calls.every((span) => span.ended))
    const made = traced.all().filter(({ kind }) => kind === CLIENT)
    for (const attempt of made) assert.ok(calls.some((call) => call.spanContext().spanId === parentOf(attempt)))
  })

  it('end when no node is there, when the client is closed, and with what a fallback gives', async (t) => {
    const traced = spans()
    const none = rpcClient(t, transport, ownRegistry(t), { plugins: [traced.plugin] })
    await assert.rejects(none.call('/math/add', 1, { timeout: 500 }), { code: 503 })
    await none.close()
    await assert.rejects(none.call('/math/add'), { code: 100 })
    const registry = ownRegistry(t)
    const server = await mathServer(t, transport, registry)
    server.routeCall('/math/bad', () => Promise.reject(new StatusError(500)))
    const given = rpcClient(t, transport, registry, { plugins: [traced.plugin], fallback: () => 'given' })
    assert.equal(await given.call('/math/bad'), 'given')
    await assert.rejects(given.call('/math/none'), { code: 404 })
    const calls = traced.all().filter(({ name, kind }) => name.startsWith('/math') && kind === INTERNAL)
    assert.deepEqual(
      calls.map(({ attributes }) => [attributes['rpc.status_code'], attributes['dmicro.attempts']]),
      [
        ['503', 0],
        ['100', 0],
        ['0', 1],
        ['404', 1],
      ],
    )
  })

  it('number retries and hedges, each a child of the call', async (t) => {
    const registry = ownRegistry(t)
    let calls = 0
    for (let i = 0; i < 2; i++) {
      const server = await mathServer(t, transport, registry)
      server.routeCall('/math/slow', () => (calls++ === 0 ? new Promise(() => {}) : 'fast'))
      server.routeCall('/math/third', () => (calls++ < 2 ? Promise.reject(new StatusError(503)) : 'third'))
    }
    const traced = spans()
    const hedging = rpcClient(t, transport, registry, { plugins: [traced.plugin], strategy: 'roundRobin', hedge: { delay: 200 } })
    for (let i = 0; i < 2; i++) await hedging.call('/math/add', [1]) // both nodes have a session
    assert.equal(await hedging.call('/math/slow', 1, { idempotent: true }), 'fast')
    calls = 0
    const retrying = rpcClient(t, transport, registry, { plugins: [traced.plugin] })
    assert.equal(await retrying.call('/math/third', 1, { idempotent: true }), 'third')
    for (const [name, expected] of [
      ['/math/slow', { '0': [1, true], '499': [undefined, undefined] }],
      ['/math/third', { '0': [2, undefined] }],
    ] as const) {
      const call = traced.one(name, INTERNAL)
      const attempts: ReadableSpan[] = traced.all().filter((span) => span.name === name && span.kind === CLIENT)
      assert.equal(call.attributes['dmicro.attempts'], attempts.length)
      for (const attempt of attempts) assert.equal(parentOf(attempt), call.spanContext().spanId)
      for (const [code, values] of Object.entries(expected)) {
        const found = attempts.find(({ attributes }) => attributes['rpc.status_code'] === code)
        assert.deepEqual([found?.attributes['dmicro.retries'], found?.attributes['dmicro.hedge']], values, `${name} ${code}`)
      }
    }
    const retries = traced.all().filter(({ name, kind }) => name === '/math/third' && kind === CLIENT)
    assert.deepEqual(
      retries.map(({ attributes }) => attributes['dmicro.retries']),
      [undefined, 1, 2],
    )
  })

  it('are recorded or not as a whole: attempts, retries, dials and searches follow the decision of their call', async (t) => {
    for (const [ratio, kept] of [
      [0, 0],
      [1, 3],
    ]) {
      const registry = ownRegistry(t)
      let calls = 0
      const server = await mathServer(t, transport, registry)
      const sent: (string | undefined)[] = []
      server.routeCall('/math/twice', (_, ctx) => {
        sent.push(ctx.meta.traceparent)
        return calls++ === 0 ? Promise.reject(new StatusError(503)) : 'done'
      })
      let draws = 0
      const traced = spans({ ratio })
      const client = rpcClient(t, transport, registry, { plugins: [traced.plugin] })
      t.mock.method(Math, 'random', () => {
        draws++
        return 0.5
      })
      assert.equal(await client.call('/math/twice', 1, { idempotent: true }), 'done')
      t.mock.restoreAll()
      assert.ok(draws > 0)
      assert.equal(traced.all().filter(({ name }) => name === '/math/twice').length, kept)
      assert.equal(sent.length, 2)
      assert.ok(sent.every((text) => text?.endsWith(ratio === 1 ? '-01' : '-00')))
      if (ratio === 0) assert.equal(traced.all().length, 0)
    }
    // A caller that is not recorded decides for all, also with a ratio of 1.
    const registry = ownRegistry(t)
    await mathServer(t, transport, registry)
    const traced = spans({ ratio: 1 })
    const client = rpcClient(t, transport, registry, { plugins: [traced.plugin] })
    const unsampled = trace.setSpanContext(ROOT_CONTEXT, { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 0 })
    assert.equal(await context.with(unsampled, () => client.call('/math/add', [1, 2])), 3)
    assert.equal(traced.all().length, 0)
  })

  it('are children of the handler that calls, in one trace with the nodes', async (t) => {
    const registry = ownRegistry(t)
    const traced = spans()
    const server = await mathServer(t, transport, registry, { plugins: [traced.plugin] })
    const client = rpcClient(t, transport, registry, { plugins: [traced.plugin] })
    const front = endpoint(t, { transport, plugins: [traced.plugin] })
    front.routeCall('/front', async () => {
      await null
      return client.call('/math/add', [1, 2])
    })
    const { url } = await front.listen('tcp://127.0.0.1:0')
    const outer = rpcClient(t, transport, staticRegistry([new URL(url).host]), { plugins: [traced.plugin] })
    assert.equal(await outer.call('/front'), 3)
    assert.ok(server.url)
    const chain = [
      traced.one('/math/add', 1),
      traced.one('/math/add', CLIENT),
      traced.one('/math/add', INTERNAL),
      traced.one('/front', 1),
      traced.one('/front', CLIENT),
      traced.one('/front', INTERNAL),
    ]
    chain.forEach((span, i) => {
      assert.equal(parentOf(span), chain[i + 1]?.spanContext().spanId)
      assert.equal(span.spanContext().traceId, chain[0].spanContext().traceId)
    })
  })
})
