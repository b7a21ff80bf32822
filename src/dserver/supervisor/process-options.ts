import { constants } from 'node:os'
import {
  duration,
  flag,
  optionNames,
  requireFunction,
  requireMeta,
  requireNames,
  requireOptions,
  requireText,
  whole,
} from '../../base/check-options.ts'
import { type LogOptions, type LogSettings, readLogOptions } from './log/log-options.ts'
import { type ReadyOptions, type ReadySettings, readReadyOptions } from './readiness.ts'
import type { BackoffSettings, RestartLimit, RestartSettings } from './restart-policy.ts'
import { bytesOf } from './sizes.ts'

/** A process that hangs is ended and started again. */
export interface HeartbeatOptions {
  /** Milliseconds without a heartbeat after which the process counts as hung. */
  timeout: number
  /**
   * Asks the process, `interval` milliseconds after the last answer; what it resolves counts as a heartbeat. Without
   * one, `process.beat()` and messages of the process (`ipc`) do. Default: none.
   */
  ping?: ((process: { readonly name: string; readonly pid: number }, signal: AbortSignal) => unknown) | undefined
  /** Milliseconds between two pings. Default: a third of `timeout`. */
  interval?: number | undefined
  /** Signal that ends a process that hangs. Default: `'SIGKILL'`. */
  signal?: NodeJS.Signals | undefined
}

/** A socket on which the instances of a process listen together. The supervisor binds it once and never accepts. */
export type ListenerOptions = (TcpListenerOptions | UnixListenerOptions | InheritedListenerOptions) & {
  /** Name of the socket, told to the process by LISTEN_FDNAMES. Default: its place in the list, from '0' on. */
  name?: string | undefined
}

/** A TCP port. */
export interface TcpListenerOptions {
  /** IP address to listen on, or `localhost`. Default: all of IPv6 and IPv4. */
  host?: string | undefined
  /** TCP port; 0 for any that is free. */
  port: number
  /** Maximum number of connections that wait to be accepted. Default: 511. */
  backlog?: number | undefined
}

/** A Unix socket. */
export interface UnixListenerOptions {
  /** Path of the socket. */
  path: string
  /** Maximum number of connections that wait to be accepted. Default: 511. */
  backlog?: number | undefined
}

/** A socket that this process got when it was started. */
export interface InheritedListenerOptions {
  /** Number of the descriptor. */
  fd: number
}

/** A process to supervise. Times are milliseconds. */
export interface ProcessOptions {
  /** Name in the supervisor: letters, digits, `_`, `-`, `.` and `/`. */
  name: string
  /** Executable: a path, or a name that is looked up in PATH. No shell. Default: none, then `shell` is needed. */
  command?: string | undefined
  /** Arguments of `command`. Default: none. */
  args?: readonly string[] | undefined
  /** In place of `command`: a line for bash, or else sh. Default: none. */
  shell?: string | undefined
  /** Working directory. Default: that of this process when it is started. */
  directory?: string | undefined
  /** Variables added to the environment; undefined removes one. Default: none. */
  environment?: Readonly<Record<string, string | undefined>> | undefined
  /** Whether the child gets the environment of this process too. Default: true. */
  inheritEnvironment?: boolean | undefined
  /**
   * `user` or `user:group`, names or numbers. Needs root. The groups that /etc/group names for the user are set by
   * setpriv(1); where that is not installed, or may not, the child has none besides its own. Default: as this process.
   */
  user?: string | undefined
  /** Number of processes of this kind, named `name:0`, `name:1` and so on when it is not 1. Default: 1. */
  instances?: number | undefined
  /** Sockets that the children get as descriptors 3, 4 and so on, told by LISTEN_FDS and LISTEN_PID. Default: none. */
  listen?: readonly ListenerOptions[] | undefined
  /**
   * Whether the child has a channel for messages: `process.send` there, `send` and events `process.message` here.
   * Default: false.
   */
  ipc?: boolean | undefined

