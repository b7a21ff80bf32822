import commonjs from '@rollup/plugin-commonjs'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { rollup } from 'rollup'

const bundle = await rollup({
  input: 'app.mjs',
  plugins: [nodeResolve({ preferBuiltins: true, exportConditions: ['node'] }), commonjs()],
  onwarn: (warning) => {
    if (warning.code !== 'CIRCULAR_DEPENDENCY') console.log(warning.message)
  },
})
const extension = process.argv[3] === 'cjs' ? 'cjs' : 'mjs'
await bundle.write({
  dir: process.argv[2],
  format: process.argv[3],
  entryFileNames: `app.${extension}`,
  chunkFileNames: `[name]-[hash].${extension}`,
})
await bundle.close()
