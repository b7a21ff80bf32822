import { dirname } from 'node:path'
import { describe, reasonOf } from '../../base/errors/error-text.ts'
import { consoleLogger, guarded, type Logger, silentLogger } from '../../base/log.ts'
import { Config } from '../config/config.ts'
import { ConfigError } from '../config/config-error.ts'
import type { ServerSettings } from '../options.ts'
import type { ServerEnvironment, ServerParts } from '../server-parts.ts'
import { daemonReport, startDaemon } from '../shell/daemon.ts'
import { CommandError, ExitCode } from '../shell/exit-code.ts'
import { PidFile } from '../shell/pid-file.ts'
import { makePrivateFolder, runtimeFiles } from '../shell/runtime-folder.ts'
import { ServerProcess } from '../shell/server-process.ts'
import { Signals } from '../shell/signals.ts'
import { SingleModel } from '../shell/single-model.ts'
import { Notifier, takeNotifySettings } from '../systemd/notify.ts'
import { scriptPath } from '../version.ts'
import { exitCodeOf, type Output } from './output.ts'

/** Flags of `start`. */
export interface StartFlags {
  readonly config?: string
  readonly daemon?: boolean
  readonly env: string
  readonly pid?: string
  readonly model?: 'single' | 'multi'
  readonly set: string[]
  readonly log?: string
  readonly debug?: boolean
}

/** An application, as the command line starts it. */
export interface Application {
  readonly name: string
  readonly settings: ServerSettings
  /** Makes the server and lets the application add its sandboxes. */
  build(environment: ServerEnvironment): Promise<ServerParts>
}

/** `start`: runs the server until it is told to stop, or starts it as a daemon. Resolves to the exit code. */
export async function start(application: Application, names: readonly string[], flags: StartFlags, output: Output): Promise<number> {
  const report = daemonReport(process.env)
  const { name } = application
  try {
    const files = runtimeFiles(name, flags.pid)
    makePrivateFolder(files.folder)
    if (flags.daemon === true && report === undefined) {
      requireNoActivation()
      const logFile = flags.log ?? files.logFile
      const pid = await startDaemon(logFile)
      return output.done({ pid, pidFile: files.pidFile, logFile }, `${name} runs as process ${pid}, its output is in ${logFile}`)
    }
    const signals = new Signals()
    // A server outlives who reads its output.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
    const notifier = new Notifier(takeNotifySettings(process.env))
    const hasTerminal = report === undefined && process.stdin.isTTY === true
    const server = await prepare(application, names, flags, { files, notifier, hasTerminal })
    if (await server.start(signals)) {
      report?.({ pid: process.pid })
      if (report === undefined) output.event({ event: 'ready', pid: process.pid })
    } else report?.({ error: 'stopped before it was ready', exitCode: ExitCode.Failed })
    return await server.ended
  } catch (error) {
    const exitCode = exitCodeOf(error)
    report?.({ error: reasonOf(error), exitCode })
    return output.failed(error)
  }
}

/** Reads the configuration, builds the application and takes its pid file. */
async function prepare(
  { name, settings, build }: Application,
  names: readonly string[],
  flags: StartFlags,
  shell: { files: ReturnType<typeof runtimeFiles>; notifier: Notifier; hasTerminal: boolean },
): Promise<ServerProcess> {
  const { files } = shell
  const pidFile = PidFile.take(files.pidFile)
  try {
    const environmentName = flags.env.toLowerCase()
    const log = loggerOf(settings.log, flags.debug === true)
    process.env.ENV_NAME = environmentName
    const config = await Config.load({
      name,
      environmentName,
      file: flags.config,
      flags: flags.set,
      folder: dirname(scriptPath()),
      environment: process.env,
      log,
    })
    log.debug('configuration', { files: config.files.join(', ') })
    const { sandboxes, beforeStop } = await build({ name, settings, config, log, environmentName })
    const model = new SingleModel(sandboxes, sandboxes.select(names), settings.stopTimeout)
    return new ServerProcess({ name, settings, pidFile, config, log, model, beforeStop, ...shell })
  } catch (error) {
    pidFile.remove()
    if (error instanceof CommandError || error instanceof ConfigError) throw error
    console.error(describe(error))
    throw error
  }
}

function loggerOf(given: Logger | false | undefined, debug: boolean): Logger {
  if (given === false) return silentLogger
  return given === undefined ? consoleLogger(debug ? 'debug' : 'info') : guarded(given)
}

/** Sockets of a service manager are passed to the process that it started, which a daemon is not. */
function requireNoActivation(): void {
  if (process.env.LISTEN_FDS !== undefined)
    throw new CommandError(ExitCode.Usage, 'a service with socket activation runs in the foreground: leave out -d')
}
