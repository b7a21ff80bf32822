// Bundles checks.js, which a page imports: node page.mjs esbuild|vite folder
const [bundler, outDir] = process.argv.slice(2)
if (bundler === 'vite') {
  const { build } = await import('vite')
  await build({
    logLevel: 'warn',
    build: { outDir, emptyOutDir: false, lib: { entry: 'checks.js', formats: ['es'], fileName: () => 'checks.js' } },
  })
} else {
  const { build } = await import('esbuild')
  await build({ entryPoints: ['checks.js'], outdir: outDir, bundle: true, minify: true, format: 'esm', logLevel: 'warning' })
}
