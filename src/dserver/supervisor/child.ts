import { type ChildProcess, type IOType, type SpawnOptions, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { Clock } from '../../base/time/clock.ts'
import { sleep } from '../../base/time/sleep.ts'
import { findExecutable } from './executable.ts'
import { groupSetter } from './group-setter.ts'
import type { ProcessLog } from './log/process-log.ts'
import type { ProcessSettings } from './process-options.ts'
import { type ReadySettings, whenReady } from './readiness.ts'
import { settler } from './settled.ts'
import { identityOf } from './users.ts'

/** How a child ended. */
export interface Exit {
  /** null when a signal ended it. */
  readonly code: number | null
  /** The signal that ended it; null for none. */
  readonly signal: NodeJS.Signals | null
}

/** Context in which a child is started, besides its settings. */
export interface Surroundings {
  readonly name: string
  readonly instance: number
  /** Descriptors that the child gets as 3, 4 and so on. */
  readonly descriptors: readonly number[]
  /** Names of `descriptors`. */
  readonly descriptorNames: readonly string[]
  readonly stdout: ProcessLog
  readonly stderr: ProcessLog
  readonly clock: Clock
  onMessage(child: Child, message: unknown): void
  warn(text: string, reason: string): void
}

/** Time for output that is still in the pipes of a child that has ended, in milliseconds. */
const LAST_OUTPUT_MS = 1_000

/** Tells a child which descriptors are listeners: its own pid is only known after the fork. */
const WITH_LISTEN_PID = 'LISTEN_PID=$$; export LISTEN_PID; exec "$@"'

/** One process of the system. It is the leader of its own session and process group. */
export class Child {
  readonly pid: number
  /** Monotonic milliseconds. */
  readonly startedAt: number
  /** Settles when the process has ended. Never rejects. */
  readonly exited: Promise<Exit>
  /** Settles when all of its output has been taken, after `exited`. */
  readonly closed: Promise<void>
  readonly #process: ChildProcess
  readonly #surroundings: Surroundings
  readonly #settings: ProcessSettings
  #exit: Exit | undefined
  #ready: Promise<void> | undefined
  readonly #end = new AbortController()
  readonly #outputListeners = new Set<(stream: 'stdout' | 'stderr', chunk: Buffer) => void>()
  readonly #messageListeners = new Set<(message: unknown) => void>()

  /**
   * Starts a process.
   * @throws Error when it cannot be spawned
   */
  static async spawn(settings: ProcessSettings, surroundings: Surroundings): Promise<Child> {
    const { command, args, options } = spawnArguments(settings, surroundings)
    const spawned = spawn(command, args, options)
    if (spawned.pid === undefined) {
      const error = await new Promise<Error>((resolve) => spawned.once('error', resolve))
      for (const stream of spawned.stdio) stream?.destroy()
      throw error
    }
    return new Child(spawned, settings, surroundings)
  }

  private constructor(spawned: ChildProcess, settings: ProcessSettings, surroundings: Surroundings) {
    this.#process = spawned
    this.#settings = settings
    this.#surroundings = surroundings
    this.pid = spawned.pid as number
    this.startedAt = surroundings.clock.now()
    const exited = settler<Exit>()
    this.exited = exited.promise
    spawned.on('error', () => {}) // of kill and send
    spawned.stdin?.on('error', () => {})
    spawned.once('exit', (code, signal) => {
      this.#exit = { code, signal }
      // Processes left behind would hold ports and pipes.
      if (settings.killAsGroup) signalGroup(this.pid, 'SIGKILL')
      this.#end.abort(new Error(`the process ended: ${exitText(this.#exit)}`))
      exited.resolve(this.#exit)
    })
    this.closed = this.#whenClosed()
    const { stdout, stderr } = surroundings
    this.#read('stdout', spawned.stdout, stdout)
    this.#read('stderr', spawned.stderr, settings.redirectStderr ? stdout : stderr)
    if (settings.ipc)
      spawned.on('message', (message) => {
        for (const listener of this.#messageListeners) listener(message)
        surroundings.onMessage(this, message)
      })
    this.#ready = this.#whenReady(settings.ready)
    this.#ready.catch(() => {})
  }

  /** Resolves when the process is ready; rejects when it ends before or is not ready in time. */
  get ready(): Promise<void> {
    return this.#ready as Promise<void>
  }

  /** Name of its process. */
  get name(): string {
    return this.#surroundings.name
  }

  /** Calls `listener`, which must not throw, with what this child prints; the function returned ends that. */
  onOutput(listener: (stream: 'stdout' | 'stderr', chunk: Buffer) => void): () => void {
    this.#outputListeners.add(listener)
    return () => void this.#outputListeners.delete(listener)
  }

  /** How it ended; undefined while it lives. */
  get exit(): Exit | undefined {
    return this.#exit
  }

  /**
   * Sends a signal.
   * @param group whether to the whole process group
   * @returns false when the process has ended
   */
  kill(signal: NodeJS.Signals, group = false): boolean {
    if (this.#exit !== undefined) return false
    return group ? signalGroup(this.pid, signal) : this.#process.kill(signal)
  }

  /** @returns false when there is no channel */
  send(message: unknown): boolean {
    return this.#process.connected && this.#process.send(message as object)
  }

  /** The stdin of the process. */
  get stdin(): NodeJS.WritableStream {
    return this.#process.stdin as NodeJS.WritableStream
  }

  /** Ends the process by its stop signals, then by SIGKILL. Resolves to whether it has ended. */
  async stop(): Promise<boolean> {
    const { stopSignals, stopTime, stopAsGroup } = this.#settings
    for (const signal of stopSignals) {
      this.kill(signal, stopAsGroup)
      if (await this.#endsWithin(stopTime)) return true
    }
    return this.destroy()
  }

  /** Ends the process by SIGKILL. Resolves to whether it has ended. */
  async destroy(): Promise<boolean> {
    this.kill('SIGKILL', this.#settings.killAsGroup)
    return this.#endsWithin(this.#settings.killTime)
  }

  async #endsWithin(ms: number): Promise<boolean> {
    if (this.#exit !== undefined) return true
    const { clock } = this.#surroundings
    await new Promise<void>((resolve) => {
      const timer = clock.setTimeout(resolve, ms)
      this.exited.then(() => {
        clock.clearTimeout(timer)
        resolve()
      })
    })
    return this.#exit !== undefined
  }

  #read(name: 'stdout' | 'stderr', stream: Readable | null, log: ProcessLog): void {
    if (stream === null) return
    const pause = (): void => void stream.pause()
    const resume = (): void => void stream.resume()
    stream.on('error', () => {})
    stream.on('data', (chunk: Buffer) => {
      log.write(chunk, pause, resume)
      for (const listener of this.#outputListeners) listener(name, chunk)
    })
  }

  /** Resolves when all pipes have ended. Those that a grandchild holds are closed after a while. */
  async #whenClosed(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#process.once('close', () => resolve()))
    await this.exited
    const end = new AbortController()
    const { clock } = this.#surroundings
    let at = -1
    const watch = async (): Promise<void> => {
      // Output that still flows, or waits for a slow disk, is waited for.
      for (let read = this.#bytesRead(); read !== at || this.#isPaused(); read = this.#bytesRead()) {
        at = read
        await sleep(clock, LAST_OUTPUT_MS, end.signal)
      }
    }
    await Promise.race([closed, watch().catch(() => {})])
    end.abort()
    for (const stream of this.#process.stdio) stream?.destroy()
    if (this.#process.connected) this.#process.disconnect()
  }

  #bytesRead(): number {
    const streams = [this.#process.stdout, this.#process.stderr] as ({ bytesRead?: number } | null)[]
    return streams.reduce((sum, stream) => sum + (stream?.bytesRead ?? 0), 0)
  }

  #isPaused(): boolean {
    return this.#process.stdout?.isPaused() === true || this.#process.stderr?.isPaused() === true
  }

  #whenReady(settings: ReadySettings): Promise<void> {
    const { name, clock } = this.#surroundings
    const onStdout = (listener: (chunk: Buffer) => void): (() => void) =>
      this.onOutput((stream, chunk) => {
        if (stream === 'stdout') listener(chunk)
      })
    const onMessage = (listener: (message: unknown) => void): (() => void) => {
      this.#messageListeners.add(listener)
      return () => void this.#messageListeners.delete(listener)
    }
    const watched = { name, pid: this.pid, onStdout, onMessage }
    return whenReady(settings, watched, clock, this.#end.signal)
  }
}

/** Text for people: `exit code 1`, `SIGKILL`. */
export function exitText(exit: Exit | undefined): string {
  return exit === undefined ? 'not started' : (exit.signal ?? `exit code ${exit.code}`)
}

function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal)
    return true
  } catch {
    return false // all have ended
  }
}

function spawnArguments(
  settings: ProcessSettings,
  { name, instance, descriptors, descriptorNames, warn }: Surroundings,
): { command: string; args: string[]; options: SpawnOptions } {
  const cwd = settings.directory ?? process.cwd()
  const identity = settings.user === undefined ? undefined : identityOf(settings.user)
  const env: NodeJS.ProcessEnv = {
    ...(settings.inheritEnvironment ? process.env : {}),
    ...identity?.environment,
    DMICRO_PROCESS: name,
    DMICRO_INSTANCE: `${instance}`,
    ...settings.environment,
  }
  // Variables of a service manager are meant for this process alone.
  for (const key of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'])
    if (settings.environment[key] === undefined) delete env[key]
  let command = findExecutable(settings.command, env.PATH, cwd)
  let args = [...settings.args]
  let ids = identity === undefined ? {} : { uid: identity.uid, gid: identity.gid }
  if (identity !== undefined && identity.groups.length > 0) {
    // Node.js drops all supplementary groups of a child that gets another user.
    const setpriv = groupSetter(identity)
    if ('reason' in setpriv) warn(`process ${name} has no supplementary groups`, setpriv.reason)
    else {
      args = [...setpriv.args, command, ...args]
      command = setpriv.program
      ids = {}
    }
  }
  if (descriptors.length > 0) {
    env.LISTEN_FDS = `${descriptors.length}`
    env.LISTEN_FDNAMES = descriptorNames.join(':')
    args = ['-c', WITH_LISTEN_PID, 'sh', command, ...args]
    command = '/bin/sh'
  }
  const stdio: (IOType | number | 'ipc')[] = ['pipe', 'pipe', 'pipe', ...descriptors]
  if (settings.ipc) stdio.push('ipc')
  return { command, args, options: { cwd, env, stdio, detached: true, ...ids } }
}
