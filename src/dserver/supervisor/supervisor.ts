import { isMainThread } from 'node:worker_threads'
import { flag, optionNames, requireOptions } from '../../base/check-options.ts'
import { describe } from '../../base/errors/error-text.ts'
import { checkLogger, consoleLogger, guarded, type Logger } from '../../base/log.ts'
import { type Clock, realClock } from '../../base/time/clock.ts'
import { EventBus } from '../eventbus/event-bus.ts'
import type { Child } from './child.ts'
import type { SupervisorEvents } from './events.ts'
import { Guard } from './guard.ts'
import type { ProcessInfo } from './info.ts'
import { type ListenerAddress, SharedListeners } from './listeners.ts'
import { LogFiles } from './log/log-files.ts'
import { type LogSettings, syslogAddress } from './log/log-options.ts'
import { ProcessLog } from './log/process-log.ts'
import { needed, startOrder } from './order.ts'
import { SupervisedProcess } from './process.ts'
import type { ProcessHost, ReloadOptions, SignalOptions } from './process-host.ts'
import { type ProcessOptions, type ProcessSettings, readProcessOptions } from './process-options.ts'
import { OrphanReaper } from './reaper.ts'
import type { ProcessStats } from './stats.ts'

/** Options of a `Supervisor`. */
export interface SupervisorOptions {
  /** The bus on which events are published. Default: one of its own. */
  events?: EventBus<SupervisorEvents> | undefined
  /** Logger for what no caller gets. Default: stderr. */
  log?: Logger | undefined
  /** Whether children end when this process dies, however it dies: by a small shell process. Default: true. */
  killWithParent?: boolean | undefined
  /** Whether orphans are reaped. Default: as pid 1. */
  reap?: boolean | undefined
}

const known = optionNames<SupervisorOptions>({ events: true, log: true, killWithParent: true, reap: true })

/** The processes of one `add`: instances with the same settings. */
interface Group {
  readonly settings: ProcessSettings
  readonly processes: readonly SupervisedProcess[]
  listeners: Promise<SharedListeners> | undefined
}

/** Starts processes, restarts them, and takes their output. */
export class Supervisor {
  /** Events of all processes: `events.on('process.*', …)`. */
  readonly events: EventBus<SupervisorEvents>
  /**
   * Called with each child of a process before anything of it was read; must not throw.
   * @internal
   */
  onChild: (child: Child) => void = () => {}
  readonly #log: Logger
  readonly #clock: Clock = realClock
  readonly #guard: Guard | undefined
  readonly #reaper: OrphanReaper | undefined
  readonly #files: LogFiles
  readonly #groups = new Map<string, Group>()
  readonly #host: ProcessHost
  #signals: (() => void) | undefined
  #closed = false

  /**
   * @throws TypeError for bad options
   * @throws Error in a worker thread
   */
  constructor(options: SupervisorOptions = {}) {
    requireOptions('options', options, known)
    // Children of a worker thread could end with it.
    if (!isMainThread) throw new Error('a Supervisor must be made in the main thread')
    this.events = options.events ?? new EventBus<SupervisorEvents>({ name: 'supervisor' })
    this.#log = guarded(options.log === undefined ? consoleLogger() : checkLogger('log', options.log))
    const isInit = process.pid === 1
    // When pid 1 ends, the kernel ends all others.
    this.#guard = flag('killWithParent', options.killWithParent, true) && !isInit ? new Guard() : undefined
    this.#files = new LogFiles(this.#clock, (target, error) => this.#logFailed(target, error))
    this.#host = {
      clock: this.#clock,
      publish: (name, event) => this.#publish(name, event),
      warn: (text, reason) => this.#log.warn(text, { reason }),
      isClosed: () => this.#closed,
      onSpawn: (child, { stopSignals, stopTime }) => {
        this.#guard?.add(child.pid, stopSignals[0] ?? 'SIGKILL', stopTime)
        this.onChild(child)
      },
      onExit: ({ pid }) => this.#guard?.remove(pid),
      listeners: async ({ name }) => {
        const addresses = await this.listeners(name)
        return { descriptors: addresses.map(({ fd }) => fd), names: addresses.map((each) => each.name) }
      },
    }
    if (flag('reap', options.reap, isInit)) {
      this.#reaper = new OrphanReaper(this.#clock, (pid) => this.#publish('orphan.reaped', { pid }))
      if (!this.#reaper.start()) this.#log.warn('orphans are not reaped: there is no native binary')
    }
  }

