import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { planBuckets } from '../../../../src/observe/metrics/buckets.ts'
import { Durations } from '../../../../src/observe/metrics/durations.ts'
import type { Visitor } from '../../../../src/observe/metrics/family.ts'
import { Labels } from '../../../../src/observe/metrics/labels.ts'
import { acceptsGzip, chooseFormat } from '../../../../src/observe/metrics/negotiate.ts'
import { readPageAddress } from '../../../../src/observe/metrics/page-server.ts'
import { escapeHelp, PageText } from '../../../../src/observe/metrics/page-text.ts'
import { prometheus } from '../../../../src/observe/metrics/prometheus.ts'
import { Renderer } from '../../../../src/observe/metrics/render.ts'

describe('the format of a page', () => {
  const choices: [string | undefined, string][] = [
    [undefined, 'text'],
    ['', 'text'],
    ['*/*', 'text'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text; version="1.0.0"', 'openmetrics'],
    ['APPLICATION/OPENMETRICS-TEXT;VERSION=1.0.0', 'openmetrics'],
    ['application/openmetrics-text;version=0.0.1', 'text'],
    ['application/openmetrics-text;version=1.0.0;q=0', 'text'],
    ['application/openmetrics-text;version=1.0.0;q=0.4,text/plain;version=0.0.4;q=0.5', 'text'],
    ['application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=1.0.0;q=0.9,*/*;q=0.2', 'openmetrics'],
    ['application/openmetrics-text;q=x', 'text'],
    [
      'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily,application/openmetrics-text;version=1.0.0;q=0.8',
      'openmetrics',
    ],
    [`${',;=,'.repeat(5000)}application/openmetrics-text`, 'openmetrics'],
  ]
  for (const [accept, format] of choices) it(`is ${format} for ${accept?.slice(0, 100)}`, () => assert.equal(chooseFormat(accept), format))

  it('is compressed with gzip alone', () => {
    for (const header of ['gzip', 'br;q=1, GZIP;q=0.5']) assert.ok(acceptsGzip(header), header)
    for (const header of [undefined, '', '*', 'br', 'gzip;q=0', 'x-gzip']) assert.ok(!acceptsGzip(header), header)
  })
})

it('labels are escaped, and an empty one is left out', () => {
  assert.equal(new Labels({ a: '"', b: '\\', c: '\n', d: '', e: '\ud800x' }).text, 'a="\\"",b="\\\\",c="\\n",e="\ufffdx"')
  assert.equal(escapeHelp('a\\b\n"c"', false), 'a\\\\b\\n"c"')
  assert.equal(escapeHelp('a\\b\n"c"', true), 'a\\\\b\\n\\"c\\"')
})

it('buckets are cumulative, and those of Go and ours are shown of the same counts', () => {
  const plan = planBuckets([0.0001, 0.005, 1], true)
  const durations = new Durations(plan.bounds)
  for (const ms of [0.1, 0.2, 5, 5.5, 1000, 1001]) durations.add(ms, 2)
  const page = new PageText('openmetrics')
  page.begin({ name: 'x_seconds', type: 'histogram', help: 'x' })
  page.histogram(new Labels({}), durations, plan.seconds)
  page.begin({ name: 'x_ms', type: 'histogram', help: 'x' })
  page.histogram(new Labels({ path: '/a' }), durations, plan.go ?? assert.fail())
  const lines = Buffer.concat(page.finish())
    .toString()
    .split('\n')
    .filter((line) => !line.startsWith('#'))
  assert.deepEqual(lines, [
    'x_seconds_bucket{le="0.0001"} 2',
    'x_seconds_bucket{le="0.005"} 6',
    'x_seconds_bucket{le="1.0"} 10',
    'x_seconds_bucket{le="+Inf"} 12',
    'x_seconds_sum 4.0236',
    'x_seconds_count 12',
    ...[6, 8, 8, 8, 8, 8, 8, 10].map((count, i) => `x_ms_bucket{path="/a",le="${[5, 10, 25, 50, 100, 250, 500, 1000][i]}"} ${count}`),
    'x_ms_bucket{path="/a",le="+Inf"} 12',
    'x_ms_sum{path="/a"} 4023.6',
    'x_ms_count{path="/a"} 12',
    '',
  ])
})

it('a large page is made in slices, between which others have their turn', async () => {
  const series = 2_000
  const visit = function* (visitor: Visitor): Generator<void, void> {
    visitor.begin({ name: 'x', type: 'gauge', help: 'x' })
    for (let i = 0; i < series; i++) {
      const end = performance.now() + 0.02
      while (performance.now() < end);
      visitor.value(new Labels({ i: String(i) }), i)
      yield
    }
  }
  const renderer = new Renderer({ prepare: async () => visit })
  const page = renderer.render('text')
  assert.equal(renderer.render('text'), page) // who comes meanwhile shares it
  let turns = 0
  let isOver = false
  const look = (): void => {
    turns++
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  const pieces = await page
  isOver = true
  assert.ok(turns >= 20, `${turns} turns in 40 ms of work`)
  assert.ok(pieces.length >= 20)
  assert.equal(Buffer.concat(pieces).toString().trim().split('\n').length, series + 2)
})

it('options that are wrong are refused', () => {
  const wrong: [object, RegExp][] = [
    [{ services: 'x' }, /services/],
    [{ service: 1 }, /service/],
    [{ listen: '127.0.0.1:9101' }, /option listen must be an address/],
    [{ listen: 'https://127.0.0.1:9101' }, /option listen/],
    [{ listen: 'http://127.0.0.1:9101?x' }, /option listen/],
    [{ listen: 9101 }, /option listen/],
    [{ buckets: [] }, /option buckets/],
    [{ buckets: [1, 1] }, /option buckets/],
    [{ buckets: [0] }, /option buckets/],
    [{ buckets: [1, Number.POSITIVE_INFINITY] }, /option buckets/],
    [{ buckets: Array.from({ length: 101 }, (_, i) => i + 1) }, /option buckets/],
    [{ go: 1 }, /option go/],
    [{ ready: true }, /ready/],
    [{ register: {} }, /option register/],
  ]
  for (const [options, message] of wrong) assert.throws(() => prometheus(options), message)
})

it('an address may name its path, and IPv6', () => {
  assert.deepEqual(readPageAddress('http://127.0.0.1:9101'), { host: '127.0.0.1', port: 9101, path: '/metrics' })
  assert.deepEqual(readPageAddress('http://[::1]:0/own/page'), { host: '::1', port: 0, path: '/own/page' })
  assert.deepEqual(readPageAddress('http://localhost/'), { host: 'localhost', port: 80, path: '/metrics' })
})
