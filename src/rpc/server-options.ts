import { duration, flag, optionNames, requireFunction, requireMeta, requireText } from '../base/check-options.ts'
import type { ListenOptions } from '../endpoint/connect-options.ts'
import type { HeartbeatPongOptions } from '../plugins/heartbeat.ts'
import type { EndpointOptions } from '../session/options.ts'
import type { TlsListenOptions } from '../transports/tls/options.ts'
import { REGISTER_TTL, type Registry } from './registry/registry.ts'

/** An address to listen on, with its options. */
export interface ListenTarget extends ListenOptions {
  /** As for `Endpoint.listen`. */
  url: string
}

/** Options of a server besides those of its endpoint. */
interface OwnOptions {
  /** Version of the service, free text that clients can choose by. Default: '1.0.0'. */
  version?: string | undefined
  /**
   * Where to listen: a url as for `Endpoint.listen`, or several. The first is the address of the service's node, unless
   * `advertise` says otherwise. Default: 'tcp://0.0.0.0:0', all interfaces and any free port.
   */
  listen?: string | ListenTarget | readonly (string | ListenTarget)[] | undefined
  /** TLS of those urls of `listen` that are `tls://` or `wss://` and bring none of their own. Default: none. */
  tls?: TlsListenOptions | undefined
  /** Where the service is registered; `false` for nowhere, when clients know the address. Default: false. */
  registry?: Registry | false | undefined
  /**
   * The address that clients dial, where it is not the one this host sees: `host:port` or a url. Several are several
   * nodes. Default: the first address of `listen`, an unspecified host replaced by an address of this host.
   */
  advertise?: string | readonly string[] | undefined
  /** Metadata of the node, such as `weight` or `zone`. Default: none but `registry` and `server`, as Go's. */
  metadata?: Readonly<Record<string, string>> | undefined
  /** Called when the server listens. It is registered when this has resolved. Default: at once. */
  ready?: (() => unknown) | undefined
  /** Milliseconds between two registrations. Default: 30,000. */
  leasesInterval?: number | undefined
  /** Milliseconds that the record outlives the process. Default: 90,000. */
  ttl?: number | undefined
  /**
   * Milliseconds that a server which closes goes on serving after it was deregistered, so that clients learn of it
   * before it refuses them. Default: 100.
   */
  drainDelay?: number | undefined
  /** Whether heartbeats of clients are answered, and silent clients closed (`heartbeatPong`). Default: true. */
  heartbeat?: boolean | HeartbeatPongOptions | undefined
}

/** Options of a server: its own, and those of its endpoint. */
export interface RpcServerOptions extends EndpointOptions, OwnOptions {}

const ownNames: readonly string[] = [
  ...optionNames<OwnOptions>({
    version: true,
    listen: true,
    tls: true,
    registry: true,
    advertise: true,
    metadata: true,
    ready: true,
    leasesInterval: true,
    ttl: true,
    drainDelay: true,
    heartbeat: true,
  }),
]

/** The options of a server, complete and checked but for those of its endpoint. */
export interface ServerSettings {
  readonly version: string
  readonly listen: readonly ListenTarget[]
  readonly registry: Registry | undefined
  readonly advertise: readonly string[] | undefined
  readonly metadata: Readonly<Record<string, string>>
  readonly ready: (() => unknown) | undefined
  readonly leasesInterval: number
  readonly ttl: number
  readonly drainDelay: number
  readonly heartbeat: HeartbeatPongOptions | undefined
  readonly endpoint: EndpointOptions
}

/** @throws TypeError or RangeError that names the option */
export function readServerOptions(options: RpcServerOptions): ServerSettings {
  const { version = '1.0.0', registry = false, heartbeat = true } = options
  requireText('version', version)
  requireRegistry(registry)
  requireMeta('metadata', options.metadata)
  requireFunction('ready', options.ready)
  const leasesInterval = duration('leasesInterval', options.leasesInterval, 30_000, 1)
  const ttl = duration('ttl', options.ttl, Math.max(REGISTER_TTL, 3 * leasesInterval), 1)
  if (ttl <= leasesInterval) throw new RangeError(`option ttl must be more than leasesInterval, ${leasesInterval} ms, got ${ttl}`)
  return {
    version,
    listen: readListen(options),
    registry: registry === false ? undefined : registry,
    advertise: options.advertise === undefined ? undefined : listOf('advertise', options.advertise),
    metadata: options.metadata ?? {},
    ready: options.ready,
    leasesInterval,
    ttl,
    drainDelay: duration('drainDelay', options.drainDelay, 100, 0),
    heartbeat: typeof heartbeat === 'object' ? heartbeat : flag('heartbeat', heartbeat, true) ? {} : undefined,
    endpoint: without(options, ownNames),
  }
}

/** @throws TypeError */
export function requireRegistry(registry: Registry | false): void {
  const { register, getService, watch } = Object(registry) as Partial<Registry>
  if (registry === false || [register, getService, watch].every((method) => typeof method === 'function')) return
  throw new TypeError('option registry must be a registry, such as memoryRegistry(), or false')
}

/** @throws TypeError for an empty name */
export function requireService(name: string): void {
  if (typeof name !== 'string' || name === '') throw new TypeError('a service needs a name')
}

/** `options` without what the wrapper reads itself, for its endpoint, which refuses names that it does not know. */
export function without(options: object, names: readonly string[]): EndpointOptions {
  const rest: Record<string, unknown> = { ...options }
  for (const name of names) delete rest[name]
  return rest
}

function readListen({ listen = 'tcp://0.0.0.0:0', tls }: RpcServerOptions): readonly ListenTarget[] {
  const all = (Array.isArray(listen) ? listen : [listen]) as readonly (string | ListenTarget)[]
  if (all.length === 0) throw new TypeError('option listen must name an address')
  return all.map((each) => {
    const target = typeof each === 'string' ? { url: each } : { ...each }
    if (typeof target.url !== 'string') throw new TypeError('option listen must be a url, or an object with one')
    return tls !== undefined && target.tls === undefined && /^(tls|wss):/i.test(target.url) ? { ...target, tls } : target
  })
}

function listOf(name: string, value: string | readonly string[]): readonly string[] {
  const all = typeof value === 'string' ? [value] : value
  if (!Array.isArray(all) || all.length === 0 || all.some((each) => typeof each !== 'string' || each === ''))
    throw new TypeError(`option ${name} must be an address or a list of addresses`)
  return all
}
