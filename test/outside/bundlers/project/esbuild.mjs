import { build } from 'esbuild'

const [outdir, format] = process.argv.slice(2)
const isModule = format === 'es'
// As docs/http.md has it: some of what is bundled is CommonJS and asks for modules of Node.
const js = "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);"
await build({
  entryPoints: { app: 'app.mjs' },
  outdir,
  bundle: true,
  splitting: isModule,
  platform: 'node',
  target: 'node20',
  format: isModule ? 'esm' : 'cjs',
  outExtension: { '.js': isModule ? '.mjs' : '.cjs' },
  ...(isModule ? { banner: { js } } : {}),
  logLevel: 'warning',
})
