import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { charts } from '../report/charts.ts'
import { docsTable, replaceTable } from '../report/docs-table.ts'
import { markdown } from '../report/markdown.ts'
import { plan } from '../report/plan.ts'
import { readmeTable } from '../report/readme-table.ts'
import { writeReport } from '../report/write.ts'
import { type Measurement, type Run, readRun, type TrialResult } from '../results.ts'

const machine = { cpu: 'A CPU', cores: 2, memoryGiB: 8, kernel: '6.1', node: 'v20.20.2', go: null }
const nats = { label: 'NATS', missing: 'nats-server is not\ninstalled' }

const runOf = (trials: TrialResult[], rest: Partial<Run> = {}): Run => ({
  date: '2026-11-22T17:10:42.123Z',
  commit: 'abc1234',
  command: 'npm run bench -- --quick',
  rounds: 3,
  seconds: 2,
  pinned: true,
  machine,
  trials,
  micro: [],
  bars: [],
  ...rest,
})

const rates = (...calls: number[]): Measurement[] =>
  calls.map((calls_per_second) => ({ calls_per_second, server_cpu_us_per_call: 2, client_cpu_us_per_call: 1, p50_us: 70, p99_us: 123.4 }))

const unary: TrialResult = {
  id: 'unary-64',
  group: 'unary',
  title: '64 B, 1 × 64',
  drivers: {
    grpc: { label: 'gRPC', runs: rates(10_000, 12_000, 11_000) },
    native: { label: 'native', runs: rates(500_000, 440_000, 480_000) },
    nats,
  },
}

/** The cells of the one row that begins with these. */
function row(page: string, ...first: string[]): string[] {
  const found = page
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.slice(2, -2).split(' | '))
    .filter((cells) => first.every((cell, i) => cells[i] === cell))
  assert.equal(found.length, 1, `rows ${first.join(', ')}:\n${page}`)
  return found[0].slice(first.length)
}

