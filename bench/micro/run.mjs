// Micro-benchmarks of single functions, native against JavaScript: `node bench/micro/run.mjs [--quick]`. Each group runs in a
// process of its own, so that what V8 learnt from one does not touch the next. Progress goes to stderr; the last line of
// stdout is a JSON array of { group, name, native_ns, js_ns }, nanoseconds of one operation, null where there is no such side,
// { group, name, bytes, ours_ns, bare_ns } for what is measured by its bytes, and { group, name, ours_ns, others } with the
// nanoseconds of other packages by their names.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const groups = ['frames', 'routes', 'codecs', 'object-codecs', 'crossing', 'hooks', 'filters', 'selector', 'event-bus']

const fail = (line) => {
  process.stderr.write(`micro: ${line}\n`)
  process.exit(1)
}

const flags = process.argv.slice(2)
const unknown = flags.find((flag) => flag !== '--quick')
if (unknown !== undefined) fail(`unknown argument ${JSON.stringify(unknown)}; there is --quick`)
try {
  createRequire(import.meta.url).resolve('tinybench')
} catch {
  fail('tinybench is not installed (npm install --prefix bench)')
}

const rows = groups.flatMap((group) => {
  const file = fileURLToPath(new URL(`${group}.mjs`, import.meta.url))
  const { status, signal, stdout } = spawnSync(process.execPath, [file, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  })
  if (status !== 0) fail(`${group} ended with ${signal ?? status}`)
  return JSON.parse(stdout.trim().split('\n').at(-1))
})
process.stdout.write(`${JSON.stringify(rows)}\n`)
