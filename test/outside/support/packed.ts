import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after } from 'node:test'
import { succeed } from './processes.ts'
import { Lacking } from './suite.ts'

const root = resolve(import.meta.dirname, '../../..')
const native = join(root, 'build/Release/dmicro.node')

/** Whether the tarball of this checkout has this machine's binary: `npm run prebuilds` makes it. */
export const shipsBinary = existsSync(join(root, `prebuilds/dmicro-${process.platform}-${process.arch}/dmicro.node`))

/** The package as it is published: a tarball of this checkout in `folder`, with the binaries that were built for it. */
export async function tarball(folder: string): Promise<string> {
  if (!existsSync(join(root, 'dist/index.js'))) throw new Lacking('dist is not built: npm run build')
  const [{ filename }] = JSON.parse(
    await succeed('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: root }),
  )
  return join(folder, filename)
}

/**
 * A project outside of this checkout that has the packed package with this machine's binary, and below it the packages of a suite.
 * Removed when the test file ends.
 * @param packages what `npmPackages` returned
 * @param folders whose files are copied into it
 */
export async function consumer(packages?: string, ...folders: string[]): Promise<string> {
  if (!existsSync(native)) throw new Lacking('the native addon is not built: npm run build')
  const folder = await mkdtemp(join(tmpdir(), 'dmicro-outside-'))
  after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  const app = join(folder, 'app')
  const modules = join(app, 'node_modules')
  const ours = join(modules, 'dmicro')
  const binary = join(ours, `prebuilds/dmicro-${process.platform}-${process.arch}`)
  await mkdir(binary, { recursive: true })
  await succeed('tar', ['-xzf', await tarball(folder), '--strip-components=1', '-C', ours])
  await cp(native, join(binary, 'dmicro.node'))
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, { dev?: boolean }> }
  for (const [path, { dev }] of Object.entries(lock.packages)) {
    if (path !== '' && dev !== true) await cp(join(root, path), join(app, path), { recursive: true })
  }
  if (packages !== undefined) await symlink(join(packages, 'node_modules'), join(folder, 'node_modules'))
  for (const files of folders) await cp(files, app, { recursive: true })
  return app
}
