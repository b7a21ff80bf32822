// What a run must reach and did.
import type { BarResult } from '../results.ts'
import { NONE, table } from './table.ts'

export function barsTable(bars: BarResult[]): string {
  const met = (bar: BarResult): string => (bar.met === null ? NONE : bar.met ? 'yes' : '**NO**')
  const rows = bars.map((bar) => [bar.load, bar.against, bar.bar, bar.text, met(bar)])
  return `${barsLine(bars)}\n\n${table(['load', 'against', 'bar', 'measured', 'met'], rows, 5)}`
}

/** How many are met; '' when there is none. */
export function barsLine(bars: BarResult[]): string {
  if (bars.length === 0) return ''
  const met = bars.filter((bar) => bar.met === true).length
  const open = bars.filter((bar) => bar.met === null).length
  return `${met} of ${bars.length} bars are met${open === 0 ? '' : `, ${open} could not be measured`}.`
}

/** Each bar that was missed, with what was measured instead. */
export const unmet = (bars: BarResult[]): string =>
  bars
    .filter((bar) => bar.met === false)
    .map((bar) => `- Not met: ${bar.load}, ${bar.bar}${bar.against === '' ? '' : ` against ${bar.against}`}: ${bar.text}`)
    .join('\n')
