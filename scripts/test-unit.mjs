// The unit tests, which lie in folders named as those of src/.
//   node scripts/test-unit.mjs [text …]        only files whose path below test/unit/ has one of the texts in it
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { runTests } from './node-test.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const texts = process.argv.slice(2)
const all = readdirSync('test/unit', { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.test.ts'))
  .sort()
const names = all.filter((name) => texts.length === 0 || texts.some((text) => name.includes(text)))
if (names.length === 0) {
  console.error(`no unit test has ${texts.join(' or ')} in its path`)
  process.exit(1)
}

if (
  !runTests(
    names.map((name) => `test/unit/${name}`),
    { label: 'test/unit', processes: availableParallelism() },
  )
)
  process.exitCode = 1
