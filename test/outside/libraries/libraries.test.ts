import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { npmPackages } from '../support/install.ts'
import { consumer } from '../support/packed.ts'
import { run } from '../support/processes.ts'
import { reported, suite } from '../support/suite.ts'

const folder = import.meta.dirname

async function prepare(): Promise<{ packages: string; nodes: Record<string, string> }> {
  const other = await npmPackages(join(folder, '../nodes'))
  const nodes = Object.fromEntries(['24', '26'].map((version) => [`Node ${version}`, join(other, `node_modules/node-${version}/bin/node`)]))
  return { packages: await npmPackages(folder), nodes: { 'this Node': process.execPath, ...nodes } }
}

/** Modules of the project, what they are about, how many checks each has, and the versions of Node that differ in it. */
const modules = [
  { module: 'contexts', title: "OpenTelemetry's contexts", checks: 8, on: ['this Node', 'Node 24', 'Node 26'] },
  { module: 'fake-timers', title: "sinon's fake timers", checks: 4, on: ['this Node', 'Node 26'] },
  { module: 'users', title: 'libraries around calls', checks: 6, on: ['this Node'] },
]

await suite('libraries', prepare, ({ packages, nodes }) => {
  for (const { module, title, checks, on } of modules) {
    for (const name of on) {
      for (const transport of ['native', 'js']) {
        test(`${title} on ${name} (${transport})`, async (t) => {
          const app = await consumer(packages, join(folder, 'project'))
          const { code, stdout, stderr } = await run(nodes[name], ['run.mjs', module, transport], { cwd: app, timeout: 60_000 })
          const seen = stdout
            .trim()
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => JSON.parse(line) as { name: string; detail: string })
          for (const { name, detail } of seen) await reported(t, name, detail)
          await t.test('every check ran, and the process ended by itself', () => assert.deepEqual([seen.length, code], [checks, 0], stderr))
        })
      }
    }
  }
})
