// JavaScript's part of a server's user time, by perf: it interrupts the server on its processor, and sees what runs there.
import { spawnSync } from 'node:child_process'
import { Program } from './processes.ts'

const EVENT = 'cpu-clock:u' // of one's own processes, which kernels mostly allow to everybody
const SAMPLES_PER_SECOND = 3_999

let works: boolean | undefined

/** Whether perf is installed and allowed here. */
export const hasPerf = (): boolean =>
  (works ??= spawnSync('perf', ['record', '-q', '-e', EVENT, '-o', '/dev/null', 'true'], { stdio: 'ignore' }).status === 0)

/** Samples the processes from `delay` seconds on until they end. */
export function record(pids: number[], file: string, delay: number): Program {
  const what = ['-e', EVENT, '-F', SAMPLES_PER_SECOND, '-p', pids.join(','), '-o', file]
  return new Program('perf', ['perf', 'record', '-q', '-D', Math.round(delay * 1000), ...what])
}

/** What {@link javaScriptPart} finds in a file of {@link record}. */
export function partOf(file: string): number | undefined {
  const { stdout } = spawnSync('perf', ['report', '-i', file, '--stdio', '-q', '-t', '|', '-F', 'sample,dso,sym'], { encoding: 'utf8' })
  return javaScriptPart(stdout ?? '')
}

/**
 * Part of the samples in what V8 compiled and in V8, its collector included; the rest is Node's and others' C++.
 * `report` has lines `samples|library|[.] function`. undefined when they do not tell: no samples, or a Node without symbols.
 */
export function javaScriptPart(report: string): number | undefined {
  let all = 0
  let script = 0
  for (const line of report.split('\n')) {
    const [samples, library, name] = line.split('|').map((cell) => cell.trim())
    if (name === undefined) continue
    const symbol = name.slice('[.] '.length)
    all += Number(samples)
    if (/^(\[JIT\]|\/\/anon|\[?anon)/.test(library) || /^Builtins_|^(?!node::).*\bv8::/.test(symbol)) script += Number(samples)
  }
  return report.includes(' Builtins_') ? script / all : undefined
}
