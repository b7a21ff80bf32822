/** Arguments and results of the routes on the socket of a server. */
export interface ControlRoutes {
  '/dserver/version': [undefined, import('../ctl/commands.ts').VersionInfo]
  '/dserver/info': [undefined, import('../ctl/commands.ts').SandboxInfo[]]
  '/dserver/ps': [undefined, import('../ctl/commands.ts').ProcessInfo[]]
  '/dserver/start': [string, null]
  '/dserver/stop': [string, null]
  '/dserver/end': [import('../ctl/commands.ts').StopKind, null]
  '/dserver/reload': [string, null]
  '/dserver/config': [undefined, null]
}

/** Code of a failure whose message is for the operator. */
export const OPERATION_FAILED = 1102
/** Code for the name of a sandbox or service that is not there. */
export const UNKNOWN_NAME = 1101
