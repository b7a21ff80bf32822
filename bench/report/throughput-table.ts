// Functions whose time is that of their bytes.
import type { MicroResult } from '../results.ts'
import { digits } from './format.ts'
import { table } from './table.ts'

/** Bytes per nanosecond are GB per second; '' when there is no such row. */
export function throughputTable(micro: MicroResult[]): string {
  const rows = micro
    .filter((row) => 'bytes' in row)
    .map(({ group, name, bytes, ours_ns, bare_ns }) => [group, name, digits(bytes / ours_ns), digits(bytes / bare_ns)])
  return rows.length === 0 ? '' : table(['', '', 'ours, GB/s', 'node:crypto, GB/s'], rows, 2)
}
