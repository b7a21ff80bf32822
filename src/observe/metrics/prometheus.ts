import { flag, optionNames, requireFunction, requireOptions, requireText } from '../../base/check-options.ts'
import { reasonOf } from '../../base/errors/error-text.ts'
import { consoleLogger, type Logger } from '../../base/log.ts'
import type { Endpoint } from '../../endpoint/endpoint.ts'
import type { Plugin } from '../../hooks/plugin.ts'
import { DEFAULT_BOUNDS, planBuckets } from './buckets.ts'
import type { Sources } from './collect.ts'
import { EndpointSet } from './endpoints.ts'
import { EndpointMeter } from './meter.ts'
import { chooseFormat } from './negotiate.ts'
import { PageServer, readPageAddress } from './page-server.ts'
import { contentTypes } from './page-text.ts'
import { ProcessMetrics, processNames } from './process.ts'
import { type MetricsRegistry, registerIn, requireRegistry } from './register.ts'
import { Renderer } from './render.ts'

/** Options of `prometheus`. */
export interface PrometheusOptions {
  /** Name of the service, the label `name` of all series. Default: '', which means no such label. */
  service?: string | undefined
  /**
   * Address of a page to serve, such as `http://127.0.0.1:9101`; port 0 lets the system choose one, and a path replaces
   * `/metrics`. Default: none.
   */
  listen?: string | undefined
  /** A registry of prom-client 15 that shows the metrics. Default: none. */
  register?: MetricsRegistry | undefined
  /** Upper bounds of the buckets of durations, in seconds. Default: 0.0005 to 10, as docs/metrics.md lists them. */
  buckets?: readonly number[] | undefined
  /** Whether the four metrics of Go DMicro are shown, which Go's dashboards read. Default: true. */
  go?: boolean | undefined
  /**
   * Says whether the process is ready for work; asked by `/readyz` once an endpoint has listened or dialled and none is
   * closing. Default: always.
   */
  ready?: (() => boolean | Promise<boolean>) | undefined
}

/** A page of metrics. */
export interface MetricsPage {
  /** Value of the header `Content-Type`. */
  readonly contentType: string
  readonly body: Buffer
}

/** The plugin that `prometheus` makes. */
export interface PrometheusPlugin extends Plugin {
  /** URL of the page's server, such as `http://127.0.0.1:9101`; undefined while it does not listen. */
  readonly url: string | undefined
  /**
   * Serves the page now. It is served anyway once an endpoint is made with the plugin, and until the last is closed.
   *
   * @returns the URL; undefined without the option `listen`
   * @throws Error (rejects) of the system when it cannot listen
   */
  start(): Promise<string | undefined>
  /**
   * Makes a page, for a server of your own.
   *
   * @param accept header `Accept` of the request, which chooses the format. Default: the text format
   */
  page(accept?: string): Promise<MetricsPage>
  /** Stops serving the page, and removes the metrics from the registry. */
  close(): Promise<void>
}

const known = optionNames<PrometheusOptions>({ service: true, listen: true, register: true, buckets: true, go: true, ready: true })

/**
 * Measures endpoints for Prometheus (docs/metrics.md). The plugin may be given to several endpoints, whose numbers are
 * summed.
 *
 * @throws TypeError or RangeError for bad options
 * @throws Error of the registry when it has one of the metrics
 * @example
 * const metrics = prometheus({ service: 'math', listen: 'http://127.0.0.1:9101' })
 * new Endpoint({ plugins: [metrics] })
 */
export function prometheus(options: PrometheusOptions = {}): PrometheusPlugin {
  return new Prometheus(options)
}

class Prometheus implements PrometheusPlugin {
  readonly name = 'prometheus'
  readonly #meter: EndpointMeter
  readonly #endpoints: EndpointSet
  readonly #renderer: Renderer
  readonly #server: PageServer | undefined
  readonly #process: ProcessMetrics | undefined
  #unregister: (() => void) | undefined
  #starting: Promise<string> | undefined
  #url: string | undefined
  #log: Logger | undefined
  #isUsed = false

  constructor(options: PrometheusOptions) {
    requireOptions('options', options, known)
    const { service = '', listen, register, buckets = DEFAULT_BOUNDS, ready } = options
    requireText('service', service)
    if (ready !== undefined) requireFunction('ready', ready)
    const plan = planBuckets(buckets, flag('go', options.go, true))
    const address = listen === undefined ? undefined : readPageAddress(listen)
    this.#meter = new EndpointMeter(service, plan.bounds)
    this.#endpoints = new EndpointSet(this.#meter)
    if (register !== undefined) requireRegistry(register)
    const hasProcess = register !== undefined && processNames.some((name) => register.getSingleMetric(name) !== undefined)
    this.#process = hasProcess ? undefined : new ProcessMetrics()
    const sources: Sources = { meter: this.#meter, endpoints: this.#endpoints, process: this.#process, plan }
    this.#renderer = new Renderer(sources)
    if (address !== undefined) {
      const isReady = (): boolean | Promise<boolean> => this.#endpoints.isReady && (ready === undefined || ready())
      this.#server = new PageServer({ renderer: this.#renderer, isReady, failed: (error) => this.#failed(error) }, address)
    }
    if (register !== undefined) {
      this.#process?.start()
      this.#unregister = registerIn(register, sources)
    }
  }

  get url(): string | undefined {
    return this.#url
  }

  start(): Promise<string | undefined> {
    this.#process?.start()
    if (this.#server === undefined) return Promise.resolve(undefined)
    this.#starting ??= this.#listen(this.#server)
    return this.#starting
  }

  async #listen(server: PageServer): Promise<string> {
    try {
      const url = await server.listen()
      if (this.#starting === undefined) await server.close()
      else this.#url = url
      return url
    } catch (error) {
      this.#starting = undefined
      throw error
    }
  }

  async page(accept?: string): Promise<MetricsPage> {
    const format = chooseFormat(accept)
    return { contentType: contentTypes[format], body: await this.#renderer.render(format) }
  }

  async close(): Promise<void> {
    this.#unregister?.()
    this.#unregister = undefined
    await this.#stop()
  }

  async #stop(): Promise<void> {
    this.#process?.stop()
    this.#url = undefined
    const starting = this.#starting
    this.#starting = undefined
    await starting?.catch(() => {})
    await this.#server?.close()
  }

  #failed(error: unknown): void {
    this.#log ??= consoleLogger()
    this.#log.error('a metrics page failed', { error: reasonOf(error) })
  }

  /** @internal */
  afterNewEndpoint(endpoint: Endpoint): Promise<unknown> {
    this.#log ??= endpoint.log
    if (!this.#isUsed) this.#meter.useClock(endpoint.clock)
    this.#isUsed = true
    this.#endpoints.add(endpoint)
    return this.start()
  }

  /** @internal */
  afterListen(): void {
    this.#endpoints.listens()
  }

  /** @internal */
  beforeCloseEndpoint(): void {
    this.#endpoints.closing()
  }

  /** @internal */
  async afterCloseEndpoint(endpoint: Endpoint): Promise<void> {
    this.#endpoints.remove(endpoint)
    if (this.#endpoints.size === 0) await this.#stop()
  }
}
