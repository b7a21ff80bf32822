// The chaos suite in full length, one file after another: servers killed, cables pulled, thousands of clients at once.
// `npm run test:chaos [name …]`; with --short in a few seconds each, as in `npm test`.
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runTests } from './node-test.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const short = process.argv.includes('--short')
const wanted = process.argv.slice(2).filter((word) => word !== '--short')
const all = readdirSync('test/chaos').filter((name) => name.endsWith('.test.ts'))
const names = all.filter((name) => wanted.length === 0 || wanted.some((part) => name.startsWith(part)))
if (names.length === 0) throw new Error(`no test/chaos/${wanted.join(', ')}*.test.ts`)

/** In full length a test takes minutes. */
const MAX_MS = 600_000

const passed = names.map((name) => {
  console.log(`# test/chaos/${name}`)
  return runTests([`test/chaos/${name}`], { node: ['--expose-gc'], env: { DMICRO_CHAOS: short ? '' : '1' }, maxMs: MAX_MS })
})
if (passed.includes(false)) process.exitCode = 1
