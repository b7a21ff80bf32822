// The functions under test: each module of src/ as a file of its own, compiled by esbuild like dist/, which joins them.
// DMICRO_DIST names another build than the working tree's; then the sources beside it are taken.
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = dirname(process.env.DMICRO_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url)))
const src = join(root, 'src')
/** A folder inside of the tree, so that packages are found, with the same shape, so that the addon is. */
const copy = mkdtempSync(join(root, 'build/micro-'))
process.once('exit', () => rmSync(copy, { recursive: true, force: true }))
for (const name of ['build', 'package.json']) symlinkSync(join(root, name), join(copy, name))

const { build } = createRequire(join(root, 'package.json'))('esbuild')
await build({
  entryPoints: readdirSync(src, { recursive: true }).flatMap((name) => (name.endsWith('.ts') ? [join(src, name)] : [])),
  outdir: join(copy, 'dist'),
  outbase: src,
  tsconfig: join(root, 'tsconfig.json'),
  format: 'esm',
  platform: 'node',
  target: 'es2023',
  bundle: true,
  packages: 'external',
  plugins: [
    {
      name: 'one by one',
      setup: ({ onResolve }) => onResolve({ filter: /^\./ }, ({ path }) => ({ path: path.replace(/\.ts$/, '.js'), external: true })),
    },
  ],
})

/** The module `name` of src/. */
export const load = (name) => import(pathToFileURL(resolve(copy, 'dist', `${name}.js`)).href)

/** The addon, or undefined where none runs: the native side is missing then. */
export async function loadAddon() {
  const loaded = (await load('transports/native/addon')).loadNative()
  if ('addon' in loaded) return loaded.addon
  process.stderr.write(`micro: no native side: ${loaded.reason}\n`)
  return undefined
}
