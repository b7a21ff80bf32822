import { dirname, resolve } from 'node:path'
import { describe, reasonOf } from '../../base/errors/error-text.ts'
import { consoleLogger, guarded, type Logger, silentLogger } from '../../base/log.ts'
import { Config } from '../config/config.ts'
import { ConfigError } from '../config/config-error.ts'
import { LogHub } from '../ctl/log-hub.ts'
import type { ServerSettings } from '../options.ts'
import { gracefulRestart, isSuccessor } from '../restart/graceful-restart.ts'
import { UnknownNameError } from '../sandbox/unknown-name.ts'
import type { ServerEnvironment, ServerParts } from '../server-parts.ts'
import { daemonReport, reopenLog, startDaemon } from '../shell/daemon.ts'
import { CommandError, ExitCode } from '../shell/exit-code.ts'
import { surviveLostTerminal } from '../shell/lost-terminal.ts'
import { FAILED_TYPE, type FailedMessage, type ServiceRole, takeRole } from '../shell/messages.ts'
import type { Model } from '../shell/model.ts'
import { MultiModel } from '../shell/multi-model.ts'
import { PidFile } from '../shell/pid-file.ts'
import { makePrivateFolder, runtimeFiles } from '../shell/runtime-folder.ts'
import { ServerProcess, type ServerProcessParts } from '../shell/server-process.ts'
import { ServiceProcess } from '../shell/service-process.ts'
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
  const role = takeRole(process.env)
  if (role !== undefined) return runService(application, role, flags, output)
  try {
    const files = runtimeFiles(name, flags.pid)
    makePrivateFolder(files.folder)
    // The application may change the working directory before the log is opened anew.
    const logFile = resolve(flags.log ?? files.logFile)
    if (flags.daemon === true && report === undefined) requireNoActivation()
    // The process that takes over from a daemon is one already.
    if (flags.daemon === true && report === undefined && !isSuccessor()) {
      const pid = await startDaemon(logFile)
      return output.done({ pid, pidFile: files.pidFile, logFile }, `${name} runs as process ${pid}, its output is in ${logFile}`)
    }
    const signals = new Signals()
    // A server outlives who reads its output.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
    surviveLostTerminal()
    const notifier = new Notifier(takeNotifySettings(process.env))
    const hasTerminal = report === undefined && process.stdin.isTTY === true
    const reopen = flags.daemon === true ? (): void => reopenLog(logFile) : undefined
    const server = await prepare(application, names, flags, { files, notifier, hasTerminal, reopenLog: reopen })
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

/** Takes the pid file, reads the configuration, and builds the application. */
async function prepare(
  application: Application,
  names: readonly string[],
  flags: StartFlags,
  shell: Pick<ServerProcessParts, 'files' | 'notifier' | 'hasTerminal' | 'reopenLog'>,
): Promise<ServerProcess> {
  const { name, settings } = application
  const { reloadTimeout, stopTimeout } = settings
  const log = loggerOf(name, settings.log, flags.debug === true)
  const keep: number[] = []
  let model: Model | undefined
  const stop = (): unknown => model?.stop(stopTimeout, 'stop')
  const own = { signal: false, stopSignals: false, exit: false } as const
  const restart = gracefulRestart({ ...own, timeout: reloadTimeout, drainTimeout: stopTimeout, stop, keep, cwd: process.cwd(), log })
  // The process before passes its pid file on with the lock, and keeps it until this one serves.
  const pidFile = restart.isSuccessor ? PidFile.adopt(shell.files.pidFile, restart.kept[0]) : PidFile.take(shell.files.pidFile)
  keep.push(pidFile.descriptor)
  try {
    const { sandboxes, beforeStop, model: kind, services, config } = await build(application, flags, log)
    const chosen = sandboxes.select(names)
    const isMulti = (flags.model ?? kind) === 'multi'
    model = isMulti ? new MultiModel(sandboxes, chosen, services, settings, log) : new SingleModel(sandboxes, chosen, stopTimeout)
    return new ServerProcess({ name, settings, pidFile, config, log, model, beforeStop, restart: isMulti ? undefined : restart, ...shell })
  } catch (error) {
    if (!restart.isSuccessor) pidFile.remove()
    restart.reportFailure(reasonOf(error))
    if (!(error instanceof CommandError || error instanceof ConfigError || error instanceof UnknownNameError))
      console.error(describe(error))
    throw error
  }
}

/** The process of one service, which a master has started. */
async function runService(application: Application, { service, names }: ServiceRole, flags: StartFlags, output: Output): Promise<number> {
  const signals = new Signals()
  const { settings } = application
  try {
    const log = loggerOf(service, settings.log, flags.debug === true)
    const { sandboxes, config } = await build(application, flags, log)
    const chosen = sandboxes.select(names).filter(({ serviceName }) => serviceName === service)
    return await new ServiceProcess(service, settings, config, new SingleModel(sandboxes, chosen, settings.stopTimeout), log).run(signals)
  } catch (error) {
    await tellMaster({ type: FAILED_TYPE, reason: reasonOf(error), exitCode: exitCodeOf(error) })
    return output.failed(error)
  }
}

/** Says why this process of a service cannot start. Resolves when that is on its way. */
function tellMaster(message: FailedMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => resolve())
    else resolve()
  })
}

/** Reads the configuration and lets the application add its sandboxes. */
async function build(
  { name, settings, build }: Application,
  flags: StartFlags,
  log: Logger,
): Promise<ServerParts & { readonly config: Config }> {
  const environmentName = flags.env.toLowerCase()
  process.env.ENV_NAME = environmentName
  const sources = {
    name,
    environmentName,
    file: flags.config,
    flags: flags.set,
    folder: dirname(scriptPath()),
    environment: process.env,
    log,
  }
  const config = await Config.load(sources)
  log.debug('configuration', { files: config.files.join(', ') })
  return { ...(await build({ name, settings, config, log, environmentName })), config }
}

/** The logger of a process. One that the application has given gets all lines, and chooses itself. */
function loggerOf(name: string, given: Logger | false | undefined, debug: boolean): LogHub {
  if (given === undefined) return new LogHub(name, consoleLogger('debug'), debug ? 'debug' : 'info')
  return new LogHub(name, given === false ? silentLogger : guarded(given), 'debug')
}

/**
 * Sockets of a service manager are passed to the process that it started, which a daemon is not. To be called before
 * the variables are read, which removes them; a process that takes over has none, as they are not for children.
 */
function requireNoActivation(): void {
  if (process.env.LISTEN_FDS !== undefined)
    throw new CommandError(ExitCode.Usage, 'a service with socket activation runs in the foreground: leave out -d')
}
