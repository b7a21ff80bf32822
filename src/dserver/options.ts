import type { Command } from 'commander'
import { duration, flag, optionNames, requireFunction, requireNames, requireOptions, requireText } from '../base/check-options.ts'
import { checkLogger, type Logger } from '../base/log.ts'

/** `single`: all sandboxes in one process. `multi`: one process for each service, which a master starts and watches. */
export type ProcessModel = 'single' | 'multi'

/** Options of `DServer.run`. */
export interface DServerOptions {
  /** The command and its flags. Default: those of this process. */
  args?: readonly string[] | undefined
  /** Version of the application. Default: that of the nearest package.json. */
  version?: string | undefined
  /** Commit that the application was built from, for `version`. Default: none. */
  commit?: string | undefined
  /** When it was built, for `version`. Default: none. */
  buildTime?: string | undefined
  /** Milliseconds for the setup of one sandbox. Default: 30,000. */
  setupTimeout?: number | undefined
  /** Milliseconds for all sandboxes to shut down after `stop`, SIGTERM or SIGINT. Default: 15,000. */
  stopTimeout?: number | undefined
  /** Milliseconds for all sandboxes to shut down after `quit` or SIGQUIT. Default: 60,000. */
  quitTimeout?: number | undefined
  /** Milliseconds for new processes to become ready at a `reload`. Default: 30,000. */
  reloadTimeout?: number | undefined
  /** Whether the server answers `stop`, `reload`, `ctl` … on its socket. Default true; without it signals are sent. */
  control?: boolean | undefined
  /** Logger; false for none. Default: lines on stderr, from level `info`, with `--debug` from `debug`. */
  log?: Logger | false | undefined
  /** Adds commands and flags of the application's own, or alters those that are there (commander). Default: none. */
  commands?: ((program: Command) => void) | undefined
}

/** Options with their defaults. */
export interface ServerSettings {
  readonly version: string | undefined
  readonly commit: string | undefined
  readonly buildTime: string | undefined
  readonly setupTimeout: number
  readonly stopTimeout: number
  readonly quitTimeout: number
  readonly reloadTimeout: number
  readonly control: boolean
  readonly log: Logger | false | undefined
  readonly commands: ((program: Command) => void) | undefined
}

const known = optionNames<DServerOptions>({
  args: true,
  version: true,
  commit: true,
  buildTime: true,
  setupTimeout: true,
  stopTimeout: true,
  quitTimeout: true,
  reloadTimeout: true,
  control: true,
  log: true,
  commands: true,
})

/**
 * Checks options and fills in defaults.
 * @throws TypeError or RangeError
 */
export function readServerOptions(options: DServerOptions): ServerSettings {
  requireOptions('options', options, known)
  const { args, version, commit, buildTime, log, commands } = options
  requireNames('args', args)
  for (const [name, text] of Object.entries({ version, commit, buildTime })) requireText(name, text)
  requireFunction('commands', commands)
  return {
    version,
    commit,
    buildTime,
    setupTimeout: duration('setupTimeout', options.setupTimeout, 30_000, 1),
    stopTimeout: duration('stopTimeout', options.stopTimeout, 15_000, 1),
    quitTimeout: duration('quitTimeout', options.quitTimeout, 60_000, 1),
    reloadTimeout: duration('reloadTimeout', options.reloadTimeout, 30_000, 1),
    control: flag('control', options.control, true),
    log: log === undefined || log === false ? log : checkLogger('log', log),
    commands,
  }
}

/**
 * Checks the name of an application, which names files, variables and processes.
 * @throws TypeError
 */
export function requireName(what: string, name: unknown): asserts name is string {
  if (typeof name !== 'string' || !/^[A-Za-z0-9][\w.-]{0,63}$/.test(name))
    throw new TypeError(`the name of ${what} must be 1 to 64 letters, digits or one of _.- , got ${JSON.stringify(name)}`)
}
