import type { Logger } from '../base/log.ts'
import type { Config } from './config/config.ts'
import type { ProcessModel, ServerSettings } from './options.ts'
import type { Sandboxes } from './sandbox/sandboxes.ts'

/** Things that a server is built with. */
export interface ServerEnvironment {
  readonly name: string
  readonly settings: ServerSettings
  readonly config: Config
  readonly log: Logger
  readonly environmentName: string
}

/** How a service runs in the multi process model. */
export interface ServiceSettings {
  readonly instances: number
  /** URLs that its processes share. */
  readonly listen: readonly string[]
}

/** A server, as the shell around it sees it. */
export interface ServerParts {
  readonly sandboxes: Sandboxes
  readonly model: ProcessModel
  readonly services: ReadonlyMap<string, ServiceSettings>
  /** Callbacks of `beforeStop`. */
  readonly beforeStop: readonly (() => unknown)[]
}