  /**
   * Adds a process, or the instances of one, without starting it.
   * @throws TypeError or RangeError for bad options
   * @throws Error when the name is taken
   */
  add(options: ProcessOptions): readonly SupervisedProcess[] {
    this.#requireOpen()
    const settings = readProcessOptions(options)
    if (this.#groups.has(settings.name)) throw new Error(`there is a process ${settings.name} already`)
    for (const { targets } of [settings.stdout, settings.stderr])
      for (const target of targets) if (typeof target === 'string') syslogAddress(target)
    const processes = Array.from({ length: settings.instances }, (_, i) => {
      const name = settings.instances === 1 ? settings.name : `${settings.name}:${i}`
      const log = (of: LogSettings): ProcessLog =>
        new ProcessLog(name, i, of, this.#clock, this.#files, (target, error) => this.#logFailed(target, error))
      return new SupervisedProcess(name, i, settings, log(settings.stdout), log(settings.stderr), this.#host)
    })
    this.#groups.set(settings.name, { settings, processes, listeners: undefined })
    return processes
  }

  /** Stops the processes of a name and takes them out. */
  async remove(name: string): Promise<void> {
    const group = this.#group(name)
    await Promise.all(group.processes.map((each) => each.stop()))
    this.#groups.delete(name)
    await this.#closeGroup(group)
  }

  /** Names of `add`, in the order in which they were added. */
  get names(): string[] {
    return [...this.#groups.keys()]
  }

  /** The process of this name: `web`, or `web:1` where there are several. */
  find(name: string): SupervisedProcess | undefined {
    return this.processes().find((each) => each.name === name)
  }

  /** All processes, or those of a name: `web` for all its instances, `web:1` for one. */
  processes(name?: string): readonly SupervisedProcess[] {
    if (name === undefined) return [...this.#groups.values()].flatMap(({ processes }) => processes)
    const group = this.#groups.get(name)
    return group?.processes ?? this.processes().filter((each) => each.name === name)
  }

  /** Starts processes of a name, after those that they depend on. Resolves when they are running. */
  async start(name: string): Promise<void> {
    const wanted = this.#named(name)
    const { settings } = wanted[0]
    const others = needed(settings.dependsOn, this.#ordered())
    await this.#startInOrder(others.map((each) => each.name))
    await settle(wanted.map((each) => each.start()))
  }

  /** Stops processes of a name, but not those that depend on them. Resolves when they have ended. */
  async stop(name: string): Promise<void> {
    await settle(this.#named(name).map((each) => each.stop()))
  }

  /** Stops and starts processes of a name, one instance after the other. */
  async restart(name: string): Promise<void> {
    for (const each of this.#named(name)) await each.restart()
  }

  /** Replaces processes of a name without a gap, one instance after the other; ends with the first that fails. */
  async reload(name: string, options?: ReloadOptions): Promise<void> {
    for (const each of this.#named(name)) {
      this.#requireOpen()
      await each.reload(options)
    }
  }

  /** Sends a signal to processes of a name. Resolves to how many have got it. */
  async signal(name: string, signal: NodeJS.Signals, options: SignalOptions = {}): Promise<number> {
    const sent = await Promise.all(this.#named(name).map((each) => each.signal(signal, options)))
    return sent.filter((each) => each).length
  }

  /**
   * Starts all processes with `autoStart`, by priority and dependencies.
   * @returns a promise that resolves when all are running; it rejects, with an AggregateError, when some are not
   */
  async startAll(): Promise<void> {
    const all = this.#ordered()
    const names = all.filter(({ autoStart }) => autoStart).map(({ name }) => name)
    await this.#startInOrder(needed(names, all).map(({ name }) => name))
  }

  /** Stops all processes, in the reverse of the order in which they start. Resolves when all have ended. */
  async stopAll(): Promise<void> {
    const errors: unknown[] = []
    for (const wave of this.#waves().reverse()) {
      const processes = wave.flatMap((name) => this.processes(name))
      await settle(processes.map((each) => each.stop())).catch((error: AggregateError) => errors.push(...error.errors))
    }
    if (errors.length > 0) throw new AggregateError(errors, `${errors.length} processes have not ended`)
  }

  /** Replaces all running processes without a gap, in the order in which they start. */
  async reloadAll(options?: ReloadOptions): Promise<void> {
    for (const wave of startOrder(this.#ordered())) {
      const running = wave.flatMap((name) => this.processes(name)).filter(({ pid }) => pid > 0)
      for (const each of running) {
        this.#requireOpen()
        await each.reload(options)
      }
    }
  }

  /** Go's records of all processes, or of those of a name. */
  info(name?: string): ProcessInfo[] {
    return this.processes(name).map((each) => each.info())
  }

  /** Usage of all processes that have a child, or of those of a name. */
  stats(name?: string): ProcessStats[] {
    return this.processes(name).flatMap((each) => each.stats() ?? [])
  }

  /** Where the instances of a name listen (option `listen`). Binds the sockets, if that has not been done. */
  async listeners(name: string): Promise<readonly ListenerAddress[]> {
    const group = this.#group(name)
    if (group.settings.listen.length === 0) return []
    group.listeners ??= SharedListeners.open(group.settings.listen)
    try {
      return (await group.listeners).addresses
    } catch (error) {
      group.listeners = undefined
      throw error
    }
  }

  /** Opens all log files anew, after others have renamed them. */
  reopenLogs(): void {
    this.#files.reopen()
  }

  /**
   * Lets signals of this process do what an operator expects: SIGTERM, SIGINT and SIGQUIT stop all and end this
   * process, SIGHUP reloads all, SIGUSR1 opens the log files anew. To be called before anything slow, as pid 1 above
   * all.
   */
  handleSignals(): void {
    if (this.#signals !== undefined) return
    let ending = false
    const end = (): void => {
      if (ending) return
      ending = true
      this.close().then(
        () => process.exit(0),
        (error) => {
          this.#log.error('processes have not ended', { error: describe(error) })
          process.exit(1)
        },
      )
    }
    let reloading = false
    const reload = (): void => {
      if (reloading || ending) return
      reloading = true
      this.reloadAll()
        .catch((error) => this.#log.error('reload failed', { error: describe(error) }))
        .finally(() => {
          reloading = false
        })
    }
    const reopen = (): void => this.reopenLogs()
    const handlers = { SIGTERM: end, SIGINT: end, SIGQUIT: end, SIGHUP: reload, SIGUSR1: reopen }
    for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler)
    this.#signals = () => {
      for (const [signal, handler] of Object.entries(handlers)) {
        // Without a handler SIGUSR1 would kill, and the others would end the process before its children.
        if (signal !== 'SIGUSR1') process.off(signal, handler)
      }
    }
  }

  /** Stops all, and closes logs and listeners. */
  async close(): Promise<void> {
    this.#closed = true
    try {
      await this.stopAll()
    } finally {
      const groups = [...this.#groups.values()]
      this.#groups.clear()
      await Promise.all(groups.map((group) => this.#closeGroup(group)))
      this.#guard?.close()
      this.#reaper?.stop()
      this.#signals?.()
    }
  }

  /** As `close`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #requireOpen(): void {
    if (this.#closed) throw new Error('the supervisor is closed')
  }

  #group(name: string): Group {
    const group = this.#groups.get(name)
    if (group === undefined) throw new Error(`there is no process ${name}`)
    return group
  }

  #named(name: string): readonly SupervisedProcess[] {
    const found = this.processes(name)
    if (found.length === 0) throw new Error(`there is no process ${name}`)
    return found
  }

  #ordered(): ProcessSettings[] {
    return [...this.#groups.values()].map(({ settings }) => settings)
  }

  /** The order of stopping must not fail: a dependency may have been removed. */
  #waves(): string[][] {
    try {
      return startOrder(this.#ordered())
    } catch {
      return [this.names]
    }
  }

  async #startInOrder(names: readonly string[]): Promise<void> {
    const wanted = new Set(names)
    const failed = new Set<string>()
    const errors: unknown[] = []
    for (const wave of startOrder(this.#ordered())) {
      const starts = wave.flatMap((name) => {
        const group = this.#groups.get(name)
        if (!wanted.has(name) || group === undefined) return []
        const missing = group.settings.dependsOn.find((each) => failed.has(each))
        const fail = (error: unknown): void => {
          failed.add(name)
          errors.push(error)
        }
        if (missing === undefined) return group.processes.map((each) => each.start().catch(fail))
        fail(new Error(`process ${name} is not started, because it depends on ${missing}`))
        return []
      })
      await Promise.all(starts)
    }
    if (errors.length > 0) throw new AggregateError(errors, errors.map((error) => (error as Error).message).join('; '))
  }

  async #closeGroup({ processes, listeners }: Group): Promise<void> {
    await Promise.all(processes.map((each) => each.close()))
    const open = await listeners?.catch(() => undefined)
    open?.close()
  }

  #logFailed(target: string, error: Error): void {
    this.#log.error('a log cannot be written', { target, error: describe(error) })
    this.#publish('log.failed', { target, error })
  }

  #publish<Name extends keyof SupervisorEvents>(name: Name, event: SupervisorEvents[Name]): void {
    try {
      ;(this.events as unknown as EventBus).publish(name, event)
    } catch (error) {
      this.#log.error('a listener of an event threw', { event: name, error: describe(error) })
    }
  }
}

/** Waits for all, then rejects with what some rejected with. */
async function settle(promises: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(promises)
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []))
  if (errors.length > 0) throw new AggregateError(errors, errors.map(({ message }) => message).join('; '))
}
