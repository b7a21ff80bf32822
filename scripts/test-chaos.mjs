// The chaos suite in full length, one file after another: servers killed, cables pulled, thousands of clients at once. `npm run test:chaos [name …]`;
// with --short in a few seconds each, as in `npm test`.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const short = process.argv.includes('--short')
const wanted = process.argv.slice(2).filter((word) => word !== '--short')
const all = readdirSync('test/chaos').filter((name) => name.endsWith('.test.ts'))
const names = all.filter((name) => wanted.length === 0 || wanted.some((part) => name.startsWith(part)))
if (names.length === 0) throw new Error(`no test/chaos/${wanted.join(', ')}*.test.ts`)

/** A test that waits for what never comes fails, and says which. */
const MAX_MS = 600_000

const failed = names.filter((name) => {
  console.log(`# test/chaos/${name}`)
  const { status } = spawnSync(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', '--test', `--test-timeout=${MAX_MS}`, `test/chaos/${name}`],
    { stdio: 'inherit', env: { ...process.env, DMICRO_CHAOS: short ? '' : '1' } },
  )
  return status !== 0
})
if (failed.length > 0) {
  console.log(`failed: ${failed.join(', ')}`)
  process.exit(1)
}
