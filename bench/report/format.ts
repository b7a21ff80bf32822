// Numbers as a reader takes them in: three digits or so, with their unit.
import type { Run } from '../results.ts'
import type { Summary } from './summary.ts'

const grouped = (value: number, decimals: number): string =>
  value.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })

/** Three significant digits, no fewer than the whole number. */
export const digits = (value: number): string => grouped(value, value === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2)

/** Calls a second and other counts: `857 k`, `1.89 M`. */
export function count(value: number): string {
  if (value >= 999_500) return `${digits(value / 1e6)} M`
  return value >= 1_000 ? `${digits(value / 1e3)} k` : digits(value)
}

/** The same without zeros at the end, for the marks of an axis. */
export function mark(value: number): string {
  const short = (part: number): string => Number(part.toPrecision(3)).toLocaleString('en')
  return value >= 1e6 ? `${short(value / 1e6)} M` : value >= 1e3 ? `${short(value / 1e3)} k` : short(value)
}

export const milliseconds = (microseconds: number): string => digits(microseconds / 1e3)

export const percent = (part: number): string => `${grouped(part * 100, Math.abs(part) < 0.0995 && part !== 0 ? 1 : 0)} %`

export const ratio = (value: number): string => `${digits(value)} ×`

/** `857 k ± 2 % (840 k–870 k)`; a single measurement has no spread. */
export function withSpread({ median, min, max, spread }: Summary, text: (value: number) => string): string {
  return min === max ? text(median) : `${text(median)} ± ${percent(spread)} (${text(min)}–${text(max)})`
}

export const day = (run: Run): string => run.date.slice(0, 10)

export function machineText({ machine }: Run): string {
  const { cpu, cores, memoryGiB, kernel, node, go } = machine
  return [cpu, `${cores} cores`, `${memoryGiB} GiB`, `kernel ${kernel}`, `Node ${node}`, ...(go === null ? [] : [go])].join(', ')
}

/** Where and how a run was made, in one line. */
export const origin = (run: Run): string =>
  [
    day(run),
    `${run.machine.cpu}, ${run.machine.cores} cores`,
    `Node ${run.machine.node}`,
    `commit ${run.commit}`,
    `${run.rounds} × ${run.seconds} s, medians`,
  ].join(' · ')

/** The command of a run, as prose has room for it. A long one, of chosen rows and drivers, stands on the page of its results. */
export function commandText(command: string): string {
  return command.length <= 80 ? `\`${command}\`` : 'Some rows of `npm run bench`'
}
