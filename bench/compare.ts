// `npm run bench:compare REF [REF2]`: a commit against the working tree, or two commits, under the same few loads, with the
// bench programs of this tree and the dmicro of each, in alternating order. `-- --only unary-64,deep-16x64`: some of the loads.
import { parseArgs } from 'node:util'
import { build } from './build.ts'
import { verdict } from './compare-bars.ts'
import { driver } from './drivers.ts'
import { measure } from './measure.ts'
import { amount, UsageError } from './options.ts'
import type { Settings } from './peers.ts'
import { Progress } from './progress.ts'
import { type Field, type Measurement, median } from './results.ts'
import { checkOut, type Tree, workingTree } from './tree.ts'
import { trials } from './trials.ts'

const say = (line: string): void => void process.stderr.write(`bench:compare: ${line}\n`)

const loads = [
  ...['unary-object', 'many-object', 'deep-object', 'protocols@json-object', 'protocols@jsonrpc-object', 'protocols@http-object'],
  ...['unary-64', 'unary-64k', 'unary-bytes', 'many-256x1', 'deep-16x64', 'push-1x64', 'pingpong'],
]
const candidates = ['native', 'js']
const figures: { field: Field; unit: string; scale: number }[] = [
  { field: 'calls_per_second', unit: 'k calls/s', scale: 1e-3 },
  { field: 'server_cpu_us_per_call', unit: 'µs server CPU per call', scale: 1 },
]

interface Pair {
  trial: string
  driver: string
  runs: [Measurement[], Measurement[]]
}

async function compare(trees: [Tree, Tree], loads: readonly string[], rounds: number, seconds: number): Promise<Pair[]> {
  const settings = trees.map((tree): Settings => ({ seconds, warmup: seconds / 2, env: { DMICRO_DIST: tree.dist }, serverFlags: [] }))
  const chosen = trials.filter(({ id }) => loads.includes(id))
  const pairs = chosen.flatMap((trial) => candidates.map((name): Pair => ({ trial: trial.id, driver: name, runs: [[], []] })))
  const each = seconds * 1.5 + 1
  const progress = new Progress(2 * rounds * pairs.length * each)
  for (let round = 0; round < rounds; round++) {
    for (const pair of pairs) {
      const trial = chosen.find(({ id }) => id === pair.trial)!
      for (const side of round % 2 === 0 ? [0, 1] : [1, 0]) {
        progress.step(`${pair.trial}: ${pair.driver}, ${trees[side].name}, round ${round + 1} of ${rounds}`)
        pair.runs[side].push(await measure(driver(pair.driver), trial, settings[side]))
        progress.done(each)
      }
    }
  }
  progress.end()
  return pairs
}

/** The second against the first: ratio of the medians, median of the rounds' ratios, and these from least to most. */
function row({ trial, driver, runs }: Pair, { field, unit, scale }: (typeof figures)[number], baseline: string): string {
  const [before, after] = runs.map((side) => side.map((run) => run[field]!))
  const ratios = after.map((value, i) => value / before[i]).sort((a, b) => a - b)
  const [from, to] = [median(before)!, median(after)!]
  const cells = [
    trial,
    driver,
    unit,
    (from * scale).toFixed(2),
    (to * scale).toFixed(2),
    (to / from).toFixed(3),
    median(ratios)!.toFixed(3),
  ]
  const range = `${ratios[0].toFixed(3)} … ${ratios.at(-1)!.toFixed(3)}`
  return `| ${[...cells, range, verdict(baseline, trial, driver, field, to / from)].join(' | ')} |`
}

function readArguments() {
  const text = { type: 'string' } as const
  const { values, positionals } = parseArgs({ options: { only: text, rounds: text, seconds: text }, allowPositionals: true })
  if (positionals.length < 1 || positionals.length > 2)
    throw new UsageError('usage: npm run bench:compare REF [REF2] [-- --only LOADS --rounds N --seconds S]')
  const only = values.only?.split(',') ?? loads
  const unknown = only.find((id) => !loads.includes(id))
  if (unknown !== undefined) throw new UsageError(`no load is named ${unknown}: ${loads.join(', ')}`)
  return {
    refs: positionals,
    loads: only,
    rounds: amount('rounds', values.rounds ?? '5', Number.isInteger, 1),
    seconds: amount('seconds', values.seconds ?? '1', Number.isFinite, 0.1),
  }
}

async function main(): Promise<void> {
  const { refs, loads, rounds, seconds } = readArguments()
  const trees: Tree[] = []
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
  await build(undefined, say)
  for (const ref of refs) {
    say(`building ${ref}`)
    trees.push(await checkOut(ref))
  }
  if (trees.length === 1) trees.push(workingTree)
  const [before, after] = trees
  const pairs = await compare([before, after], loads, rounds, seconds)
  console.log(`${rounds} rounds of ${seconds} s in alternating order, medians\n`)
  console.log(
    `| trial | driver | | ${before.name} | ${after.name} | ratio | of rounds | from, to | bar |\n|---|---|---|---|---|---|---|---|---|`,
  )
  for (const pair of pairs) for (const figure of figures) console.log(row(pair, figure, before.name))
}

try {
  await main()
} catch (error) {
  say((error as Error).message.split('\n')[0])
  process.exit(error instanceof UsageError ? 2 : 1)
}
