import type { StateName } from './state.ts'

/** Data of an event about a process. */
export interface ProcessEvent {
  readonly name: string
  /** 0 when there is none. */
  readonly pid: number
  readonly state: StateName
  /** State before a transition; the same as `state` for other events. */
  readonly previous: StateName
  /** Exit code of the last process, -1 when a signal ended it; undefined when none has ended. */
  readonly exitStatus: number | undefined
  /** The signal that ended it. */
  readonly signal: NodeJS.Signals | undefined
  /** Why, for people. */
  readonly reason: string
}

/** Events of a supervisor by name, on its bus. `process.*` is all about processes. */
export interface SupervisorEvents {
  'process.stopped': ProcessEvent
  'process.starting': ProcessEvent
  'process.running': ProcessEvent
  'process.backoff': ProcessEvent & { readonly delay: number }
  'process.stopping': ProcessEvent
  'process.exited': ProcessEvent
  'process.fatal': ProcessEvent
  'process.unknown': ProcessEvent
  /** A limit of memory or heartbeats is exceeded; a restart follows. */
  'process.limit': ProcessEvent & { readonly limit: 'memory' | 'heartbeat' }
  /** Another process has taken the place of this one; the old one drains. */
  'process.reloaded': ProcessEvent & { readonly oldPid: number }
  /** The process has sent a message (`ipc`). */
  'process.message': ProcessEvent & { readonly message: unknown }
  /** A log cannot be written. */
  'log.failed': { readonly target: string; readonly error: Error }
  /** As pid 1: an orphan was reaped. */
  'orphan.reaped': { readonly pid: number }
}
