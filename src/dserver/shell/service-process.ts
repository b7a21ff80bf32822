import { reasonOf } from '../../base/errors/error-text.ts'
import type { Logger } from '../../base/log.ts'
import { realClock } from '../../base/time/clock.ts'
import { sleep } from '../../base/time/sleep.ts'
import { openSockets } from '../../transports/handover/sockets.ts'
import type { Config } from '../config/config.ts'
import type { StopKind } from '../ctl/commands.ts'
import type { ServerSettings } from '../options.ts'
import { ExitCode } from './exit-code.ts'
import { type Answer, type Asked, MESSAGE_TYPE, READY_TYPE } from './messages.ts'
import type { Model } from './model.ts'
import type { Signals } from './signals.ts'

/** Milliseconds between the last accepted connection and the shutdown of a process that was replaced. */
const REPLACE_GRACE_MS = 250

/** The process of one service in the multi process model. Its master starts it, asks it and stops it. */
export class ServiceProcess {
  readonly #service: string
  readonly #settings: ServerSettings
  readonly #config: Config
  readonly #model: Model
  readonly #log: Logger
  #kind: StopKind | 'replace' = 'stop'
  #stopping: Promise<number> | undefined

  constructor(service: string, settings: ServerSettings, config: Config, model: Model, log: Logger) {
    this.#service = service
    this.#settings = settings
    this.#config = config
    this.#model = model
    this.#log = log
  }

  /**
   * Runs the service.
   * @returns the exit code
   * @throws (rejects) what a setup failed with
   */
  async run(signals: Signals): Promise<number> {
    const ended = new Promise<number>((resolve) => {
      const stop = (): void => resolve((this.#stopping ??= this.#stop()))
      // SIGINT of a terminal is for the master, which then stops its services in order.
      signals.handle((signal) => {
        if (signal === 'SIGTERM' || signal === 'SIGQUIT') stop()
      })
      process.on('disconnect', stop) // the master has died
    })
    process.on('message', (message) => void this.#onMessage(message))
    try {
      await this.#model.start()
      process.send?.({ type: READY_TYPE })
    } catch (error) {
      if (this.#stopping === undefined) {
        await this.#model.stop(this.#settings.stopTimeout, 'stop')
        throw error
      }
    }
    return ended
  }

  async #stop(): Promise<number> {
    const { stopTimeout, quitTimeout } = this.#settings
    this.#config.close()
    if (this.#kind === 'replace') {
      // Others accept on the same sockets from now on. Short connections end by themselves meanwhile.
      await Promise.all([...openSockets].map((socket) => socket.release()))
      await sleep(realClock, REPLACE_GRACE_MS)
    }
    const failures = await this.#model.stop(this.#kind === 'stop' ? stopTimeout : quitTimeout, 'stop')
    return failures.length === 0 ? ExitCode.Done : ExitCode.Failed
  }

  async #onMessage(message: unknown): Promise<void> {
    const asked = Object(message) as Asked
    if (asked.type !== MESSAGE_TYPE) return
    let answer: Partial<Answer>
    try {
      answer = await this.#answer(asked)
    } catch (error) {
      answer = { error: reasonOf(error) }
    }
    if (process.connected) process.send?.({ ...answer, type: MESSAGE_TYPE, id: asked.id })
  }

  async #answer(asked: Asked): Promise<Partial<Answer>> {
    if (asked.ask === 'info') return { info: (await this.#model.info()).filter(({ service }) => service === this.#service) }
    if (asked.ask === 'start') await this.#model.startSandbox(asked.name)
    else if (asked.ask === 'stop') await this.#model.stopSandbox(asked.name)
    else if (asked.ask === 'kind') this.#kind = asked.kind
    else this.#log.info('configuration read again', { changed: await this.#config.reload() })
    return {}
  }
}
