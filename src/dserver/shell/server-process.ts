import { MAX_DURATION } from '../../base/check-options.ts'
import { describe, reasonOf } from '../../base/errors/error-text.ts'
import { type ClockTimer, realClock } from '../../base/time/clock.ts'
import type { Config } from '../config/config.ts'
import { ControlServer } from '../control/control-server.ts'
import type { ProcessInfo, SandboxInfo, ServerCommands, StopKind, VersionInfo } from '../ctl/commands.ts'
import type { LogEntry, LogFilter } from '../ctl/log-entry.ts'
import type { LogHub } from '../ctl/log-hub.ts'
import { UsageMeter } from '../ctl/usage.ts'
import type { ServerSettings } from '../options.ts'
import type { GracefulRestart } from '../restart/graceful-restart.ts'
import { within } from '../sandbox/time-limit.ts'
import { UnknownNameError } from '../sandbox/unknown-name.ts'
import type { Notifier } from '../systemd/notify.ts'
import { versionInfo } from '../version.ts'
import { CommandError, ExitCode } from './exit-code.ts'
import type { Model } from './model.ts'
import type { PidFile } from './pid-file.ts'
import type { RuntimeFiles } from './runtime-folder.ts'
import type { Signals, TakenSignal } from './signals.ts'

/** Milliseconds beyond its time after which a stop ends the process, whatever still runs. */
const GRACE_MS = 3000
/** A second SIGINT sooner than this is the same key pressed once, sent by the shell and again by a wrapper. */
const SAME_SIGINT_MS = 500

/** The parts of a running server. */
export interface ServerProcessParts {
  readonly name: string
  readonly settings: ServerSettings
  readonly files: RuntimeFiles
  readonly pidFile: PidFile
  readonly config: Config
  readonly log: LogHub
  readonly model: Model
  readonly beforeStop: readonly (() => unknown)[]
  readonly notifier: Notifier
  /** Replaces this process by a new one; undefined where other processes are replaced. */
  readonly restart: GracefulRestart | undefined
  /** Whether a terminal is attached, whose end (SIGHUP) ends the server. */
  readonly hasTerminal: boolean
  /** Opens the log of a daemon anew; undefined where the output goes to somebody else's file. */
  readonly reopenLog: (() => void) | undefined
}

/** A server while it runs: it answers its operator and takes signals, and ends in one place. */
export class ServerProcess implements ServerCommands {
  readonly #parts: ServerProcessParts
  /** Resolves to the exit code when the server has stopped. */
  readonly ended: Promise<number>
  #resolveEnded!: (code: number) => void
  #control: ControlServer | undefined
  /** Whether pid file and socket are those of this process. */
  #isOwner: boolean
  #replacing: Promise<void> | undefined
  #replacedBy = 0
  #began = realClock.now()
  readonly #usage = new UsageMeter()
  /** Whether the start is over. Until then nobody is told that this server is ready. */
  #isReady = false
  #stopping: { kind: StopKind; since: number } | undefined
  #keepAlive: ClockTimer | undefined
  #checking: Promise<void> | undefined

  constructor(parts: ServerProcessParts) {
    this.#parts = parts
    this.#isOwner = parts.restart?.isSuccessor !== true
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
  }

