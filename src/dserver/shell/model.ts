import type { ProcessInfo, SandboxInfo, StopKind } from '../ctl/commands.ts'
import type { LogEntry, LogFilter } from '../ctl/log-entry.ts'

/** How the sandboxes of an application run: in this process, or in others. */
export interface Model {
  /**
   * Resolves when all sandboxes are ready.
   * @throws (rejects) what the first one failed with
   */
  start(): Promise<void>
  /**
   * Stops all sandboxes.
   * @param timeout milliseconds
   * @returns the failures
   */
  stop(timeout: number, kind: StopKind): Promise<unknown[]>
  info(): Promise<SandboxInfo[]>
  /** Other processes than this one. */
  processes(): Promise<ProcessInfo[]>
  /** As `ServerCommands`. */
  startSandbox(name: string): Promise<void>
  stopSandbox(name: string): Promise<void>
  /** Replaces processes other than this one, as `ServerCommands.reload`; undefined where there are none. */
  reload?(name: string | undefined): Promise<void>
  /** Tells other processes what is wanted of their logs, from now on; undefined where there are none. */
  setLogging?(): Promise<void>
  /** The last lines of other processes, as `ServerCommands.recentLog`. */
  recentLog?(filter: LogFilter, lines: number): Promise<LogEntry[]>
  /** Lets other processes read the configuration again. */
  reloadConfig?(): Promise<void>
}
