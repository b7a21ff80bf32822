import type { Clock } from '../../base/time/clock.ts'
import type { Child } from './child.ts'
import type { SupervisorEvents } from './events.ts'
import type { ProcessSettings } from './process-options.ts'

/** The part of a supervisor that its processes use. */
export interface ProcessHost {
  readonly clock: Clock
  publish<Name extends keyof SupervisorEvents>(name: Name, event: SupervisorEvents[Name]): void
  readonly warn: (text: string, reason: string) => void
  /** Whether no process may be started any more. */
  isClosed(): boolean
  /** A child was started. */
  onSpawn(child: Child, settings: ProcessSettings): void
  /** A child has ended. */
  onExit(child: Child): void
  /** Descriptors and their names that children of these settings get. */
  listeners(settings: ProcessSettings): Promise<{ descriptors: number[]; names: string[] }>
}

/** Options of `signal`. */
export interface SignalOptions {
  /** Whether the whole process group gets it. Default: false. */
  group?: boolean | undefined
}

/** Options of `reload`. */
export interface ReloadOptions {
  /** Milliseconds that the new process has to get ready. Default: those of `add`. */
  readyTimeout?: number | undefined
}

/** Signals that a process cannot misunderstand before it has set its handlers. */
const unambiguous: readonly NodeJS.Signals[] = ['SIGKILL', 'SIGSTOP', 'SIGCONT', 'SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGABRT']

/** Whether a signal does what is meant also where it has no handler. */
export function isUnambiguous(signal: NodeJS.Signals): boolean {
  return unambiguous.includes(signal)
}
