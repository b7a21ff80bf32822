// Makes dist/ of src/: the declarations by tsc, the JavaScript by esbuild in as few files as a start can do with, since each module that is
// loaded by itself costs more than the code in it. Source maps bring the sources. `node scripts/build.mjs [out]`
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = resolve(process.argv[2] ?? join(root, 'dist'))
process.chdir(root) // esbuild's names of files go from here
const src = join(root, 'src')

/** What package.json exports. All that `index` imports statically is one chunk, which is loaded with it. */
const entries = ['index', 'testing/index']
/** Stays a file of its own in its own place. */
const PLACE = 'base/here'

/** Resolves to the exit code of tsc, which also checks the types. */
function declarations() {
  const args = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', out]
  return new Promise((settle, fail) =>
    spawn(process.execPath, args, { stdio: 'inherit' })
      .once('error', fail)
      .once('exit', (code) => settle(code ?? 1)),
  )
}

async function javaScript() {
  /** @type {import('esbuild').BuildOptions} */
  const common = { outdir: out, outbase: src, format: 'esm', platform: 'node', target: 'es2023', sourcemap: true, logLevel: 'warning' }
  /** @type {import('esbuild').BuildOptions} */
  const bundle = {
    ...common,
    entryPoints: entries.map((entry) => join(src, `${entry}.ts`)),
    bundle: true,
    splitting: true,
    packages: 'external',
    // Beside the entry points, so that `./base/here.js` is right in each of them.
    chunkNames: '[name]-[hash]',
    // Else the import that `inOneChunk` adds, of which nothing is used, would be dropped.
    ignoreAnnotations: true,
  }
  await build({ ...common, entryPoints: [join(src, `${PLACE}.ts`)] })
  const { metafile } = await build({ ...bundle, plugins: [leftInPlace], metafile: true, write: false })
  const starts = Object.values(metafile.outputs).flatMap(({ entryPoint }) => (entryPoint === undefined ? [] : [resolve(entryPoint)]))
  await build({ ...bundle, plugins: [leftInPlace, inOneChunk(new Set(starts))] })
}

/**
 * esbuild makes a chunk for each set of entry points that share code, and all that `index` needs would be spread over a dozen. None of the other `starts`
 * (entry points, and what `import()` loads) is used without `index`: once they say so, there is one set.
 */
function inOneChunk(starts) {
  const index = join(src, 'index.ts')
  return {
    name: 'in one chunk',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (path === index || !starts.has(path)) return undefined
        const specifier = relative(dirname(path), index).split(sep).join('/')
        return { contents: `${await readFile(path, 'utf8')}\nimport ${JSON.stringify(specifier)}\n`, loader: 'ts' }
      })
    },
  }
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
