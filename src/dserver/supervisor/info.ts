import { ProcessState, type StateName } from './state.ts'

/** The record of a process, with the names of Go DMicro. Times are seconds since 1970. */
export interface ProcessInfo {
  /** Name of the process. */
  readonly name: string
  /** Pid and uptime while it runs, otherwise when it ended; empty when it was stopped or never ended. */
  readonly description: string
  /** When the present or last round of starts began; 0: never. */
  readonly start: number
  /** When the process ended; 0 while it lives. */
  readonly stop: number
  /** Time of the record. */
  readonly now: number
  /** State by its number. */
  readonly state: ProcessState
  /** State by its name. */
  readonly statename: StateName
  /** Why the last start failed; empty when it did not. */
  readonly spawnerr: string
  /** Exit code in the states Exited and Backoff, otherwise 0; -1 when a signal ended the process. */
  readonly exitstatus: number
  /** Path of the log of stdout; empty for none. */
  readonly logfile: string
  /** The same as `logfile`. */
  readonly stdout_logfile: string
  /** Path of the log of stderr, which may go to that of stdout; empty for none. */
  readonly stderr_logfile: string
  /** 0 when there is none. */
  readonly pid: number
}

/** Go's description of a process: `pid 7, uptime 1:02:03`, or when it stopped. */
export function describeProcess(state: ProcessState, pid: number, uptime: number, stoppedAt: number): string {
  if (state === ProcessState.Running) return `pid ${pid}, uptime ${uptimeText(uptime)}`
  return state === ProcessState.Stopped || stoppedAt === 0 ? '' : new Date(stoppedAt).toISOString()
}

/** `H:MM:SS`, from one day on `D days, H:MM:SS`. */
export function uptimeText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const two = (n: number): string => `${n % 60}`.padStart(2, '0')
  const days = Math.floor(seconds / 86_400)
  const text = `${Math.floor(seconds / 3600) % 24}:${two(Math.floor(seconds / 60))}:${two(seconds)}`
  return days > 0 ? `${days} days, ${text}` : text
}
