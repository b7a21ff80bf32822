import { readFileSync } from 'node:fs'

/** Clock ticks of /proc are hundredths of a second for programs, whatever the kernel's own are. */
const TICK_MS = 10
const PAGE_BYTES = 4_096

/** Usage of a process as /proc shows it. */
export interface SystemUsage {
  /** CPU time, user and system, in milliseconds. */
  readonly cpuTime: number
  /** Resident memory in bytes. */
  readonly memory: number
  /** Number of threads. */
  readonly threads: number
}

/** Usage of a supervised process. */
export interface ProcessStats extends SystemUsage {
  /** Name of the process. */
  readonly name: string
  /** Process id of its child. */
  readonly pid: number
  /** CPU since the last call, in percent of one core; since the start on the first call. */
  readonly cpu: number
  /** Milliseconds since the start. */
  readonly uptime: number
  /** Number of restarts since the supervisor knows the process. */
  readonly restarts: number
  /** Bytes of output that could not be logged. */
  readonly droppedOutput: number
}

/** Usage of a process by /proc; undefined when there is none, or no /proc. */
export function readUsage(pid: number): SystemUsage | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  const stat = parseStat(text)
  return stat && { cpuTime: stat.cpuTime, memory: stat.memory, threads: stat.threads }
}

/** Fields of /proc/PID/stat. The name, which may have anything in it, ends at the last parenthesis. */
export function parseStat(text: string): (SystemUsage & { state: string; parent: number }) | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  if (fields.length < 22) return undefined
  const at = (field: number): number => Number(fields[field - 3])
  return {
    state: fields[0],
    parent: at(4),
    cpuTime: (at(14) + at(15)) * TICK_MS,
    threads: at(20),
    memory: at(24) * PAGE_BYTES,
  }
}

/** Measures the children of a supervised process, one after the other. */
export class ProcessMeter {
  #child: Measured | undefined
  #cpu: CpuMeter | undefined

  /**
   * @param now monotonic milliseconds
   * @returns undefined when there is no such process any more, or no /proc
   */
  read(child: Measured, now: number): Pick<ProcessStats, 'pid' | 'cpu' | 'uptime' | keyof SystemUsage> | undefined {
    const usage = readUsage(child.pid)
    if (usage === undefined) return undefined
    if (this.#cpu === undefined || this.#child !== child) this.#cpu = new CpuMeter(child.startedAt)
    this.#child = child
    return { pid: child.pid, cpu: this.#cpu.percent(usage.cpuTime, now), ...usage, uptime: now - child.startedAt }
  }
}

interface Measured {
  readonly pid: number
  /** Monotonic milliseconds. */
  readonly startedAt: number
}

/** Measures the CPU of a process between calls. */
class CpuMeter {
  #time = 0
  #cpuTime = 0

  /** @param now monotonic milliseconds */
  constructor(now: number) {
    this.#time = now
  }

  percent(cpuTime: number, now: number): number {
    const passed = now - this.#time
    const used = cpuTime - this.#cpuTime
    this.#time = now
    this.#cpuTime = cpuTime
    return passed <= 0 ? 0 : Math.max(0, (used / passed) * 100)
  }
}
