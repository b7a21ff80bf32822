import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { type ClockTimer, realClock } from '../../base/time/clock.ts'
import { type Handover, inodeOfDescriptor, variables } from '../../transports/handover/environment.ts'
import type { OpenSocket } from '../../transports/handover/sockets.ts'
import { RestartChannel } from './channel.ts'
import type { RestartSettings } from './options.ts'

/** First descriptors of the new process behind stdin, stdout and stderr. */
const CHANNEL_FD = 3
/** Milliseconds between SIGTERM and SIGKILL for a new process that failed. */
const KILL_AFTER = 2000
/** Milliseconds in which a new process that is ready must begin to accept. It hangs when it does not. */
export const ACCEPT_WITHIN = 10_000

/** The process that takes over. */
export interface Successor {
  readonly pid: number
  readonly process: ChildProcess
  readonly channel: RestartChannel
}

/** A new process on its way. */
export class StartingSuccessor {
  /** Resolves when the new process accepts connections; rejects with why it does not. Then it is ended. */
  readonly accepting: Promise<Successor>
  readonly #process: ChildProcess
  readonly #channel: RestartChannel
  #timer: ClockTimer | undefined
  #resolve!: (successor: Successor) => void
  #reject!: (error: Error) => void
  #settled = false
  #reason = ''
  /** Ends a new process that has not taken over with this one, which it would take for dead, and serve. */
  readonly #kill = (): void => void this.#process.kill('SIGKILL')

  /**
   * @param guardian descriptor of the channel to the process that outlives all others; -1 for none
   * @param onSuccessor gets the id of the process that the new one hands over to in its turn
   * @throws Error of the system when no process can be started
   */
  constructor(settings: RestartSettings, sockets: readonly OpenSocket[], guardian: number, onSuccessor: (pid: number) => void) {
    this.accepting = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    const [program, args, options] = commandOf(settings, sockets, guardian)
    const child = spawn(program, args, options)
    this.#process = child
    process.once('exit', this.#kill)
    this.#channel = new RestartChannel(
      child.stdio[CHANNEL_FD] as Duplex,
      (message) => {
        if (message.say === 'prepared') this.#agree()
        else if (message.say === 'accepting') this.#succeed()
        else if (message.say === 'failed') this.#reason = message.reason
        else if (message.say === 'successor') onSuccessor(message.pid)
      },
      () => {},
    )
    child.on('error', (error) => this.fail(`the new process cannot be started: ${error.message}`))
    child.on('exit', (code, signal) => {
      const why = this.#reason === '' ? '' : `: ${this.#reason}`
      this.fail(`the new process ended (${signal ?? `exit code ${code}`}) before it was ready${why}`)
    })
    this.#failAfter(settings.timeout, `the new process was not ready within ${settings.timeout} ms`)
  }

  #failAfter(ms: number, reason: string): void {
    realClock.clearTimeout(this.#timer)
    this.#timer = realClock.setTimeout(() => this.fail(reason), ms)
  }

  /** Lets the new process accept. It has its own time for that, however long it took to get ready. */
  #agree(): void {
    if (this.#settled) return
    this.#failAfter(ACCEPT_WITHIN, `the new process did not accept within ${ACCEPT_WITHIN} ms`)
    this.#channel.send({ say: 'accept' })
  }

  /** Handles the signal by which a program of Go says that it is ready. */
  onGoReady(): void {
    this.#succeed()
  }

  #succeed(): void {
    if (this.#settled) return
    this.#settled = true
    realClock.clearTimeout(this.#timer)
    process.off('exit', this.#kill)
    this.#resolve({ pid: this.#process.pid as number, process: this.#process, channel: this.#channel })
  }

  /** Ends the new process, unless it accepts already. */
  fail(reason: string): void {
    if (this.#settled) return
    this.#settled = true
    realClock.clearTimeout(this.#timer)
    this.#end()
    this.#reject(new Error(reason))
  }

  /**
   * Ends the process, at the latest when this one ends. The channel stays open until then: a process that finds it
   * closed takes the one before for dead, and serves.
   */
  #end(): void {
    const child = this.#process
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
      process.off('exit', this.#kill)
      this.#channel.close()
      return
    }
    child.kill('SIGTERM')
    const timer = realClock.setTimeout(this.#kill, KILL_AFTER)
    child.once('exit', () => {
      realClock.clearTimeout(timer)
      process.off('exit', this.#kill)
      this.#channel.close()
    })
  }
}

function commandOf(
  { command, cwd, go, keep }: RestartSettings,
  sockets: readonly OpenSocket[],
  guardian: number,
): [program: string, args: string[], options: SpawnOptions] {
  const [program, ...args] = command ?? [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const descriptors = sockets.map((socket) => socket.descriptor())
  const inherited = [...(guardian < 0 ? [] : [guardian]), ...descriptors]
  const first = CHANNEL_FD + 1 + inherited.length - descriptors.length
  const handover: Handover = {
    pid: process.pid,
    channel: CHANNEL_FD,
    guardian: guardian < 0 ? -1 : CHANNEL_FD + 1,
    sockets: sockets.map(({ asked, url }, i) => ({ fd: first + i, inode: inodeOfDescriptor(descriptors[i]), asked, url })),
    kept: keep.map((_, i) => first + sockets.length + i),
  }
  const env: NodeJS.ProcessEnv = { ...process.env }
  // The watchdog of the service manager is that of the process whose id it names.
  delete env.WATCHDOG_PID
  if (go) {
    env[variables.goChild] = 'true'
    env[variables.goSockets] = JSON.stringify({
      tcp: handover.sockets.map(({ fd, url }) => `${placeOf(url)}#${fd}`).join(','),
      quic: '',
      kcp: '',
    })
  } else {
    env[variables.own] = JSON.stringify(handover)
  }
  return [program, args, { env, cwd, stdio: ['inherit', 'inherit', 'inherit', 'pipe', ...inherited, ...keep] }]
}

/** The address of a URL as Go prints it. */
function placeOf(url: string): string {
  const rest = url.slice(url.indexOf('://') + 3)
  return url.startsWith('unix:') ? rest : rest.split('/', 1)[0]
}
