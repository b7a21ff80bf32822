import type { ProcessUsage, SandboxInfo, StopKind } from '../ctl/commands.ts'
import type { LogEntry, LogFilter } from '../ctl/log-entry.ts'
import type { LogBatch } from '../ctl/log-stream.ts'

/** Questions of the master to a process of a service. */
export type Question =
  | { readonly ask: 'info' | 'config' | 'usage' }
  | { readonly ask: 'start' | 'stop'; readonly name: string }
  /** Which levels of the log are wanted by those who follow it, 0 for none, and whether `debug` is switched on. */
  | { readonly ask: 'logging'; readonly mask: number; readonly debug: boolean }
  | { readonly ask: 'recent'; readonly filter: LogFilter; readonly lines: number }
  /** How SIGTERM is meant from now on. `replace`: another process has taken over when it comes. */
  | { readonly ask: 'kind'; readonly kind: StopKind | 'replace' }

/** The type of all messages between the master and its processes, by which others of the application are told apart. */
export const MESSAGE_TYPE = 'dmicro.dserver'
/** Message of a process whose sandboxes are ready. */
export const READY_TYPE = 'dmicro.dserver.ready'

export type Asked = Question & { readonly type: typeof MESSAGE_TYPE; readonly id: number }

export interface Answer {
  readonly type: typeof MESSAGE_TYPE
  readonly id: number
  readonly info?: readonly SandboxInfo[]
  readonly usage?: ProcessUsage
  readonly recent?: readonly LogEntry[]
  readonly error?: string
}

/** The type of messages with lines of the log, which a process sends while they are wanted. */
export const LOG_TYPE = 'dmicro.dserver.log'

/** The type of the message with which a process says why it cannot start. */
export const FAILED_TYPE = 'dmicro.dserver.failed'

export interface FailedMessage {
  readonly type: typeof FAILED_TYPE
  readonly reason: string
  readonly exitCode: number
}

export interface LogMessage {
  readonly type: typeof LOG_TYPE
  readonly lines: LogBatch
}

/** A process of a service: which one, and which of its sandboxes it starts. */
export interface ServiceRole {
  readonly service: string
  readonly names: readonly string[]
}

/** Tells a process that it runs a service. The master alone sets it, and the process removes it. */
const ROLE_VARIABLE = 'DMICRO_DSERVER_SERVICE'

export function roleVariable(role: ServiceRole): Record<string, string> {
  return { [ROLE_VARIABLE]: JSON.stringify(role) }
}

/** The role of this process; undefined when an operator started it. */
export function takeRole(environment: NodeJS.ProcessEnv): ServiceRole | undefined {
  const text = environment[ROLE_VARIABLE]
  delete environment[ROLE_VARIABLE]
  return text === undefined || process.send === undefined ? undefined : JSON.parse(text)
}
