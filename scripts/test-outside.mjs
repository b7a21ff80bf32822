// Suites, clients and tools that others wrote (test/outside/README.md), with their times.
// `npm run test:outside [-- NAME …]`; --quick runs those that are in `npm test`, --rest all others.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runTests } from './node-test.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const options = process.argv.slice(2).filter((word) => word.startsWith('--'))
const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const unknown = options.find((option) => option !== '--quick' && option !== '--rest')
if (unknown !== undefined) throw new Error(`no option ${unknown}: --quick, --rest`)

/** A suite's quick part is the file of this name. */
const QUICK = 'quick.test.ts'
/** A test that waits for what never comes fails, and says which. */
const MAX_MS = 300_000

/** Suites that mostly wait for programs of their own: several run at a time. */
const together = [
  ...['bundlers', 'codecs', 'http', 'jest', 'jsonrpc', 'libraries', 'nodes', 'packages', 'protobuf', 'protoc', 'quickstart'],
  ...['redis', 'runtimes', 'text', 'typescript', 'vitest'],
]

const files = readdirSync('test/outside', { recursive: true })
  .filter((file) => /^[^/]+\/[^/]+\.test\.ts$/.test(file))
  .filter((file) => wanted.length === 0 || wanted.includes(dirname(file)))
  .filter((file) => !options.includes(basename(file) === QUICK ? '--rest' : '--quick'))
  .sort()
const missing = wanted.filter((name) => !files.some((file) => dirname(file) === name))
if (missing.length > 0) throw new Error(`no suite ${missing.join(', ')} in test/outside`)

const folder = mkdtempSync(join(tmpdir(), 'dmicro-outside-'))
const skipped = []

/** Runs files; `[passed, failed, skipped]` as their own report counts. */
function run(names) {
  const tap = join(folder, 'report.tap')
  const passed = runTests(
    names.map((file) => `test/outside/${file}`),
    { report: tap, maxMs: MAX_MS, processes: availableParallelism() },
  )
  const report = readFileSync(tap, 'utf8')
  for (const [, what, why] of report.matchAll(/^ *ok \d+ - (.*?) # SKIP ?(.*)$/gm)) skipped.push(`${what}: ${why}`)
  const count = (word) => Number(new RegExp(`^# ${word} (\\d+)`, 'm').exec(report)?.[1] ?? 0)
  const failed = count('fail') + count('cancelled')
  return [count('pass'), passed ? failed : Math.max(failed, 1), count('skipped')]
}

const isTogether = (file) => together.includes(dirname(file))
const alone = files.filter((file) => !isTogether(file)).map((file) => [file])
const runs = [...alone, files.filter(isTogether)].filter((names) => names.length > 0)

const started = performance.now()
const rows = runs.map((names) => {
  for (const file of names) console.log(`# test/outside/${file}`)
  const from = performance.now()
  const counts = run(names)
  const file = names.length === 1 ? names[0] : [...new Set(names.map((name) => dirname(name)))].join(', ')
  return { file, counts, seconds: (performance.now() - from) / 1000 }
})
rmSync(folder, { recursive: true })

const total = [0, 1, 2].map((index) => rows.reduce((sum, { counts }) => sum + counts[index], 0))
for (const { file, counts, seconds } of rows) {
  console.log(`# ${file.padEnd(36)} ${seconds.toFixed(1).padStart(6)} s ${counts[0]} passed, ${counts[1]} failed, ${counts[2]} skipped`)
}
for (const line of skipped) console.log(`# skipped: ${line}`)
console.log(`# all in ${((performance.now() - started) / 1000).toFixed(1)} s`)
console.log(`${total[0]} passed, ${total[1]} failed, ${total[2]} skipped`)
if (total[1] > 0) process.exit(1)
