import assert from 'node:assert/strict'
import { cp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { npmPackages } from '../support/install.ts'
import { consumer } from '../support/packed.ts'
import { run } from '../support/processes.ts'
import { suite } from '../support/suite.ts'

const folder = import.meta.dirname
const project = join(folder, 'project')
/** Version 7 is the native compiler. */
const compilers = {
  '5.9': ['tsconfig.json', 'tsconfig.schemas.json'],
  '6.0': ['tsconfig.json', 'tsconfig.schemas.json'],
  '7.0': ['tsconfig.json', 'tsconfig.schemas.json', 'tsconfig.bundler.json'],
}

/** The names that a module of only `export … from` offers. */
function exported(declarations: string): string[] {
  return [...declarations.matchAll(/^export (?:type )?\{([^}]*)\}/gm)]
    .flatMap(([, names]) => names.split(','))
    .map((name) => name.trim().replace(/^type /, ''))
    .filter((name) => name !== '')
}

await suite(
  'typescript',
  () => npmPackages(folder),
  (packages) => {
    for (const [version, configs] of Object.entries(compilers)) {
      for (const config of configs) {
        test(`TypeScript ${version} compiles a strict consumer, ${config}`, async () => {
          const app = await consumer(packages, project)
          const tsc = join(packages, `node_modules/typescript-${version}/bin/tsc`)
          const { code, stdout, stderr } = await run(process.execPath, [tsc, '-p', config], { cwd: app })
          if (code !== 0) assert.fail(stdout + stderr)
        })
      }
    }

    test('the newest types of Node go with the package', async () => {
      const app = await consumer(packages, project)
      await cp(join(packages, 'node_modules/@types/node-newest'), join(app, 'node_modules/@types/node'), { recursive: true })
      const tsc = join(packages, 'node_modules/typescript-7.0/bin/tsc')
      const { code, stdout, stderr } = await run(process.execPath, [tsc, '-p', 'tsconfig.json'], { cwd: app })
      if (code !== 0) assert.fail(stdout + stderr)
    })

    test('the consumer imports every entry of the package', async () => {
      const app = await consumer(packages)
      const { exports } = JSON.parse(await readFile(join(app, 'node_modules/dmicro/package.json'), 'utf8')) as { exports: object }
      const entries = Object.keys(exports).filter((entry) => entry !== './package.json')
      const source = await readFile(join(project, 'entries.ts'), 'utf8')
      assert.deepEqual(
        [...source.matchAll(/ from '(.*)'$/gm)].map(([, name]) => name).sort(),
        entries.map((entry) => join('dmicro', entry)).sort(),
      )
    })

    test('the consumer uses every exported name', async () => {
      const app = await consumer(packages)
      const declared = await Promise.all(
        ['index.d.ts', 'testing/index.d.ts', 'dserver/eventbus/index.d.ts'].map((file) =>
          readFile(join(app, 'node_modules/dmicro/dist', file), 'utf8'),
        ),
      )
      const sources = await Promise.all((await readdir(project)).map((file) => readFile(join(project, file), 'utf8')))
      const imported = new Set(
        sources.flatMap((source) =>
          [...source.matchAll(/^import (?:type )?\{([^}]*)\} from 'dmicro/gm)].flatMap(([, names]) => names.match(/\w+/g)),
        ),
      )
      const names = declared.flatMap(exported)
      assert.ok(names.length > 100, `${names.length} names found`)
      assert.deepEqual(
        names.filter((name) => !imported.has(name)),
        [],
      )
    })
  },
)
