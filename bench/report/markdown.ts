// A run as a page: where and how it was made, the bars, a table for each trial, the charts.
import type { Run, TrialResult } from '../results.ts'
import { SAMPLES } from '../startup.ts'
import { barsTable } from './bars-table.ts'
import { absent, families, measured } from './families.ts'
import { day, digits, machineText } from './format.ts'
import { plan } from './plan.ts'
import { rivalsTable } from './rivals-table.ts'
import { runsOf } from './summary.ts'
import { NONE, table } from './table.ts'
import { throughputTable } from './throughput-table.ts'
import * as tables from './trial-tables.ts'

export function markdown(run: Run): string {
  const parts = [
    `# dmicro benchmark, ${day(run)}`,
    header(run),
    ...(run.ended === undefined ? [] : [`**This run is not complete: ${run.ended}.**`]),
    ...section('Bars', [barsTable(run.bars)]),
    ...section('Calls', [picture(run, 'unary.svg'), ...each(run, 'unary', tables.rateTable, tables.threadTable)]),
    ...section('TLS', each(run, 'tls', tables.fittingTable)),
    ...section('WebSocket', each(run, 'ws', tables.fittingTable)),
    ...section('KCP', each(run, 'kcp', tables.fittingTable)),
    ...section('QUIC', each(run, 'quic', tables.fittingTable)),
    ...section('Protocols', overview(run, 'protocols')),
    ...section('Codecs', overview(run, 'codecs')),
    ...section('Pushes', each(run, 'push', tables.rateTable)),
    ...section('Latency', latency(run)),
    ...section('What a call costs', stacks(run)),
    ...section('Scaling', sweeps(run)),
    ...section('Fan-out', [picture(run, 'fanout.svg'), ...each(run, 'fanout', tables.fanoutTable)]),
    ...section('Memory', each(run, 'memory', tables.memoryTable)),
    ...section('Startup', startup(run)),
    ...section('Single functions', micro(run)),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function header(run: Run): string {
  const rows = [
    ['date', run.date.replace(/:\d\d(\.\d+)?Z$/, ' UTC').replace('T', ' ')],
    ['machine', machineText(run)],
    ['commit', `\`${run.commit}\``],
    ['command', `\`${run.command}\``],
    ['rounds', `${run.rounds} of ${run.seconds} s, in alternating order; medians, ± is half the range`],
    ['pinned', run.pinned ? 'server on core 0, client on core 1' : 'no'],
  ]
  return table(['', ''], rows, 2)
}

const section = (title: string, parts: string[]): string[] => (parts.some((part) => part !== '') ? [`## ${title}`, ...parts] : [])

/** Title and tables of each trial of a group, and who is missing from it. */
function each(run: Run, group: TrialResult['group'], ...make: ((trial: TrialResult) => string)[]): string[] {
  return run.trials
    .filter((trial) => trial.group === group)
    .flatMap((trial) => [heading(trial), ...(measured(trial).length === 0 ? [] : make.map((one) => one(trial))), absent([trial])])
}

const heading = ({ id, title }: { id: string; title: string }): string => `### ${title} (\`${id}\`)`

function picture(run: Run, file: string): string {
  const chart = plan(run).find((chart) => chart.file === file)
  return chart === undefined ? '' : `![${chart.title}](${file})`
}

/** A table with a row per trial, then each trial. */
function overview(run: Run, group: TrialResult['group']): string[] {
  const note = 'Server CPU per call, and how many times that of our native transport, which answers as many times the calls per CPU second.'
  const costs = families(run, group).flatMap(({ points }) => [note, tables.costTable(points)])
  return [...costs, ...each(run, group, tables.rateTable)]
}

function latency(run: Run): string[] {
  return families(run, 'latency').flatMap((family) => {
    const { id, axis, points } = family
    const title = axis === undefined ? points[0].title : `Open loop: ${axis}`
    const note = 'Calls are due at fixed times and latency counts from then, so that a stalled server is not flattered.'
    const open = axis === undefined ? [] : [note, picture(run, `${id}.svg`)]
    return [heading({ id, title }), ...open, tables.latencyTable(family), absent(points)]
  })
}

function stacks(run: Run): string[] {
  const by = new Set(run.trials.flatMap((trial) => measured(trial).flatMap(([, outcome]) => runsOf(outcome).map((one) => one.split_by))))
  const profiler = by.has('V8') ? "V8's profiler, which sees less of it than there is," : "perf's samples"
  const note = `Server CPU: kernel from /proc, JavaScript with its engine from ${profiler} in a second run, native code the rest.`
  const parts = families(run, 'stack').flatMap(({ id, points }) => {
    const [trial] = points
    return [heading(trial), picture(run, `${id}.svg`), tables.stackTable(trial), absent(points)]
  })
  return parts.length === 0 ? [] : [note, ...parts]
}

function startup(run: Run): string[] {
  const parts = each(run, 'startup', tables.startupTable)
  const note = `Time and resident memory above bare Node's, medians of ${SAMPLES} fresh processes with both ends in one, files in the system's cache.`
  return parts.length === 0 ? [] : [note, ...parts]
}

function sweeps(run: Run): string[] {
  return families(run, 'sweep').flatMap((family) => {
    const { id, axis, points } = family
    return [heading({ id, title: axis ?? points[0].title }), picture(run, `${id}.svg`), tables.sweepTables(family), absent(points)]
  })
}

function micro(run: Run): string[] {
  return [functions(run), rivalsTable(run.micro), throughputTable(run.micro)]
}

function functions(run: Run): string {
  const measured = run.micro.filter((row) => 'native_ns' in row)
  if (measured.length === 0) return ''
  const shown = (value: number | null): string => (value === null ? NONE : digits(value))
  const rows = measured.map(({ group, name, native_ns, js_ns }) => [group, name, shown(native_ns), shown(js_ns)])
  const note =
    '`npm run bench -- --only micro`; what each row measures stands in bench/micro. pack and unpack cross into C++ for every frame here, which the transport never does.'
  return `${note}\n\n${table(['', '', 'native, ns', 'JavaScript, ns'], rows, 2)}`
}