  /** Whether `startAll` starts it. Default: true. */
  autoStart?: boolean | undefined
  /** A whole number: lower ones start first and stop last. Default: 999. */
  priority?: number | undefined
  /** Names of processes that must be running before. Default: none. */
  dependsOn?: readonly string[] | undefined
  /** When the process counts as running. Default: after `startTime`. */
  ready?: ReadyOptions | undefined
  /** Milliseconds that a process without `ready` must stay up; 0: running at once. Default: 1,000. */
  startTime?: number | undefined
  /** Milliseconds within which `ready` must come; then the start has failed. Default: 30,000. */
  readyTimeout?: number | undefined
  /** Number of starts in a row that may fail before the state is Fatal. Infinity: no limit. Default: 3. */
  startRetries?: number | undefined
  /**
   * Whether a process that was running is started again: always, never, or when its exit code is none of `exitCodes`.
   * Default: true.
   */
  autoRestart?: boolean | 'unexpected' | undefined
  /** Exit codes that are expected. Default: 0 and 2. */
  exitCodes?: readonly number[] | undefined
  /**
   * How long to wait before the next start. Default: 100 ms, doubled up to 30 s, half of it random; back to 100 ms
   * after a run of 10 s.
   */
  backoff?: Partial<BackoffSettings> | undefined
  /** How often the process may be restarted. Default: 60 in a minute, then it waits. */
  restartLimit?: RestartLimit | undefined

  /** Signals sent in order to stop it, `stopTime` apart, before SIGKILL. Default: SIGTERM. */
  stopSignals?: readonly NodeJS.Signals[] | undefined
  /** Milliseconds to end, to drain, after each stop signal. Default: 10,000. */
  stopTime?: number | undefined
  /** Milliseconds to end after SIGKILL; then the state is Unknown. Default: 2,000. */
  killTime?: number | undefined
  /** Whether stop signals go to the whole process group. Default: false. */
  stopAsGroup?: boolean | undefined
  /** Whether SIGKILL goes to the group, and what a process leaves behind when it ends is killed. Default: true. */
  killAsGroup?: boolean | undefined

  /** Log of stdout: a target, or options. Default: none. */
  stdout?: string | LogOptions | undefined
  /** Log of stderr. Default: none. */
  stderr?: string | LogOptions | undefined
  /** Whether stderr goes into the log of stdout. Default: false. */
  redirectStderr?: boolean | undefined

  /** Resident memory, in bytes or as `'512MB'`, beyond which the process is restarted. Default: no limit. */
  memoryLimit?: number | string | undefined
  /** Milliseconds between two looks at its memory. Default: 5,000. */
  memoryInterval?: number | undefined
  /** When the process counts as hung. Default: none. */
  heartbeat?: HeartbeatOptions | undefined
}

const known = optionNames<ProcessOptions>({
  name: true,
  command: true,
  args: true,
  shell: true,
  directory: true,
  environment: true,
  inheritEnvironment: true,
  user: true,
  instances: true,
  listen: true,
  ipc: true,
  autoStart: true,
  priority: true,
  dependsOn: true,
  ready: true,
  startTime: true,
  readyTimeout: true,
  startRetries: true,
  autoRestart: true,
  exitCodes: true,
  backoff: true,
  restartLimit: true,
  stopSignals: true,
  stopTime: true,
  killTime: true,
  stopAsGroup: true,
  killAsGroup: true,
  stdout: true,
  stderr: true,
  redirectStderr: true,
  memoryLimit: true,
  memoryInterval: true,
  heartbeat: true,
})
const knownOfBackoff = optionNames<BackoffSettings>({ first: true, max: true, factor: true, jitter: true, resetAfter: true })
const knownOfLimit = optionNames<RestartLimit>({ count: true, window: true, action: true })
const knownOfHeartbeat = optionNames<HeartbeatOptions>({ timeout: true, ping: true, interval: true, signal: true })

/** Checked options with their defaults. */
export interface ProcessSettings extends RestartSettings {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly directory: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly inheritEnvironment: boolean
  readonly user: string | undefined
  readonly instances: number
  readonly listen: readonly ListenerOptions[]
  readonly ipc: boolean
  readonly autoStart: boolean
  readonly priority: number
  readonly dependsOn: readonly string[]
  readonly ready: ReadySettings
  readonly stopSignals: readonly NodeJS.Signals[]
  readonly stopTime: number
  readonly killTime: number
  readonly stopAsGroup: boolean
  readonly killAsGroup: boolean
  readonly stdout: LogSettings
  readonly stderr: LogSettings
  readonly redirectStderr: boolean
  /** Bytes; 0 without a limit. */
  readonly memoryLimit: number
  readonly memoryInterval: number
  readonly heartbeat: (HeartbeatOptions & { interval: number; signal: NodeJS.Signals }) | undefined
}

