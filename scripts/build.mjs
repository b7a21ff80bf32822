// Makes dist/ of src/: the declarations by tsc, the JavaScript by esbuild in as few files as a start can do with, since each module that is
// loaded by itself costs more than the code in it. Source maps bring the sources. `node scripts/build.mjs [out]`
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const src = join(root, 'src')
const out = resolve(process.argv[2] ?? join(root, 'dist'))

/** What package.json exports. All that `index` imports statically is one chunk, which is loaded with it. */
const entries = ['index', 'testing/index']
/** Stays a file of its own in its own place. */
const PLACE = 'base/here'

/** Resolves to the exit code of tsc, which also checks the types. */
function declarations() {
  const args = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', out]
  return new Promise((settle, fail) =>
    spawn(process.execPath, args, { cwd: root, stdio: 'inherit' })
      .once('error', fail)
      .once('exit', (code) => settle(code ?? 1)),
  )
}

async function javaScript() {
  /** @type {import('esbuild').BuildOptions} */
  const common = { outdir: out, outbase: src, format: 'esm', platform: 'node', target: 'es2023', sourcemap: true, logLevel: 'warning' }
  await build({ ...common, entryPoints: [join(src, `${PLACE}.ts`)] })
  await build({
    ...common,
    entryPoints: entries.map((entry) => join(src, `${entry}.ts`)),
    bundle: true,
    splitting: true,
    packages: 'external',
    // Beside the entry points, so that `./base/here.js` is right in each of them.
    chunkNames: '[name]-[hash]',
    // Else the import below, of which nothing is used, would be dropped.
    ignoreAnnotations: true,
    plugins: [inOneChunk, leftInPlace],
  })
}

/**
 * esbuild makes a chunk for each set of entry points that share code. With all entry points importing `index`, as they do in effect since none
 * is used without it, what `index` needs at its start is one set.
 */
const inOneChunk = {
  name: 'in one chunk',
  setup({ onLoad, onResolve, resolve: resolveAs }) {
    const lazy = new Set(entries.slice(1).map((entry) => join(src, `${entry}.ts`)))
    onResolve({ filter: /^\./ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
      if (pluginData === inOneChunk) return undefined
      const resolved = await resolveAs(path, { kind, importer, resolveDir, pluginData: inOneChunk })
      if (kind === 'dynamic-import') lazy.add(resolved.path)
      return resolved
    })
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (!lazy.has(path)) return undefined
      let index = relative(dirname(path), join(src, 'index.ts'))
      if (!index.startsWith('.')) index = `./${index}`
      return { contents: `${await readFile(path, 'utf8')}\nimport ${JSON.stringify(index)}\n`, loader: 'ts' }
    })
  },
}

const leftInPlace = {
  name: 'left in place',
  setup({ onResolve }) {
    onResolve({ filter: /\/here\.ts$/ }, () => ({ path: `./${PLACE}.js`, external: true }))
  },
}

rmSync(out, { recursive: true, force: true })
const declared = declarations()
await javaScript()
process.exitCode = await declared
