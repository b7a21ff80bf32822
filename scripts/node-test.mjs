// Runs test files by `node --test`. What failed is told once more at the end of the process: of a long run often only
// the last lines are kept.
//   node scripts/node-test.mjs FILE …
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const reporter = fileURLToPath(new URL('failures.mjs', import.meta.url))

/** Failures in this process, a line for the run and some for each test. */
const failed = []

process.on('exit', () => {
  if (failed.length > 0) console.log(`# failed\n${failed.join('\n')}`)
})

/**
 * Whether all tests of `files` passed. `label` says in the list of failures which run it was, `env` is added to the
 * environment, `node` holds further flags, `report` is a file that gets the results as TAP, `processes` is the number
 * of files that run at a time. A test that takes longer than `maxMs` fails, and says so.
 */
export function runTests(files, { label = '', env = {}, node = [], report, maxMs = 120_000, processes = 1 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-test-'))
  const list = join(folder, 'failures')
  const { status } = spawnSync(
    process.execPath,
    [
      ...node,
      ...['--import', 'tsx', '--test', `--test-timeout=${maxMs}`, `--test-concurrency=${processes}`],
      ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
      ...[`--test-reporter=${reporter}`, `--test-reporter-destination=${list}`],
      ...(report === undefined ? [] : ['--test-reporter=tap', `--test-reporter-destination=${report}`]),
      ...files,
    ],
    { stdio: 'inherit', env: { ...process.env, ...env } },
  )
  // Node.js ends before it makes the list when no file has such a name.
  if (status !== 0) failed.push(`# ${label || files.join(' ')}`, existsSync(list) ? readFileSync(list, 'utf8') : 'no tests ran')
  rmSync(folder, { recursive: true })
  return status === 0
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  if (!runTests(process.argv.slice(2), { maxMs: 300_000 })) process.exitCode = 1
}
