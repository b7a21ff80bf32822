import { wallTime } from '../../base/time/clock.ts'
import { sleep } from '../../base/time/sleep.ts'
import { Child, type Exit, exitText, type Surroundings } from './child.ts'
import type { ProcessEvent, SupervisorEvents } from './events.ts'
import { describeProcess, type ProcessInfo } from './info.ts'
import { LimitWatch } from './limits.ts'
import type { ProcessLog } from './log/process-log.ts'
import { isUnambiguous, type ProcessHost, type ReloadOptions, type SignalOptions } from './process-host.ts'
import { type ProcessSettings, requireSignalName } from './process-options.ts'
import { RestartPolicy, type Run } from './restart-policy.ts'
import { type Settler, settler } from './settled.ts'
import { hasChild, mayFollow, ProcessState, stateName } from './state.ts'
import { ProcessMeter, type ProcessStats } from './stats.ts'

/** A process under supervision: its present child, and whether there should be one. */
export class SupervisedProcess {
  /** Name of the process, unique in its supervisor. */
  readonly name: string
  /** Number among the instances of its kind, from 0 on. */
  readonly instance: number
  /** The options that it was added with, complete and checked. */
  readonly settings: ProcessSettings
  /** The log of stdout of its children. */
  readonly stdout: ProcessLog
  /** The log of stderr of its children. */
  readonly stderr: ProcessLog
  readonly #host: ProcessHost
  #state: ProcessState = ProcessState.Stopped
  /** Whether the process should run. */
  #wanted = false
  #loop: Promise<void> | undefined
  /** Ends waits of the loop when the process should no longer run. */
  #wake = new AbortController()
  #startup: Settler<void> | undefined
  #stopping: Promise<void> | undefined
  /** Number of calls of `stop`: a start that waits for a stop yields to one that came after it. */
  #stops = 0
  #reloading: Promise<void> | undefined
  #child: Child | undefined
  /** The part of a reload until the new child has taken over, or has failed. */
  #takeover: Promise<Child> | undefined
  /** The child that takes over. */
  #next: Child | undefined
  /** The child that was replaced last, which may still drain. */
  #replaced: Child | undefined
  #watch: LimitWatch | undefined
  #limited = false
  #exit: Exit | undefined
  #spawnError = ''
  #startTime = 0
  #stopTime = 0
  #restarts = -1
  readonly #meter = new ProcessMeter()

  /** @internal */
  constructor(name: string, instance: number, settings: ProcessSettings, stdout: ProcessLog, stderr: ProcessLog, host: ProcessHost) {
    this.name = name
    this.instance = instance
    this.settings = settings
    this.stdout = stdout
    this.stderr = stderr
    this.#host = host
  }

  /** State by its number. */
  get state(): ProcessState {
    return this.#state
  }

  /** 0 when there is no child. */
  get pid(): number {
    return this.#child !== undefined && this.#child.exit === undefined ? this.#child.pid : 0
  }

  /** The stdin of the child; undefined when there is none. */
  get stdin(): NodeJS.WritableStream | undefined {
    return this.pid === 0 ? undefined : this.#child?.stdin
  }

  /**
   * Starts the process, unless it runs. After a stop that is under way it is started again.
   * @returns a promise that resolves when the process is running; it rejects when the state becomes Fatal, Exited or
   * Stopped instead
   */
  start(): Promise<void> {
    if (this.#host.isClosed()) return Promise.reject(new Error(`process ${this.name} is not started: the supervisor is closed`))
    if (this.#stopping !== undefined && !this.#wanted) {
      const stops = this.#stops
      const again = (): Promise<void> =>
        this.#stops === stops ? this.start() : Promise.reject(new Error(`process ${this.name} is not running: stopped`))
      return this.#stopping.then(again, again)
    }
    this.#wanted = true
    // An explicit start does not wait for the delay.
    if (this.#state === ProcessState.Backoff) this.#wake.abort()
    if (this.#state === ProcessState.Running) return Promise.resolve()
    this.#startup ??= settler()
    this.#loop ??= this.#supervise()
    return this.#startup.promise
  }

  /**
   * Stops the process: its stop signals one after the other, then SIGKILL.
   * @returns a promise that resolves when the process has ended; it rejects when it has not, even after SIGKILL
   */
  stop(): Promise<void> {
    this.#stops++
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = undefined
    })
    this.#stopping.catch(() => {})
    return this.#stopping
  }

  /** Stops the process and starts it. */
  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /**
   * Replaces the child without a gap: starts a new one, waits until it is ready, and only then stops the old one. When
   * the new one fails, the old one goes on. Both run for a while, so they must not need the same port, unless it is one
   * of `listen`. A process that does not run is started.
   *
   * @returns a promise that resolves when the old child has ended
   */
  reload({ readyTimeout = this.settings.ready.timeout }: ReloadOptions = {}): Promise<void> {
    if (this.#state !== ProcessState.Running) return this.start()
    this.#reloading ??= this.#reload(readyTimeout).finally(() => {
      this.#reloading = undefined
    })
    this.#reloading.catch(() => {})
    return this.#reloading
  }

