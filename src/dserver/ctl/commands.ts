import type { SandboxState } from '../sandbox/sandbox.ts'
import type { LogEntry, LogFilter } from './log-entry.ts'

/** One sandbox, as `info` shows it. */
export interface SandboxInfo {
  /** Name of the sandbox, unique in the application. */
  readonly name: string
  /** Name of the service that it belongs to. */
  readonly service: string
  /** Where the sandbox is in its life. */
  readonly state: SandboxState
  /** Pid and uptime while it runs, the reason when it failed, otherwise empty. */
  readonly description: string
  /** The process that runs it, 0 for none. */
  readonly pid: number
}

/** Usage and load of a process of the application. */
export interface ProcessUsage {
  /** Bytes of memory in use. */
  readonly memory: number
  /** Bytes of JavaScript objects. */
  readonly heap: number
  /** Percent of one core, since it was last asked for. */
  readonly cpu: number
  /** Greatest delay of the event loop within the last minute, in milliseconds. */
  readonly loopDelay: number
  /** Sessions of endpoints that listen. */
  readonly sessions: number
  /** Calls and pushes whose handlers have not ended. */
  readonly calls: number
}

/** One process of the application. */
export interface ProcessInfo extends Partial<ProcessUsage> {
  /** Name of the service; of the application for the process that the operator started. */
  readonly name: string
  /** Process id; 0 for none. */
  readonly pid: number
  /** `running` or `stopping`; for a process of a service the state of its supervisor, such as `backoff`. */
  readonly state: string
  /** Milliseconds since it started. */
  readonly uptime: number
  /** Bytes of memory in use. */
  readonly memory: number
  /** Number of times it was started again; absent for the process that the operator started. */
  readonly restarts?: number
}

/** The program that is running. */
export interface VersionInfo {
  /** Name of the application. */
  readonly name: string
  /** Version of the application, by the option `version`. */
  readonly version: string
  /** Commit that it was built from, by the option `commit`; undefined for none. */
  readonly commit: string | undefined
  /** When it was built, by the option `buildTime`; undefined for none. */
  readonly buildTime: string | undefined
  /** Version of this package. */
  readonly dmicro: string
  /** Version of Node.js. */
  readonly node: string
  /** Path of the script that Node.js runs. */
  readonly executable: string
  /** Process id of the running server. */
  readonly pid: number
}

/** How to stop: at once within `stopTimeout`, or after what runs has ended, within `quitTimeout`. */
export type StopKind = 'stop' | 'quit'

/** A running server, as its operator sees it. Failures are Errors whose message is for the operator's eyes. */
export interface ServerCommands {
  /** The program that is running. */
  version(): VersionInfo
  /** The sandboxes, in the order they were added. */
  info(): Promise<SandboxInfo[]>
  /** The processes, this one first. */
  processes(): Promise<ProcessInfo[]>
  /** Resolves when the sandbox, and what it depends on, is ready. */
  startSandbox(name: string): Promise<void>
  /** Resolves when the sandbox has stopped. Refused while another one that runs depends on it. */
  stopSandbox(name: string): Promise<void>
  /**
   * Replaces all processes, or the one of a service or sandbox, by new ones, without a failed call.
   * Resolves when the new ones serve.
   */
  reload(name?: string): Promise<void>
  /** Reads the configuration again, and tells those who asked. */
  reloadConfig(): Promise<void>
  /** Switches lines of level `debug` on or off, in all processes. */
  setDebug(on: boolean): Promise<void>
  /** The last lines of the log that match, of all processes, the oldest first. */
  recentLog(filter: LogFilter, lines: number): Promise<LogEntry[]>
  /** Calls `onEntry` with each new line of all processes that matches; the function returned ends that. */
  followLog(filter: LogFilter, onEntry: (entry: LogEntry) => void): () => void
  /** Resolves once the stop began; the process ends afterwards. Rejects when `beforeStop` refused. */
  stop(kind: StopKind): Promise<void>
}
