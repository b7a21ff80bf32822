import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { npmPackages } from '../support/install.ts'
import { consumer } from '../support/packed.ts'
import { run } from '../support/processes.ts'
import { reported, suite } from '../support/suite.ts'

const folder = import.meta.dirname
const TESTS = 11

interface Report {
  openHandles: unknown[]
  testResults: { assertionResults: { fullName: string; status: string; failureMessages: string[] }[]; message: string; name: string }[]
}

await suite(
  'jest',
  () => npmPackages(folder),
  (packages) => {
    for (const transport of ['native', 'js']) {
      test(`a project of jest (${transport})`, async (t) => {
        const app = await consumer(packages, join(folder, '../support/runners'), join(folder, 'project'))
        const flags = ['--runInBand', '--detectOpenHandles', '--json', '--outputFile=report.json']
        const { code, stderr } = await run(process.execPath, [join(packages, 'node_modules/jest/bin/jest.js'), ...flags], {
          cwd: app,
          env: { ...process.env, NODE_OPTIONS: '--experimental-vm-modules --no-warnings', DMICRO_OUTSIDE_TRANSPORT: transport },
        })
        const { testResults, openHandles } = JSON.parse(await readFile(join(app, 'report.json'), 'utf8')) as Report
        const results = testResults.flatMap(({ assertionResults }) => assertionResults)
        for (const { fullName, status, failureMessages } of results) {
          await reported(t, fullName, status === 'passed' ? '' : failureMessages.join('\n') || status)
        }
        await t.test('every test ran', () => assert.equal(results.length, TESTS, testResults.map(({ message }) => message).join('\n')))
        await t.test('nothing is left open, and jest ends by itself', () => {
          assert.deepEqual(openHandles, [])
          assert.equal(code === null, false, stderr)
          assert.doesNotMatch(stderr, /open handle|did not exit/i)
        })
      })
    }
  },
)
