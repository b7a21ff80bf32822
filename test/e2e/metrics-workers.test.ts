import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { prometheus } from '../../src/observe/metrics/index.ts'
import { endpoint, onEachTransport, pair, recorder, once as settled } from '../support/helpers.ts'
import { checkHistograms, seriesOf } from '../support/metrics-page.ts'

const fixture = fileURLToPath(new URL('fixtures/metrics-worker.ts', import.meta.url))

test('a page is the sum over the workers of a cluster and their threads, and no counter falls when a worker dies', async (t) => {
  const primary = fork(fixture, { execArgv: ['--import', 'tsx'] })
  t.after(() => primary.kill('SIGKILL'))
  const [{ url }] = (await once(primary, 'message')) as [{ url: string }]
  const read = async (): Promise<Map<string, number>> => {
    const page = await (await fetch(`${url}/metrics`)).text()
    checkHistograms(page)
    return seriesOf(page)
  }
  const before = await read()
  const calls = 'dmicro_server_calls_total{name="sums",path="/x",code="0"}'
  assert.equal(before.get(calls), 1 + 2 * (10 + 100))
  assert.equal(before.get('dmicro_server_call_duration_seconds_count{name="sums",path="/x"}'), 221)
  const memory = before.get('process_resident_memory_bytes') as number
  assert.ok(memory > 3 * 30e6, 'the memory of three processes, that of threads not twice')
  assert.ok((before.get('process_start_time_seconds') as number) < Date.now() / 1000)
  primary.send('kill')
  await once(primary, 'message')
  const after = await read()
  assert.equal(after.get(calls), 221)
  assert.ok((after.get('process_resident_memory_bytes') as number) < memory)
})

interface Push {
  headers: IncomingHttpHeaders
  body: string
}

/** A collector that answers with `status`, and the next push it gets. */
async function collector(t: Parameters<typeof endpoint>[0], answer: number | 'never') {
  let got = settled<Push>()
  const server = createServer(async (request, response) => {
    const body = (await buffer(request)).toString()
    got.resolve({ headers: request.headers, body })
    if (answer !== 'never') response.writeHead(answer).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/metrics`,
    next: () => got.promise.finally(() => (got = settled())),
  }
}

onEachTransport('metrics pushed to a collector', (transport) => {
  test('are sums, gauges and histograms of OTLP, with exemplars, and are pushed a last time at the close', async (t) => {
    const { url, next } = await collector(t, 200)
    const metrics = prometheus({ service: 'math', otlp: { url, interval: 60_000, headers: { 'x-key': 'k' } } })
    const { server, session } = await pair(t, transport, { server: { plugins: [metrics] } })
    server.routeCall('/a\n"b"', (value: unknown) => value)
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    for (let i = 0; i < 3; i++) await session.call('/a\n"b"', i, { meta: { traceparent } })
    const pushed = next()
    await server.close()
    const { headers, body } = await pushed
    assert.equal(headers['content-type'], 'application/json')
    assert.equal(headers['x-key'], 'k')
    const [{ resource, scopeMetrics }] = JSON.parse(body).resourceMetrics
    assert.deepEqual(resource.attributes, [{ key: 'service.name', value: { stringValue: 'math' } }])
    const named = (name: string) => scopeMetrics[0].metrics.find((metric: { name: string }) => metric.name === name)
    const { sum } = named('dmicro_server_calls')
    assert.deepEqual([sum.aggregationTemporality, sum.isMonotonic, sum.dataPoints[0].asDouble], [2, true, 3])
    assert.deepEqual(sum.dataPoints[0].attributes[1], { key: 'path', value: { stringValue: '/a\n"b"' } })
    const [point] = named('dmicro_server_call_duration_seconds').histogram.dataPoints
    assert.equal(point.count, '3')
    assert.equal(point.bucketCounts.length, point.explicitBounds.length + 1)
    assert.equal(point.exemplars[0].traceId, traceparent.slice(3, 35))
    assert.ok(named('dmicro_sessions').gauge.dataPoints.length === 1)
  })

  test('that a collector refuses, or never takes, are logged and hold up no close for longer than the timeout', async (t) => {
    for (const answer of [500, 'never'] as const) {
      const { url, next } = await collector(t, answer)
      const log = recorder()
      const metrics = prometheus({ otlp: { url, interval: 5, timeout: 100 } })
      const server = endpoint(t, { transport, plugins: [metrics], log })
      await server.listen('tcp://127.0.0.1:0')
      await next()
      const begun = performance.now()
      await server.close()
      assert.ok(performance.now() - begun < 2_000)
      assert.ok(log.lines.every(({ text }) => text === 'a push of metrics failed'))
      assert.ok(log.lines.length > 0)
    }
    assert.throws(() => prometheus({ otlp: { url: 'nowhere' } }), /option otlp.url/)
  })

  test('take no password in the URL, which each push would log, and no headers that no request can have', () => {
    const isRefused = (otlp: object, text: RegExp): void =>
      assert.throws(
        () => prometheus({ otlp: { url: 'http://127.0.0.1:1', ...otlp } }),
        (error: Error) => error instanceof TypeError && text.test(error.message) && !error.message.includes('s3cret'),
      )
    for (const url of ['http://user:s3cret@127.0.0.1:1', 'http://s3cret@127.0.0.1:1']) isRefused({ url }, /otlp.url .*otlp.headers/)
    for (const headers of [{ 'x key': 's3cret' }, { 'x-key': 's3cret\u0000' }, { 'x-key': 5 }])
      isRefused({ headers }, /otlp.headers .*x.key/)
    isRefused({ headers: 's3cret' }, /otlp.headers must be an object/)
  })
})
