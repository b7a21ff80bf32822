import { closeSync } from 'node:fs'
import { type Server, Socket } from 'node:net'
import { describe } from '../../base/errors/error-text.ts'
import { realClock } from '../../base/time/clock.ts'
import { sleep } from '../../base/time/sleep.ts'
import { type Inheritance, readInheritance } from '../../transports/handover/environment.ts'
import { type OpenSocket, openSockets, takeUnclaimed, unpassable } from '../../transports/handover/sockets.ts'
import { monotonicMicroseconds } from '../os/monotonic.ts'
import { sdNotify } from '../os/notify.ts'
import { Watchdog, watchdogTime } from '../systemd/watchdog.ts'
import { RestartChannel } from './channel.ts'
import { Guardian } from './guardian.ts'
import { type GracefulRestartOptions, type RestartSettings, readRestartOptions } from './options.ts'
import { releaseSockets } from './release.ts'
import { listenServer } from './servers.ts'
import { StartingSuccessor, type Successor } from './successor.ts'

/** Where a process is in its life. */
export type RestartState = 'starting' | 'running' | 'restarting' | 'stopping' | 'stopped'

const stopSignals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGQUIT']

/** The graceful restart of this process (docs/restart.md). */
export class GracefulRestart {
  readonly #settings: RestartSettings
  readonly #inheritance: Inheritance
  /** The process before, while it can be talked to. */
  #before: RestartChannel | undefined
  /** Descriptor of the channel to the first process of the container; -1 for none. */
  #guardianFd = -1
  #onAccept: (() => void) | undefined
  #state: RestartState = 'starting'
  #ready: Promise<void> | undefined
  #restarting: StartingSuccessor | undefined
  #stopped: Promise<void> | undefined
  #guardian: Guardian | undefined
  readonly #watchdog = new Watchdog(watchdogTime(process.env), () => sdNotify('WATCHDOG=1'))

  /** @internal */
  constructor(options: GracefulRestartOptions) {
    this.#settings = readRestartOptions(options)
    this.#inheritance = readInheritance()
    const { predecessor, problem } = this.#inheritance
    if (problem !== '') this.#settings.log.warn(problem)
    if (predecessor?.kind === 'dmicro') this.#talkTo(predecessor.handover.channel, predecessor.handover.guardian)
    this.#handleSignals()
  }

  /** Whether this process was started by the restart of another one. */
  get isSuccessor(): boolean {
    return isSuccessor()
  }

  /**
   * Descriptors that the process before passed on with its option `keep`.
   *
   * @internal
   */
  get kept(): readonly number[] {
    const { predecessor } = this.#inheritance
    return predecessor?.kind === 'dmicro' ? predecessor.handover.kept : []
  }

  /**
   * Tells the process before why this one will not take over.
   *
   * @internal
   */
  reportFailure(reason: string): void {
    this.#before?.send({ say: 'failed', reason })
  }

  /**
   * Passes a signal on to the process that serves, where this one only stands for it as pid 1.
   *
   * @internal
   * @returns false when this process serves itself
   */
  forward(signal: NodeJS.Signals): boolean {
    this.#guardian?.signal(signal)
    return this.#guardian !== undefined
  }

  /**
   * Ends the new process of a restart that is under way, unless it serves already. The restart is rejected with the
   * reason.
   *
   * @internal
   */
  giveUp(reason: string): void {
    this.#restarting?.fail(reason)
  }

  /** State of this process: `starting` until `ready` was called, `restarting` while the next one starts. */
  get state(): RestartState {
    return this.#state
  }

