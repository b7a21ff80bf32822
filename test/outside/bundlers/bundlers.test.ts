import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { npmPackages } from '../support/install.ts'
import { consumer } from '../support/packed.ts'
import { run } from '../support/processes.ts'
import { suite } from '../support/suite.ts'

const folder = import.meta.dirname

await suite(
  'bundlers',
  () => npmPackages(folder),
  (packages) => {
    for (const bundler of ['esbuild', 'rollup', 'webpack', 'vite']) {
      for (const format of ['es', 'cjs']) {
        test(`a service that ${bundler} bundles as ${format} runs where no packages are`, async (t) => {
          const app = await consumer(packages, join(folder, 'project'))
          const bundle = await mkdtemp(join(tmpdir(), 'dmicro-bundle-'))
          t.after(() => rm(bundle, { recursive: true, force: true }))
          const built = await run(process.execPath, [`${bundler}.mjs`, bundle, format], { cwd: app })
          assert.equal(built.code, 0, built.stdout + built.stderr)
          assert.doesNotMatch(built.stdout + built.stderr, /dmicro/, 'a warning about this package')
          // webpack writes down where each module lay, and one that is there still would find the package.
          await rm(app, { recursive: true })
          const file = format === 'cjs' ? 'app.cjs' : 'app.mjs'
          const { code, stdout, stderr } = await run(process.execPath, ['--no-warnings', file], { cwd: bundle })
          assert.equal(code, 0, stdout + stderr)
          const { seen, kind } = JSON.parse(stdout) as { seen: Record<string, string[]>; kind: string }
          assert.deepEqual([...new Set(Object.values(seen).flat())], ['doc'], JSON.stringify(seen))
          assert.deepEqual([Object.keys(seen).length, kind], [10, 'js'])
        })
      }
    }
  },
)
