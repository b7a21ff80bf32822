// `npm run bench`: every trial × driver in one run, its results and its report in bench/results/. README.md tells more.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { findReasons, type Reasons } from './availability.ts'
import { evaluate } from './bars.ts'
import { build, goVersion, lacking } from './build.ts'
import { drivers } from './drivers.ts'
import { evaluateMicro } from './micro-bars.ts'
import { MICRO, type Options, parseOptions, plan, UsageError } from './options.ts'
import { pinned } from './peers.ts'
import { killAll, Program, path } from './processes.ts'
import { writeReport } from './report/write.ts'
import { type MicroResult, type Run, writeRun } from './results.ts'
import { runTrials } from './suite.ts'
import { familyOf, type Trial, trials } from './trials.ts'

/** From cold caches it takes about a minute and a half; what a fresh clone's quick run may take in all is five. */
const GO_LIMIT_QUICK_MS = 120_000
const MICRO_MS = 600_000
const STDOUT = 1
const LIST_COLUMN = 22

const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`)

function emptyRun({ rounds, seconds }: Options): Run {
  const [cpu] = cpus()
  return {
    date: new Date().toISOString(),
    commit: spawnSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).stdout?.trim() ?? '',
    command: ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
    rounds,
    seconds,
    pinned,
    machine: {
      cpu: cpu?.model.trim() ?? 'unknown',
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      kernel: release(),
      node: process.version,
      go: goVersion(),
    },
    trials: [],
    micro: [],
    bars: [],
  }
}

/** Writes what the run has, whole or not. */
function write(run: Run, chosen: Trial[], out: string): void {
  for (const { drivers } of run.trials) {
    for (const [name, outcome] of Object.entries(drivers)) {
      if ('runs' in outcome && outcome.runs.length === 0) drivers[name] = { label: outcome.label, missing: 'the run ended before' }
    }
  }
  if (run.trials.length === 0 && run.micro.length === 0) return
  const ids = chosen.map(({ id }) => id)
  run.bars = [...evaluate(run.trials, ids), ...evaluateMicro(run.micro)]
  mkdirSync(out, { recursive: true })
  const file = join(out, 'latest.json')
  writeRun(file, run)
  const { page, problem } = writeReport(file, run)
  writeSync(STDOUT, page) // all of it, also when the process ends now
  say(`results in ${out}`)
  if (problem !== undefined) say(problem)
}

/** A line for each driver that cannot take part in some of these trials. */
function missingLines(chosen: Trial[], reasonOf: Reasons): string[] {
  const lines = new Map<string, { driver: string; reason: string; trials: Set<string> }>()
  for (const trial of chosen) {
    for (const driver of trial.drivers) {
      const reason = reasonOf(driver, trial)
      if (reason === undefined) continue
      const line = lines.get(`${driver} ${reason}`) ?? { driver, reason, trials: new Set() }
      lines.set(`${driver} ${reason}`, line)
      line.trials.add(familyOf(trial.id))
    }
  }
  return [...lines.values()].map(({ driver, reason, trials }) => `${driver} is missing in ${[...trials].join(', ')}: ${reason}`)
}

async function list(): Promise<void> {
  for (const { id, title, drivers } of trials) console.log(`${id.padEnd(LIST_COLUMN)} ${title}: ${drivers.join(' ')}`)
  console.log(`${MICRO.padEnd(LIST_COLUMN)} micro-benchmarks\n`)
  for (const { name, label } of drivers) console.log(`${name.padEnd(LIST_COLUMN)} ${label}`)
  const missing = missingLines(trials, await findReasons(trials, lacking()))
  if (missing.length > 0) console.log(`\n${missing.join('\n')}`)
}

async function run(options: Options, chosen: Trial[], results: Run): Promise<number> {
  const unready = await build(options.quick ? GO_LIMIT_QUICK_MS : undefined, say)
  const reasonOf = await findReasons(chosen, unready)
  const missing = missingLines(chosen, reasonOf)
  for (const line of missing) say(line)
  if (options.only?.includes(MICRO) ?? !options.quick) {
    say('micro-benchmarks')
    const program = new Program('the micro-benchmarks', [process.execPath, path('micro/run.mjs'), ...(options.quick ? ['--quick'] : [])])
    results.micro = await program.result<MicroResult[]>(MICRO_MS)
  }
  await runTrials(chosen, reasonOf, results, { seconds: options.seconds, warmup: options.seconds / 2, env: {}, serverFlags: [] })
  // A driver asked for by name must run.
  return options.drivers !== undefined && missing.length > 0 ? 1 : 0
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  if (options.list) return await list()
  const chosen = plan(options)
  const results = emptyRun(options)
  const end = (code: number, reason?: string): never => {
    killAll()
    if (reason !== undefined) {
      results.ended = reason
      process.stderr.write(process.stderr.isTTY ? '\r\x1b[K' : '')
      say(reason)
    }
    write(results, chosen, options.out)
    process.exit(code)
  }
  process.once('SIGINT', () => end(130, 'interrupted'))
  process.once('SIGTERM', () => end(143, 'terminated'))
  try {
    const code = await run(options, chosen, results)
    end(code)
  } catch (error) {
    end(1, (error as Error).message)
  }
}

try {
  await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  say(error.message)
  process.exit(2)
}
