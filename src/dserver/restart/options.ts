import { duration, flag, optionNames, requireFunction, requireNames, requireOptions, requireText } from '../../base/check-options.ts'
import { checkLogger, consoleLogger, guarded, type Logger, silentLogger } from '../../base/log.ts'

/** Options of `gracefulRestart`. */
export interface GracefulRestartOptions {
  /** Signal that starts a restart, or false for none. Default: 'SIGUSR2'. */
  signal?: NodeJS.Signals | false | undefined
  /**
   * Whether SIGTERM, SIGINT and SIGQUIT stop this process gracefully. A second one ends it at once.
   *
   * @default true
   */
  stopSignals?: boolean | undefined
  /** Milliseconds in which the new process must be ready. Default: 30,000. */
  timeout?: number | undefined
  /** Milliseconds that the old process takes to finish calls and requests. Default: 15,000. */
  drainTimeout?: number | undefined
  /**
   * Milliseconds between the last accepted connection and the drain, so that short connections end by themselves.
   *
   * @default 250
   */
  grace?: number | undefined
  /** Called when this process stops, after its connections were drained. Default: nothing. */
  stop?: (() => unknown) | undefined
  /** Command that starts the new process. Default: that of this process. */
  command?: readonly string[] | undefined
  /** Working directory of the new process. Default: that which this process has when it restarts. */
  cwd?: string | undefined
  /**
   * Whether the new process is a program of Go DMicro, which reports that it is ready by SIGTERM.
   *
   * @default false
   */
  go?: boolean | undefined
  /**
   * Whether this process ends itself when it has stopped.
   *
   * @default true
   */
  exit?: boolean | undefined
  /**
   * Other descriptors that the new process gets, as `GracefulRestart.kept`.
   *
   * @internal
   */
  keep?: readonly number[] | undefined
  /** Logger, or false for none. Default: stderr. */
  log?: Logger | false | undefined
}

export interface RestartSettings {
  readonly signal: NodeJS.Signals | false
  readonly stopSignals: boolean
  readonly timeout: number
  readonly drainTimeout: number
  readonly grace: number
  readonly stop: () => unknown
  readonly command: readonly string[] | undefined
  readonly cwd: string | undefined
  readonly go: boolean
  readonly exit: boolean
  readonly keep: readonly number[]
  readonly log: Logger
}

const names = optionNames<GracefulRestartOptions>({
  signal: true,
  stopSignals: true,
  timeout: true,
  drainTimeout: true,
  grace: true,
  stop: true,
  command: true,
  cwd: true,
  go: true,
  exit: true,
  keep: true,
  log: true,
})

/** @throws TypeError or RangeError that names the option */
export function readRestartOptions(options: GracefulRestartOptions): RestartSettings {
  requireOptions('options', options, names)
  const { signal = 'SIGUSR2', stop = () => {}, command, log } = options
  if (signal !== false && !/^SIG[A-Z0-9]+$/.test(String(signal)))
    throw new TypeError('option signal must be the name of a signal, or false')
  requireFunction('stop', stop)
  requireNames('command', command)
  if (command?.length === 0) throw new TypeError('option command must name a program')
  requireText('cwd', options.cwd)
  if (options.go === true && options.stopSignals === false)
    throw new TypeError('option go needs stopSignals: SIGTERM says that the new process is ready')
  return {
    signal,
    stopSignals: flag('stopSignals', options.stopSignals, true),
    timeout: duration('timeout', options.timeout, 30_000, 1),
    drainTimeout: duration('drainTimeout', options.drainTimeout, 15_000, 0),
    grace: duration('grace', options.grace, 250, 0),
    stop,
    command,
    cwd: options.cwd,
    go: flag('go', options.go, false),
    keep: options.keep ?? [],
    exit: flag('exit', options.exit, true),
    log: log === false ? silentLogger : log === undefined ? consoleLogger() : guarded(checkLogger('log', log)),
  }
}
