import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Run } from '../results.ts'
import { charts } from './charts.ts'
import { markdown } from './markdown.ts'

const PICTURE = /^!\[.*\]\(([\w-]+\.svg)\)\n\n/gm

/** Writes page and charts beside the results `file`, in place of those that are there; why there are no charts is told in one line. */
export function writeReport(file: string, run: Run): { page: string; problem?: string | undefined } {
  const pageFile = file.replace(/(\.json)?$/, '.md')
  const old = existsSync(pageFile) ? readFileSync(pageFile, 'utf8') : ''
  const { drawn, problem } = draw(run)
  const page = problem === undefined ? markdown(run) : markdown(run).replaceAll(PICTURE, '')
  for (const [, name] of old.matchAll(PICTURE)) rmSync(join(dirname(file), name), { force: true })
  for (const [name, svg] of Object.entries(drawn)) writeFileSync(join(dirname(file), name), svg)
  writeFileSync(pageFile, page)
  return { page, problem }
}

function draw(run: Run): { drawn: Record<string, string>; problem?: string | undefined } {
  try {
    return { drawn: charts(run) }
  } catch (error) {
    return { drawn: {}, problem: (error as Error).message.split('\n')[0] }
  }
}
