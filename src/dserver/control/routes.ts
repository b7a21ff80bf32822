import type { ProcessInfo, SandboxInfo, StopKind, VersionInfo } from '../ctl/commands.ts'
import type { GoInfo } from '../ctl/go-routes.ts'
import type { LogEntry, LogFilter } from '../ctl/log-entry.ts'

/** Arguments and results of the routes on the socket of a server. */
export interface ControlRoutes {
  '/dserver/version': [undefined, VersionInfo]
  '/dserver/info': [undefined, SandboxInfo[]]
  '/dserver/ps': [undefined, ProcessInfo[]]
  '/dserver/start': [string, null]
  '/dserver/stop': [string, null]
  '/dserver/end': [StopKind, null]
  '/dserver/reload': [string, null]
  '/dserver/config': [undefined, null]
  '/dserver/debug': [boolean, null]
  /** The last lines; with `follow` calls of `LOG_LINES` begin, until the next call of this route. */
  '/dserver/log': [LogFilter & { readonly lines: number; readonly follow: boolean }, LogEntry[]]
  /** Routes of Go. */
  '/ctl/info': [undefined, { list?: GoInfo[] }]
  '/ctl/start': [string, object]
  '/ctl/stop': [string, object]
  '/ctl/reload': [string, object]
  '/ctl/debug': [boolean, object]
  '/ctl/open_logger': [number, object]
  '/ctl/close_logger': [undefined, object]
}

/** The route of a client that takes lines of the log: a LogBatch. */
export const LOG_LINES = '/dserver/log/lines'
/** The route that Go's clients have for lines, and the one that Go's servers push to. */
export const GO_CLIENT_LINES = '/ctrl_logger_push/logger'
export const GO_SERVER_LINES = '/ctl_logger_push/logger'

/** Code of a failure whose message is for the operator. */
export const OPERATION_FAILED = 1102
/** Code for the name of a sandbox or service that is not there. */
export const UNKNOWN_NAME = 1101
/** Codes of the same in Go, and of a name that is missing. */
export const GO_FAILED = 102
export const GO_UNKNOWN_NAME = 101
export const GO_NO_NAME = 100
