// Writes the page and charts of a results file again, without measuring; they go beside it. With --docs MARK also the table between the marks of that
// name in docs/benchmarks.md, with --readme that of README.md.
//   node --import tsx bench/report/render.ts bench/results/latest.json [--docs bench] [--readme]
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { path } from '../processes.ts'
import { type Run, readRun } from '../results.ts'
import { docsTable, replaceTable } from './docs-table.ts'
import { readmeTable } from './readme-table.ts'
import { writeReport } from './write.ts'

const DOCS = path('../docs/benchmarks.md')
const README = path('../README.md')
const README_MARK = 'bench'

interface Arguments {
  file: string
  docs: string | undefined
  readme: boolean
}

function readArguments(): Arguments {
  const { values, positionals } = parseArgs({ options: { docs: { type: 'string' }, readme: { type: 'boolean' } }, allowPositionals: true })
  if (positionals.length !== 1) throw new Error('expected one results file')
  return { file: positionals[0], docs: values.docs, readme: values.readme === true }
}

function rewrite(page: string, table: string, mark: string): void {
  writeFileSync(page, replaceTable(readFileSync(page, 'utf8'), table, mark))
}

function render({ file, docs, readme }: Arguments): void {
  const run: Run = readRun(file)
  if (!Array.isArray(run.trials)) throw new Error(`${file} holds no run of the bench suite`)
  if (docs !== undefined) rewrite(DOCS, docsTable(run), docs)
  if (readme) rewrite(README, readmeTable(run), README_MARK)
  const { problem } = writeReport(file, run)
  if (problem !== undefined) throw new Error(problem)
}

try {
  render(readArguments())
} catch (error) {
  console.error(`render: ${(error as Error).message.split('\n')[0]}`)
  process.exit(1)
}
