import assert from 'node:assert/strict'
import { it } from 'node:test'
import { context, propagation, type SpanContext, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace'
import { type Meta, StatusError } from '../../src/index.ts'
import { prometheus } from '../../src/observe/metrics/index.ts'
import { tracing } from '../../src/observe/tracing/index.ts'
import { endpoint, once, onEachTransport, pair, recorder, status } from '../support/helpers.ts'
import { parentOf, spans } from '../support/spans.ts'

const { CLIENT, SERVER, PRODUCER, CONSUMER } = SpanKind

onEachTransport('tracing', (transport) => {
  it('a call, the calls of its handler and its pushes are one trace, after an await too', async (t) => {
    const traced = spans({ steps: false })
    const options = { plugins: [traced.plugin] }
    const { server, client, session } = await pair(t, transport, { server: options, client: options })
    const said = once<string | undefined>()
    client.routeCall('/client/name', () => 'ann')
    client.routePush('/client/said', () => said.resolve(trace.getActiveSpan()?.spanContext().traceId))
    server.routeCall('/hello', async (_, ctx) => {
      await new Promise((resolve) => setImmediate(resolve))
      await ctx.session.push('/client/said', 1)
      return ctx.session.call('/client/name')
    })
    assert.equal(await session.call('/hello'), 'ann')
    const traceId = await said.promise
    await client.close()
    const [outer, served] = [traced.one('/hello', CLIENT), traced.one('/hello', SERVER)]
    const [inner, named] = [traced.one('/client/name', CLIENT), traced.one('/client/name', SERVER)]
    const [pushed, received] = [traced.one('/client/said', PRODUCER), traced.one('/client/said', CONSUMER)]
    assert.deepEqual(new Set(traced.all().map((span) => span.spanContext().traceId)), new Set([traceId]))
    assert.equal(parentOf(outer), undefined)
    for (const [child, parent] of [
      [served, outer],
      [inner, served],
      [named, inner],
      [pushed, served],
      [received, pushed],
    ] as const)
      assert.equal(parentOf(child), parent.spanContext().spanId)
    const { remoteAddress } = session
    const port = Number(remoteAddress.split(':').at(-1))
    assert.deepEqual(outer.attributes, {
      'rpc.system.name': 'dmicro',
      'rpc.method': '/hello',
      'server.address': '127.0.0.1',
      'server.port': port,
      'network.peer.address': '127.0.0.1',
      'network.peer.port': port,
      'rpc.status_code': '0',
    })
    assert.equal(outer.status.code, SpanStatusCode.UNSET)
  })

  it('spans end with the code of a failure, a time-out, a cancel and a loss', async (t) => {
    const traced = spans({ steps: false })
    const served = spans({ steps: false })
    const { server, session, peer } = await pair(t, transport, {
      server: { plugins: [served.plugin] },
      client: { plugins: [traced.plugin] },
    })
    const begun = [once(), once()]
    server.routeCall('/own', () => Promise.reject(new StatusError(1001, 'secret')))
    server.routeCall('/never', (i: number) => {
      begun[i]?.resolve()
      return new Promise(() => {})
    })
    assert.equal((await status(session.call('/own')))[0], 1001)
    assert.equal((await status(session.call('/no/such')))[0], 404)
    assert.equal((await status(session.call('/never', 9, { timeout: 20 })))[0], 408)
    const cancel = new AbortController()
    const canceled = status(session.call('/never', 0, { signal: cancel.signal }))
    await begun[0].promise
    cancel.abort()
    assert.equal((await canceled)[0], 499)
    const lost = status(session.call('/never', 1))
    await begun[1].promise
    peer.destroy()
    assert.equal((await lost)[0], 102)
    assert.equal((await status(session.call('/after')))[0], 102)
    assert.deepEqual(
      traced.all().map(({ name, attributes, status: end }) => [name, attributes['rpc.status_code'], attributes['error.type'], end.code]),
      [
        ['/own', '1001', '1001', SpanStatusCode.ERROR],
        ['/no/such', '404', '404', SpanStatusCode.ERROR],
        ['/never', '408', '408', SpanStatusCode.ERROR],
        ['/never', '499', '499', SpanStatusCode.ERROR],
        ['/never', '102', '102', SpanStatusCode.ERROR],
      ],
    )
    const unknown = served.one('dmicro', SERVER)
    assert.equal(unknown.attributes['rpc.method'], '_OTHER')
    assert.equal(unknown.attributes['rpc.method_original'], '/no/such')
    assert.doesNotMatch(JSON.stringify(traced.all().map(({ status: end }) => end)), /secret/)
  })

  it('hooks run in the context of their message, those of a reply in that of its call', async (t) => {
    const traced = spans({ steps: false })
    const seen: string[] = []
    const note = (what: string) => (): void => void seen.push(`${what} ${trace.getActiveSpan()?.spanContext().spanId}`)
    const { server, session } = await pair(t, transport, {
      server: { plugins: [traced.plugin, { name: 's', afterReadCallHeader: note('header'), beforeWriteReply: note('write') }] },
      client: { plugins: [traced.plugin, { name: 'c', beforeWriteCall: note('call'), afterReadReplyBody: note('reply') }] },
    })
    server.routeCall('/later', async () => {
      await new Promise((resolve) => setImmediate(resolve))
    })
    await session.call('/later')
    const client = traced.one('/later', CLIENT).spanContext().spanId
    const inner = traced.one('/later', SERVER).spanContext().spanId
    assert.deepEqual(seen, [`call ${client}`, `header ${inner}`, `write ${inner}`, `reply ${client}`])
  })

  it('what is not sampled carries its trace on, and asks the SDK for nothing with a ratio of 0', async (t) => {
    for (const options of [{ sampler: new AlwaysOffSampler() }, { ratio: 0 }]) {
      const traced = spans({ steps: false, ...options })
      const plugins = [traced.plugin]
      const { server, client, session } = await pair(t, transport, { server: { plugins }, client: { plugins } })
      const inner = once<Meta>()
      client.routeCall('/inner', (_, ctx) => inner.resolve(ctx.meta))
      server.routeCall('/outer', async (_, ctx) => {
        await ctx.session.call('/inner')
        return ctx.meta.traceparent
      })
      const sent = await session.call<string>('/outer')
      assert.match(sent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
      const { traceparent } = await inner.promise
      assert.equal(traceparent.slice(0, 36), sent.slice(0, 36))
      assert.equal(traceparent.slice(-2), '00')
      assert.equal(traced.all().length, 0)
    }
  })

  it('what is not recorded shares no trace with other requests where other instrumentations send it on', async (t) => {
    const traced = spans({ steps: false, ratio: 0 })
    const { server, session } = await pair(t, transport, { server: { plugins: [traced.plugin] } })
    const db = traced.provider.getTracer('db')
    server.routeCall('/later', async () => {
      await new Promise((resolve) => setImmediate(resolve))
      db.startSpan('query').end()
      return trace.getSpanContext(context.active())
    })
    await session.call('/later') // shows that the handler is async
    const before = traced.all().length
    const seen = new Set<string>()
    for (let i = 0; i < 4; i++) {
      const { traceId, spanId, traceFlags } = await session.call<SpanContext>('/later')
      assert.match(`${traceId}-${spanId}-${traceFlags}`, /^[0-9a-f]{32}-[0-9a-f]{16}-0$/)
      seen.add(traceId)
    }
    assert.equal(seen.size, 4)
    assert.equal(traced.all().length, before)
  })

  it('lines of the log of what is not recorded name no trace, and a handler that waits keeps the decision', async (t) => {
    const traced = spans({ steps: false, ratio: 0 })
    const log = recorder()
    const { server, client, session } = await pair(t, transport, { server: { plugins: [traced.plugin], log } })
    client.routeCall('/inner', (_, ctx) => ctx.meta.traceparent)
    server.routeCall('/sync', (_, ctx) => ctx.session.call('/inner'))
    server.routeCall('/later', async (_, ctx) => {
      await new Promise((resolve) => setImmediate(resolve))
      server.log.info('in the handler')
      return ctx.session.call('/inner')
    })
    for (let i = 0; i < 3; i++) for (const name of ['/sync', '/later']) assert.match(await session.call(name), /-00$/)
    assert.equal(traced.all().length, 0)
    assert.ok(log.lines.length === 3 && log.lines.every(({ fields }) => fields.trace_id === undefined))
  })

  it('a sampled parent is followed with any ratio, and a parent that is not never', async (t) => {
    const traced = spans({ steps: false, ratio: 0 })
    const none = spans({ steps: false, ratio: 1 })
    const { session } = await pair(t, transport, { server: { plugins: [traced.plugin] } })
    const id = '4bf92f3577b34da6a3ce929d0e0e4736'
    await status(session.call('/x', 1, { meta: { traceparent: `00-${id}-00f067aa0ba902b7-03` } }))
    assert.equal(traced.one('dmicro', SERVER).spanContext().traceId, id)
    const other = await pair(t, transport, { server: { plugins: [none.plugin] } })
    await status(other.session.call('/x', 1, { meta: { traceparent: `00-${id}-00f067aa0ba902b7-00` } }))
    assert.equal(none.all().length, 0)
  })

  it('hostile trace contexts and baggage cost nothing but themselves', async (t) => {
    const traced = spans({ steps: false })
    const { server, session } = await pair(t, transport, { server: { plugins: [traced.plugin] } })
    server.routeCall(
      '/bags',
      () =>
        propagation
          .getActiveBaggage()
          ?.getAllEntries()
          .map(([key, { value }]) => [key, value.length]) ?? [],
    )
    const many = Array.from({ length: 500 }, (_, i) => `k${i}=v`).join(',')
    const good = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    for (const traceparent of [
      '',
      '0',
      good.toUpperCase(),
      `${good}-more`,
      good.replace('00-', 'ff-'),
      '-'.repeat(10_000),
      `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    ]) {
      const entries = await session.call<unknown[]>('/bags', 1, { meta: { traceparent, tracestate: 'x'.repeat(10_000), baggage: many } })
      assert.equal(entries.length, 64)
    }
    assert.ok(traced.all().every((span) => parentOf(span) === undefined))
    assert.deepEqual(await session.call('/bags', 1, { meta: { baggage: 'a=b c,gr\u00fcn=1,ok=%C3%BC;p=1, d = e ,=,x=%' } }), [
      ['ok', 1],
      ['d', 1],
    ])
    assert.deepEqual(await session.call('/bags', 1, { meta: { baggage: `a=${'b'.repeat(9000)}` } }), [])
  })

  it('baggage travels percent-encoded, and tracestate as it came', async (t) => {
    const traced = spans({ steps: false })
    const { server, session } = await pair(t, transport, { client: { plugins: [traced.plugin] } })
    server.routeCall('/meta', (_, ctx) => ctx.meta)
    const baggage = propagation.createBaggage({ user: { value: 'gr\u00fcn, ja' }, 'no key': { value: '1' } })
    const meta = await context.with(propagation.setBaggage(context.active(), baggage), () => session.call<Meta>('/meta'))
    assert.equal(meta.baggage, 'user=gr%C3%BCn%2C%20ja')
    assert.equal('tracestate' in meta, false)
    assert.match(meta.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  })

  it('lines of the log name the span of their handler', async (t) => {
    const traced = spans({ steps: false })
    const log = recorder()
    const { server, session } = await pair(t, transport, { server: { plugins: [traced.plugin], log } })
    server.routeCall('/sync', () => assert.fail('no'))
    server.routeCall('/later', async () => {
      await new Promise((resolve) => setImmediate(resolve))
      server.log.info('in the handler')
      throw new Error('no')
    })
    await status(session.call('/sync'))
    await status(session.call('/later'))
    const ids = traced.all().map((span) => span.spanContext().spanId)
    assert.deepEqual(
      log.lines.map(({ text, fields }) => [text, fields.span_id]),
      [
        ['a handler failed', ids[0]],
        ['in the handler', ids[1]],
        ['a handler failed', ids[1]],
      ],
    )
  })

  it('exemplars of metrics name the spans of both sides', async (t) => {
    const traced = spans({ steps: false })
    const metrics = prometheus({ service: 'x', go: false })
    const options = { plugins: [metrics, traced.plugin] }
    const { server, session } = await pair(t, transport, { server: options, client: options })
    server.routeCall('/a', async (value: unknown) => value)
    await session.call('/a')
    const page = (await metrics.page('application/openmetrics-text')).body.toString()
    for (const [side, kind] of [
      ['server', SERVER],
      ['client', CLIENT],
    ] as const) {
      const { traceId, spanId } = traced.one('/a', kind).spanContext()
      assert.match(page, new RegExp(`dmicro_${side}_call_duration_seconds_bucket.*trace_id="${traceId}",span_id="${spanId}"`))
    }
  })

  it('the older attributes are there for who asks for them', async (t) => {
    const traced = spans({ steps: false, conventions: 'old' })
    const { session } = await pair(t, transport, { client: { plugins: [traced.plugin] } })
    await status(session.call('/math/add/up'))
    const { attributes } = traced.one('/math/add/up', CLIENT)
    assert.equal(attributes['rpc.system'], 'dmicro')
    assert.equal(attributes['rpc.service'], 'math/add')
    assert.equal(attributes['rpc.method'], 'up')
    assert.equal(attributes['rpc.dmicro.status_code'], 404)
    assert.equal('rpc.system.name' in attributes, false)
  })

  it('without an SDK nothing is sent and nothing is kept', async (t) => {
    const plugins = [tracing()]
    const { server, session } = await pair(t, transport, { server: { plugins }, client: { plugins } })
    server.routeCall('/meta', (_, ctx) => Object.keys(ctx.meta).filter((key) => !key.startsWith('X-')))
    assert.deepEqual(await session.call('/meta'), [])
  })

  it('dialling is a span within that of its caller, and names no secret of the URL', async (t) => {
    const traced = spans()
    const server = endpoint(t, { transport })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const client = endpoint(t, { transport, plugins: [traced.plugin] })
    const tracer = traced.provider.getTracer('test')
    await tracer.startActiveSpan('work', async (work) => {
      await client.dial(url)
      work.end()
    })
    await listenerGone(server)
    assert.equal((await status(client.dial(url)))[0], 105)
    const [good, bad] = traced.all().filter(({ name }) => name === 'dial')
    assert.equal(parentOf(good), traced.one('work', SpanKind.INTERNAL).spanContext().spanId)
    assert.equal(good.attributes['server.port'], Number(new URL(url).port))
    assert.equal(bad.attributes['error.type'], '105')
  })
})

async function listenerGone(server: { close(): Promise<void> }): Promise<void> {
  await server.close()
}
