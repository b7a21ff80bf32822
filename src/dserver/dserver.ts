import { optionNames, requireNames, requireOptions, whole } from '../base/check-options.ts'
import type { Logger } from '../base/log.ts'
import { realClock, wallTime } from '../base/time/clock.ts'
import { parseAddress } from '../transports/address.ts'
import { runCommandLine } from './cli/command-line.ts'
import type { ConfigSection } from './config/section.ts'
import { sandboxLogger } from './ctl/log-hub.ts'
import { type DServerOptions, type ProcessModel, readServerOptions, requireName, type ServerSettings } from './options.ts'
import { bindSandbox, Sandbox, type SandboxState } from './sandbox/sandbox.ts'
import { Sandboxes } from './sandbox/sandboxes.ts'
import type { ServerEnvironment, ServerParts, ServiceSettings } from './server-parts.ts'

/** Name of the service of sandboxes that were added without one. */
const DEFAULT_SERVICE = 'default'

/** A named group of sandboxes; in the multi process model a process of its own. */
export class Service {
  /** Name of the service, unique in the application. */
  readonly name: string
  readonly #add: (sandbox: Sandbox, service: string) => void

  /** @internal */
  constructor(name: string, add: (sandbox: Sandbox, service: string) => void) {
    this.name = name
    this.#add = add
  }

  /** Adds sandboxes, as `DServer.addSandbox`. */
  addSandbox(...sandboxes: Sandbox[]): this {
    for (const sandbox of sandboxes) this.#add(sandbox, this.name)
    return this
  }
}

/** Options of `DServer.newService` for the multi process model; in the single one they change nothing. */
export interface ServiceOptions {
  /** Number of processes of the service, which share what they listen on. Default 1. */
  instances?: number | undefined
  /**
   * URLs `tcp://host:port` and `unix:///path` on which sandboxes of the service listen. The master opens them and hands
   * them on, so that several processes can listen there, and a reload refuses no connection. Default: none.
   */
  listen?: readonly string[] | undefined
}

/** Parts of a server that was made by this copy of the package. */
let partsOf: (server: DServer) => ServerParts

/**
 * An application that runs for years: its sandboxes, and around them the commands, files and signals by which an
 * operator starts, stops and replaces it (docs/dserver.md).
 *
 * @example
 * DServer.run('app', (svr) => svr.addSandbox(new Hello())) // node app.mjs start
 */
export class DServer {
  /** Name of the application. */
  readonly name: string
  /** The whole configuration. */
  readonly config: ConfigSection
  /** Name of the environment, such as `product`, `dev` or `test`: the flag `--env`. */
  readonly environment: string
  /** Logger of the application. Operators read its lines by `log` of the control program. */
  readonly log: Logger
  /** Milliseconds since 1970 when this process began to start. */
  readonly startTime = wallTime(realClock)
  readonly #settings: ServerSettings
  readonly #sandboxes = new Sandboxes()
  readonly #services = new Map<string, Service>()
  readonly #serviceSettings = new Map<string, ServiceSettings>()
  readonly #beforeStop: (() => unknown)[] = []
  #model: ProcessModel = 'single'

  static {
    partsOf = (server) => ({
      sandboxes: server.#sandboxes,
      model: server.#model,
      services: server.#serviceSettings,
      beforeStop: server.#beforeStop,
    })
  }

  /** @internal */
  constructor({ name, settings, config, log, environmentName }: ServerEnvironment) {
    this.name = name
    this.config = config.root
    this.environment = environmentName
    this.log = log
    this.#settings = settings
  }

  /**
   * Does what the command line says: `start`, `stop`, `quit`, `reload`, `version` or `ctl`. `start` runs until it is
   * told to stop, then ends the process; other commands set its exit code.
   *
   * @param name of the application, on which its files and the prefix of its environment variables depend
   * @param build adds sandboxes; called by `start` alone, once the configuration was read
   * @throws TypeError or RangeError (rejects) for a bad name or option
   */
  static async run(name: string, build: (server: DServer) => unknown, options: DServerOptions = {}): Promise<void> {
    requireName('an application', name)
    if (typeof build !== 'function') throw new TypeError('the second argument of DServer.run must be a function')
    const settings = readServerOptions(options)
    process.exitCode = await runCommandLine({
      name,
      settings,
      args: options.args ?? process.argv.slice(2),
      build: async (environment) => {
        const server = new DServer(environment)
        await build(server)
        return partsOf(server)
      },
    })
  }

  /**
   * Adds a sandbox.
   *
   * @param service where it belongs; default: the service `default`
   * @throws TypeError when it is no Sandbox, or has a bad name; Error when its name is taken, or it was added before
   */
  addSandbox(sandbox: Sandbox, service: Service | string = DEFAULT_SERVICE): void {
    this.#add(sandbox, typeof service === 'string' ? service : service.name)
  }

  /**
   * Makes a service, to which sandboxes can be added; the same one for the same name.
   * @throws TypeError or RangeError for a bad name or option
   */
  newService(name: string, options?: ServiceOptions): Service {
    requireName('a service', name)
    if (options !== undefined) this.#serviceSettings.set(name, readServiceOptions(options))
    const found = this.#services.get(name) ?? new Service(name, (sandbox, service) => this.#add(sandbox, service))
    this.#services.set(name, found)
    return found
  }

  /**
   * Chooses the process model, unless the flag `--model` does. Default `single`.
   * @throws TypeError
   */
  processModel(model: ProcessModel): void {
    if (model !== 'single' && model !== 'multi')
      throw new TypeError(`the process model must be single or multi, got ${JSON.stringify(model)}`)
    this.#model = model
  }

  /**
   * Runs `check` before the server stops or is replaced. When it returns false, or a promise of it, the server goes on
   * and the command fails. When it throws, that is logged and the server stops.
   */
  beforeStop(check: () => unknown): void {
    if (typeof check !== 'function') throw new TypeError('beforeStop needs a function')
    this.#beforeStop.push(check)
  }

  /** Finds a sandbox by its name, of whatever service. */
  sandbox<Found extends Sandbox = Sandbox>(name: string): Found | undefined {
    return this.#sandboxes.find(name)?.sandbox as Found | undefined
  }

  /** State of a sandbox in this process; undefined when there is none of this name. */
  sandboxState(name: string): SandboxState | undefined {
    return this.#sandboxes.find(name)?.state
  }

  #add(sandbox: Sandbox, serviceName: string): void {
    if (!(sandbox instanceof Sandbox)) throw new TypeError('addSandbox needs an object whose class extends Sandbox')
    requireName('a service', serviceName)
    const { log } = this
    this.#sandboxes.add(sandbox, serviceName, log, this.#settings.setupTimeout)
    const config = this.config.section(`sandbox.${sandbox.name}`)
    bindSandbox(sandbox, { serviceName, config, log: sandboxLogger(log, sandbox.name), find: (name) => this.sandbox(name) })
  }
}

const serviceOptionNames = optionNames<ServiceOptions>({ instances: true, listen: true })

function readServiceOptions(options: ServiceOptions): ServiceSettings {
  requireOptions('options of a service', options, serviceOptionNames)
  const { instances = 1, listen = [] } = options
  requireNames('listen', listen)
  for (const url of listen) {
    const address = parseAddress(url)
    // Each process looks for its socket by the port.
    if (address.kind === 'tcp' && address.port === 0) throw new TypeError(`option listen: ${url} needs a port other than 0`)
  }
  return { instances: whole('instances', instances, 1, 1024), listen: [...listen] }
}
