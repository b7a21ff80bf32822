// Writes a results file's page and charts anew, without measuring; they go beside it.
//   node --import tsx bench/report/render.ts bench/results/latest.json
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Run, readRun } from '../results.ts'
import { charts } from './charts.ts'
import { markdown } from './markdown.ts'

function render(file: string): void {
  const run: Run = readRun(file)
  if (!Array.isArray(run.trials)) throw new Error(`${file} holds no run of the bench suite`)
  writeFileSync(file.replace(/(\.json)?$/, '.md'), markdown(run))
  for (const [name, svg] of Object.entries(charts(run))) writeFileSync(join(dirname(file), name), svg)
}

const [file, ...rest] = process.argv.slice(2)
if (file === undefined || rest.length > 0) {
  console.error('usage: render.ts results.json')
  process.exit(2)
}
try {
  render(file)
} catch (error) {
  console.error(`render: ${(error as Error).message}`)
  process.exit(1)
}
