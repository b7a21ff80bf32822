import { build } from 'vite'

const [outDir, format] = process.argv.slice(2)
const extension = format === 'cjs' ? 'cjs' : 'mjs'
await build({
  logLevel: 'warn',
  ssr: { noExternal: true, target: 'node' },
  build: {
    ssr: 'app.mjs',
    outDir,
    emptyOutDir: false,
    target: 'node20',
    rollupOptions: { output: { format, entryFileNames: `app.${extension}`, chunkFileNames: `[name]-[hash].${extension}` } },
  },
})
