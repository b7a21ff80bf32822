import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { npmPackages } from '../support/install.ts'
import { consumer } from '../support/packed.ts'
import { run } from '../support/processes.ts'
import { suite } from '../support/suite.ts'

const project = join(import.meta.dirname, 'project')

await suite(
  'jest',
  () => npmPackages(import.meta.dirname),
  (packages) => {
    for (const transport of ['native', 'js']) {
      test(`every test file passes (${transport})`, async () => {
        const app = await consumer(packages, project)
        const { code, stderr } = await run(process.execPath, [join(packages, 'node_modules/jest/bin/jest.js')], {
          cwd: app,
          env: { ...process.env, NODE_OPTIONS: '--experimental-vm-modules --no-warnings', DMICRO_OUTSIDE_TRANSPORT: transport },
        })
        assert.equal(code, 0, stderr)
      })
    }
  },
)
