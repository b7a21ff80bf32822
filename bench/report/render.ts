// Writes the page and charts of a results file again, without measuring; they go beside it. With --docs MARK also the table between the marks of that
// name in docs/benchmarks.md.
//   node --import tsx bench/report/render.ts bench/results/latest.json [--docs bench]
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { path } from '../processes.ts'
import { type Run, readRun } from '../results.ts'
import { docsTable, replaceTable } from './docs-table.ts'
import { writeReport } from './write.ts'

const DOCS = path('../docs/benchmarks.md')

function readArguments(): { file: string; docs: string | undefined } {
  const { values, positionals } = parseArgs({ options: { docs: { type: 'string' } }, allowPositionals: true })
  if (positionals.length !== 1) throw new Error('expected one results file')
  return { file: positionals[0], docs: values.docs }
}

function render(file: string, docs: string | undefined): void {
  const run: Run = readRun(file)
  if (!Array.isArray(run.trials)) throw new Error(`${file} holds no run of the bench suite`)
  if (docs !== undefined) writeFileSync(DOCS, replaceTable(readFileSync(DOCS, 'utf8'), docsTable(run), docs))
  const { problem } = writeReport(file, run)
  if (problem !== undefined) throw new Error(problem)
}

try {
  const { file, docs } = readArguments()
  render(file, docs)
} catch (error) {
  console.error(`render: ${(error as Error).message.split('\n')[0]}`)
  process.exit(1)
}