/** @throws TypeError or RangeError for bad options */
export function readProcessOptions(options: ProcessOptions): ProcessSettings {
  requireOptions('options', options, known)
  const { name, args = [], shell, stopSignals = ['SIGTERM'], exitCodes = [0, 2], autoRestart = true } = options
  if (typeof name !== 'string' || !/^[\w./-]{1,128}$/.test(name))
    throw new TypeError(`option name must be 1 to 128 letters, digits, _, -, . or /, got ${JSON.stringify(name)}`)
  const texts = { directory: options.directory, user: options.user, shell, command: options.command }
  for (const [key, text] of Object.entries(texts)) {
    requireText(key, text)
    // The system would cut them there, or refuse to spawn.
    if (text?.includes('\0')) throw new TypeError(`option ${key} must not contain a NUL`)
  }
  if ((options.command === undefined) === (shell === undefined)) throw new TypeError(`process ${name} needs either command or shell`)
  if (options.command === '') throw new TypeError('option command must not be empty')
  requireNames('args', args)
  requireNames('dependsOn', options.dependsOn)
  requireMeta('environment', dropUndefined(options.environment))
  if (autoRestart !== 'unexpected') flag('autoRestart', autoRestart, true)
  if (!Array.isArray(exitCodes)) throw new TypeError('option exitCodes must be a list')
  for (const code of exitCodes) whole('exitCodes', code, 0, 255)
  if (!Array.isArray(stopSignals)) throw new TypeError('option stopSignals must be a list')
  for (const signal of stopSignals) requireSignalName('stopSignals', signal)
  const [command, commandArgs] = shell === undefined ? [options.command as string, args] : shellCommand(shell, args)
  return {
    name,
    command,
    args: [...commandArgs],
    directory: options.directory,
    environment: { ...options.environment },
    inheritEnvironment: flag('inheritEnvironment', options.inheritEnvironment, true),
    user: options.user,
    instances: whole('instances', options.instances ?? 1, 1, 1024),
    listen: readListeners(options.listen),
    ipc: flag('ipc', options.ipc, false),
    autoStart: flag('autoStart', options.autoStart, true),
    priority: whole('priority', options.priority ?? 999, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    dependsOn: [...(options.dependsOn ?? [])],
    ready: readReadyOptions(
      options.ready,
      duration('startTime', options.startTime, 1_000, 0),
      duration('readyTimeout', options.readyTimeout, 30_000, 1),
    ),
    startRetries: countOrInfinity('startRetries', options.startRetries ?? 3),
    autoRestart,
    exitCodes: [...exitCodes],
    backoff: readBackoff(options.backoff),
    restartLimit: readRestartLimit(options.restartLimit),
    stopSignals: [...stopSignals],
    stopTime: duration('stopTime', options.stopTime, 10_000, 0),
    killTime: duration('killTime', options.killTime, 2_000, 0),
    stopAsGroup: flag('stopAsGroup', options.stopAsGroup, false),
    killAsGroup: flag('killAsGroup', options.killAsGroup, true),
    stdout: readLogOptions('stdout', options.stdout),
    stderr: readLogOptions('stderr', options.stderr),
    redirectStderr: flag('redirectStderr', options.redirectStderr, false),
    memoryLimit: options.memoryLimit === undefined ? 0 : bytesOf('memoryLimit', options.memoryLimit),
    memoryInterval: duration('memoryInterval', options.memoryInterval, 5_000, 10),
    heartbeat: readHeartbeat(options.heartbeat),
  }
}

/** @throws TypeError for a name that is no signal of this system */
export function requireSignalName(name: string, signal: unknown): void {
  if (typeof signal !== 'string' || !Object.hasOwn(constants.signals, signal))
    throw new TypeError(`option ${name}: ${JSON.stringify(signal)} is no signal`)
}

function shellCommand(line: string, args: readonly string[]): [string, readonly string[]] {
  // bash is looked for when the process starts; sh is everywhere.
  const find = 'command -v bash >/dev/null 2>&1 && exec bash -c "$@"; exec sh -c "$@"'
  return ['/bin/sh', ['-c', find, 'sh', line, ...args]]
}

function readBackoff(options: Partial<BackoffSettings> = {}): BackoffSettings {
  requireOptions('option backoff', options, knownOfBackoff, 'backoff.')
  const { factor = 2, jitter = 0.5 } = options
  if (typeof factor !== 'number' || !(factor >= 1 && factor <= 100))
    throw new RangeError(`option backoff.factor must be 1 to 100, got ${factor}`)
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1))
    throw new RangeError(`option backoff.jitter must be 0 to 1, got ${jitter}`)
  return {
    first: duration('backoff.first', options.first, 100, 0),
    max: duration('backoff.max', options.max, 30_000, 0),
    factor,
    jitter,
    resetAfter: duration('backoff.resetAfter', options.resetAfter, 10_000, 0),
  }
}

