// What a run leaves: raw values of every measurement, the bars, the machine. `report/` makes tables and charts of it.
import { readFileSync, writeFileSync } from 'node:fs'

/** One measurement in fresh processes; a field that its kind of trial does not measure is absent. */
export interface Measurement {
  calls?: number | undefined
  seconds?: number | undefined
  calls_per_second?: number | undefined
  server_cpu_us_per_call?: number | undefined
  server_system_us_per_call?: number | undefined
  /** CPU µs per call by thread name. */
  server_threads?: Record<string, number>
  client_cpu_us_per_call?: number | undefined
  p50_us?: number | undefined
  p99_us?: number | undefined
  p999_us?: number | undefined
  max_us?: number | undefined
  /** Open loop: calls that were due and never sent; their waiting is in the percentiles. */
  unsent?: number | undefined
  /** stack trials: server_cpu_us_per_call = server_system + server_js + server_native. */
  server_js_us_per_call?: number | undefined
  server_native_us_per_call?: number | undefined
  /** Whose samples told JavaScript from native code. */
  split_by?: 'perf' | 'V8'
  /** fan-out trials: from the publish to the first, the median and the last delivery. */
  first_us?: number | undefined
  median_us?: number | undefined
  last_us?: number | undefined
  /** idle memory: resident bytes of the server per session. */
  bytes_per_session?: number | undefined
  /** idle trials over KCP: the part of a core that the server uses for them. */
  idle_core?: number | undefined
  /** heap trials: bytes of the server's JavaScript heap after each load, and how much the last ones exceed the first, 0.01 = 1 %. */
  heaps?: number[]
  heap_growth?: number | undefined
  /** startup trials: above bare Node, until the library is loaded, until a server and a client are made, until a call is answered. */
  load_ms?: number | undefined
  make_ms?: number | undefined
  call_ms?: number | undefined
  load_mib?: number | undefined
  make_mib?: number | undefined
  call_mib?: number | undefined
  /** reuseport trials: the part of the CPU that each server process used. */
  process_shares?: number[]
}

/** The fields of a measurement that are one number. */
export type Field = { [K in keyof Measurement]-?: Measurement[K] extends number | undefined ? K : never }[keyof Measurement]

export type Group =
  | 'unary'
  | 'tls'
  | 'ws'
  | 'kcp'
  | 'quic'
  | 'protocols'
  | 'codecs'
  | 'push'
  | 'sweep'
  | 'latency'
  | 'fanout'
  | 'memory'
  | 'startup'
  | 'stack'
export type Outcome = { label: string; runs: Measurement[] } | { label: string; missing: string }

export interface TrialResult {
  id: string
  group: Group
  title: string
  /** A point of a sweep; its trials share the id before '@'. */
  x?: { name: string; value: number }
  drivers: Record<string, Outcome>
}

export type MicroResult = FunctionResult | ThroughputResult | RivalResult

/** A function on both sides; null where there is no such side. */
export interface FunctionResult {
  group: string
  name: string
  native_ns: number | null
  js_ns: number | null
}

/** What takes its time from the bytes it is given, beside what Node offers for the same. */
export interface ThroughputResult {
  group: string
  name: string
  bytes: number
  ours_ns: number
  bare_ns: number
}

/** A function beside other packages that do the same: nanoseconds of each by its name. */
export interface RivalResult {
  group: string
  name: string
  ours_ns: number
  others: Record<string, number>
}

export interface BarResult {
  id: string
  load: string
  against: string
  bar: string
  /** The ratio, or the value itself where the bar is absolute; null when it was not measured. */
  value: number | null
  text: string
  met: boolean | null
}

export interface Machine {
  cpu: string
  cores: number
  memoryGiB: number
  kernel: string
  node: string
  go: string | null
}

export interface Run {
  date: string
  commit: string
  command: string
  rounds: number
  seconds: number
  pinned: boolean
  /** Why the run ended before its end; absent when it did not. */
  ended?: string | undefined
  machine: Machine
  trials: TrialResult[]
  micro: MicroResult[]
  bars: BarResult[]
}

export function median(values: number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half] : sorted.length === 0 ? undefined : (sorted[half - 1] + sorted[half]) / 2
}

/** What `read` finds in each measurement of a driver in a trial; empty when there is none. */
export function values(trials: TrialResult[], id: string, driver: string, read: (run: Measurement) => number | undefined): number[] {
  const outcome = trials.find((trial) => trial.id === id)?.drivers[driver]
  if (outcome === undefined || 'missing' in outcome) return []
  return outcome.runs.map(read).filter((value) => value !== undefined)
}

export const readRun = (file: string): Run => JSON.parse(readFileSync(file, 'utf8'))
export const writeRun = (file: string, run: Run): void => writeFileSync(file, `${JSON.stringify(run, null, 1)}\n`)
