import type { Run } from '../results.ts'
import { barsLine, unmet } from './bars-table.ts'
import { absent } from './families.ts'
import { day, machineText } from './format.ts'
import { shortRateTable } from './trial-tables.ts'

/** The short form for README.md: one line of where and when, the first trial, what is not met. */
export function readmeTable(run: Run): string {
  const { command, commit, rounds, seconds } = run
  const when = `\`${command}\`, ${day(run)}, commit ${commit}: ${machineText(run)}; ${rounds} rounds of ${seconds} s, medians.`
  const first = run.trials.filter((trial) => trial.group === 'unary').slice(0, 1)
  const parts = [when, ...first.map(shortRateTable), absent(first), barsLine(run.bars), unmet(run.bars)]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}
