// A table for each kind of trial.
import type { Field, Outcome, TrialResult } from '../results.ts'
import { driversOf, type Family, measured } from './families.ts'
import { count, digits, milliseconds, percent, ratio, withSpread } from './format.ts'
import { loadOf, medianOf, runsOf, type Summary, summarise, summary } from './summary.ts'
import { NONE, table } from './table.ts'

/** The driver that all others are compared with. */
export const BASE = 'native'

const shown = (value: number | undefined, text: (value: number) => string): string => (value === undefined ? NONE : text(value))
const spread = (value: Summary | undefined, text: (value: number) => string): string =>
  value === undefined ? NONE : withSpread(value, text)
const figure = (outcome: Outcome, field: Field, text = digits): string => shown(medianOf(outcome, field), text)

/** Fastest first; what has no rate comes last. */
const byRate = (trial: TrialResult): [string, Outcome][] =>
  measured(trial).sort(([, a], [, b]) => (medianOf(b, 'calls_per_second') ?? 0) - (medianOf(a, 'calls_per_second') ?? 0))

/** How many times as many calls a second our native transport makes. */
export function lead(trial: TrialResult, outcome: Outcome): number | undefined {
  const base = trial.drivers[BASE]
  const ours = base && medianOf(base, 'calls_per_second')
  const theirs = medianOf(outcome, 'calls_per_second')
  return ours === undefined || theirs === undefined ? undefined : ours / theirs
}

function saturated(outcome: Outcome): string {
  const load = loadOf(outcome)
  return load === undefined ? NONE : `${load.saturated} (${percent(load.server)}, ${percent(load.client)})`
}

export function rateTable(trial: TrialResult): string {
  const [unit, units] = trial.group === 'push' ? ['push', 'pushes'] : ['call', 'calls']
  const rows = byRate(trial).map(([, outcome]) => [
    outcome.label,
    spread(summary(outcome, 'calls_per_second'), count),
    shown(lead(trial, outcome), ratio),
    figure(outcome, 'server_cpu_us_per_call'),
    figure(outcome, 'client_cpu_us_per_call'),
    saturated(outcome),
    figure(outcome, 'p50_us'),
    figure(outcome, 'p99_us'),
  ])
  const head = ['driver', `${units}/s`, 'native is', `server CPU per ${unit}, µs`, `client CPU per ${unit}, µs`]
  return table([...head, 'saturated (server, client)', 'p50, µs', 'p99, µs'], rows)
}

/** A row per trial, a column per driver. */
export function costTable(trials: TrialResult[]): string {
  const labels = driversOf(trials)
  const rows = trials.map((trial) => {
    const cost = (driver: string): number | undefined => trial.drivers[driver] && medianOf(trial.drivers[driver], 'server_cpu_us_per_call')
    const base = cost(BASE)
    return [
      trial.title,
      ...[...labels.keys()].map((driver) => {
        const value = cost(driver)
        if (value === undefined) return NONE
        return driver === BASE || base === undefined ? digits(value) : `${digits(value)} (${ratio(value / base)})`
      }),
    ]
  })
  return table(['server CPU per call, µs', ...labels.values()], rows)
}

/** CPU per call of each thread, for servers that have more than one at work; '' when none has. */
export function threadTable(trial: TrialResult): string {
  const rows = measured(trial).flatMap(([, outcome]) => {
    const runs = runsOf(outcome).map((run) => run.server_threads ?? {})
    const names = [...new Set(runs.flatMap((threads) => Object.keys(threads)))]
    const costs = names.map((name) => ({ name, cost: summarise(runs.map((threads) => threads[name] ?? 0))!.median }))
    const busy = costs.filter(({ cost }) => cost >= 0.01).sort((a, b) => b.cost - a.cost)
    return busy.length < 2 ? [] : [[outcome.label, busy.map(({ name, cost }) => `${name} ${digits(cost)}`).join(', ')]]
  })
  return rows.length === 0 ? '' : table(['driver', 'server CPU per call by thread, µs'], rows, 2)
}

/** A row per driver, a column per point. */
function sweepTable({ axis, points }: Family, field: Field, text: (value: number) => string): string {
  const rows = [...driversOf(points)].map(([name, label]) => [
    label,
    ...points.map(({ drivers }) => (drivers[name] === undefined ? NONE : figure(drivers[name], field, text))),
  ])
  return table([axis ?? '', ...points.map(({ x }) => (x?.value ?? 0).toLocaleString('en'))], rows)
}

export function sweepTables(family: Family): string {
  const part = (title: string, field: Field, text: (value: number) => string): string => `${title}:\n\n${sweepTable(family, field, text)}`
  const parts = [
    part('Server CPU per call, µs', 'server_cpu_us_per_call', digits),
    part('Calls/s', 'calls_per_second', count),
    shares(family),
  ]
  return parts.filter((text) => text !== '').join('\n\n')
}

