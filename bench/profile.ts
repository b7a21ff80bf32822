// What a call costs the server's CPU, split: kernel from /proc, the rest by a second run under a profiler, which gives only
// JavaScript's part; the run without gives the µs. Perf tells that part well. V8's own profiler, where there is no perf, sees too
// little: its thread waits for the core that the server is busy on, and so finds it idle more often than it is.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Driver } from './drivers.ts'
import { type Server, type Settings, warmupOf } from './peers.ts'
import { hasPerf, partOf, record } from './perf.ts'
import type { Program } from './processes.ts'
import { type Measurement, median } from './results.ts'
import type { Trial } from './trials.ts'

export interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string } }[]
  samples: number[]
  timeDeltas: number[]
}

/** After the server's. */
const PERF_END_MS = 10_000

type Measure = (driver: Driver, trial: Trial, settings: Settings) => Promise<Measurement>

export async function stack(driver: Driver, trial: Trial, settings: Settings, measure: Measure): Promise<Measurement> {
  const run = await measure(driver, trial, settings)
  const { server_cpu_us_per_call: cpu, server_system_us_per_call: system } = run
  if (cpu === undefined || system === undefined) return run
  const user = Math.max(0, cpu - system)
  if (driver.kind !== 'js') return { ...run, server_js_us_per_call: 0, server_native_us_per_call: user }
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-bench-profile-'))
  try {
    const byPerf = hasPerf() ? await perfPart(driver, trial, settings, measure, folder) : undefined
    const part = byPerf ?? (await v8Part(driver, trial, settings, measure, folder))
    const js = Math.max(0, Math.min(1, part)) * user
    return { ...run, server_js_us_per_call: js, server_native_us_per_call: user - js, split_by: byPerf === undefined ? 'V8' : 'perf' }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** JavaScript's part of the server's user time; undefined when perf cannot tell. */
async function perfPart(driver: Driver, trial: Trial, settings: Settings, measure: Measure, folder: string): Promise<number | undefined> {
  const file = join(folder, 'perf.data')
  let perf: Program | undefined
  const onServer = ({ pids }: Server): void => {
    perf = record(pids, file, warmupOf(trial, settings))
  }
  await measure(driver, trial, { ...settings, onServer })
  await perf?.end(PERF_END_MS)
  return partOf(file)
}

/** The same by V8's profiler. */
async function v8Part(driver: Driver, trial: Trial, settings: Settings, measure: Measure, folder: string): Promise<number> {
  const flags = ['--cpu-prof', '--cpu-prof-interval', '250', '--cpu-prof-dir', folder]
  const run = await measure(driver, trial, { ...settings, serverFlags: [...settings.serverFlags, ...flags] })
  const names = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'))
  const profiles = names.map((name): CpuProfile => JSON.parse(readFileSync(join(folder, name), 'utf8')))
  if (profiles.length === 0) throw new Error(`the server of ${driver.name} wrote no CPU profile`)
  // Of a server with workers the main thread, which lived longest.
  profiles.sort((a, b) => b.samples.length - a.samples.length)
  const perSecond = javaScriptShare(profiles[0], settings.seconds * trial.share)
  const user = run.server_cpu_us_per_call! - run.server_system_us_per_call!
  return (perSecond * 1e6) / (run.calls_per_second! * user)
}

/** C++ that has no URL either, under JavaScript frames: Node's and ours. V8's built-ins and its collector count as JavaScript. */
const native = new Set([
  '(program)',
  '(idle)', // which is also where a loop's callbacks are that call no JavaScript
  ...['writev', 'writeBuffer', 'writeUtf8String', 'writeLatin1String', 'writeAsciiString', 'writeUcs2String', 'readStart', 'shutdown'],
  ...['utf8Write', 'utf8Slice', 'latin1Write', 'latin1Slice', 'asciiSlice', 'encodeInto', 'encodeUtf8String', 'decodeUTF8', 'isUtf8'],
  ...['drain', 'drainWith', 'unsent', 'takeLarge'],
])

const BIN_US = 20_000

/** Seconds of JavaScript per second, in the last `seconds` of a profile's load; what came before is start and warm-up. */
export function javaScriptShare({ nodes, samples, timeDeltas }: CpuProfile, seconds: number): number {
  const script = new Set(
    nodes.filter(({ callFrame: { functionName, url } }) => url !== '' || !native.has(functionName)).map(({ id }) => id),
  )
  const bins: number[] = []
  let time = 0
  samples.forEach((id, i) => {
    time += timeDeltas[i]
    if (script.has(id)) bins[Math.floor(time / BIN_US)] = (bins[Math.floor(time / BIN_US)] ?? 0) + timeDeltas[i]
  })
  const shares = Array.from(bins, (used) => (used ?? 0) / BIN_US)
  const count = Math.round((seconds * 1e6) / BIN_US)
  // After the load the server waits for its end.
  const usual = median(shares.slice(-count)) ?? 0
  while (shares.length > 0 && shares.at(-1)! < usual / 2) shares.pop()
  const window = shares.slice(-count)
  return window.length === 0 ? 0 : window.reduce((sum, share) => sum + share, 0) / window.length
}
