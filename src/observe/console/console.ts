import { flag, optionNames, requireAll, requireMethods, requireNames, requireOptions, timeLimit } from '../../base/check-options.ts'
import { Deferred } from '../../base/deferred.ts'
import type { Endpoint } from '../../endpoint/endpoint.ts'
import type { Plugin, PluginContainer } from '../../hooks/plugin.ts'
import type { RpcClient } from '../../rpc/client.ts'
import type { EndpointOptions } from '../../session/options.ts'
import { readPageAddress } from '../metrics/page-server.ts'
import { LogTap } from './log-tap.ts'
import type { ConsoleServer } from './server.ts'
import type { ConsoleSettings, ConsoleState, ShownEndpoint } from './state.ts'

/** Options of `console`. */
export interface ConsoleOptions {
  /**
   * Address of the pages; port 0 lets the system choose one. An address that others can reach requires `token`.
   * Default: `http://127.0.0.1:0`.
   */
  listen?: string | undefined
  /** Secret of 16 characters or more that a browser must show once. Default: none. */
  token?: string | undefined
  /**
   * Names of this host that browsers may use, besides `localhost`, that of `listen`, and all IP addresses. Others are
   * refused, because a page of anybody's could let its own name lead here. Default: none.
   */
  hosts?: readonly string[] | undefined
  /**
   * Clients whose nodes, breakers and retries are shown, besides those that have the console as a plugin. The array may
   * grow later. Default: none.
   */
  clients?: readonly RpcClient[] | undefined
  /** Whether pages only show, and neither close sessions nor make calls. Default: false. */
  readOnly?: boolean | undefined
  /** Milliseconds from which a call is listed as slow. Default: 500. */
  slow?: number | undefined
  /**
   * Endpoint that tries calls, for one with plugins that the listeners ask for, such as `authClient`. Default: one of
   * the console's own.
   */
  caller?: Endpoint | undefined
}

/** The plugin that `console` makes. */
export interface ConsolePlugin extends Plugin {
  /** URL of the pages, such as `http://127.0.0.1:9102`; undefined while they are not served. */
  readonly url: string | undefined
  /**
   * Serves the pages now. They are served anyway once an endpoint with the plugin listens or dials, until the last one
   * is closed.
   *
   * @returns the URL
   * @throws Error (rejects) of the system when it cannot listen
   */
  start(): Promise<string>
  /** Stops serving the pages. */
  close(): Promise<void>
}

const known = optionNames<ConsoleOptions>({
  listen: true,
  token: true,
  hosts: true,
  clients: true,
  readOnly: true,
  slow: true,
  caller: true,
})
const MIN_TOKEN = 16
const pages = new Deferred(() => import('./server.ts'))

/**
 * Shows live pages about endpoints in a browser (docs/console.md). The plugin may be given to several endpoints.
 *
 * @throws TypeError or RangeError for bad options
 * @example
 * const pages = consolePages({ listen: 'http://127.0.0.1:9102' })
 * new Endpoint({ plugins: [pages] })
 */
export function console(options: ConsoleOptions = {}): ConsolePlugin {
  return new Console(readConsoleOptions(options))
}

function readConsoleOptions(options: ConsoleOptions): ConsoleSettings {
  requireOptions('options', options, known)
  const { listen = 'http://127.0.0.1:0', token, hosts = [], clients = [], caller } = options
  const { host, port, path } = readPageAddress(listen)
  if (path !== '/metrics' || new URL(listen).pathname !== '/') throw new TypeError('option listen of a console must have no path')
  if (token !== undefined && (typeof token !== 'string' || token.length < MIN_TOKEN))
    throw new TypeError(`option token must be a string of ${MIN_TOKEN} characters or more`)
  if (token === undefined && !isLoopback(host))
    throw new TypeError(`option listen: ${host} can be reached by others, which requires the option token`)
  requireNames('hosts', hosts)
  requireAll('clients', clients, 'call')
  if (caller !== undefined) requireMethods('caller', caller, 'dial')
  const readOnly = flag('readOnly', options.readOnly, false)
  const slow = timeLimit('slow', options.slow, 500)
  return { host, port, token, hosts, clients, readOnly, slow: slow === 0 ? Number.POSITIVE_INFINITY : slow, caller }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

class Console implements ConsolePlugin {
  readonly name = 'console'
  readonly #state: ConsoleState
  /** Endpoints that are made, by their plugins: the hooks about routes and addresses do not name their endpoint. */
  readonly #made = new WeakMap<PluginContainer, ShownEndpoint>()
  #numbers = 0
  #server: ConsoleServer | undefined
  #starting: Promise<string> | undefined
  #url: string | undefined

  constructor(settings: ConsoleSettings) {
    this.#state = { settings, endpoints: new Map(), logs: new LogTap() }
  }

  get url(): string | undefined {
    return this.#url
  }

  start(): Promise<string> {
    this.#starting ??= this.#start()
    return this.#starting
  }

  async #start(): Promise<string> {
    try {
      const { ConsoleServer } = await pages.load()
      const server = (this.#server ??= new ConsoleServer(this.#state))
      const url = await server.listen()
      if (this.#starting === undefined) await server.close()
      else this.#url = url
      return url
    } catch (error) {
      this.#starting = undefined
      throw error
    }
  }

  async close(): Promise<void> {
    this.#url = undefined
    const starting = this.#starting
    this.#starting = undefined
    await starting?.catch(() => {})
    await this.#server?.close()
  }

  /** @internal */
  beforeNewEndpoint(options: EndpointOptions, plugins: PluginContainer): void {
    options.log = this.#state.logs.tap(options.log)
    const made: ShownEndpoint = { number: ++this.#numbers, routes: new Map(), urls: new Set() }
    this.#made.set(plugins, made)
    plugins.appendRight({
      name: 'console-endpoint',
      afterRegRouter: (route) => void made.routes.set(`${route.kind} ${route.name}`, route),
      afterListen: (url) => void made.urls.add(url),
    })
  }

  /** @internal */
  async afterNewEndpoint(endpoint: Endpoint): Promise<void> {
    this.#state.endpoints.set(endpoint, this.#made.get(endpoint.plugins) as ShownEndpoint)
    await this.start()
    // By now the plugins named after this one have set the meter, if one of them measures.
    this.#server?.add(endpoint)
  }

  /** @internal */
  async afterCloseEndpoint(endpoint: Endpoint): Promise<void> {
    const { endpoints } = this.#state
    endpoints.delete(endpoint)
    if (endpoints.size === 0) await this.close()
  }
}
