import { reasonOf } from '../../base/errors/error-text.ts'
import { realClock } from '../../base/time/clock.ts'
import { openSockets } from '../../transports/handover/sockets.ts'
import type { Config } from '../config/config.ts'
import type { StopKind } from '../ctl/commands.ts'
import { ALL_LEVELS } from '../ctl/log-entry.ts'
import type { LogHub } from '../ctl/log-hub.ts'
import { type LogBatch, LogStream } from '../ctl/log-stream.ts'
import { UsageMeter } from '../ctl/usage.ts'
import type { ServerSettings } from '../options.ts'
import { releaseSockets } from '../restart/release.ts'
import { ExitCode } from './exit-code.ts'
import { type Answer, type Asked, LOG_TYPE, MESSAGE_TYPE, READY_TYPE } from './messages.ts'
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
  readonly #log: LogHub
  readonly #usage = new UsageMeter()
  #followed: LogStream | undefined
  #kind: StopKind | 'replace' = 'stop'
  #stopping: Promise<number> | undefined
  #resolveEnded: (code: number) => void = () => {}

  constructor(service: string, settings: ServerSettings, config: Config, model: Model, log: LogHub) {
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
      this.#resolveEnded = resolve
      const stop = (): void => void (this.#stopping ??= this.#stop()).then(resolve)
      // SIGINT of a terminal is for the master, which then stops its services in order.
      signals.handle((signal) => {
        if (signal === 'SIGTERM' || signal === 'SIGQUIT') stop()
      })
      // The master has died.
      process.on('disconnect', () => (this.#stopping === undefined ? stop() : this.#hurry()))
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
    let left = this.#kind === 'stop' ? stopTimeout : quitTimeout
    if (this.#kind === 'replace') {
      // Others accept on the same sockets from now on.
      const began = realClock.now()
      await releaseSockets([...openSockets], REPLACE_GRACE_MS, quitTimeout / 2)
      left -= Math.max(realClock.now() - began - REPLACE_GRACE_MS, 0)
    }
    const failures = await this.#model.stop(this.#kind === 'stop' ? Math.min(stopTimeout, left) : left, 'stop')
    return failures.length === 0 ? ExitCode.Done : ExitCode.Failed
  }

  /** Leaves what drains the time of a stop. */
  #hurry(): void {
    realClock.setTimeout(() => this.#resolveEnded(ExitCode.Failed), this.#settings.stopTimeout).unref()
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
    if (asked.ask === 'usage') return { usage: this.#usage.read() }
    if (asked.ask === 'recent') return { recent: this.#log.recent(asked.filter, asked.lines) }
    if (asked.ask === 'logging') this.#setLogging(asked.mask, asked.debug)
    else if (asked.ask === 'start') await this.#model.startSandbox(asked.name)
    else if (asked.ask === 'stop') await this.#model.stopSandbox(asked.name)
    else if (asked.ask === 'kind') {
      if (this.#stopping !== undefined && asked.kind === 'stop' && this.#kind !== 'stop') this.#hurry()
      this.#kind = asked.kind
    } else this.#log.info('configuration read again', { changed: await this.#config.reload() })
    return {}
  }

  /** Sends lines of these levels to the master from now on. */
  #setLogging(mask: number, debug: boolean): void {
    this.#log.setDebug(debug)
    this.#followed?.end()
    this.#followed = undefined
    if ((mask & ALL_LEVELS) === 0) return
    let end = (): void => {}
    const stream = new LogStream(sendLines, () => end())
    end = this.#log.follow({ mask, names: [] }, (entry) => stream.add(entry))
    this.#followed = stream
    stream.start()
  }
}

/** Resolves when the lines are on their way, so that no more wait in the channel than one batch. */
function sendLines(lines: LogBatch): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!process.connected) reject(new Error('the master has ended'))
    else
      process.send?.({ type: LOG_TYPE, lines }, undefined, undefined, (error: Error | null) => (error === null ? resolve() : reject(error)))
  })
}
