import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Endpoint, StatusError } from '../../src/index.ts'
import { type PrometheusPlugin, prometheus } from '../../src/observe/metrics/index.ts'
import { endpoint, once, onEachTransport, pair } from '../support/helpers.ts'
import { checkHistograms, valuesOf } from '../support/metrics-page.ts'

/** Two metrics, one of each side. */
function both(): { served: PrometheusPlugin; made: PrometheusPlugin; options: object } {
  const [served, made] = [prometheus({ service: 'math' }), prometheus({ service: 'caller' })]
  return { served, made, options: { server: { plugins: [served] }, client: { plugins: [made] } } }
}

onEachTransport('metrics', (transport) => {
  it('count every reply and every failure on both sides (M-1, M-6)', async (t) => {
    const { served, made, options } = both()
    const { server, session, peer } = await pair(t, transport, options)
    server.routeCall('/add', (numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
    server.routeCall('/later', async (value: unknown) => value)
    server.routeCall('/status', () => Promise.reject(new StatusError(1001, 'no')))
    server.routeCall('/throw', () => {
      throw new Error('no')
    })
    const called = once()
    server.routeCall('/never', () => {
      called.resolve()
      return new Promise(() => {})
    })
    await Promise.all([1, 2, 3].map((n) => session.call('/add', [n, n])))
    await session.call('/later', 'text')
    for (const name of ['/status', '/throw', '/none']) await assert.rejects(session.call(name))
    await assert.rejects(session.call('/never', null, { timeout: 20 }), { code: 408 })
    await called.promise
    const canceled = new AbortController()
    const cancelled = session.call('/never', null, { signal: canceled.signal })
    canceled.abort()
    await assert.rejects(cancelled, { code: 499 })
    const lost = session.call('/never')
    await session.call('/add', [1])
    assert.equal((await valuesOf(made, 'dmicro_client_calls_in_flight'))['path=/never'], 1)
    assert.equal((await valuesOf(served, 'dmicro_server_calls_in_flight'))['path=/never'], 3)
    peer.destroy()
    await assert.rejects(lost, { code: 102 })
    await assert.rejects(session.call('/add', [1]), { code: 102 })

    for (const family of ['rpc_server_reply_code_total', 'dmicro_server_calls_total'])
      assert.deepEqual(await valuesOf(served, family), {
        'path=/add,code=0': 4,
        'path=/later,code=0': 1,
        'path=/status,code=1001': 1,
        'path=/throw,code=500': 1,
        'path=_OTHER,code=404': 1,
      })
    for (const family of ['rpc_server_call_code_total', 'dmicro_client_calls_total'])
      assert.deepEqual(await valuesOf(made, family), {
        'path=/add,code=0': 4,
        'path=/add,code=102': 1,
        'path=/later,code=0': 1,
        'path=/status,code=1001': 1,
        'path=/throw,code=500': 1,
        'path=/none,code=404': 1,
        'path=/never,code=408': 1,
        'path=/never,code=499': 1,
        'path=/never,code=102': 1,
      })
    assert.equal((await valuesOf(made, 'dmicro_client_calls_in_flight'))['path=/never'], 0)
    assert.deepEqual(await valuesOf(made, 'dmicro_sessions_closed_total'), { 'reason=peer': 1 })
    assert.deepEqual(await valuesOf(served, 'dmicro_sessions_closed_total'), { 'reason=local': 1 })
    for (const metrics of [served, made]) checkHistograms((await metrics.page()).body.toString())
  })

  it('measure a call from its sending to its reply, and a request from its arrival (M-2)', async (t) => {
    const { served, made, options } = both()
    const { server, session } = await pair(t, transport, options)
    server.routeCall('/slow', () => new Promise((resolve) => setTimeout(resolve, 60)))
    server.routeCall('/busy', () => {
      const end = performance.now() + 60
      while (performance.now() < end);
    })
    for (const name of ['/slow', '/busy']) {
      await session.call(name)
      for (const [metrics, ms, seconds] of [
        [served, 'rpc_server_reply_duration_ms', 'dmicro_server_call_duration_seconds'],
        [made, 'rpc_server_call_duration_ms', 'dmicro_client_call_duration_seconds'],
      ] as const) {
        const sum = (await valuesOf(metrics, `${ms}_sum`))[`path=${name}`]
        assert.ok(sum >= 55 && sum < 5_000, `${ms} ${name} ${sum}`)
        assert.ok(Math.abs((await valuesOf(metrics, `${seconds}_sum`))[`path=${name}`] - sum / 1000) < 1e-9)
        const buckets = await valuesOf(metrics, `${seconds}_bucket`)
        assert.equal(buckets[`path=${name},le=0.05`], 0)
        assert.equal(buckets[`path=${name},le=+Inf`], 1)
        assert.deepEqual(
          Object.keys(await valuesOf(metrics, `${ms}_bucket`)).filter((labels) => labels.includes(name)),
          [...[5, 10, 25, 50, 100, 250, 500, 1000].map((le) => `path=${name},le=${le}`), `path=${name},le=+Inf`],
        )
      }
    }
  })

  it('count bytes of bodies alike on both sides', async (t) => {
    const { served, made, options } = both()
    const { server, session } = await pair(t, transport, options)
    server.routeCall('/echo', (value: unknown) => value)
    server.routeCall('/async', async (value: unknown) => value)
    let bytes = 0
    for (const value of [
      'text',
      'ü',
      `plain ${'x'.repeat(60)}`,
      `line\n${'x'.repeat(60)}`,
      { a: [1, 2, 3] },
      null,
      'x'.repeat(100_000),
      { long: 'y'.repeat(3000) },
    ]) {
      await session.call('/echo', value)
      await session.call('/async', value)
      bytes += Buffer.byteLength(JSON.stringify(value))
    }
    for (const [metrics, side] of [
      [served, 'server'],
      [made, 'client'],
    ] as const)
      for (const way of ['received', 'sent'])
        assert.deepEqual(await valuesOf(metrics, `dmicro_${side}_${way}_bytes_total`), { 'path=/echo': bytes, 'path=/async': bytes })
  })

  it('count pushes, and those whose handlers fail', async (t) => {
    const { served, made, options } = both()
    const { server, session, peer } = await pair(t, transport, options)
    const done = once()
    server.routePush('/log', () => {})
    server.routePush('/bad', () => Promise.reject(new StatusError(400)))
    server.routeCall('/done', () => done.resolve())
    await session.push('/log', 'abc')
    await session.push('/log', 'abc')
    await session.push('/bad')
    await session.push('/none')
    await session.call('/done')
    assert.deepEqual(await valuesOf(served, 'dmicro_pushes_received_total'), { 'path=/log': 2, 'path=/bad': 1, 'path=_OTHER': 1 })
    assert.deepEqual(await valuesOf(served, 'dmicro_pushes_received_failed_total'), { 'path=/log': 0, 'path=/bad': 1, 'path=_OTHER': 1 })
    assert.deepEqual(await valuesOf(served, 'dmicro_pushes_received_bytes_total'), { 'path=/log': 10, 'path=/bad': 0, 'path=_OTHER': 0 })
    const closed = once()
    session.once('close', () => closed.resolve())
    peer.destroy()
    await closed.promise
    await assert.rejects(session.push('/log', 'abc'), { code: 102 })
    assert.deepEqual(await valuesOf(made, 'dmicro_pushes_sent_total'), { 'path=/log': 2, 'path=/bad': 1, 'path=/none': 1 })
    assert.equal((await valuesOf(made, 'dmicro_pushes_sent_failed_total'))['path=/log'], 1)
  })

  it('count the same beside plugins with hooks, by the route that these choose', async (t) => {
    const { served, made } = both()
    const seen = { name: 'seen', beforeWriteCall: () => {}, afterReadReplyBody: () => {}, beforeWriteReply: async () => {} }
    const renamed = {
      name: 'renamed',
      afterReadCallHeader(message: { serviceMethod: string }) {
        if (message.serviceMethod === '/refused') throw new StatusError(403)
        message.serviceMethod = message.serviceMethod.toLowerCase()
      },
    }
    const { server, session } = await pair(t, transport, {
      server: { plugins: [served, seen, renamed] },
      client: { plugins: [made, seen] },
    })
    server.routeCall('/add', (value: unknown) => value)
    server.routeCall('/bad', () => Promise.reject(new StatusError(1001)))
    await session.call('/ADD', 'abc')
    await session.call('/add', 'abc')
    for (const name of ['/Bad', '/refused', '/none']) await assert.rejects(session.call(name))
    assert.deepEqual(await valuesOf(served, 'dmicro_server_calls_total'), {
      'path=/add,code=0': 2,
      'path=/bad,code=1001': 1,
      'path=_OTHER,code=403': 1,
      'path=_OTHER,code=404': 1,
    })
    assert.deepEqual(await valuesOf(served, 'dmicro_server_sent_bytes_total'), { 'path=/add': 10, 'path=/bad': 0, 'path=_OTHER': 0 })
    assert.deepEqual(await valuesOf(served, 'dmicro_server_calls_in_flight'), { 'path=/add': 0, 'path=/bad': 0, 'path=_OTHER': 0 })
    assert.deepEqual(await valuesOf(made, 'dmicro_client_calls_total'), {
      'path=/ADD,code=0': 1,
      'path=/add,code=0': 1,
      'path=/Bad,code=1001': 1,
      'path=/refused,code=403': 1,
      'path=/none,code=404': 1,
    })
  })

  it('count refusals and the queue', async (t) => {
    const { served, options } = both()
    const limits = { maxRunning: 2 }
    const { server, session } = await pair(t, transport, { ...options, server: { plugins: [served], limits, overload: true } })
    const open = once()
    server.routeCall('/wait', () => open.promise)
    const calls = [1, 2, 3].map(() => session.call('/wait'))
    await assert.rejects(calls[2], { code: 429 })
    assert.deepEqual(await valuesOf(served, 'dmicro_refusals_total'), { 'kind=connection': 0, 'kind=call': 1, 'kind=push': 0 })
    assert.deepEqual(await valuesOf(served, 'dmicro_handlers_running'), { '': 2 })
    assert.deepEqual(await valuesOf(served, 'dmicro_queue_length'), { '': 0 })
    open.resolve()
    await Promise.all(calls.slice(0, 2))
    assert.deepEqual(await valuesOf(served, 'dmicro_server_calls_total'), { 'path=/wait,code=429': 1, 'path=/wait,code=0': 2 })
    assert.deepEqual(await valuesOf(served, 'dmicro_server_calls_in_flight'), { 'path=/wait': 0 })
  })

  it('count reconnects, and calls that waited for one', async (t) => {
    const { served, made, options } = both()
    const { server, session, peer } = await pair(t, transport, { ...options, client: { plugins: [made], redial: { minDelay: 1 } } })
    server.routeCall('/add', (value: unknown) => value)
    const redialed = once()
    session.once('redialed', () => redialed.resolve())
    peer.destroy()
    const suspended = once()
    session.once('redialing', () => suspended.resolve())
    await suspended.promise
    const call = session.call('/add', 1)
    await redialed.promise
    await call
    assert.equal((await valuesOf(made, 'dmicro_redials_total'))['result=success'], 1)
    assert.deepEqual(await valuesOf(made, 'dmicro_connections_total'), { 'side=accepted': 0, 'side=dialled': 2 })
    assert.deepEqual(await valuesOf(served, 'dmicro_connections_total'), { 'side=accepted': 2, 'side=dialled': 0 })
    assert.deepEqual(await valuesOf(made, 'dmicro_client_calls_total'), { 'path=/add,code=0': 1 })
    assert.deepEqual(await valuesOf(made, 'dmicro_client_calls_in_flight'), { 'path=/add': 0 })
  })

  it('of several endpoints are summed, and do not fall when one is closed', async (t) => {
    const metrics = prometheus()
    const first = new Endpoint({ transport, plugins: [metrics], log: false })
    const second = endpoint(t, { transport, plugins: [metrics] })
    const client = endpoint(t, { transport })
    for (const server of [first, second]) {
      server.routeCall('/add', () => 1)
      const { url } = await server.listen('tcp://127.0.0.1:0')
      await (await client.dial(url)).call('/add')
    }
    assert.deepEqual(await valuesOf(metrics, 'dmicro_sessions'), { '': 2 })
    await first.close()
    assert.deepEqual(await valuesOf(metrics, 'dmicro_sessions'), { '': 1 })
    assert.deepEqual(await valuesOf(metrics, 'dmicro_connections_total'), { 'side=accepted': 2, 'side=dialled': 0 })
    assert.deepEqual(await valuesOf(metrics, 'dmicro_server_calls_total'), { 'path=/add,code=0': 2 })
  })

  it('take no memory for names and codes that peers choose (M-3)', async (t) => {
    const { served, made, options } = both()
    const { server, session } = await pair(t, transport, options)
    server.routeCall('/code', (code: number) => Promise.reject(new StatusError(code, 'x')))
    const size = async (metrics: PrometheusPlugin): Promise<number> => (await metrics.page()).body.length
    await assert.rejects(session.call('/none'))
    const before = await size(served)
    for (let from = 0; from < 10_000; from += 1_000)
      await Promise.allSettled(Array.from({ length: 1_000 }, (_, i) => session.call(`/none/${from + i}`)))
    assert.deepEqual(await valuesOf(served, 'dmicro_server_calls_total'), { 'path=_OTHER,code=404': 10_001 })
    assert.ok((await size(served)) < before + 200)
    const called = await valuesOf(made, 'dmicro_client_calls_total')
    assert.equal(Object.keys(called).length, 1001)
    assert.equal(called['path=_OTHER,code=404'], 10_001 - 1000)
    await Promise.allSettled(Array.from({ length: 1_000 }, (_, i) => session.call('/code', 10_000 + i)))
    const codes = await valuesOf(served, 'dmicro_server_calls_total')
    assert.equal(codes['path=/code,code=other'], 1000 - 64)
  })
})
