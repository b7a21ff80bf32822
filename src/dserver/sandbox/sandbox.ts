import type { Server } from 'node:net'
import type { Logger } from '../../base/log.ts'
import type { ConfigSection } from '../config/section.ts'
import { listenServer } from '../restart/servers.ts'

/** Where a sandbox is in its life. `fatal`: its setup or shutdown failed, or did not end in time. */
export type SandboxState = 'stopped' | 'starting' | 'running' | 'stopping' | 'fatal'

/** Things that a sandbox gets from the server that it was added to. */
interface SandboxContext {
  readonly serviceName: string
  readonly config: ConfigSection
  readonly log: Logger
  /** Finds another sandbox of this process by its name. */
  find(name: string): Sandbox | undefined
}

/** Gives a sandbox its context. Requires that it was made by this copy of the package. */
export let bindSandbox: (sandbox: Sandbox, context: SandboxContext) => void
/** Gives a sandbox the signal of the run that begins. */
export let setSandboxSignal: (sandbox: Sandbox, signal: AbortSignal) => void

/**
 * A part of an application that starts and stops as one: a server, a worker, a connection to a database
 * (docs/dserver.md).
 *
 * @example
 * class Hello extends Sandbox {
 *   name = 'hello'
 *   endpoint = new Endpoint()
 *   async setup() {
 *     await this.endpoint.listen('tcp://127.0.0.1:9000')
 *   }
 *   async shutdown() {
 *     await this.endpoint.close()
 *   }
 * }
 */
export abstract class Sandbox {
  /** Name in the application, which no other sandbox has. */
  abstract readonly name: string
  /** Names of the sandboxes that must be ready before this one starts, and that stop after it. */
  readonly dependsOn: readonly string[] = []
  /** Whether the application starts without this sandbox when its setup fails. */
  readonly optional: boolean = false
  /** Milliseconds that `setup` may take; undefined: the server's `setupTimeout`. */
  readonly setupTimeout: number | undefined
  /** Milliseconds that `shutdown` may take; undefined: what is left of the server's time to stop. */
  readonly shutdownTimeout: number | undefined
  #context: SandboxContext | undefined
  #signal: AbortSignal | undefined

  /** Starts; the sandbox is ready when this resolves. May be called again after `shutdown`. */
  abstract setup(): unknown
  /** Stops and frees what `setup` took. Called once for each setup that succeeded. */
  abstract shutdown(): unknown

  static {
    bindSandbox = (sandbox, context) => {
      if (sandbox.#context !== undefined) throw new Error(`sandbox ${sandbox.name} was added before`)
      sandbox.#context = context
    }
    setSandboxSignal = (sandbox, signal) => {
      sandbox.#signal = signal
    }
  }

  /** Name of the service that the sandbox belongs to. */
  get serviceName(): string {
    return this.#bound.serviceName
  }

  /** The section `sandbox.NAME` of the configuration. */
  get config(): ConfigSection {
    return this.#bound.config
  }

  /** The server's logger. */
  get log(): Logger {
    return this.#bound.log
  }

  /** Fires when the sandbox is told to stop, also during its setup, and when its setup did not end in time. */
  get signal(): AbortSignal {
    if (this.#signal === undefined) throw new Error(`sandbox ${this.name} was not started`)
    return this.#signal
  }

  /**
   * Makes a server of the application's own (`node:http`, `node:https`, `node:net`) listen on `tcp://host:port` or
   * `unix:///path`, so that a reload passes its socket on. `shutdown` closes the server.
   *
   * @returns the URL with the real port
   * @throws (rejects) TypeError for a bad URL; the system's error when it cannot listen
   */
  listen(server: Server, url: string): Promise<string> {
    return listenServer(server, url)
  }

  /** Another sandbox of this process; undefined when there is none of this name, or it runs in another process. */
  find<Other extends Sandbox = Sandbox>(name: string): Other | undefined {
    return this.#bound.find(name) as Other | undefined
  }

  get #bound(): SandboxContext {
    if (this.#context === undefined) throw new Error(`sandbox ${this.name} was not added to a server`)
    return this.#context
  }
}
