// What a run must reach and did.
import type { BarResult } from '../results.ts'
import { NONE, table } from './table.ts'

/** How many are met, and each one; '' when there is none. */
export function barsTable(bars: BarResult[]): string {
  if (bars.length === 0) return ''
  const met = (bar: BarResult): string => (bar.met === null ? NONE : bar.met ? 'yes' : '**NO**')
  const rows = bars.map((bar) => [bar.load, bar.against, bar.bar, bar.text, met(bar)])
  return `${barsLine(bars)}\n\n${table(['load', 'against', 'bar', 'measured', 'met'], rows, 5)}`
}

function barsLine(bars: BarResult[]): string {
  const met = bars.filter((bar) => bar.met === true).length
  const open = bars.filter((bar) => bar.met === null).length
  return `${met} of ${bars.length} bars are met${open === 0 ? '' : `, ${open} could not be measured`}.`
}
