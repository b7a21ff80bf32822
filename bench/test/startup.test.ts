import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { findReasons } from '../availability.ts'
import { parseOptions, plan } from '../options.ts'
import { markdown } from '../report/markdown.ts'
import type { Run } from '../results.ts'
import { aboveBare, type Start, startupCommand } from '../startup.ts'
import { type Trial, trials } from '../trials.ts'

const MIB = 2 ** 20
const byImport = trials.find(({ id }) => id === 'startup@import') as Trial
const byRequire = trials.find(({ id }) => id === 'startup@require') as Trial

const startOf = (load: number, make: number, call: number, mib: number): Start => ({
  load: { ms: load, bytes: mib * MIB },
  make: { ms: make, bytes: (mib + 1) * MIB },
  call: { ms: call, bytes: (mib + 2) * MIB },
})

function run([file, ...args]: string[]) {
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' })
  return { status, stdout, stderr }
}

test('a stage of a start counts from bare Node, by medians, so that one slow process of either changes nothing', () => {
  const starts = [startOf(100, 110, 120, 60), startOf(101, 111, 121, 61), startOf(900, 910, 920, 600)]
  const bare = [startOf(40, 41, 42, 40), startOf(800, 801, 802, 400), startOf(39, 40, 41, 39)]
  assert.deepEqual(aboveBare(starts, bare), {
    load_ms: 61,
    make_ms: 70,
    call_ms: 79,
    load_mib: 21,
    make_mib: 21,
    call_mib: 21,
  })
})

test('--only startup takes both ways to load a library', () => {
  assert.deepEqual(
    plan(parseOptions(['--only', 'startup'])).map(({ id, load }) => [id, load]),
    [
      ['startup@import', 'import'],
      ['startup@require', 'require'],
    ],
  )
})

for (const trial of [byImport, byRequire]) {
  for (const library of ['bare', 'js']) {
    test(`${library} starts by ${trial.load} in one process and tells its stages in their order`, () => {
      const { status, stdout, stderr } = run(startupCommand(library, trial))
      assert.equal(status, 0, stderr)
      const { load, make, call } = JSON.parse(stdout) as Start
      assert.ok(load.ms > 0 && load.ms <= make.ms && make.ms <= call.ms, stdout)
      for (const { bytes } of [load, make, call]) assert.ok(bytes > MIB, stdout)
    })
  }
}

test('a start that cannot be made ends with one line that says why', () => {
  assert.deepEqual(run(startupCommand('express', byImport)), {
    status: 2,
    stdout: '',
    stderr: 'no library is named express; known: bare, native, js, grpc-js, moleculer, socketio, trpc\n',
  })
})

test('whether a library starts is tried for each way to load it, and Go and C++ are not asked', async () => {
  const only = { ...byImport, drivers: ['js'] }
  const reasonOf = await findReasons([only, { ...byRequire, drivers: ['js'] }], { go: 'no go', cpp: 'no cmake' })
  assert.equal(reasonOf('js', byImport), undefined)
  assert.equal(reasonOf('js', byRequire), undefined)
})

test('a page shows the stages of each library, lightest first, and who is missing', () => {
  const measured = (call_ms: number) => ({ load_ms: 50, make_ms: 55.5, call_ms, load_mib: 10, make_mib: 11, call_mib: 12.25 })
  const page = markdown({
    date: '2026-11-22T17:10:42.123Z',
    commit: 'abc1234',
    command: 'npm run bench -- --only startup',
    rounds: 1,
    seconds: 2,
    pinned: true,
    machine: { cpu: 'A CPU', cores: 2, memoryGiB: 8, kernel: '6.1', node: 'v20.20.2', go: null },
    trials: [
      {
        id: byImport.id,
        group: byImport.group,
        title: byImport.title,
        drivers: {
          moleculer: { label: 'Moleculer TCP', runs: [measured(600)] },
          native: { label: 'dmicro native', runs: [measured(70), measured(90)] },
          trpc: { label: 'tRPC', missing: 'package @trpc/server is not installed' },
        },
      },
    ],
    micro: [],
    bars: [],
  } satisfies Run)
  const [, section] = page.split('## Startup\n')
  const rows = section.split('\n').filter((line) => /^\| (dmicro|Moleculer)/.test(line))
  assert.deepEqual(rows, [
    '| dmicro native | 50.0 | 55.5 | 80.0 ± 13 % (70.0–90.0) | 10.0 | 11.0 | 12.3 |',
    '| Moleculer TCP | 50.0 | 55.5 | 600 | 10.0 | 11.0 | 12.3 |',
  ])
  assert.match(section, /Missing: tRPC \(package @trpc\/server is not installed\)/)
})
