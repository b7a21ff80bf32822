import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { npmPackages } from '../support/install.ts'
import { shipsBinary, tarball } from '../support/packed.ts'
import { run, succeed } from '../support/processes.ts'
import { npmSettings } from '../support/registry.ts'
import { suite } from '../support/suite.ts'

const folder = import.meta.dirname

/** A manager of packages: how it adds a tarball, and how it runs a program then. */
interface Manager {
  add: string[]
  node?: string[]
  env?: Record<string, string>
}

/** What npm is set to reaches managers that do not read npm's settings. */
async function registry(): Promise<Record<string, string>> {
  const { registry: url, cafile } = await npmSettings()
  const known: Record<string, string> = cafile === undefined ? {} : { YARN_HTTPS_CA_FILE_PATH: cafile, npm_config_cafile: cafile }
  return { ...known, YARN_NPM_REGISTRY_SERVER: url, YARN_REGISTRY: url, npm_config_registry: url }
}

/** The package as it is published, in an empty folder. */
async function place(t: TestContext): Promise<{ at: string; packed: string; app: string }> {
  const at = await mkdtemp(join(tmpdir(), 'dmicro-outside-'))
  t.after(() => rm(at, { recursive: true, force: true, maxRetries: 5 }))
  const app = join(at, 'app')
  await mkdir(app)
  await writeFile(join(app, 'package.json'), '{ "name": "app", "version": "1.0.0", "private": true, "type": "module" }')
  return { at, packed: await tarball(at), app }
}

await suite(
  'packages',
  async () => [await npmPackages(folder), await npmPackages(join(folder, '../nodes'))],
  ([packages, nodes]) => {
    // npm 12 does not run on Node 20.
    const node26 = join(nodes, 'node_modules/node-26/bin/node')
    const bin = (path: string): string => join(packages, 'node_modules', path)
    const node = process.execPath

    test('publint has nothing to say', async (t) => {
      const { at, packed } = await place(t)
      const output = await succeed(node, [bin('publint/src/cli.js'), packed, '--strict'], {
        cwd: at,
        env: { ...process.env, NO_COLOR: '1' },
      })
      assert.match(output, /All good!$/)
    })

    test('Are The Types Wrong finds none, but that require is of a module', async (t) => {
      const { at, packed } = await place(t)
      const args = [bin('@arethetypeswrong/cli/dist/index.js'), packed, '--profile', 'esm-only', '--format', 'json']
      const { stdout } = await run(node, args, { cwd: at })
      const { analysis } = JSON.parse(stdout) as { analysis: { problems: { kind: string; resolutionKind?: string }[] } }
      const problems = analysis.problems.map(({ kind, resolutionKind }) => `${kind} ${resolutionKind}`)
      assert.deepEqual([...new Set(problems)].sort(), ['CJSResolvesToESM node16-cjs', 'NoResolution node10'])
    })

    const managers: Record<string, Manager> = {
      npm: { add: ['npm', 'install', '--no-audit', '--no-fund'] },
      'npm without scripts': { add: ['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts'] },
      'npm 12': { add: [node26, bin('npm-12/bin/npm-cli.js'), 'install', '--no-audit', '--no-fund'] },
      pnpm: { add: [node, bin('pnpm/bin/pnpm.cjs'), 'add'] },
      'yarn 1': { add: [node, bin('yarn/bin/yarn.js'), 'add', '--no-lockfile', '--non-interactive'] },
      "yarn 4, Plug'n'Play": {
        add: [node, bin('@yarnpkg/cli-dist/bin/yarn.js'), 'add'],
        node: [node, bin('@yarnpkg/cli-dist/bin/yarn.js'), 'node'],
        env: { YARN_NODE_LINKER: 'pnp', YARN_ENABLE_GLOBAL_CACHE: 'false', YARN_ENABLE_IMMUTABLE_INSTALLS: 'false' },
      },
    }
    for (const [name, { add, node: runner = [node], env: more }] of Object.entries(managers)) {
      test(`${name} installs the tarball without a warning, and it runs`, async (t) => {
        const { packed, app } = await place(t)
        const env = { ...process.env, ...(await registry()), ...more, CI: '' }
        const [command, ...args] = add
        const target = name.startsWith('yarn 4') ? `dmicro@file:${packed}` : packed
        const added = await run(command, [...args, target], { cwd: app, env, timeout: 120_000 })
        assert.equal(added.code, 0, added.stdout + added.stderr)
        assert.doesNotMatch(added.stdout + added.stderr, /dmicro.*(warn|deprecat|ignored build)|peer dep/i)
        await cp(join(folder, 'project/check.mjs'), join(app, 'check.mjs'))
        const [program, ...options] = runner
        const { seen, kind } = JSON.parse(await succeed(program, [...options, '--no-warnings', 'check.mjs'], { cwd: app, env }))
        assert.deepEqual(Object.values(seen), Array(7).fill(['doc']), JSON.stringify(seen))
        assert.equal(kind, shipsBinary ? 'native' : 'js')
      })
    }

    test('what an installed package says of its transport can be done there', async (t) => {
      const { packed, app } = await place(t)
      await succeed('npm', ['install', '--no-audit', '--no-fund', packed], { cwd: app })
      await writeFile(join(app, 'app.mjs'), "import { Endpoint } from 'dmicro'\nawait new Endpoint().close()\n")
      const { code, stdout, stderr } = await run(node, ['app.mjs'], { cwd: app })
      if (shipsBinary) return assert.deepEqual([code, stdout, stderr], [0, '', ''])
      assert.deepEqual([code, stdout, stderr.trim().split('\n').length], [0, '', 1], stderr)
      assert.match(stderr, /JavaScript transport/)
      assert.doesNotMatch(stderr, /npm run build/)
    })
  },
)
