// Makes dist/ of src/: declarations by tsc, JavaScript by esbuild. The JavaScript is joined into few files, because at
// a start each file costs more than the code in it. Source maps contain the sources. `node scripts/build.mjs [out]`
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { bindChunks, INDEX } from './bind-chunks.mjs'
import { browserBundle } from './browser.mjs'
import { compact } from './compact.mjs'
import { withConstants } from './const.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = resolve(process.argv[2] ?? join(root, 'dist'))
const src = join(root, 'src')

/** The exports and commands of package.json that run in Node.js. All that `index` imports statically is one chunk. */
const { exports, bin } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
const targets = [...Object.values(exports).map((each) => each.default), ...Object.values(bin)]
const entries = targets.flatMap((file) => /^\.\/dist\/(.+\/index|index)\.js$/.exec(file)?.slice(1) ?? [])
const TARGET = 'es2023'
/** A file that nothing imports, so that it is in the package and in no bundle: src/base/here.ts looks for it. */
const MARK = 'base/here.js'

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
  const options = {
    absWorkingDir: root,
    outdir: out,
    outbase: src,
    format: 'esm',
    platform: 'node',
    target: TARGET,
    sourcemap: true,
    logLevel: 'warning',
    entryPoints: entries.map((entry) => join(src, `${entry}.ts`)),
    bundle: true,
    splitting: true,
    packages: 'external',
    // Beside `index`, which is where src/base/here.ts expects to be.
    chunkNames: '[name]-[hash]',
    // Keeps the import that `inOneChunk` adds, of which nothing is used.
    ignoreAnnotations: true,
  }
  const { metafile } = await build({ ...options, metafile: true, write: false })
  const starts = Object.values(metafile.outputs).map(({ entryPoint = '' }) => join(root, entryPoint))
  const { outputFiles, metafile: joined } = await build({
    ...options,
    plugins: [inOneChunk(new Set(starts))],
    metafile: true,
    write: false,
  })
  const files = new Map(outputFiles.map(({ path, text }) => [relative(out, path), text]))
  const texts = new Map([...files].filter(([name]) => name.endsWith('.js')))
  for (const [name, text] of texts) texts.set(name, withoutFacades(withConstants(text)))
  const main = mainOf(joined)
  bindChunks(texts, main, new Set(entries.map((entry) => `${entry}.js`)))
  files.set(`${INDEX}.map`, files.get(`${main}.map`))
  files.delete(main)
  files.delete(`${main}.map`)
  for (const [name, text] of texts) {
    const { code, map } = await compact(name, text, files.get(`${name}.map`))
    files.set(name, `${code}//# sourceMappingURL=${basename(name)}.map\n`)
    files.set(`${name}.map`, map)
  }
  for (const { path, text } of await browserBundle(root, out)) files.set(relative(out, path), text)
  files.set(MARK, '// Tells the package from a bundle.\n')
  for (const [name, text] of files) {
    await mkdir(dirname(join(out, name)), { recursive: true })
    await writeFile(join(out, name), text)
  }
  for (const file of Object.values(bin)) await chmod(join(out, relative('dist', file)), 0o755)
}

/** The chunk of what `index` needs, by its name. */
function mainOf({ outputs }) {
  const [path] = Object.entries(outputs).find(([, { inputs }]) => 'src/endpoint/endpoint.ts' in inputs)
  return basename(path)
}

/**
 * Takes modules of Node.js by `process.getBuiltinModule`, because for an `import` Node also makes a module with an
 * export for each member of theirs, which costs 1 to 3 ms in all.
 */
function withoutFacades(text) {
  return text.replace(/^import (\{[^}]*\}|\w+) from ("node:[^"]+");$/gm, (_, names, name) => {
    return `const ${names.replaceAll(' as ', ': ')} = process.getBuiltinModule(${name});`
  })
}

/**
 * Keeps what `index` needs in one chunk. esbuild makes a chunk for each set of entry points that share code, which
 * would be a dozen for `index`. None of the other `starts` (entry points, and modules loaded by `import()`) is used
 * without `index`, so each gets an import of it, which leaves one set.
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

rmSync(out, { recursive: true, force: true })
const declared = declarations()
await javaScript()
process.exitCode = await declared
