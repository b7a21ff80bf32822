import { flag, optionNames, requireFunction, requireOptions, requireText } from '../../base/check-options.ts'
import { reasonOf } from '../../base/errors/error-text.ts'
import { consoleLogger, type Logger } from '../../base/log.ts'
import type { Endpoint } from '../../endpoint/endpoint.ts'
import type { Plugin, PluginContainer } from '../../hooks/plugin.ts'
import { DEFAULT_BOUNDS, planBuckets } from './buckets.ts'
import { collect, type Sources } from './collect.ts'
import { EndpointSet } from './endpoints.ts'
import type { Visitor } from './family.ts'
import { EndpointMeter } from './meter.ts'
import { chooseFormat } from './negotiate.ts'
import { type OtlpOptions, OtlpPush } from './otlp-push.ts'
import { PageServer, readPageAddress } from './page-server.ts'
import { contentTypes } from './page-text.ts'
import { ProcessMetrics, processNames } from './process.ts'
import { type MetricsRegistry, registerIn, requireRegistry } from './register.ts'
import { inSlices, type PageSource, Renderer } from './render.ts'
import { Snapshot } from './snapshot.ts'
import { WorkerSums } from './workers.ts'

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
   * Says whether the process is ready for work; asked by `/readyz` while an endpoint that listens is open, or one that
   * has dialled where none has listened, and none is closing. Default: always.
   */
  ready?: (() => boolean | Promise<boolean>) | undefined
  /**
   * Whether the page is the sum over the workers of `node:cluster` and over worker threads that have a plugin with the
   * same `service` and this option. The page is served by the primary and the main thread alone. Default: false.
   */
  workers?: boolean | undefined
  /** Pushes the metrics to a collector of OpenTelemetry. Default: none. */
  otlp?: OtlpOptions | undefined
}

/** A page of metrics. */
export interface MetricsPage {
  /** Value of the header `Content-Type`. */
  readonly contentType: string
  /** The page in the format of `contentType`. */
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

const known = optionNames<PrometheusOptions>({
  service: true,
  listen: true,
  register: true,
  buckets: true,
  go: true,
  ready: true,
  workers: true,
  otlp: true,
})

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
  readonly #workers: WorkerSums | undefined
  readonly #otlp: OtlpPush | undefined
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
    const own: PageSource = {
      prepare: async () => {
        await this.#process?.prepare()
        return (visitor) => collect(sources, visitor)
      },
    }
    const workers = flag('workers', options.workers, false) ? new WorkerSums(service, () => takeSnapshot(own)) : undefined
    this.#workers = workers
    const source: PageSource = workers === undefined ? own : { prepare: async () => visitOf(await workers.sum()) }
    this.#renderer = new Renderer(source)
    if (options.otlp !== undefined)
      this.#otlp = new OtlpPush(source, service, options.otlp, (error) => this.#failed('a push of metrics failed', error))
    if (address !== undefined) {
      const isReady = (): boolean | Promise<boolean> => this.#endpoints.isReady && (ready === undefined || ready())
      this.#server = new PageServer(
        { renderer: this.#renderer, isReady, failed: (error) => this.#failed('a metrics page failed', error) },
        address,
      )
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
    this.#workers?.open()
    if (this.#workers?.isAsked === true) return Promise.resolve(undefined)
    this.#otlp?.start()
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
    return { contentType: contentTypes[format], body: Buffer.concat(await this.#renderer.render(format)) }
  }

  async close(): Promise<void> {
    this.#unregister?.()
    this.#unregister = undefined
    await this.#stop()
  }

  async #stop(): Promise<void> {
    await this.#otlp?.stop()
    await this.#workers?.close()
    this.#process?.stop()
    this.#url = undefined
    const starting = this.#starting
    this.#starting = undefined
    await starting?.catch(() => {})
    await this.#server?.close()
  }

  #failed(text: string, error: unknown): void {
    this.#log ??= consoleLogger()
    this.#log.error(text, { error: reasonOf(error) })
  }

  /** @internal */
  beforeNewEndpoint(_options: object, plugins: PluginContainer): void {
    plugins.appendRight({ name: 'prometheus-endpoint', afterListen: () => this.#endpoints.listens(plugins) })
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
  beforeCloseEndpoint(endpoint: Endpoint): void {
    this.#endpoints.closing(endpoint)
  }

  /** @internal */
  async afterCloseEndpoint(endpoint: Endpoint): Promise<void> {
    this.#endpoints.remove(endpoint)
    if (this.#endpoints.size === 0) await this.#stop()
  }
}

async function takeSnapshot(source: PageSource): Promise<Snapshot> {
  const visit = await source.prepare()
  const snapshot = new Snapshot()
  await inSlices(visit(snapshot), () => {})
  return snapshot
}

function visitOf(snapshot: Snapshot): (visitor: Visitor) => Iterable<void> {
  return (visitor) => snapshot.visit(visitor)
}
