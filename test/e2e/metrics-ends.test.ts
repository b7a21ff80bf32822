import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { it } from 'node:test'
import { SpanKind } from '@opentelemetry/api'
import { type Filter, MultiClient, type Plugin } from '../../src/index.ts'
import { prometheus } from '../../src/observe/metrics/index.ts'
import { proxy } from '../../src/plugins/proxy.ts'
import { staticRegistry } from '../../src/rpc/index.ts'
import { endpoint, once, onEachTransport, pair, status } from '../support/helpers.ts'
import { valuesOf } from '../support/metrics-page.ts'
import { resumable } from '../support/resumable.ts'
import { ownRegistry, rpcClient } from '../support/rpc.ts'
import { parentOf, spans } from '../support/spans.ts'

const { CLIENT, CONSUMER, PRODUCER } = SpanKind

/** No plugin, and one whose hooks send requests another way. */
const hooked: readonly Plugin[] = [{ name: 'none' }, { name: 'hooks', afterReadCallBody() {}, afterReadPushBody() {} }]

onEachTransport('each request is counted at its end', (transport) => {
  it('a push whose handler rejects after its time', async (t) => {
    for (const plugin of hooked) {
      const [served, traced] = [prometheus(), spans({ steps: false })]
      const { server, session } = await pair(t, transport, {
        server: { handlerTimeout: 20, plugins: [served, traced.plugin, plugin] },
      })
      const late = once()
      server.routeCall('/done', () => {})
      server.routePush('/late', (_, { signal }) => {
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('late'))
            late.resolve()
          })
        })
      })
      await session.push('/late')
      await late.promise
      await session.call('/done')
      assert.deepEqual(await valuesOf(served, 'dmicro_pushes_received_failed_total'), { 'path=/late': 1 }, plugin.name)
      assert.equal(traced.one('/late', CONSUMER).attributes['rpc.status_code'], '500')
    }
  })

  it('requests that wait in a queue when their session is lost', async (t) => {
    const served = prometheus()
    const overload = { minConcurrency: 1, maxConcurrency: 1, startConcurrency: 1, queueTimeout: 60_000 }
    const { server, session, peer } = await pair(t, transport, { server: { overload, plugins: [served] } })
    const [open, lost, finished] = [once(), once(), once()]
    server.routeCall('/wait', async () => {
      await open.promise
      finished.resolve()
    })
    server.routePush('/note', () => {})
    const calls = [1, 2, 3].map(() => status(session.call('/wait')))
    await session.push('/note')
    while (server.load?.queued !== 3) await new Promise(setImmediate)
    peer.once('close', () => lost.resolve())
    session.destroy()
    for (const [code] of await Promise.all(calls)) assert.equal(code, 102)
    await lost.promise
    open.resolve()
    await finished.promise
    await new Promise(setImmediate)
    assert.deepEqual(await valuesOf(served, 'dmicro_server_calls_total'), { 'path=/wait,code=102': 3 })
    assert.deepEqual(await valuesOf(served, 'dmicro_server_calls_in_flight'), { 'path=/wait': 0 })
    assert.deepEqual(await valuesOf(served, 'dmicro_pushes_received_failed_total'), { 'path=/note': 1 })
    assert.equal((await valuesOf(served, 'dmicro_refusals_total'))['kind=push'], 1)
  })

  it('pushes that are held when their session is closed', async (t) => {
    const served = prometheus()
    const { server, session, peer } = await pair(t, transport, { server: { limits: { maxRunning: 1 }, plugins: [served] } })
    const open = once()
    server.routePush('/note', () => open.promise)
    for (let i = 0; i < 5; i++) await session.push('/note')
    assert.equal((await status(session.call('/refused')))[0], 429)
    const closed = once()
    peer.once('close', () => closed.resolve())
    peer.destroy()
    await closed.promise
    open.resolve()
    await new Promise(setImmediate)
    assert.deepEqual(await valuesOf(served, 'dmicro_pushes_received_total'), { 'path=/note': 5 })
    assert.deepEqual(await valuesOf(served, 'dmicro_pushes_received_failed_total'), { 'path=/note': 4 })
    assert.equal((await valuesOf(served, 'dmicro_refusals_total'))['kind=push'], 4)
  })

  it('bodies that async hooks and filters delay, and pushes that these refuse', async (t) => {
    const slow: Filter = {
      name: 'slow',
      id: 250,
      pack: (bytes) => bytes,
      packAsync: async (bytes) => (Buffer.from(bytes).includes('refused') ? Promise.reject(new Error('no')) : bytes),
      unpack: (bytes) => bytes,
      unpackAsync: async (bytes) => bytes,
    }
    const hooks: Plugin = {
      name: 'hooks',
      beforeWriteCall: async () => {},
      beforeWriteReply: async () => {},
      async beforeWritePush({ body }) {
        if ((body as string).startsWith('refused')) throw new Error('no')
      },
    }
    const talks: Plugin = {
      name: 'talks',
      afterWriteCall: ({ session }) => void session.push('/other', 'x'.repeat(500)),
    }
    for (const [name, plugins, filters] of [
      ['hooks', [hooks], []],
      ['filters', [], ['slow']],
      ['a hook that sends more', [talks], []],
    ] as const) {
      const [served, made] = [prometheus(), prometheus()]
      const { server, session } = await pair(t, transport, {
        server: { filters: [slow], plugins: [served, ...plugins] },
        client: { filters: [slow], plugins: [made, ...plugins] },
      })
      const got = once<unknown>()
      server.routeCall('/echo', (value: unknown) => value)
      server.routePush('/note', (value: unknown) => got.resolve(value))
      await session.call('/echo', 'x'.repeat(99_998), { filters })
      await session.push('/note', 'x'.repeat(99_998), { filters })
      await got.promise
      for (const [metrics, side] of [
        [served, 'server'],
        [made, 'client'],
      ] as const)
        for (const way of ['received', 'sent'])
          assert.deepEqual(
            await valuesOf(metrics, `dmicro_${side}_${way}_bytes_total`),
            { 'path=/echo': 100_000 },
            `${name} ${side} ${way}`,
          )
      const refused = plugins[0] === talks ? 0 : 1
      if (refused > 0) await assert.rejects(session.push('/note', 'refused'.padEnd(99_998), { filters }), { code: 104 })
      assert.equal((await valuesOf(made, 'dmicro_pushes_sent_total'))['path=/note'], 1, name)
      assert.equal((await valuesOf(made, 'dmicro_pushes_sent_bytes_total'))['path=/note'], 100_000, name)
      assert.equal((await valuesOf(made, 'dmicro_pushes_sent_failed_total'))['path=/note'], refused, name)
    }
  })

  it('calls and pushes that fail while they wait for a connection', async (t) => {
    const [made, traced] = [prometheus(), spans({ steps: false })]
    const { client, session, peer, listener } = await pair(t, transport, {
      client: { timeout: 40, redial: { minDelay: 60_000, maxDelay: 60_000 }, limits: { maxRunning: 3 }, plugins: [made, traced.plugin] },
    })
    await listener.close()
    const lost = event(session, 'redialing')
    peer.destroy()
    await lost
    const provider = traced.provider.getTracer('test')
    const begun = performance.now()
    const { work, failed } = provider.startActiveSpan('work', (span) => {
      const canceled = new AbortController()
      const all = [session.call('/late'), session.push('/late'), session.call('/canceled', 1, { signal: canceled.signal })]
      all.push(session.push('/full'), session.call('/full'))
      canceled.abort()
      span.end()
      return { work: span.spanContext().spanId, failed: all.map(async (one) => (await status(one))[0]) }
    })
    assert.deepEqual(await valuesOf(made, 'dmicro_client_calls_in_flight'), { 'path=/late': 1, 'path=/canceled': 0, 'path=/full': 0 })
    assert.deepEqual(await Promise.all(failed), [408, 408, 499, 102, 102])
    const took = (performance.now() - begun) / 1000
    assert.deepEqual(await valuesOf(made, 'dmicro_client_calls_in_flight'), { 'path=/late': 0, 'path=/canceled': 0, 'path=/full': 0 })
    const late = (await valuesOf(made, 'dmicro_client_call_duration_seconds_sum'))['path=/late']
    assert.ok(late >= 0.03 && late <= took, `${late}`)
    assert.deepEqual(await valuesOf(made, 'dmicro_client_calls_total'), {
      'path=/late,code=408': 1,
      'path=/canceled,code=499': 1,
      'path=/full,code=102': 1,
    })
    assert.deepEqual(await valuesOf(made, 'dmicro_pushes_sent_failed_total'), { 'path=/late': 1, 'path=/full': 1 })
    for (const [name, kind, code] of [
      ['/late', CLIENT, '408'],
      ['/late', PRODUCER, '408'],
      ['/canceled', CLIENT, '499'],
    ] as const) {
      const span = traced.one(name, kind)
      assert.equal(span.attributes['rpc.status_code'], code)
      assert.equal(parentOf(span), work)
      if (code === '408') assert.ok(span.duration[0] > 0 || span.duration[1] >= 30_000_000, `${span.duration}`)
    }
    await client.close()
  })

  it('a call that waits for a connection, or is made again on another, from when it was made', async (t) => {
    const made = prometheus()
    const { server, session, peer } = await pair(t, transport, {
      client: { redial: { minDelay: 50, maxDelay: 60, resume: false }, plugins: [made] },
    })
    const begun = once()
    server.routeCall('/wait', (n: number) => n)
    server.routeCall('/again', (_, ctx) => {
      begun.resolve()
      return ctx.session === peer ? new Promise(() => {}) : 'again'
    })
    const again = session.call('/again', 1, { idempotent: true })
    await begun.promise
    const lost = event(session, 'redialing')
    const start = performance.now()
    peer.destroy()
    await lost
    const waited = session.call('/wait', 1)
    assert.deepEqual(await valuesOf(made, 'dmicro_client_calls_in_flight'), { 'path=/again': 1, 'path=/wait': 1 })
    await Promise.all([again, waited])
    const outage = (performance.now() - start) / 1000
    const sums = await valuesOf(made, 'dmicro_client_call_duration_seconds_sum')
    assert.ok(sums['path=/again'] >= sums['path=/wait'], JSON.stringify(sums))
    assert.ok(sums['path=/wait'] >= outage / 2, `${JSON.stringify(sums)} of ${outage}`)
    assert.deepEqual(await valuesOf(made, 'dmicro_client_calls_in_flight'), { 'path=/again': 0, 'path=/wait': 0 })
    assert.deepEqual(await valuesOf(made, 'dmicro_client_calls_total'), { 'path=/again,code=0': 1, 'path=/wait,code=0': 1 })
  })

  it('calls and pushes for which there is no session', async (t) => {
    const made = prometheus()
    const nobody = await (await pair(t, transport)).listener
    await nobody.close()
    const service = rpcClient(t, transport, staticRegistry([nobody.url]), { plugins: [made] })
    assert.equal((await status(service.call('/math/add')))[0], 105)
    assert.equal((await status(service.push('/math/log')))[0], 105)
    const empty = rpcClient(t, transport, ownRegistry(t), { plugins: [made], timeout: 20 })
    assert.equal((await status(empty.call('/math/none')))[0], 503)
    const client = new MultiClient(endpoint(t, { transport, plugins: [made] }), nobody.url)
    const canceled = new AbortController()
    const calls = [
      status(client.call('/multi')),
      status(client.call('/multi', 1, { signal: canceled.signal })),
      status(client.push('/multi')),
    ]
    canceled.abort()
    assert.deepEqual(
      (await Promise.all(calls)).map(([code]) => code),
      [100, 499, 100],
    )
    await client.close()
    assert.equal((await status(client.call('/multi')))[0], 102)
    assert.deepEqual(await valuesOf(made, 'dmicro_client_calls_total'), {
      'path=/math/add,code=105': 1,
      'path=/math/none,code=503': 1,
      'path=/multi,code=100': 1,
      'path=/multi,code=499': 1,
      'path=/multi,code=102': 1,
    })
    assert.deepEqual(await valuesOf(made, 'dmicro_pushes_sent_failed_total'), { 'path=/math/log': 1, 'path=/multi': 1 })
  })

  it('calls and pushes that are forwarded, by no name that only a peer knows', async (t) => {
    const made = prometheus()
    const { session: target } = await pair(t, transport, { client: { plugins: [made] } })
    const { session } = await pair(t, transport, { server: { plugins: [proxy({ call: () => target, push: () => target })] } })
    for (let i = 0; i < 3; i++) {
      await assert.rejects(session.call(`/proxied/${transport}/${i}`, 1, { forwarded: true }), { code: 404 })
      await session.push(`/proxied/${transport}/${i}`, 1, { forwarded: true })
    }
    await assert.rejects(target.call('/own'), { code: 404 })
    await assert.rejects(session.call('/own'), { code: 404 })
    assert.deepEqual(await valuesOf(made, 'dmicro_client_calls_total'), { 'path=_OTHER,code=404': 3, 'path=/own,code=404': 2 })
    assert.deepEqual(await valuesOf(made, 'dmicro_pushes_sent_total'), { 'path=_OTHER': 3 })
  })
})

onEachTransport('each session is counted at its end', (transport) => {
  it('a session that is resumed on a new connection has not been closed', async (t) => {
    const served = prometheus()
    const { server, client, session, peer, proxy } = await resumable(t, transport, { server: { plugins: [served] } })
    const back = event(peer, 'resumed')
    proxy.cut()
    await back
    await session.call('/echo')
    assert.equal(server.stats.accepted, 2)
    assert.deepEqual(await valuesOf(served, 'dmicro_sessions_closed_total'), {})
    const closed = event(peer, 'close')
    await client.close()
    await closed
    assert.deepEqual(await valuesOf(served, 'dmicro_sessions_closed_total'), { 'reason=peer': 1 })
  })
})
