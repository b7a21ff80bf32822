import webpack from 'webpack'

const [path, format] = process.argv.slice(2)
const module = format === 'es'
const extension = module ? 'mjs' : 'cjs'
const compiler = webpack({
  entry: './app.mjs',
  target: 'node20',
  mode: 'production',
  // Small in one format, as most deploy it; quicker in the other.
  optimization: { minimize: !module },
  experiments: { outputModule: module },
  output: { path, module, filename: `app.${extension}`, chunkFilename: `[id].${extension}`, chunkFormat: module ? 'module' : 'commonjs' },
})
compiler.run((error, stats) => {
  if (error) throw error
  const { errors, warnings } = stats.toJson()
  for (const { message } of [...errors, ...warnings]) console.log(message)
  if (errors.length > 0) process.exitCode = 1
})