  /**
   * Sends a signal. While the process starts, signals that it may have no handler for yet wait until it is ready.
   * @returns a promise of whether it was sent
   * @throws TypeError for a name that is no signal
   */
  async signal(signal: NodeJS.Signals, { group = false }: SignalOptions = {}): Promise<boolean> {
    requireSignalName('signal', signal)
    if (this.#state === ProcessState.Starting && !isUnambiguous(signal)) {
      await this.#child?.ready.catch(() => {})
    }
    return this.#child?.kill(signal, group) ?? false
  }

  /**
   * Sends a message (`ipc`).
   * @returns false when there is no child, or it has no channel
   */
  send(message: unknown): boolean {
    return this.#child?.send(message) ?? false
  }

  /** @internal As `send`, to the child that was replaced last and may still drain. */
  sendToReplaced(message: unknown): void {
    this.#replaced?.send(message)
  }

  /** A heartbeat of the process was heard, by whatever way. */
  beat(): void {
    this.#watch?.beat()
  }

  /** Go's record of the process. */
  info(): ProcessInfo {
    const now = wallTime(this.#host.clock)
    const { pid, settings } = this
    const state = this.#state
    const ended = state === ProcessState.Exited || state === ProcessState.Backoff
    const seconds = (ms: number): number => Math.floor(ms / 1000)
    return {
      name: this.name,
      description: describeProcess(state, pid, now - this.#startTime, this.#stopTime),
      start: seconds(this.#startTime),
      stop: seconds(pid > 0 ? 0 : this.#stopTime),
      now: seconds(now),
      state,
      statename: stateName(state),
      spawnerr: this.#spawnError,
      exitstatus: ended ? (this.#exitStatus() ?? 0) : 0,
      logfile: this.stdout.path,
      stdout_logfile: this.stdout.path,
      stderr_logfile: settings.redirectStderr ? this.stdout.path : this.stderr.path,
      pid,
    }
  }

  /** CPU, memory and the like of the child; undefined when there is none, or no /proc. */
  stats(): ProcessStats | undefined {
    const child = this.#child
    const usage = child === undefined || child.exit !== undefined ? undefined : this.#meter.read(child, this.#host.clock.now())
    const droppedOutput = this.stdout.dropped + this.stderr.dropped
    return usage && { name: this.name, ...usage, restarts: Math.max(0, this.#restarts), droppedOutput }
  }

  /** @internal */
  async close(): Promise<void> {
    await this.#child?.closed
    await Promise.all([this.stdout.close(), this.stderr.close()])
  }

  /** Runs the process until it should no longer run. */
  async #supervise(): Promise<void> {
    this.#wake = new AbortController()
    const { clock } = this.#host
    const policy = new RestartPolicy(this.settings, clock.random)
    for (;;) {
      const run = await this.#run()
      if (!this.#wanted) return this.#end(ProcessState.Stopped, 'stopped')
      const decision = policy.next(run, clock.now())
      const reason = this.#spawnError === '' ? exitText(this.#exit) : this.#spawnError
      if ('end' in decision) {
        const state = decision.end === 'fatal' ? ProcessState.Fatal : ProcessState.Exited
        return this.#end(state, `${reason}; ${decision.reason}`)
      }
      const { delay } = decision
      this.#setState(ProcessState.Backoff, reason, { delay })
      await sleep(clock, delay, this.#wake.signal).catch(() => {})
      if (!this.#wanted) return this.#end(ProcessState.Stopped, 'stopped')
      if (this.#wake.signal.aborted) this.#wake = new AbortController()
    }
  }

  /** One run: from the start of a child to the end of it, or of the one that took its place. */
  async #run(): Promise<Run> {
    const { clock } = this.#host
    const begin = clock.now()
    let ready = false
    this.#limited = false
    this.#spawnError = ''
    this.#startTime = wallTime(clock)
    this.#restarts++
    this.#setState(ProcessState.Starting, 'start')
    try {
      this.#child = await this.#spawn()
    } catch (error) {
      this.#spawnError = (error as Error).message
      this.#exit = undefined
      this.#stopTime = wallTime(clock)
      return { ready, lasted: 0, code: undefined, limited: false }
    }
    let child = this.#child
    // A stop that came while the process was being spawned has found no child to end.
    if (!this.#wanted) await child.stop()
    try {
      await child.ready
      ready = true
      if (this.#wanted && child.exit === undefined) this.#onReady(child)
    } catch (error) {
      // Not ready in time, if it has not ended.
      if (child.exit === undefined) {
        this.#spawnError = (error as Error).message
        await child.destroy()
      }
    }
    for (;;) {
      await child.exited
      // A reload that is under way may still bring another child.
      if (this.#child === child) await this.#takeover?.catch(() => {})
      if (this.#child === child) break
      child = this.#child
    }
    this.#watch?.stop()
    this.#exit = child.exit
    this.#stopTime = wallTime(clock)
    return { ready, lasted: clock.now() - begin, code: child.exit?.code, limited: this.#limited }
  }

  async #spawn(settings = this.settings): Promise<Child> {
    const { descriptors, names } = await this.#host.listeners(settings)
    await Promise.all([this.stdout.followNames(), this.stderr.followNames()])
    const surroundings: Surroundings = {
      name: this.name,
      instance: this.instance,
      descriptors,
      descriptorNames: names,
      stdout: this.stdout,
      stderr: this.stderr,
      clock: this.#host.clock,
      warn: this.#host.warn,
      onMessage: (child, message) => {
        if (child !== this.#child && child !== this.#next) return
        this.beat()
        this.#host.publish('process.message', { ...this.#event('message'), message })
      },
    }
    const child = await Child.spawn(settings, surroundings)
    this.#host.onSpawn(child, settings)
    child.exited.then(() => this.#host.onExit(child))
    return child
  }

  #onReady(child: Child): void {
    this.#watchLimits(child)
    this.#setState(ProcessState.Running, 'ready')
    this.#startup?.resolve()
    this.#startup = undefined
  }

  #watchLimits(child: Child): void {
    this.#watch?.stop()
    this.#watch = new LimitWatch(child, this.name, this.settings, this.#host.clock, (limit, text) => {
      this.#host.publish('process.limit', { ...this.#event(text), limit })
      if (child !== this.#child || this.#state !== ProcessState.Running) return
      this.#limited = true
      if (limit === 'heartbeat') child.kill(this.settings.heartbeat?.signal as NodeJS.Signals)
      else if (this.settings.listen.length > 0) this.reload().catch(() => child.stop())
      else child.stop()
    })
  }

  async #stop(): Promise<void> {
    this.#wanted = false
    this.#wake.abort()
    if (this.#loop === undefined) return
    this.#next?.destroy()
    const child = this.#child
    if (child !== undefined && child.exit === undefined && hasChild(this.#state)) {
      if (this.#state !== ProcessState.Stopping) this.#setState(ProcessState.Stopping, 'stop')
      if (!(await child.stop())) {
        this.#setState(ProcessState.Unknown, `still there ${this.settings.killTime} ms after SIGKILL`)
        this.#startup?.reject(new Error(`process ${this.name} cannot be ended`))
        this.#startup = undefined
        throw new Error(`process ${this.name} (${child.pid}) is still there ${this.settings.killTime} ms after SIGKILL`)
      }
    }
    await this.#loop
    // The child that was replaced may still drain.
    await this.#reloading?.catch(() => {})
  }

  async #reload(readyTimeout: number): Promise<void> {
    const old = this.#child as Child
    this.#takeover = this.#takeOver(readyTimeout).finally(() => {
      this.#takeover = undefined
    })
    await this.#takeover.catch((error: Error) => {
      throw new Error(`process ${this.name} is not reloaded: ${error.message}`)
    })
    this.#replaced = old
    this.#host.publish('process.reloaded', { ...this.#event('reload'), oldPid: old.pid })
    if (!(await old.stop())) throw new Error(`process ${this.name}: the old child (${old.pid}) is still there after SIGKILL`)
  }

  /** Starts another child, and makes it the one of this process once it is ready. */
  async #takeOver(timeout: number): Promise<Child> {
    const next = await this.#spawn({ ...this.settings, ready: { ...this.settings.ready, timeout } })
    this.#next = next
    try {
      if (!this.#wanted) throw new Error('it is being stopped')
      await next.ready
      if (!this.#wanted) throw new Error('it is being stopped')
      if (next.exit !== undefined) throw new Error(`the process ended: ${exitText(next.exit)}`)
    } catch (error) {
      await next.destroy()
      throw error
    } finally {
      this.#next = undefined
    }
    this.#child = next
    this.#startTime = wallTime(this.#host.clock)
    this.#limited = false
    this.#watchLimits(next)
    return next
  }

  #end(state: ProcessState, reason: string): void {
    this.#loop = undefined
    const startup = this.#startup
    this.#startup = undefined
    if (state !== ProcessState.Stopped) this.#wanted = false
    this.#setState(state, reason)
    startup?.reject(new Error(`process ${this.name} is not running: ${reason}`))
  }

  #setState(state: ProcessState, reason: string, extra: object = {}): void {
    // Spawning failed while it was being stopped.
    if (state === ProcessState.Stopped && this.#state === ProcessState.Starting) this.#setState(ProcessState.Stopping, reason)
    const previous = stateName(this.#state)
    if (!mayFollow(this.#state, state)) throw new Error(`process ${this.name}: ${stateName(state)} cannot follow ${previous}`)
    this.#state = state
    const name = `process.${stateName(state).toLowerCase()}` as keyof SupervisorEvents
    this.#host.publish(name, { ...this.#event(reason), previous, ...extra } as never)
  }

  #event(reason: string): ProcessEvent {
    const name = stateName(this.#state)
    const signal = this.#exit?.signal ?? undefined
    return { name: this.name, pid: this.pid, state: name, previous: name, exitStatus: this.#exitStatus(), signal, reason }
  }

  #exitStatus(): number | undefined {
    return this.#exit === undefined ? undefined : (this.#exit.code ?? -1)
  }
}