  #talkTo(channel: number, guardian: number): void {
    this.#guardianFd = guardian
    const socket = new Socket({ fd: channel, readable: true, writable: true })
    this.#before = new RestartChannel(
      socket,
      ({ say }) => {
        if (say === 'accept') this.#onAccept?.()
      },
      // The process before is gone: nobody else serves.
      () => this.#onAccept?.(),
    )
    this.#before.keepAlive(false)
  }

  #handleSignals(): void {
    const { signal, log } = this.#settings
    if (signal !== false) {
      process.on(signal, () => {
        if (this.#guardian !== undefined) this.#guardian.signal(signal)
        else this.restart().catch((error) => log.error('restart failed', { error: error.message }))
      })
    }
    if (!this.#settings.stopSignals) return
    for (const name of stopSignals) process.on(name, () => this.#onStopSignal(name))
  }

  #onStopSignal(signal: NodeJS.Signals): void {
    if (this.#guardian !== undefined) this.#guardian.signal(signal)
    else if (this.#settings.go && signal === 'SIGTERM' && this.#restarting !== undefined) this.#restarting.onGoReady()
    else if (this.#stopped !== undefined) process.exit(1)
    else void this.stop()
  }

  /**
   * Makes a server of the application's own (`node:http`, `node:https`, `node:net`) listen on `tcp://host:port` or
   * `unix:///path`, on the socket of the process before if there is one. The server is drained when this process stops.
   *
   * @returns the URL with the real port
   * @throws (rejects) TypeError for a bad URL; the system's error when it cannot listen
   */
  listen(server: Server, url: string): Promise<string> {
    return listenServer(server, url)
  }

  /**
   * Reports that everything listens and works. In a restart the process before agrees, and then this one accepts
   * connections; until then the old one serves alone.
   *
   * @throws (rejects) the system's error when an inherited socket does not work
   */
  ready(): Promise<void> {
    this.#ready ??= this.#becomeReady()
    return this.#ready
  }

  async #becomeReady(): Promise<void> {
    const { predecessor, gate } = this.#inheritance
    if (this.#before?.isOpen === true) {
      const agreed = new Promise<void>((resolve) => {
        this.#onAccept = resolve
      })
      this.#before.send({ say: 'prepared' })
      this.#before.keepAlive(true)
      if (this.#before.isOpen) await agreed
      this.#before.keepAlive(false)
    }
    try {
      await gate?.open()
    } catch (error) {
      this.#before?.send({ say: 'failed', reason: describe(error) })
      throw error
    }
    for (const { descriptor } of takeUnclaimed()) closeSync(descriptor)
    if (this.#state === 'starting') this.#state = 'running'
    this.#before?.send({ say: 'accepting' })
    if (predecessor?.kind === 'go' && process.ppid === predecessor.pid) process.kill(predecessor.pid, 'SIGTERM')
    if (predecessor?.kind !== 'dmicro') sdNotify(`READY=1\nMAINPID=${process.pid}`)
    this.#watchdog.start()
  }

  /**
   * Starts a new process, waits until it serves, and then stops this one. When the new process does not get ready, this
   * one goes on as before.
   *
   * @returns the id of the new process
   * @throws Error (rejects) that says why the new process does not serve
   */
  async restart(): Promise<number> {
    if (this.#state !== 'running' && this.#state !== 'starting') throw new Error(`this process is ${this.#state}`)
    if (this.#state === 'starting') throw new Error('this process is not ready itself')
    const { log } = this.#settings
    const [stuck] = unpassable.values()
    if (stuck !== undefined) throw new Error(`${stuck} cannot be passed on to a new process: close it first, or stop and start`)
    this.#state = 'restarting'
    sdNotify(`RELOADING=1\nMONOTONIC_USEC=${monotonicMicroseconds()}`)
    let successor: Successor
    try {
      const sockets = [...openSockets].filter((socket) => socket.descriptor() >= 0)
      this.#restarting = new StartingSuccessor(this.#settings, sockets, this.#guardianToPass(), (pid) => this.#guardian?.follow(pid))
      successor = await this.#restarting.accepting
    } catch (error) {
      if (this.#state === 'restarting') this.#state = 'running'
      sdNotify(`READY=1\nSTATUS=restart failed: ${String((error as Error).message).split('\n', 1)[0]}`)
      throw error
    } finally {
      this.#restarting = undefined
    }
    log.info('restarted', { pid: successor.pid })
    this.#watchdog.stop()
    // The new process has the whole time until its first turn of the watchdog: only this one was heard so far.
    sdNotify(`READY=1\nWATCHDOG=1\nMAINPID=${successor.pid}`)
    this.#before?.send({ say: 'successor', pid: successor.pid })
    // From now on, also while this process drains: a signal is meant for the one that serves.
    if (process.pid === 1) this.#guardian = new Guardian(successor, (code) => process.exit(code))
    this.#stopped = this.#finish(successor)
    return successor.pid
  }

  /** The channel to the first process of the container, which is ours if that process is our parent. */
  #guardianToPass(): number {
    const { predecessor } = this.#inheritance
    if (this.#guardianFd >= 0 || predecessor?.kind !== 'dmicro') return this.#guardianFd
    return predecessor.handover.pid === 1 ? predecessor.handover.channel : -1
  }

  /** Stops gracefully: closes the listeners, and waits for calls and requests. Without a successor. */
  stop(): Promise<void> {
    this.giveUp('this process was stopped')
    this.#stopped ??= this.#finish(undefined)
    return this.#stopped
  }

  async #finish(successor: Successor | undefined): Promise<void> {
    const { grace, drainTimeout, stop, log, exit } = this.#settings
    this.#state = 'stopping'
    if (successor === undefined) sdNotify('STOPPING=1')
    const sockets: OpenSocket[] = [...openSockets]
    if (successor !== undefined) await releaseSockets(sockets, grace, drainTimeout)
    const owners = new Set(sockets.map(({ owner }) => owner))
    for (const result of await Promise.allSettled([...owners].map((owner) => owner.drain(drainTimeout))))
      if (result.status === 'rejected') log.error('draining failed', { error: describe(result.reason) })
    try {
      await Promise.race([stop(), sleep(realClock, drainTimeout)])
    } catch (error) {
      log.error('option stop failed', { error: describe(error) })
    }
    this.#state = 'stopped'
    this.#end(successor, exit)
  }

  #end(successor: Successor | undefined, exit: boolean): void {
    if (this.#guardian !== undefined) return
    if (exit) process.exit(0)
    if (successor === undefined) return
    successor.process.unref()
    successor.channel.keepAlive(false)
  }
}

/**
 * Whether this process was started by the restart of another one.
 *
 * @internal
 */
export function isSuccessor(): boolean {
  return readInheritance().predecessor !== undefined
}

let made: GracefulRestart | undefined

/**
 * Prepares this process for a restart without a failed call: on SIGUSR2 a new process starts, gets the listening
 * sockets of all endpoints and of `listen`, and serves once it is ready; then this one drains and ends. Call it before
 * anything slow, because it also handles the signals that stop a process.
 *
 * @example
 * const restart = gracefulRestart()
 * const server = new Endpoint()
 * await server.listen('tcp://0.0.0.0:9000')
 * await restart.ready()
 * @throws TypeError or RangeError for a bad option; Error when it was called before
 */
export function gracefulRestart(options: GracefulRestartOptions = {}): GracefulRestart {
  if (made !== undefined) throw new Error('gracefulRestart was called before')
  made = new GracefulRestart(options)
  return made
}
