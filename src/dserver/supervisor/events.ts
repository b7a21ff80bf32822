import type { StateName } from './state.ts'

/** Data of an event about a process. */
export interface ProcessEvent {
  /** Name of the process. */
  readonly name: string
  /** 0 when there is none. */
  readonly pid: number
  /** State of the process when the event was published. */
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
  /** A process was stopped, and has ended. */
  'process.stopped': ProcessEvent
  /** A start begins: the child is about to be spawned. */
  'process.starting': ProcessEvent
  /** The child is ready. */
  'process.running': ProcessEvent
  /** The child has ended, or could not be spawned; it is started again after `delay` milliseconds. */
  'process.backoff': ProcessEvent & { readonly delay: number }
  /** The child was told to end. */
  'process.stopping': ProcessEvent
  /** The child has ended by itself, and is not started again. */
  'process.exited': ProcessEvent
  /** The process did not start, or ended too often; it is not started again. */
  'process.fatal': ProcessEvent
  /** The child is still there although it was killed. */
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
