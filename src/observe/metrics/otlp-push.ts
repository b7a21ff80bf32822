import { duration, optionNames, requireOptions } from '../../base/check-options.ts'
import { type ClockTimer, realClock, wallTime } from '../../base/time/clock.ts'
import { OtlpText } from './otlp.ts'
import { inSlices, type PageSource } from './render.ts'

/** Option `otlp` of `prometheus`. */
export interface OtlpOptions {
  /** URL that is posted to, such as `http://127.0.0.1:4318/v1/metrics`; without a user and password. */
  url: string
  /** Milliseconds between two pushes. Default: 15000. */
  interval?: number | undefined
  /** Most milliseconds that one push may take, also the last one at the close. Default: 2000. */
  timeout?: number | undefined
  /** Headers of the request, such as the key of a collector. Default: none. */
  headers?: Readonly<Record<string, string>> | undefined
}

const known = optionNames<OtlpOptions>({ url: true, interval: true, timeout: true, headers: true })

/**
 * Pushes metrics to a collector of OpenTelemetry, in JSON over HTTP. A push that fails is not repeated, because the
 * next one has all.
 */
export class OtlpPush {
  readonly #source: PageSource
  readonly #service: string
  readonly #url: string
  readonly #interval: number
  readonly #timeout: number
  readonly #headers: Headers
  readonly #failed: (error: unknown) => void
  #timer: ClockTimer | undefined
  #isStarted = false
  #running: Promise<void> | undefined

  /**
   * @param failed called with why a push failed
   * @throws TypeError or RangeError for bad options
   */
  constructor(source: PageSource, service: string, options: OtlpOptions, failed: (error: unknown) => void) {
    requireOptions('otlp', options, known)
    const { url, headers = {} } = options
    if (typeof url !== 'string' || !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      throw new TypeError('option otlp.url must be an address such as http://127.0.0.1:4318/v1/metrics')
    const { username, password } = new URL(url)
    if (username !== '' || password !== '')
      throw new TypeError('option otlp.url must have no user and password: give them as otlp.headers, such as Authorization')
    this.#source = source
    this.#service = service
    this.#url = url
    this.#interval = duration('otlp.interval', options.interval, 15_000, 1)
    this.#timeout = duration('otlp.timeout', options.timeout, 2_000, 1)
    this.#headers = readHeaders(headers)
    this.#failed = failed
  }

  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    this.#schedule()
  }

  #schedule(): void {
    this.#timer = realClock.setTimeout(() => {
      void this.push().then(() => this.#isStarted && this.#schedule())
    }, this.#interval)
    this.#timer.unref()
  }

  /** Pushes a last time, and stops. */
  async stop(): Promise<void> {
    if (!this.#isStarted) return
    this.#isStarted = false
    realClock.clearTimeout(this.#timer)
    await this.#running
    await this.push()
  }

  /** Pushes now; joins a push that is under way. Never rejects. */
  push(): Promise<void> {
    this.#running ??= this.#push()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#running = undefined
      })
    return this.#running
  }

  async #push(): Promise<void> {
    const visit = await this.#source.prepare()
    const text = new OtlpText(this.#service, wallTime(realClock) - realClock.now(), wallTime(realClock))
    await inSlices(visit(text), () => {})
    const body = text.finish()
    const abort = new AbortController()
    const timer = realClock.setTimeout(() => abort.abort(new Error(`the collector took ${this.#timeout} ms`)), this.#timeout)
    try {
      const how = { method: 'POST', headers: this.#headers, body: body as never, redirect: 'error', signal: abort.signal } as const
      const response = await fetch(this.#url, how)
      await response.body?.cancel()
      if (!response.ok) throw new Error(`the collector answered ${response.status}`)
    } finally {
      realClock.clearTimeout(timer)
    }
  }
}

/** @throws TypeError for what is no header. Its text has no values, which may be secrets. */
function readHeaders(given: Readonly<Record<string, string>>): Headers {
  // Without the value, as a text of `requireMeta` has: it may be a secret.
  if (typeof given !== 'object' || given === null || Symbol.iterator in given)
    throw new TypeError(`option otlp.headers must be an object, got ${typeof given}`)
  const headers = new Headers()
  for (const [name, value] of Object.entries(given)) {
    try {
      if (typeof value !== 'string') throw new TypeError(`got ${typeof value}`)
      headers.set(name, value)
    } catch {
      throw new TypeError(`option otlp.headers must have names and values of headers, not those of ${JSON.stringify(name)}`)
    }
  }
  headers.set('Content-Type', 'application/json')
  return headers
}
