import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { it, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { request } from 'undici'
import { type PrometheusOptions, prometheus } from '../../../src/observe/metrics/index.ts'
import { bulkhead, RpcClient, rateLimit, staticRegistry } from '../../../src/rpc/index.ts'
import { pair, transports } from '../../support/helpers.ts'
import { folder } from '../http/daemon.ts'
import { run } from '../support/processes.ts'
import { needCommands, suite } from '../support/suite.ts'

/** Names that are hard to write. */
const oddNames = ['/quote"', '/back\\slash', '/new\nline', '/carriage\r', '/ü😀', '/}{,="', '/x'.repeat(120)]
const TRACE = '0af7651916cd43dd8448eb211c80319c'

async function measured(t: TestContext, transport: 'native' | 'js', options: PrometheusOptions = {}) {
  const metrics = prometheus({ service: 'math', listen: 'http://127.0.0.1:0', ...options })
  const plugins = [metrics]
  const { server, session } = await pair(t, transport, { server: { plugins, overload: true }, client: { plugins } })
  server.routeCall('/add', (numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
  server.routePush('/log', () => {}, { plugins: [bulkhead({ max: 9 }), rateLimit({ rate: 99, name: 'quo"ta\n' })] })
  for (let i = 0; i < 7; i++) await session.call('/add', [i, 1], { meta: { traceparent: `00-${TRACE}-b7ad6b7169203331-01` } })
  for (const name of oddNames) {
    server.routeCall(name, () => 1)
    await session.call(name)
  }
  await assert.rejects(session.call('/none'))
  await session.push('/log', 'abc')
  const { host } = new URL((await server.listen('tcp://127.0.0.1:0')).url)
  const client = new RpcClient('math', { registry: staticRegistry([host]), transport, plugins, breaker: true, hedge: true, log: false })
  t.after(() => client.close({ timeout: 0 }))
  server.routeCall('/node', () => 1)
  await client.call('/node')
  return metrics
}

/** Prometheus, which scrapes `target` each second; returns a function that asks it. */
async function scraping(t: TestContext, target: string): Promise<(path: string) => Promise<unknown>> {
  const home = await folder(t)
  await writeFile(
    join(home, 'prometheus.yml'),
    `{global: {scrape_interval: 1s}, scrape_configs: [{job_name: dmicro, static_configs: [{targets: ['${target}']}]}]}`,
  )
  const args = ['--config.file=prometheus.yml', '--storage.tsdb.path=data', '--web.listen-address=127.0.0.1:0', '--log.format=json']
  const child = spawn('prometheus', [...args, '--enable-feature=exemplar-storage'], { cwd: home, stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(child, 'close')
  t.after(() => {
    child.kill('SIGKILL')
    return exited
  })
  let address = ''
  for await (const line of createInterface(child.stderr)) {
    const { msg, address: bound } = JSON.parse(line) as Record<string, string>
    if (msg !== 'Listening on') continue
    address = bound
    break
  }
  child.stderr.resume()
  const isReady = async (): Promise<boolean> => {
    const { statusCode, body } = await request(`http://${address}/-/ready`)
    await body.dump()
    return statusCode === 200
  }
  while (!(await isReady())) await wait(20)
  return async (path) => {
    const answer = await request(`http://${address}/api/v1/${path}`)
    return ((await answer.body.json()) as { data: unknown }).data
  }
}

/** Values by a label. */
type Answer = { result: { metric: Record<string, string>; value: [number, string] }[] }

await suite(
  'Prometheus',
  () => needCommands({ prometheus: 'prometheus', promtool: 'prometheus' }),
  () => {
    for (const transport of transports) {
      it(`promtool finds nothing wrong with a page (${transport})`, async (t) => {
        const metrics = await measured(t, transport, { go: false })
        const { body } = await metrics.page()
        const { code, stdout, stderr } = await run('promtool', ['check', 'metrics'], { input: body.toString() })
        assert.deepEqual([code, stdout, stderr], [0, '', ''])
      })

      it(`promtool finds only the units of Go's names wrong (${transport})`, async (t) => {
        const { body } = await (await measured(t, transport)).page()
        const { code, stdout, stderr } = await run('promtool', ['check', 'metrics'], { input: body.toString() })
        const lines = `${stdout}${stderr}`.trim().split('\n')
        assert.equal(code, 3)
        for (const line of lines)
          assert.match(line, /^rpc_server_(reply|call)_duration_ms metric names should not contain abbreviated units$/)
      })

      it(`a server scrapes it and answers from it (${transport})`, async (t) => {
        const metrics = await measured(t, transport)
        const ask = await scraping(t, new URL(metrics.url as string).host)
        const query = async (text: string): Promise<Answer['result']> =>
          ((await ask(`query?query=${encodeURIComponent(text)}`)) as Answer).result
        while ((await query('dmicro_server_calls_total{path="/add"}')).length === 0) await wait(100)
        assert.deepEqual(
          (await query('up')).map(({ value }) => value[1]),
          ['1'],
        )
        const served = await query('dmicro_server_calls_total')
        assert.deepEqual(
          Object.fromEntries(served.map(({ metric, value }) => [`${metric.path} ${metric.code}`, value[1]])),
          Object.fromEntries([['/add 0', '7'], ...oddNames.map((name) => [`${name} 0`, '1']), ['_OTHER 404', '1'], ['/node 0', '1']]),
        )
        const [go] = await query('rpc_server_reply_duration_ms_bucket{path="/add",le="1000"}')
        assert.equal(go.value[1], '7')
        const [up] = await query('dmicro_registry_up')
        assert.deepEqual([up.metric.service, up.value[1]], ['math', '1'])
        const [passed] = await query('dmicro_limiter_messages_total{limiter=~"quo[^x]*",result="allowed"}')
        assert.equal(passed.value[1], '1')
        const [quantile] = await query('histogram_quantile(0.99, dmicro_server_call_duration_seconds_bucket{path="/add"})')
        assert.ok(Number(quantile.value[1]) > 0 && Number(quantile.value[1]) <= 10)
        const types = (await ask('metadata')) as Record<string, { type: string }[]>
        assert.equal(types.dmicro_server_call_duration_seconds[0].type, 'histogram')
        assert.equal(types.dmicro_server_calls_in_flight[0].type, 'gauge')
        const exemplars = (await ask('query_exemplars?start=0&end=9999999999&query=dmicro_server_call_duration_seconds_bucket')) as {
          exemplars: { labels: Record<string, string> }[]
        }[]
        assert.equal(exemplars[0].exemplars[0].labels.trace_id, TRACE)
      })
    }
  },
)
