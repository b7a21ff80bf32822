import type { Run } from '../results.ts'
import { barsTable } from './bars-table.ts'
import { day, machineText } from './format.ts'
import { wrapped } from './wrapped.ts'

/** The short form for docs/benchmarks.md: where and when, and the bars. */
export function docsTable(run: Run): string {
  const { command, commit, ended, rounds, seconds } = run
  const when = `\`${command}\`, ${day(run)}, commit ${commit}: ${machineText(run)}; ${rounds} × ${seconds} s, medians.`
  const cut = ended === undefined ? [] : [`**This run is not complete: ${ended}.**`]
  return [wrapped(when), ...cut, barsTable(run.bars)].filter((part) => part !== '').join('\n\n')
}

/** `page` with `table` between the two marks of this name. */
export function replaceTable(page: string, table: string, mark: string): string {
  const [first, last] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`]
  const begin = page.indexOf(first)
  const end = page.indexOf(last, begin)
  if (begin < 0 || end < 0) throw new Error(`the page has no ${first} … ${last}`)
  return `${page.slice(0, begin)}${first}\n\n${table}\n\n${page.slice(end)}`
}
