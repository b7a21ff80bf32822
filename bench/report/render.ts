// Writes a results file's page and charts anew, without measuring; they go beside it. With --readme MARK README.md's table of that mark as well.
//   node --import tsx bench/report/render.ts bench/results/latest.json [--readme bench]
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { path } from '../processes.ts'
import { type Run, readRun } from '../results.ts'
import { readmeTable, replaceTable } from './readme.ts'
import { writeReport } from './write.ts'

const README = path('../README.md')

function readArguments(): { file: string; readme: string | undefined } {
  const { values, positionals } = parseArgs({ options: { readme: { type: 'string' } }, allowPositionals: true })
  if (positionals.length !== 1) throw new Error('expected one results file')
  return { file: positionals[0], readme: values.readme }
}

function render(file: string, readme: string | undefined): void {
  const run: Run = readRun(file)
  if (!Array.isArray(run.trials)) throw new Error(`${file} holds no run of the bench suite`)
  if (readme !== undefined) writeFileSync(README, replaceTable(readFileSync(README, 'utf8'), readmeTable(run), readme))
  const { problem } = writeReport(file, run)
  if (problem !== undefined) throw new Error(problem)
}

try {
  const { file, readme } = readArguments()
  render(file, readme)
} catch (error) {
  console.error(`render: ${(error as Error).message.split('\n')[0]}`)
  process.exit(1)
}
