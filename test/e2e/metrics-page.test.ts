import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { connect } from 'node:net'
import { it, type TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { Histogram, Registry } from 'prom-client'
import { request } from 'undici'
import type { Plugin } from '../../src/index.ts'
import { type PrometheusOptions, type PrometheusPlugin, prometheus } from '../../src/observe/metrics/index.ts'
import { endpoint, once, onEachTransport, pair, recorder } from '../support/helpers.ts'
import { checkHistograms, seriesOf, valuesOf } from '../support/metrics-page.ts'
import { silent } from '../support/silent-sockets.ts'

const listen = 'http://127.0.0.1:0'
const OPEN = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
const TEXT = 'text/plain; version=0.0.4; charset=utf-8'
/** What Prometheus 2.42 and 3.13 send. */
const accepts = [
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,' +
    'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
]

/** Names that need escapes, or that nobody can write as UTF-8. */
const oddNames = ['/quote"', '/back\\slash', '/new\nline', '/both\\n"', '/carriage\r', '/ü😀', '/}{,="']

async function get(
  metrics: PrometheusPlugin,
  path = '/metrics',
  headers: Record<string, string> = {},
  method: 'GET' | 'HEAD' | 'POST' = 'GET',
) {
  const answer = await request(`${metrics.url}${path}`, { headers, method })
  return { status: answer.statusCode, headers: answer.headers, body: Buffer.from(await answer.body.arrayBuffer()) }
}

async function served(t: TestContext, transport: 'native' | 'js', options: PrometheusOptions = {}) {
  const metrics = prometheus({ service: 'math', listen, ...options })
  const made = await pair(t, transport, { server: { plugins: [metrics] } })
  made.server.routeCall('/add', (numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
  await made.session.call('/add', [1, 2])
  return { metrics, ...made }
}

onEachTransport('metrics page', (transport) => {
  it('is text or OpenMetrics, as Accept says, with its length', async (t) => {
    const { metrics } = await served(t, transport)
    for (const accept of [...accepts, undefined, '*/*', 'text/plain']) {
      const { status, headers, body } = await get(metrics, '/metrics', accept === undefined ? {} : { accept })
      const isOpen = accept?.includes('openmetrics') === true
      assert.equal(status, 200)
      assert.equal(headers['content-type'], isOpen ? OPEN : TEXT)
      assert.equal(headers['content-length'], String(body.length))
      assert.equal(body.toString().endsWith('\n# EOF\n'), isOpen)
      assert.equal(body.toString().includes('# TYPE dmicro_server_calls counter'), isOpen)
      checkHistograms(body.toString())
    }
    const [text, open] = [await metrics.page(), await metrics.page(accepts[0])]
    assert.deepEqual([text.contentType, open.contentType], [TEXT, OPEN])
    assert.deepEqual([...seriesOf(text.body.toString()).keys()], [...seriesOf(open.body.toString()).keys()])
  })

  it('has nothing that spoils a page or a series: no timestamps, no _created, no NaN, no name that Prometheus takes', async (t) => {
    const { metrics } = await served(t, transport)
    for (const accept of accepts) {
      const { body } = await get(metrics, '/metrics', { accept })
      const page = body.toString()
      assert.doesNotMatch(page, /\r|\uFEFF|_created|NaN|undefined/)
      for (const line of page.trimEnd().split('\n')) {
        if (/^# (HELP|TYPE) [a-zA-Z_]\w* ./.test(line) || line === '# EOF') continue
        assert.match(line, /^[a-zA-Z_]\w*(\{.*\})? (\+Inf|-?[\d.e+-]+)$/)
        assert.doesNotMatch(line, /[{,](job|instance|__name__)="/)
      }
    }
  })

  it('is compressed where that is offered, and has no body for HEAD', async (t) => {
    const { metrics } = await served(t, transport)
    const { headers, body } = await get(metrics, '/metrics', { 'accept-encoding': 'gzip' })
    assert.equal(headers['content-encoding'], 'gzip')
    assert.equal(headers['content-length'], String(body.length))
    assert.ok(seriesOf(gunzipSync(body).toString()).size > 50)
    assert.equal((await get(metrics, '/metrics', { 'accept-encoding': 'br, gzip;q=0' })).headers['content-encoding'], undefined)
    const head = await get(metrics, '/metrics', {}, 'HEAD')
    assert.ok(Number(head.headers['content-length']) > 1000)
    assert.equal(head.body.length, 0)
    const posted = await get(metrics, '/metrics', {}, 'POST')
    assert.deepEqual([posted.status, posted.headers.allow], [405, 'GET, HEAD'])
    assert.equal((await get(metrics, '/other')).status, 404)
    assert.equal((await get(metrics, '/metrics?name[]=x')).status, 200)
  })

  it('has exemplars of sampled traces, in OpenMetrics only', async (t) => {
    const { metrics, session } = await served(t, transport)
    const traces = [
      '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      `00-${'"'.repeat(32)}-b7ad6b7169203331-01`,
      'x'.repeat(60_000),
    ]
    for (const traceparent of [...traces.slice(1), traces[0]]) await session.call('/add', [1], { meta: { traceparent } })
    const [text, open] = [await metrics.page(), await metrics.page(accepts[0])]
    assert.match(
      open.body.toString(),
      /\} \d+ # \{trace_id="0af7651916cd43dd8448eb211c80319c",span_id="b7ad6b7169203331"\} [\d.e-]+ [\d.]+\n/,
    )
    assert.ok(!text.body.includes('trace_id'))
    assert.ok(!open.body.includes('xxxx'))
  })

  it('tells whether the process is well and ready', async (t) => {
    let isReady = false
    const metrics = prometheus({ listen, ready: async () => isReady })
    const server = endpoint(t, { transport, plugins: [metrics] })
    await metrics.start()
    const state = async (): Promise<number[]> => [(await get(metrics, '/healthz')).status, (await get(metrics, '/readyz')).status]
    isReady = true
    assert.deepEqual(await state(), [200, 503]) // does not listen
    const { url } = await server.listen('tcp://127.0.0.1:0')
    assert.deepEqual(await state(), [200, 200])
    isReady = false
    assert.deepEqual(await state(), [200, 503])
    isReady = true
    const [called, open] = [once(), once()]
    server.routeCall('/wait', () => {
      called.resolve()
      return open.promise
    })
    const call = (await endpoint(t, { transport }).dial(url)).call('/wait')
    await called.promise
    const closed = server.close({ timeout: 5_000 })
    assert.deepEqual(await state(), [200, 503]) // while it drains
    open.resolve()
    await Promise.all([call, closed])
    assert.equal(metrics.url, undefined)
  })

  it('is ready again when a shared plugin has lost one of its endpoints, and not without one that listens', async (t) => {
    const metrics = prometheus({ listen })
    const server = endpoint(t, { transport, plugins: [metrics] })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const state = async (): Promise<number> => (await get(metrics, '/readyz')).status
    const [short, long] = [endpoint(t, { transport, plugins: [metrics] }), endpoint(t, { transport, plugins: [metrics] })]
    await Promise.all([short.dial(url), long.dial(url)])
    await short.close()
    assert.equal(await state(), 200)
    await server.close()
    assert.equal(await state(), 503) // only a client is left
    await endpoint(t, { transport, plugins: [metrics] }).listen('tcp://127.0.0.1:0')
    assert.equal(await state(), 200)
  })

  it('lets a new connection in when others keep all places and say nothing', async (t) => {
    const { metrics } = await served(t, transport)
    await silent(t, metrics.url as string, 64)
    for (let i = 0; i < 3; i++) assert.equal((await get(metrics, '/healthz')).status, 200)
  })

  it('cannot have the path of another page, by which it could never be read', () => {
    for (const path of ['/healthz', '/readyz']) assert.throws(() => prometheus({ listen: `${listen}${path}` }), /path \/\w+ is taken/)
  })

  it('is made without a plugin whose counts cannot be read, which is logged once', async (t) => {
    const log = recorder()
    const metrics = prometheus()
    const bad = {
      name: 'bad',
      get stats(): object {
        throw new Error('no counts yet')
      },
    }
    const server = endpoint(t, { transport, plugins: [metrics, bad, { name: 'good', stats: { passed: 3 } } as Plugin], log })
    for (let i = 0; i < 2; i++)
      assert.deepEqual(await valuesOf(metrics, 'dmicro_limiter_messages_total'), { 'limiter=good,result=passed': 3 })
    await server.close()
    const lines = log.lines.filter(({ text }) => text === 'the counts of a plugin cannot be read')
    assert.deepEqual(
      lines.map(({ fields }) => fields.plugin),
      ['bad'],
    )
  })

  it('is not ready when the function that is asked fails', async (t) => {
    const failing = () => {
      throw new Error('no')
    }
    const { metrics } = await served(t, transport, { ready: failing })
    assert.equal((await get(metrics, '/readyz')).status, 503)
  })

  it('is there before the endpoint listens, closes with it, and may be closed before', async (t) => {
    const { metrics, server } = await served(t, transport)
    const { url } = metrics
    assert.match(url ?? '', /^http:\/\/127\.0\.0\.1:\d+$/)
    await server.close()
    assert.equal(metrics.url, undefined)
    await assert.rejects(request(`${url}/metrics`), { code: 'ECONNREFUSED' })
    const again = prometheus({ listen })
    assert.equal(again.url, undefined)
    const [first, second] = await Promise.all([again.start(), again.start()])
    assert.deepEqual([first, second], [again.url, again.url])
    await again.close()
    await again.close()
    assert.equal(again.url, undefined)
  })

  it('that cannot be served keeps the endpoint from listening (M-4)', async (t) => {
    const { metrics } = await served(t, transport)
    const other = endpoint(t, { transport, plugins: [prometheus({ listen: metrics.url })] })
    await assert.rejects(other.listen('tcp://127.0.0.1:0'), { code: 'EADDRINUSE' })
  })

  it('is whole whatever names routes and services have', async (t) => {
    const { metrics, server, session } = await served(t, transport, { service: 'quo"te\n\\' })
    for (const name of oddNames) {
      server.routeCall(name, () => 1)
      await session.call(name)
    }
    for (const accept of accepts) {
      const { body } = await get(metrics, '/metrics', { accept })
      const series = [...seriesOf(body.toString()).keys()].filter((name) => name.startsWith('dmicro_server_calls_total'))
      const paths = series.map((name) => /path="((?:[^"\\]|\\.)*)"/.exec(name)?.[1].replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c)))
      assert.deepEqual(paths, ['/add', ...oddNames])
    }
  })

  it('is served to many at once, to those who read half of it, and to one who does not read', async (t) => {
    const { metrics, server, session } = await served(t, transport)
    for (let i = 0; i < 200; i++) {
      server.routeCall(`/route/${i}`, () => 1)
      await session.call(`/route/${i}`)
    }
    const { port } = new URL(metrics.url as string)
    const stuck = connect(Number(port), '127.0.0.1')
    stuck.pause()
    stuck.on('error', () => {})
    stuck.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50))
    for (let i = 0; i < 10; i++) {
      const half = connect(Number(port), '127.0.0.1')
      half.on('error', () => {})
      half.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n')
      await event(half, 'data')
      half.destroy()
    }
    const pages = await Promise.all(Array.from({ length: 20 }, () => get(metrics)))
    for (const { body } of pages)
      assert.equal([...seriesOf(body.toString()).keys()].filter((name) => name.includes('calls_in_flight')).length, 201)
    await server.close() // though one has not read
    stuck.destroy()
  })

  it('of a registry of prom-client has the same series, beside its own', async (t) => {
    const register = new Registry()
    new Histogram({ name: 'own', help: 'x', registers: [register] }).observe(1)
    const { metrics, session } = await served(t, transport, { register, listen: undefined })
    await assert.rejects(session.call('/no"ne\n'))
    const withoutProcess = (page: string) =>
      [...seriesOf(page)].filter(([name]) => !/^(process_|dmicro_event_loop|own)/.test(name)).map(([name, value]) => `${name} ${value}`)
    const [ours, theirs] = [(await metrics.page()).body.toString(), await register.metrics()]
    assert.deepEqual(withoutProcess(theirs).sort(), withoutProcess(ours).sort())
    checkHistograms(theirs)
    assert.ok(theirs.includes('own_bucket'))
    assert.throws(() => prometheus({ register }), /already been registered/)
    await metrics.close()
    assert.ok(!(await register.metrics()).includes('dmicro'))
    assert.deepEqual(Object.values(await valuesOf(metrics, 'process_start_time_seconds')).length, 1)
  })
})