/** How the kernel spread connections over server processes; '' where there was one. */
function shares({ points }: Family): string {
  const several = points.flatMap((trial) =>
    measured(trial).flatMap(([, outcome]) => {
      const runs = runsOf(outcome).map((run) => run.process_shares ?? [])
      const texts = runs.filter((parts) => parts.length > 1).map((parts) => parts.map(percent).join(' + '))
      return texts.length === 0 ? [] : [`${outcome.label}, ${trial.x?.value ?? 1} processes: ${texts.join('; ')}`]
    }),
  )
  return several.length === 0 ? '' : `CPU of the server processes, by measurement: ${several.join('. ')}.`
}

export function latencyTable({ axis, points }: Family): string {
  const rows = points.flatMap((trial) =>
    measured(trial).map(([, outcome]) => [
      ...(axis === undefined ? [] : [(trial.x?.value ?? 0).toLocaleString('en')]),
      outcome.label,
      figure(outcome, 'calls_per_second', count),
      spread(summary(outcome, 'p50_us'), digits),
      figure(outcome, 'p99_us'),
      figure(outcome, 'p999_us'),
      figure(outcome, 'max_us'),
    ]),
  )
  const head = ['driver', 'calls/s', 'p50, µs', 'p99, µs', 'p99.9, µs', 'max, µs']
  return axis === undefined ? table(head, rows) : table([axis, ...head], rows, 2)
}

export function fanoutTable(trial: TrialResult): string {
  const base = trial.drivers[BASE] && medianOf(trial.drivers[BASE], 'last_us')
  const rows = measured(trial)
    .sort(([, a], [, b]) => (medianOf(a, 'last_us') ?? Infinity) - (medianOf(b, 'last_us') ?? Infinity))
    .map(([, outcome]) => {
      const last = summary(outcome, 'last_us')
      return [
        outcome.label,
        figure(outcome, 'first_us', milliseconds),
        figure(outcome, 'median_us', milliseconds),
        spread(last, milliseconds),
        base === undefined || last === undefined ? NONE : ratio(last.median / base),
      ]
    })
  return table(['driver', 'first delivery, ms', 'median, ms', 'last, ms', 'last against native'], rows)
}

export function memoryTable(trial: TrialResult): string {
  const heaps = measured(trial).some(([, outcome]) => runsOf(outcome).some((run) => run.heaps !== undefined))
  if (!heaps) {
    const timers = measured(trial).some(([, outcome]) => medianOf(outcome, 'idle_core') !== undefined)
    const rows = measured(trial).map(([, outcome]) => [
      outcome.label,
      spread(summary(outcome, 'bytes_per_session'), digits),
      ...(timers ? [figure(outcome, 'idle_core', percent)] : []),
    ])
    return table(['driver', 'resident bytes per session', ...(timers ? ['CPU while idle'] : [])], rows)
  }
  const rows = measured(trial).map(([, outcome]) => [
    outcome.label,
    figure(outcome, 'calls', count),
    (runsOf(outcome)[0]?.heaps ?? []).map((bytes) => (bytes / 2 ** 20).toFixed(2)).join(' '),
    figure(outcome, 'heap_growth', percent),
  ])
  return table(['driver', 'calls', 'heap after each load, MiB', 'growth'], rows)
}

/** That of what was measured, in a group whose trials are of several kinds. */
export function fittingTable(trial: TrialResult): string {
  const has = (field: Field): boolean => measured(trial).some(([, outcome]) => medianOf(outcome, field) !== undefined)
  if (has('bytes_per_session')) return memoryTable(trial)
  return has('last_us') ? fanoutTable(trial) : rateTable(trial)
}

/** Lightest first. */
export function startupTable(trial: TrialResult): string {
  const rows = measured(trial)
    .sort(([, a], [, b]) => (medianOf(a, 'call_ms') ?? Infinity) - (medianOf(b, 'call_ms') ?? Infinity))
    .map(([, outcome]) => [
      outcome.label,
      figure(outcome, 'load_ms'),
      figure(outcome, 'make_ms'),
      spread(summary(outcome, 'call_ms'), digits),
      figure(outcome, 'load_mib'),
      figure(outcome, 'make_mib'),
      spread(summary(outcome, 'call_mib'), digits),
    ])
  const until = ['loaded', 'server and client made', 'first call answered']
  return table(['driver, until', ...until.map((stage) => `${stage}, ms`), ...until.map((stage) => `${stage}, MiB`)], rows)
}

export function stackTable(trial: TrialResult): string {
  const rows = measured(trial).map(([, outcome]) => [
    outcome.label,
    figure(outcome, 'server_system_us_per_call'),
    figure(outcome, 'server_native_us_per_call'),
    figure(outcome, 'server_js_us_per_call'),
    figure(outcome, 'server_cpu_us_per_call'),
  ])
  return table(['driver', 'kernel, µs', 'native code, µs', 'JavaScript, µs', 'server CPU per call, µs'], rows)
}