function readRestartLimit(options: RestartLimit = {}): Required<RestartLimit> {
  requireOptions('option restartLimit', options, knownOfLimit, 'restartLimit.')
  const { action = 'wait', count = 60 } = options
  if (action !== 'wait' && action !== 'fatal') throw new TypeError(`option restartLimit.action must be 'wait' or 'fatal', got ${action}`)
  return {
    count: countOrInfinity('restartLimit.count', count),
    window: duration('restartLimit.window', options.window, 60_000, 0),
    action,
  }
}

function readHeartbeat(options: HeartbeatOptions | undefined): ProcessSettings['heartbeat'] {
  if (options === undefined) return undefined
  requireOptions('option heartbeat', options, knownOfHeartbeat, 'heartbeat.')
  const timeout = duration('heartbeat.timeout', options.timeout, Number.NaN, 10)
  if (Number.isNaN(timeout)) throw new TypeError('option heartbeat.timeout is needed')
  requireFunction('heartbeat.ping', options.ping)
  const { signal = 'SIGKILL' } = options
  requireSignalName('heartbeat.signal', signal)
  return { timeout, ping: options.ping, interval: duration('heartbeat.interval', options.interval, timeout / 3, 1), signal }
}

function readListeners(listeners: readonly ListenerOptions[] = []): ListenerOptions[] {
  if (!Array.isArray(listeners)) throw new TypeError('option listen must be a list')
  return listeners.map((each: { host?: string; port?: number; path?: string; fd?: number; backlog?: number; name?: string }) => {
    requireOptions('each of option listen', each, new Set(['host', 'port', 'path', 'fd', 'backlog', 'name']), 'listen.')
    if ([each.port, each.path, each.fd].filter((value) => value !== undefined).length !== 1)
      throw new TypeError('each of option listen needs one of port, path and fd')
    requireText('listen.host', each.host)
    requireText('listen.path', each.path)
    requireText('listen.name', each.name)
    // LISTEN_FDNAMES separates names by colons.
    if (each.name !== undefined && !/^[\w.-]{1,128}$/.test(each.name)) throw new TypeError(`option listen.name is bad: ${each.name}`)
    if (each.port !== undefined) whole('listen.port', each.port, 0, 65_535)
    if (each.fd !== undefined) whole('listen.fd', each.fd, 0, 2 ** 30)
    if (each.backlog !== undefined) whole('listen.backlog', each.backlog, 1, 2 ** 30)
    return { ...each } as ListenerOptions
  })
}

function countOrInfinity(name: string, value: number): number {
  return value === Number.POSITIVE_INFINITY ? value : whole(name, value, 1, Number.MAX_SAFE_INTEGER)
}

function dropUndefined(values: ProcessOptions['environment']): unknown {
  if (typeof values !== 'object' || values === null) return values
  for (const [key, value] of Object.entries(values)) {
    if (key === '' || key.includes('=') || key.includes('\0') || value?.includes?.('\0'))
      throw new TypeError(`option environment: ${JSON.stringify(key)} cannot be a variable`)
  }
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