  /**
   * Starts the sandboxes. When one fails, those that run are stopped.
   * @returns false when the server was told to stop before all were ready
   * @throws (rejects) what failed
   */
  async start(signals: Signals): Promise<boolean> {
    const { settings, model, log, notifier, name } = this.#parts
    signals.handle((signal) => this.#onSignal(signal))
    this.#stayAlive()
    process.once('exit', () => this.#removeFiles()) // whatever ends the process
    try {
      if (this.#isOwner) await this.#listen()
      // A process that is given up before it serves ends at once, whatever its setups do.
      await Promise.race([this.#becomeReady(), this.ended])
    } catch (error) {
      if (this.#stopping !== undefined) return false
      this.#parts.restart?.reportFailure(reasonOf(error))
      await model.stop(settings.stopTimeout, 'stop')
      this.#cleanUp()
      throw error
    }
    if (this.#stopping !== undefined) return false
    this.#isReady = true
    log.info('ready', { name, pid: process.pid, ms: Math.round(realClock.now() - this.#began) })
    const running = (await model.info()).filter(({ state }) => state === 'running').length
    notifier.ready(`${running} sandboxes run`)
    return true
  }

  async #becomeReady(): Promise<void> {
    await this.#parts.model.start()
    // A process that takes over waits here for the one before, which serves until then.
    await this.#parts.restart?.ready()
    if (!this.#isOwner) await this.#takeOver()
  }

  /** Keeps the process alive, which handlers of signals do not. */
  #stayAlive(): void {
    this.#keepAlive = realClock.setTimeout(() => this.#stayAlive(), MAX_DURATION)
  }

  async #listen(): Promise<void> {
    const { settings, files, log } = this.#parts
    if (settings.control) this.#control = await ControlServer.listen(files.socket, this, log)
  }

  /** From now on an operator talks to this process. */
  async #takeOver(): Promise<void> {
    this.#isOwner = true
    this.#parts.pidFile.write()
    await this.#listen()
  }

  version(): VersionInfo {
    return versionInfo(this.#parts.name, this.#parts.settings)
  }

  info(): Promise<SandboxInfo[]> {
    return this.#parts.model.info()
  }

  async processes(): Promise<ProcessInfo[]> {
    const { name, model } = this.#parts
    const state = this.#stopping === undefined ? 'running' : 'stopping'
    const uptime = Math.round(realClock.now() - this.#began)
    const own = { name, pid: process.pid, state, uptime, ...this.#usage.read() }
    return [own, ...(await model.processes())]
  }

  async startSandbox(name: string): Promise<void> {
    this.#requireRunning()
    await this.#parts.model.startSandbox(name)
  }

  async stopSandbox(name: string): Promise<void> {
    this.#requireRunning()
    await this.#parts.model.stopSandbox(name)
  }

  async reload(name?: string): Promise<void> {
    this.#requireRunning()
    if (!this.#isReady) throw new CommandError(ExitCode.Failed, 'the server is starting')
    const { model, restart, notifier } = this.#parts
    if (name !== undefined) await this.#requireKnown(name)
    if (model.reload !== undefined) {
      await this.#askBeforeStop()
      this.#requireRunning()
      notifier.reloading()
      let status = 'reload failed'
      try {
        await model.reload(name)
        status = 'reloaded'
      } finally {
        this.#readyAgain(status)
      }
      return
    }
    if (restart === undefined) throw new Error('this server cannot be replaced while it runs')
    this.#replacing ??= this.#replace(restart).finally(() => {
      this.#replacing = undefined
    })
    await this.#replacing
  }

  /** Starts a process that takes over. Resolves when that one serves; this one then ends by itself. */
  async #replace(restart: GracefulRestart): Promise<void> {
    await this.#askBeforeStop()
    this.#requireRunning()
    const { notifier, log, pidFile } = this.#parts
    const variables = notifier.environment
    Object.assign(process.env, variables)
    try {
      this.#replacedBy = await restart.restart()
    } finally {
      for (const name of Object.keys(variables)) delete process.env[name]
    }
    this.#isOwner = false
    pidFile.close()
    this.#stopping = { kind: 'quit', since: realClock.now() }
    log.info('replaced', { pid: process.pid, by: this.#replacedBy })
    // Connections are drained, then the sandboxes stopped.
    void restart.stop().then(() => {
      // As pid 1 this process goes on, in the place of its successors.
      if (process.pid === 1) void Promise.resolve(this.#control?.close()).then(() => this.#cleanUp())
      else this.#finish(ExitCode.Done)
    })
  }

  async reloadConfig(): Promise<void> {
    const { config, log, notifier } = this.#parts
    if (this.#isReady) notifier.reloading()
    try {
      log.info('configuration read again', { changed: await config.reload() })
      await this.#parts.model.reloadConfig?.()
    } finally {
      this.#readyAgain('configuration read again')
    }
  }

  /** Tells the service manager, unless the server is still starting, or was stopped meanwhile. */
  #readyAgain(status: string): void {
    if (this.#isReady && this.#stopping === undefined) this.#parts.notifier.ready(status)
  }

  async #reopenLog(): Promise<void> {
    const { reopenLog, log } = this.#parts
    if (reopenLog === undefined) return
    reopenLog()
    log.info('log opened anew')
  }

  async setDebug(on: boolean): Promise<void> {
    const { log, model } = this.#parts
    log.setDebug(on)
    await model.setLogging?.()
    log.info('debugging', { on })
  }

  async recentLog(filter: LogFilter, lines: number): Promise<LogEntry[]> {
    const { log, model } = this.#parts
    const others = (await model.recentLog?.(filter, lines)) ?? []
    return [...others, ...log.recent(filter, lines)].sort((a, b) => a.time - b.time).slice(-lines)
  }

  followLog(filter: LogFilter, onEntry: (entry: LogEntry) => void): () => void {
    return this.#parts.log.follow(filter, onEntry)
  }

  /**
   * As `ServerCommands.stop`. A `stop` during a `quit` leaves it the time of a stop. A reload that is under way is
   * given up first, and none begins while `beforeStop` is asked: what was told to stop must not serve on in a new
   * process.
   */
  async stop(kind: StopKind): Promise<void> {
    if (this.#replacedBy !== 0) throw new Error(`process ${this.#replacedBy} has taken over`)
    // The process before has given this one up, and nobody has reached it. It must not keep the lock it was given.
    if (!this.#isOwner) {
      this.#stopping = { kind, since: realClock.now() }
      return this.#finish(ExitCode.Failed)
    }
    if (this.#stopping !== undefined) {
      if (kind === 'stop' && this.#stopping.kind === 'quit') this.#stopping.kind = kind
      else return
      this.#endAfter(this.#parts.settings.stopTimeout + GRACE_MS)
      return
    }
    this.#giveUpReplacing()
    this.#checking ??= this.#askBeforeStop().finally(() => {
      this.#checking = undefined
    })
    await this.#checking
    if (this.#stopping !== undefined) return
    this.#stopping = { kind, since: realClock.now() }
    void this.#end(kind, kind === 'quit' ? this.#parts.settings.quitTimeout : this.#parts.settings.stopTimeout)
  }

  #giveUpReplacing(): void {
    this.#parts.restart?.giveUp('the server is stopping')
  }

  async #requireKnown(name: string): Promise<void> {
    const all = await this.#parts.model.info()
    const wanted = name.toLowerCase()
    if (all.some((each) => each.name.toLowerCase() === wanted || each.service.split(':', 1)[0].toLowerCase() === wanted)) return
    throw new UnknownNameError(`there is no sandbox or service ${JSON.stringify(name)}`)
  }

  async #askBeforeStop(): Promise<void> {
    const { beforeStop, log, settings } = this.#parts
    for (const check of beforeStop) {
      let answer: unknown
      try {
        answer = await within(settings.stopTimeout, (async () => check())(), 'beforeStop')
      } catch (error) {
        log.error('beforeStop failed, the server stops', { error: describe(error) })
      }
      if (answer === false) {
        log.warn('beforeStop refused to stop')
        throw new Error('refused by beforeStop')
      }
    }
  }

  async #end(kind: StopKind, timeout: number): Promise<void> {
    const { model, log, notifier, name } = this.#parts
    log.info('stopping', { name, pid: process.pid })
    notifier.stopping()
    this.#endAfter(timeout + GRACE_MS)
    const failures = await model.stop(timeout, kind)
    log.info('stopped', { name, failures: failures.length })
    this.#finish(failures.length === 0 ? ExitCode.Done : ExitCode.Failed)
  }

  /** Ends the process after this many milliseconds, if it has not ended before. */
  #endAfter(ms: number): void {
    const end = (): void => {
      this.#parts.log.error('not all has stopped in time, the process ends')
      this.#finish(ExitCode.Failed)
    }
    realClock.setTimeout(end, ms).unref()
  }

  #finish(code: number): void {
    this.#giveUpReplacing()
    const lastLines = this.#control?.flush()
    this.#cleanUp()
    void Promise.resolve(lastLines).then(() => this.#resolveEnded(code))
  }

  #cleanUp(): void {
    const { config, notifier } = this.#parts
    config.close()
    notifier.close()
    realClock.clearTimeout(this.#keepAlive)
    this.#usage.close()
    this.#removeFiles()
  }

  #removeFiles(): void {
    if (!this.#isOwner) return
    this.#control?.removeFile()
    this.#control = undefined
    this.#parts.pidFile.remove()
  }

  #requireRunning(): void {
    if (this.#stopping !== undefined || this.#checking !== undefined) throw new CommandError(ExitCode.Failed, 'the server is stopping')
  }

  #onSignal(signal: TakenSignal): void {
    const { log, hasTerminal } = this.#parts
    if (this.#parts.restart?.forward(signal) === true) return
    const attempt = (what: Promise<void>): void => void what.catch((error) => log.error(`${signal} failed`, { error: reasonOf(error) }))
    const impatient = signal === 'SIGINT' && this.#stopping !== undefined && realClock.now() - this.#stopping.since > SAME_SIGINT_MS
    if (impatient) {
      log.warn('a second SIGINT: the process ends at once')
      this.#finish(ExitCode.Failed)
    } else if (signal === 'SIGUSR2') attempt(this.reload())
    else if (signal === 'SIGHUP' && !hasTerminal) attempt(this.reloadConfig())
    else if (signal === 'SIGUSR1') attempt(this.#reopenLog())
    else attempt(this.stop(signal === 'SIGQUIT' ? 'quit' : 'stop'))
  }
}
