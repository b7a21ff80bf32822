// The entry point `dmicro/supervisor`.

export type { Exit } from './child.ts'
export type { ProcessEvent, SupervisorEvents } from './events.ts'
export type { ProcessInfo } from './info.ts'
export type { ListenerAddress } from './listeners.ts'
export { LogError } from './log/log-error.ts'
export type { LogOptions, LogSink } from './log/log-options.ts'
export type { FollowOptions, ProcessLog } from './log/process-log.ts'
export type { LogTail } from './log/read-log.ts'
export type { SupervisedProcess } from './process.ts'
export type { ReloadOptions, SignalOptions } from './process-host.ts'
export type {
  HeartbeatOptions,
  InheritedListenerOptions,
  ListenerOptions,
  ProcessOptions,
  TcpListenerOptions,
  UnixListenerOptions,
} from './process-options.ts'
export type { ReadyOptions } from './readiness.ts'
export type { BackoffSettings, RestartLimit } from './restart-policy.ts'
export { ProcessState, type StateName } from './state.ts'
export type { ProcessStats, SystemUsage } from './stats.ts'
export { Supervisor, type SupervisorOptions } from './supervisor.ts'
