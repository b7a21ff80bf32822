import { describe, reasonOf } from '../../base/errors/error-text.ts'
import type { Logger } from '../../base/log.ts'
import { realClock, wallTime } from '../../base/time/clock.ts'
import { type Sandbox, type SandboxState, setSandboxSignal } from './sandbox.ts'
import { within } from './time-limit.ts'

/** Starts and stops one sandbox: one at a time, each within its time, whatever the sandbox does. */
export class SandboxRunner {
  readonly sandbox: Sandbox
  /** Name at the time the sandbox was added. */
  readonly name: string
  readonly serviceName: string
  /** Milliseconds since 1970 when the sandbox last became ready and last stopped; 0 for never. */
  startedAt = 0
  stoppedAt = 0
  /** Why the state is `fatal`. */
  error: unknown
  readonly #log: Logger
  readonly #setupTimeout: number
  #state: SandboxState = 'stopped'
  #abort = new AbortController()
  #starting: Promise<void> | undefined
  #stopping: Promise<void> | undefined

  constructor(sandbox: Sandbox, serviceName: string, log: Logger, setupTimeout: number) {
    this.sandbox = sandbox
    this.name = sandbox.name
    this.serviceName = serviceName
    this.#log = log
    this.#setupTimeout = sandbox.setupTimeout ?? setupTimeout
  }

  get state(): SandboxState {
    return this.#state
  }

  /**
   * Resolves when the sandbox is ready. Joins a start that is under way, and waits for a stop that is.
   * @throws (rejects) what the setup threw; TimeLimitError; the reason of a stop that came in between
   */
  async start(): Promise<void> {
    while (this.#stopping !== undefined) await this.#stopping.catch(() => {})
    if (this.#state === 'running') return
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined
    })
    await this.#starting
  }

  async #start(): Promise<void> {
    const { name, sandbox } = this
    const abort = new AbortController()
    this.#abort = abort
    this.#state = 'starting'
    this.error = undefined
    setSandboxSignal(sandbox, abort.signal)
    const began = realClock.now()
    const setup = (async () => sandbox.setup())()
    try {
      await within(this.#setupTimeout, setup, `setup of sandbox ${name}`)
    } catch (error) {
      // A setup that ends because it was told to stop has not failed.
      if (abort.signal.aborted) this.#state = 'stopped'
      else this.#fail('setup failed', error)
      abort.abort(error)
      // Ends what a setup that comes too late has made. Nothing happens when it was the setup that failed.
      setup.then(() => this.#shutdownLate()).catch(() => {})
      throw error
    }
    this.startedAt = wallTime(realClock)
    this.#state = 'running'
    this.#log.info('sandbox ready', { sandbox: name, ms: Math.round(realClock.now() - began) })
  }

  async #shutdownLate(): Promise<void> {
    try {
      await this.sandbox.shutdown()
    } catch (error) {
      this.#log.error('shutdown after a late setup failed', { sandbox: this.name, error: describe(error) })
    }
  }

  /**
   * Resolves when the sandbox has stopped. A setup under way sees its signal fire, and is waited for.
   * @param timeout milliseconds for the shutdown, unless the sandbox has a limit of its own
   * @throws (rejects) what the shutdown threw; TimeLimitError
   */
  async stop(timeout: number): Promise<void> {
    if (this.#stopping === undefined && this.#state !== 'running' && this.#state !== 'starting') return
    this.#stopping ??= this.#stop(this.sandbox.shutdownTimeout ?? timeout).finally(() => {
      this.#stopping = undefined
    })
    await this.#stopping
  }

  async #stop(timeout: number): Promise<void> {
    const { name, sandbox } = this
    this.#abort.abort(new Error(`sandbox ${name} stops`))
    const began = realClock.now()
    try {
      if (this.#starting !== undefined) {
        const settled = this.#starting.catch(() => {})
        await within(timeout, settled, `setup of sandbox ${name}, which was told to stop,`)
        if (this.state !== 'running') return // a setup that failed has nothing to shut down
      }
      this.#state = 'stopping'
      const left = Math.ceil(Math.max(timeout - (realClock.now() - began), 1))
      await within(left, (async () => sandbox.shutdown())(), `shutdown of sandbox ${name}`)
      this.#state = 'stopped'
      this.#log.info('sandbox stopped', { sandbox: name, ms: Math.round(realClock.now() - began) })
    } catch (error) {
      this.#fail('shutdown failed', error)
      throw error
    } finally {
      this.stoppedAt = wallTime(realClock)
    }
  }

  #fail(what: string, error: unknown): void {
    this.#state = 'fatal'
    this.error = error
    this.#log.error(what, { sandbox: this.name, error: describe(error) })
  }

  /** One line about the present state, as `info` shows it: pid and uptime, or why it failed. */
  get description(): string {
    if (this.#state === 'fatal') return reasonOf(this.error)
    return this.#state === 'running' ? `pid ${process.pid}, uptime ${uptime(wallTime(realClock) - this.startedAt)}` : ''
  }
}

/** `H:MM:SS`, from one day on `N days, H:MM:SS`. */
export function uptime(ms: number): string {
  const seconds = Math.max(Math.floor(ms / 1000), 0)
  const two = (n: number): string => `${n}`.padStart(2, '0')
  const days = Math.floor(seconds / 86_400)
  const clock = `${Math.floor(seconds / 3600) % 24}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return days === 0 ? clock : `${days} days, ${clock}`
}
