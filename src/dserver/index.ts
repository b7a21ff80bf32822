// The entry point `dmicro/dserver`.

export { ConfigError } from './config/config-error.ts'
export type { ConfigSection, Fallback, NumberRule, StringRule } from './config/section.ts'
export type { ProcessInfo, SandboxInfo, ServerCommands, StopKind, VersionInfo } from './ctl/commands.ts'
export { DServer, type Service, type ServiceOptions } from './dserver.ts'
export type { DServerOptions, ProcessModel } from './options.ts'
export { closeOnExec, lockFile } from './os/files.ts'
export { sdNotify } from './os/notify.ts'
export { type ExitStatus, type PeerCredentials, peerCredentials, reap } from './os/peers.ts'
export { type GracefulRestart, gracefulRestart, type RestartState } from './restart/graceful-restart.ts'
export type { GracefulRestartOptions } from './restart/options.ts'
export { Sandbox, type SandboxState } from './sandbox/sandbox.ts'
export { ExitCode } from './shell/exit-code.ts'
