// Functions beside packages that do the same.
import type { MicroResult } from '../results.ts'
import { digits, ratio } from './format.ts'
import { table } from './table.ts'

/** The last column: how many times as many operations a second ours does as the best of the others; '' when there is no such row. */
export function rivalsTable(micro: MicroResult[]): string {
  const rows = micro
    .filter((row) => 'others' in row)
    .map(({ group, name, ours_ns, others }) => {
      const texts = Object.entries(others).map(([other, taken]) => `${other} ${digits(taken)}`)
      const best = texts.length === 0 ? '' : ratio(Math.min(...Object.values(others)) / ours_ns)
      return [group, name, digits(ours_ns), texts.join(', '), best]
    })
  return rows.length === 0 ? '' : table(['', '', 'ours, ns', 'others, ns', 'against the best'], rows, 2)
}
