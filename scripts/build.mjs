// Makes dist/ of src/: declarations by tsc, JavaScript by esbuild. The JavaScript is joined into few files, because at
// a start each file costs more than the code in it. Source maps contain the sources. `node scripts/build.mjs [out]`
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { bindChunks } from './bind-chunks.mjs'
import { browserBundle } from './browser.mjs'
import { withConstants } from './const.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = resolve(process.argv[2] ?? join(root, 'dist'))
const src = join(root, 'src')

/** The exports of package.json. All that `index` imports statically is one chunk. */
const entries = ['index', 'testing/index']
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
    target: 'es2023',
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
  const scripts = outputFiles.filter(({ path }) => path.endsWith('.js'))
  const texts = new Map(scripts.map(({ path, text }) => [relative(out, path), inAscii(withoutPaths(withoutFacades(withConstants(text))))]))
  bindChunks(texts, mainOf(joined), new Set(entries.map((entry) => `${entry}.js`)))
  outputFiles.push({ path: join(out, MARK), text: '// Tells the package from a bundle.\n' })
  for (const { path, text } of [...outputFiles, ...(await browserBundle(root, out))]) {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, texts.get(relative(out, path)) ?? text)
  }
}

/** The chunk of what `index` needs, by its name. */
function mainOf({ outputs }) {
  const [path] = Object.entries(outputs).find(([, { inputs }]) => 'src/endpoint/endpoint.ts' in inputs)
  return basename(path)
}

/**
 * Takes modules of Node.js by `process.getBuiltinModule`, because for an `import` Node also makes a module with an export
 * for each member of theirs, which costs 1 to 3 ms in all.
 */
function withoutFacades(text) {
  return text.replace(/^import (\{[^}]*\}|\w+) from ("node:[^"]+");$/gm, (_, names, name) => {
    return `const ${names.replaceAll(' as ', ': ')} = process.getBuiltinModule(${name});`
  })
}

/** The text without the path that esbuild writes before each module. The lines stay, for the source map. */
function withoutPaths(text) {
  return text.replace(/^\/\/ src\/\S+$/gm, '')
}

/**
 * The text in ASCII, which V8 holds and reads at one byte a character. esbuild escapes what is not ASCII in code, so only
 * comments change, and no column of a source map.
 */
function inAscii(text) {
  return text.replace(/[^ -~\s]/gu, (character) => '?'.repeat(character.length))
}

/**
 * Keeps what `index` needs in one chunk. esbuild makes a chunk for each set of entry points that share code, which
 * would be a dozen for `index`. None of the other `starts` (entry points, and modules loaded by `import()`) is used without
 * `index`, so each gets an import of it, which leaves one set.
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
