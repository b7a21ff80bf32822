import type { Endpoint } from '../../endpoint/endpoint.ts'
import type { RouteInfo } from '../../hooks/route-info.ts'
import type { RpcClient } from '../../rpc/client.ts'
import type { LogTap } from './log-tap.ts'

/** The settings of a console, checked. */
export interface ConsoleSettings {
  readonly host: string
  readonly port: number
  readonly token: string | undefined
  readonly hosts: readonly string[]
  readonly clients: readonly RpcClient[]
  readonly readOnly: boolean
  readonly slow: number
  readonly caller: Endpoint | undefined
}

/** An endpoint as a console knows it. */
export interface ShownEndpoint {
  /** Number that forms name it by. */
  readonly number: number
  /** Routes by kind and name. */
  readonly routes: Map<string, RouteInfo>
  /** Addresses that it listens on. */
  readonly urls: Set<string>
}

/** All that a console knows of its endpoints. */
export interface ConsoleState {
  readonly settings: ConsoleSettings
  /** The endpoints that are not closed. */
  readonly endpoints: Map<Endpoint, ShownEndpoint>
  readonly logs: LogTap
}