describe('the page of a run', () => {
  it('says when, where and how', () => {
    const page = markdown(runOf([]))
    assert.deepEqual(row(page, 'date'), ['2026-11-22 17:10 UTC'])
    assert.deepEqual(row(page, 'machine'), ['A CPU, 2 cores, 8 GiB, kernel 6.1, Node v20.20.2'])
    assert.deepEqual(row(page, 'commit'), ['`abc1234`'])
    assert.deepEqual(row(page, 'command'), ['`npm run bench -- --quick`'])
    assert.match(row(page, 'rounds')[0], /^3 of 2 s/)
    assert.deepEqual(row(page, 'pinned'), ['server on core 0, client on core 1'])
    assert.deepEqual(row(markdown({ ...runOf([]), pinned: false }), 'pinned'), ['no'])
    assert.ok(!page.includes('## '), 'no section without content')
  })

  it('says that a run was cut short', () => {
    assert.match(markdown(runOf([], { ended: 'interrupted' })), /not complete: interrupted/)
  })

  it('shows medians with spread, the ratio to native and the saturated side, fastest first', () => {
    const page = markdown(runOf([unary]))
    assert.deepEqual(row(page, 'native'), [
      '480 k ± 6.3 % (440 k–500 k)',
      ...['1.00 ×', '2.00', '1.00', 'server (96 %, 48 %)', '70.0', '123'],
    ])
    assert.deepEqual(row(page, 'gRPC'), [
      '11.0 k ± 9.1 % (10.0 k–12.0 k)',
      ...['43.6 ×', '2.00', '1.00', 'neither (2.2 %, 1.1 %)', '70.0', '123'],
    ])
    assert.ok(page.indexOf('| native') < page.indexOf('| gRPC'))
    assert.match(page, /!\[Calls per second.*\]\(unary\.svg\)/)
  })

  it('names who is missing and why, in one line', () => {
    assert.match(markdown(runOf([unary])), /^Missing: NATS \(nats-server is not installed\)\.$/m)
  })

  it('shows a trial that nobody could run without a table', () => {
    const page = markdown(runOf([{ ...unary, drivers: { nats } }]))
    assert.match(page, /### 64 B, 1 × 64 \(`unary-64`\)\n\nMissing: NATS/)
    assert.ok(!page.includes('.svg'))
  })

  it('leaves out what was not measured', () => {
    const runs = [{ calls_per_second: 1_000 }]
    const page = markdown(runOf([{ ...unary, drivers: { grpc: { label: 'gRPC', runs } } }]))
    assert.deepEqual(row(page, 'gRPC'), ['1.00 k', '–', '–', '–', '–', '–', '–'])
  })

  it('shows threads where there are several', () => {
    const threads = (node: number): Measurement => ({ server_threads: { node, io: 3, timer: 0.001 } })
    const drivers = { native: { label: 'native', runs: [threads(1), threads(2), threads(1.5)] } }
    assert.match(markdown(runOf([{ ...unary, drivers }])), /\| native \| io 3\.00, node 1\.50 \|/)
  })

  it('counts the bars and marks what is not met', () => {
    const bar = { id: '', load: '1 × 64', against: 'gRPC', bar: '≥ 30 ×', value: 43.6, text: '480 k / 11 k = 43.6', met: true }
    const bars = [bar, { ...bar, against: 'net', text: '1.1', met: false }, { ...bar, against: 'NATS', text: 'NATS is missing', met: null }]
    const run = runOf([unary], { bars })
    const page = markdown(run)
    assert.match(page, /1 of 3 bars are met, 1 could not be measured\./)
    assert.deepEqual(row(page, '1 × 64', 'gRPC'), ['≥ 30 ×', '480 k / 11 k = 43.6', 'yes'])
    assert.deepEqual(row(page, '1 × 64', 'net'), ['≥ 30 ×', '1.1', '**NO**'])
    assert.deepEqual(row(page, '1 × 64', 'NATS'), ['≥ 30 ×', 'NATS is missing', '–'])
    const table = docsTable(run)
    assert.match(table, /`npm run bench -- --quick`, 2026-11-22, commit abc1234: A CPU, 2 cores/)
    assert.deepEqual(row(table, '1 × 64', 'net'), ['≥ 30 ×', '1.1', '**NO**'])
    assert.ok(!docsTable(runOf([])).includes('|'), 'no table without bars')
  })

  it('has a column for each point of a sweep, in the order of their values', () => {
    const point = (value: number, cost: number): TrialResult => ({
      id: `routes@${value}`,
      group: 'sweep',
      title: `${value} routes`,
      x: { name: 'routes', value },
      drivers: { native: { label: 'native', runs: [{ server_cpu_us_per_call: cost }] }, nats },
    })
    const page = markdown(runOf([point(10_000, 1.3), point(1, 1.1), point(100, 1.2)]))
    assert.match(page, /\| routes \| 1 \| 100 \| 10,000 \|\n.*\n\| native \| 1\.10 \| 1\.20 \| 1\.30 \|\n\| NATS \| – \| – \| – \|/)
    assert.match(page, /\(routes\.svg\)/)
  })

  it('shows how several server processes shared the work', () => {
    const runs = [{ process_shares: [0.5, 0.5] }, { process_shares: [0.25, 0.75] }]
    const drivers = { native: { label: 'native', runs } }
    const page = markdown(runOf([{ id: 'reuseport@2', group: 'sweep', title: '', x: { name: 'processes', value: 2 }, drivers }]))
    assert.match(page, /native, 2 processes: 50 % \+ 50 %; 25 % \+ 75 %\./)
    assert.ok(!page.includes('.svg'), 'a point is no line')
  })

  it('shows what a call costs in each protocol, beside our native transport, and then each trial', () => {
    const costs = (...costs: [string, number][]): TrialResult['drivers'] =>
      Object.fromEntries(costs.map(([name, server_cpu_us_per_call]) => [name, { label: name, runs: [{ server_cpu_us_per_call }] }]))
    const page = markdown(
      runOf([
        { id: 'protocols@json-64', group: 'protocols', title: 'json', drivers: costs(['native', 2], ['go', 7]) },
        { id: 'protocols@http-64', group: 'protocols', title: 'http', drivers: { ...costs(['native', 4], ['fastify', 20]), nats } },
      ]),
    )
    const text = ['| server CPU per call, µs | native | go | fastify | NATS |', '| json | 2.00 | 7.00 (3.50 ×) | – | – |']
    for (const line of [...text, '| http | 4.00 | – | 20.0 (5.00 ×) | – |']) assert.ok(page.includes(`${line}\n`), page)
    assert.match(page, /### http \(`protocols@http-64`\)/)
    assert.ok(!page.includes('.svg'))
  })

  it('shows what a codec costs in a table of its own, and beside other packages', () => {
    const codec = (id: string, server_cpu_us_per_call: number): TrialResult => ({
      id: `codecs@${id}`,
      group: 'codecs',
      title: id,
      drivers: { native: { label: 'native', runs: [{ server_cpu_us_per_call }] } },
    })
    const rival = { group: 'object codec', name: 'cbor, decode', ours_ns: 500, others: { 'cbor-x': 250, slow: 900 } }
    const page = markdown(runOf([codec('json', 1), codec('cbor', 2)], { micro: [rival] }))
    assert.match(page, /## Codecs\n/)
    assert.ok(page.includes('| json | 1.00 |\n| cbor | 2.00 |\n'), page)
    assert.deepEqual(row(page, 'object codec', 'cbor, decode'), ['500', 'cbor-x 250, slow 900', '0.50 ×'])
  })

  it('shows rates of what is measured by its bytes, with or without other micro-benchmarks', () => {
    const rate = { group: 'aes-gcm', name: 'pack', bytes: 65_536, ours_ns: 32_768, bare_ns: 16_384 }
    const page = markdown(runOf([], { micro: [rate] }))
    assert.deepEqual(row(page, 'aes-gcm', 'pack'), ['2.00', '4.00'])
    assert.ok(!page.includes('native, ns'))
    const both = markdown(runOf([], { micro: [{ group: 'pack', name: '64 B', native_ns: 1, js_ns: 2 }, rate] }))
    assert.deepEqual(row(both, 'pack', '64 B'), ['1.00', '2.00'])
    assert.deepEqual(row(both, 'aes-gcm', 'pack'), ['2.00', '4.00'])
  })

  it('shows latency, fan-out, memory, stacks and micro-benchmarks', () => {
    const one = (group: TrialResult['group'], run: Measurement, x?: TrialResult['x']): TrialResult => ({
      id: x === undefined ? group : `${group}@${x.value}`,
      group,
      title: `the ${group}`,
      ...(x === undefined ? {} : { x }),
      drivers: { native: { label: `native ${group}`, runs: [run] } },
    })
    const stack = { server_system_us_per_call: 1, server_native_us_per_call: 2, server_js_us_per_call: 0.5, server_cpu_us_per_call: 3.5 }
    const latency = { calls_per_second: 999, p50_us: 80, p99_us: 150, p999_us: 300, max_us: 12_345 }
    const run = runOf(
      [
        one('latency', latency, { name: 'calls/s due', value: 1_000 }),
        one('fanout', { first_us: 1_000, median_us: 20_000, last_us: 43_210 }),
        one('memory', { bytes_per_session: 1_379 }),
        one('stack', stack),
      ],
      { micro: [{ group: 'pack', name: '64 B', native_ns: null, js_ns: 91.25 }] },
    )
    const page = markdown(run)
    assert.deepEqual(row(page, '1,000', 'native latency'), ['999', '80.0', '150', '300', '12,345'])
    assert.deepEqual(row(page, 'native fanout'), ['1.00', '20.0', '43.2', '1.00 ×'])
    assert.deepEqual(row(page, 'native memory'), ['1,379'])
    assert.deepEqual(row(page, 'native stack'), ['1.00', '2.00', '0.50', '3.50'])
    assert.deepEqual(row(page, 'pack', '64 B'), ['–', '91.3'])
    assert.deepEqual(
      plan(run).map(({ file }) => file),
      ['latency.svg', 'stack.svg', 'fanout.svg'],
    )
  })
})

it('a run without measurements has no charts and needs no library for them', () => {
  assert.deepEqual(charts(runOf([{ ...unary, drivers: { nats } }])), {})
})

it('the table of README.md is about objects, and leaves out what was not measured', () => {
  const object: TrialResult = {
    ...unary,
    id: 'unary-object',
    drivers: {
      native: { label: 'dmicro native', runs: rates(366_000) },
      js: { label: 'dmicro JavaScript', runs: rates(293_000) },
      socketio: { label: 'Socket.IO', runs: rates(106_000) },
      nats,
    },
  }
  const page = readmeTable(runOf([unary, object]))
  const text = 'calls with an object of 64 B, 1 connection, 64 in flight'
  assert.deepEqual(row(page, text), ['366 k calls/s', 'Socket.IO 106 k calls/s'])
  assert.deepEqual(row(page, 'the same on the JavaScript transport'), ['293 k calls/s', ''])
  assert.ok(!page.includes('500 k') && !page.includes('NATS') && !page.includes('idle'), page)
  assert.match(page, /2026-11-22, commit abc1234: A CPU, 2 cores/)
  for (const line of page.split('\n')) assert.ok(line.startsWith('|') || line.length <= 120, line)
})

describe('what is in the repository', () => {
  const results = new URL('../results/', import.meta.url)
  const recorded = (name: string): Run => readRun(fileURLToPath(new URL(`${name}latest.json`, results)))
  const read = (name: string): string => readFileSync(new URL(name, results), 'utf8')

  const skip = existsSync(new URL('../node_modules/echarts', import.meta.url)) ? false : 'echarts is not installed'
  for (const name of ['', 'objects/', 'protocols/', 'tls/', 'ws/']) {
    it(`the pictures of bench/results/${name} show what was recorded, light and dark`, { skip }, () => {
      for (const [file, svg] of Object.entries(charts(recorded(name)))) {
        assert.match(svg, /prefers-color-scheme: dark/)
        assert.equal(read(`${name}${file}`), svg, file)
      }
    })
  }

  it('the tables of README.md and of objects in docs/benchmarks.md have the recorded figures', () => {
    const run = recorded('objects/')
    for (const [page, text, mark] of [
      ['../../README.md', readmeTable(run), 'bench'],
      ['../../docs/benchmarks.md', docsTable(run), 'objects'],
    ])
      assert.equal(replaceTable(read(page), text, mark), read(page), page)
  })
})

it("a page's charts replace those of the page before, and no others", () => {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-bench-report-'))
  try {
    const file = join(folder, 'latest.json')
    writeFileSync(join(folder, 'latest.md'), '# old\n\n![Old](old.svg)\n\ntext\n')
    for (const name of ['old.svg', 'mine.svg']) writeFileSync(join(folder, name), '<svg/>')
    const { page, problem } = writeReport(file, runOf([unary]))
    // Where ECharts is not installed there is no chart, and no link to one.
    assert.equal(page.includes('](unary.svg)'), problem === undefined)
    assert.equal(existsSync(join(folder, 'unary.svg')), problem === undefined)
    assert.equal(readFileSync(join(folder, 'latest.md'), 'utf8'), page)
    writeReport(file, runOf([]))
    assert.deepEqual(readdirSync(folder).sort(), ['latest.md', 'mine.svg'])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

it('the table of docs/benchmarks.md is what stands between its marks', () => {
  assert.equal(
    replaceTable('# a\n<!-- bench -->\nold\n<!-- /bench -->\nb\n', 'new', 'bench'),
    '# a\n<!-- bench -->\n\nnew\n\n<!-- /bench -->\nb\n',
  )
  assert.throws(() => replaceTable('<!-- /bench --> <!-- bench -->', 'new', 'bench'), /has no <!-- bench --> … <!-- \/bench -->/)
})
