import type { Run } from '../results.ts'
import { barsTable } from './bars-table.ts'
import { day, machineText } from './format.ts'

const BEGIN = '<!-- bench -->'
const END = '<!-- /bench -->'

/** The short form for README.md: where and when, and the bars. */
export function readmeTable(run: Run): string {
  const { command, commit, ended, rounds, seconds } = run
  const when = `\`${command}\`, ${day(run)}, commit ${commit}: ${machineText(run)}; ${rounds} × ${seconds} s, medians.`
  const cut = ended === undefined ? [] : [`**This run is not complete: ${ended}.**`]
  return [when, ...cut, barsTable(run.bars)].filter((part) => part !== '').join('\n\n')
}

/** `page` with `table` between the two marks. */
export function replaceTable(page: string, table: string): string {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END, begin)
  if (begin < 0 || end < 0) throw new Error(`README.md has no ${BEGIN} … ${END}`)
  return `${page.slice(0, begin)}${BEGIN}\n\n${table}\n\n${page.slice(end)}`
}
