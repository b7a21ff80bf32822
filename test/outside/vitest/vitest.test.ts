import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { npmPackages } from '../support/install.ts'
import { consumer } from '../support/packed.ts'
import { run } from '../support/processes.ts'
import { reported, suite } from '../support/suite.ts'

const folder = import.meta.dirname
/** How vitest runs files, and how many tests there are then. */
const pools = { forks: 8, threads: 8, vmForks: 8, inlined: 11 }

interface Report {
  testResults: { assertionResults: { fullName: string; status: string; failureMessages: string[] }[]; message: string; name: string }[]
}

await suite(
  'vitest',
  () => npmPackages(folder),
  (packages) => {
    for (const transport of ['native', 'js']) {
      for (const [pool, tests] of Object.entries(pools)) {
        test(`a project of vitest, files in ${pool} (${transport})`, async (t) => {
          const app = await consumer(packages, join(folder, '../support/runners'), join(folder, 'project'))
          const flags = ['run', '--reporter=json', '--outputFile=report.json', '--reporter=hanging-process']
          const { code, stderr, stdout } = await run(process.execPath, [join(packages, 'node_modules/vitest/vitest.mjs'), ...flags], {
            cwd: app,
            env: { ...process.env, DMICRO_OUTSIDE_TRANSPORT: transport, DMICRO_OUTSIDE_POOL: pool },
          })
          const { testResults } = JSON.parse(await readFile(join(app, 'report.json'), 'utf8')) as Report
          const results = testResults.flatMap(({ assertionResults }) => assertionResults)
          for (const { fullName, status, failureMessages } of results) {
            await reported(t, fullName, status === 'passed' ? '' : failureMessages.join('\n') || status)
          }
          await t.test('every test ran', () => assert.equal(results.length, tests, testResults.map(({ message }) => message).join('\n')))
          await t.test('vitest ends by itself', () => {
            assert.notEqual(code, null, stdout + stderr)
            assert.doesNotMatch(stdout + stderr, /close timed out|keeping .* process/i)
          })
        })
      }
    }
  },
)
