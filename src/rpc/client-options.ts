import { duration, flag, optionNames, requireAll, requireText, timeLimit, whole } from '../base/check-options.ts'
import type { DialOptions } from '../endpoint/connect-options.ts'
import type { CallOptions } from '../message/call-options.ts'
import type { HeartbeatPingOptions } from '../plugins/heartbeat.ts'
import type { EndpointOptions } from '../session/options.ts'
import type { BreakerOptions } from './broker/breaker-options.ts'
import type { FallbackOptions } from './broker/fallback.ts'
import type { HedgeOptions } from './broker/hedge.ts'
import type { RetryOptions } from './broker/retry-policy.ts'
import type { Registry } from './registry/registry.ts'
import type { NodeFilter } from './selector/filters/filter.ts'
import { byVersion } from './selector/filters/version.ts'
import type { SelectorOptions } from './selector/selector.ts'
import type { StrategyName } from './selector/strategies/by-name.ts'
import type { Strategy } from './selector/strategy.ts'
import { requireRegistry, without } from './server-options.ts'

/** Options of one call of an `RpcClient`. */
export interface RpcCallOptions extends CallOptions {
  /** Affinity key: with the strategy `consistentHash`, calls of one key go to one node. Default: none. */
  key?: string | undefined
  /** How the node of this call is picked. Default: the client's `strategy`. */
  strategy?: StrategyName | Strategy | undefined
  /** Leave out nodes for this call, after the client's. Default: none. */
  nodeFilters?: readonly NodeFilter[] | undefined
}

/** Options of a client besides those of its endpoint. */
interface OwnOptions extends Pick<SelectorOptions, 'strategy' | 'health' | 'slowStart'> {
  /** Where the nodes of the service are found. */
  registry: Registry
  /**
   * Leave out nodes, in this order, such as `byZone`. (The option `filters` is that of the endpoint: transfer filters.)
   * Default: none.
   */
  nodeFilters?: readonly NodeFilter[] | undefined
  /** Options of dialling nodes: TLS, protocol, WebSocket, socket. Default: those of the endpoint. */
  dial?: Omit<DialOptions, 'signal' | 'redial'> | undefined
  /** Number of sessions with each node, at most 64. Default: 1, which all calls share. */
  sessionsPerNode?: number | undefined
  /** Milliseconds that one attempt may take, so that there is time for another one. Default: as long as the call. */
  attemptTimeout?: number | undefined
  /** When a call that failed is made again; `false` for never. Default: those of `RetryOptions`. */
  retry?: RetryOptions | false | undefined
  /** Circuit breakers of each node's methods. Default: false; the selector takes nodes out that fail. */
  breaker?: BreakerOptions | boolean | undefined
  /**
   * Makes idempotent calls once more, on another node, when the reply takes longer than usual; `true` for the defaults
   * of `HedgeOptions`. Its budget is that of the retries. Default: false.
   */
  hedge?: Omit<HedgeOptions, 'budget'> | boolean | undefined
  /** Gives the value for a call that failed for good: a function, or one with conditions. Default: the call rejects. */
  fallback?: FallbackOptions | FallbackOptions['handle'] | undefined
  /** Version of the service that is called: a version, or a range such as '^1.2'. Default: any. */
  version?: string | undefined
  /** Heartbeats to all nodes, which find those that are frozen (`heartbeatPing`). Default: every 30 seconds. */
  heartbeat?: HeartbeatPingOptions | boolean | undefined
}

/** Options of a client: its own, and those of its endpoint. */
export interface RpcClientOptions extends Omit<EndpointOptions, 'redial'>, OwnOptions {}

const ownNames: readonly string[] = [
  ...optionNames<OwnOptions>({
    registry: true,
    strategy: true,
    nodeFilters: true,
    health: true,
    slowStart: true,
    dial: true,
    sessionsPerNode: true,
    attemptTimeout: true,
    retry: true,
    breaker: true,
    hedge: true,
    fallback: true,
    version: true,
    heartbeat: true,
  }),
]

/** The options of a client, complete and checked but for those of its endpoint and its parts. */
interface ClientSettings {
  readonly registry: Registry
  readonly selector: Omit<SelectorOptions, 'registry'>
  readonly dial: DialOptions
  readonly sessionsPerNode: number
  readonly attemptTimeout: number
  readonly retry: RetryOptions | undefined
  readonly breaker: BreakerOptions | undefined
  readonly hedge: HedgeOptions | undefined
  readonly fallback: FallbackOptions | undefined
  readonly heartbeat: HeartbeatPingOptions | undefined
  readonly endpoint: EndpointOptions
}

const MAX_SESSIONS = 64

/** @throws TypeError or RangeError that names the option */
export function readClientOptions(options: RpcClientOptions): ClientSettings {
  const { registry, heartbeat = true, retry, breaker = false, hedge = false, fallback, version } = options
  const { nodeFilters = [] } = options
  const filters = version === undefined ? nodeFilters : [byVersion(version), ...nodeFilters]
  if (registry === undefined) throw new TypeError('option registry must say where nodes are found, as staticRegistry([address])')
  requireRegistry(registry)
  requireText('version', options.version)
  if ('redial' in options) throw new TypeError('option redial: a client dials again by itself')
  return {
    registry,
    selector: { strategy: options.strategy, filters, health: options.health, slowStart: options.slowStart },
    dial: { ...options.dial },
    sessionsPerNode: whole('sessionsPerNode', options.sessionsPerNode ?? 1, 1, MAX_SESSIONS),
    attemptTimeout: timeLimit('attemptTimeout', options.attemptTimeout, 0),
    retry: retry === false ? undefined : (retry ?? {}),
    breaker: typeof breaker === 'object' ? breaker : flag('breaker', breaker, false) ? {} : undefined,
    hedge: typeof hedge === 'object' ? hedge : flag('hedge', hedge, false) ? {} : undefined,
    fallback: typeof fallback === 'function' ? { handle: fallback } : fallback,
    heartbeat: typeof heartbeat === 'object' ? heartbeat : flag('heartbeat', heartbeat, true) ? {} : undefined,
    endpoint: without(options, ownNames),
  }
}

/** The options of a call for its session: without those that are the client's. */
export function forSession(options: RpcCallOptions): CallOptions | undefined {
  requireText('key', options.key)
  requireAll('nodeFilters', options.nodeFilters, 'filter')
  flag('idempotent', options.idempotent, false)
  duration('timeout', options.timeout, 0, 0)
  const { key, idempotent, strategy, nodeFilters, ...rest } = options
  return rest
}
