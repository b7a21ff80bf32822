import assert from 'node:assert/strict'
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { Chromium } from '../browser/chromium.ts'
import { assertSeen } from '../browser/expected.ts'
import { serve } from '../browser/served.ts'
import { npmPackages } from '../support/install.ts'
import { consumer } from '../support/packed.ts'
import { run } from '../support/processes.ts'
import { needCommands, suite } from '../support/suite.ts'

const folder = import.meta.dirname
const checks = resolve(folder, '../browser/project/checks.js')
const esbuild = resolve(folder, '../../../node_modules/esbuild')

await suite(
  'bundled pages',
  async () => {
    needCommands({ chromium: 'chromium' })
    const packages = await npmPackages(folder)
    return { packages, chromium: await Chromium.start() }
  },
  ({ packages, chromium }) => {
    after(() => chromium.close())

    for (const bundler of ['esbuild', 'vite']) {
      test(`a page that ${bundler} bundles calls and is called`, async (t) => {
        const app = await consumer(packages, join(folder, 'project'))
        await cp(checks, join(app, 'checks.js'))
        await symlink(esbuild, join(app, 'node_modules/esbuild'))
        const bundle = await mkdtemp(join(tmpdir(), 'dmicro-page-'))
        t.after(() => rm(bundle, { recursive: true, force: true }))
        const { code, stdout, stderr } = await run(process.execPath, ['page.mjs', bundler, bundle], { cwd: app })
        assert.deepEqual([code, stdout + stderr], [0, ''])
        const { origin, url } = await serve(t, bundle)
        const page = await chromium.page(`${origin}/plain`) // a page without import map
        assertSeen(await page.value(`import('/checks.js').then(({ check }) => check('${url}', 'raw'))`))
      })
    }
  },
)
