// The entry point `dmicro/dserver`.

export { closeOnExec, lockFile } from './os/files.ts'
export { sdNotify } from './os/notify.ts'
export { type ExitStatus, type PeerCredentials, peerCredentials, reap } from './os/peers.ts'
export { type GracefulRestart, gracefulRestart, type RestartState } from './restart/graceful-restart.ts'
export type { GracefulRestartOptions } from './restart/options.ts'
