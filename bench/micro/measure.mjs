// One row of results: the same job on the native and on the JavaScript side, timed by tinybench.
import { Bench } from 'tinybench'

const quick = process.argv.includes('--quick')
const rows = []

/**
 * A side's function does `batch` operations, so that the clock costs nothing beside them, and returns a number that depends
 * on all of them, so that none is optimised away; it may be async, or return `{ overriddenDuration }` in milliseconds. The
 * median batch counts: it leaves out collections of garbage and what other processes take.
 */
export async function measure(group, name, batch, sides) {
  const nanoseconds = await time(batch, sides)
  const row = { group, name, native_ns: nanoseconds('native'), js_ns: nanoseconds('js') }
  process.stderr.write(`${group.padEnd(14)} ${name.padEnd(44)} native ${text(row.native_ns)}  JavaScript ${text(row.js_ns)}\n`)
  rows.push(row)
}

/** The same for what takes its time from `bytes`: the sides are `ours` and `bare`, what Node offers. */
export async function throughput(group, name, bytes, batch, sides) {
  const nanoseconds = await time(batch, sides)
  const row = { group, name, bytes, ours_ns: nanoseconds('ours'), bare_ns: nanoseconds('bare') }
  const rate = (taken) => `${(bytes / taken).toFixed(2)} GB/s`
  process.stderr.write(`${group.padEnd(14)} ${name.padEnd(44)} ours ${rate(row.ours_ns)}  bare ${rate(row.bare_ns)}\n`)
  rows.push(row)
}

/** The same beside packages that do the same: the sides are `ours` and one by the name of each of them. */
export async function compare(group, name, batch, sides) {
  const nanoseconds = await time(batch, sides)
  const others = Object.fromEntries(
    Object.keys(sides)
      .filter((side) => side !== 'ours')
      .map((side) => [side, nanoseconds(side)]),
  )
  const row = { group, name, ours_ns: nanoseconds('ours'), others }
  const texts = Object.entries(others).map(([side, taken]) => `${side} ${text(taken)}`)
  process.stderr.write(`${group.padEnd(14)} ${name.padEnd(44)} ours ${text(row.ours_ns)}  ${texts.join('  ')}\n`)
  rows.push(row)
}

/** Runs the sides; what one operation of a side took, null for a side that is none. */
async function time(batch, sides) {
  const bench = new Bench({ time: quick ? 100 : 600, warmupTime: quick ? 50 : 200, throws: true })
  for (const [side, run] of Object.entries(sides)) if (run !== undefined) bench.add(side, run)
  await bench.run()
  return (side) => {
    const task = bench.getTask(side)
    return task === undefined ? null : Math.round((task.result.latency.p50 * 1e8) / batch) / 100
  }
}

const text = (nanoseconds) => `${nanoseconds === null ? '–' : nanoseconds.toFixed(1)} ns`.padStart(11)

/** Prints what was measured; a group of benchmarks ends with it. */
export const report = () => process.stdout.write(`${JSON.stringify(rows)}\n`)
