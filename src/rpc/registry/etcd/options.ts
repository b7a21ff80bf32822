import { duration, flag, optionNames, requireNames, requireOptions, requireText } from '../../../base/check-options.ts'
import { checkLogger, guarded, type Logger, silentLogger } from '../../../base/log.ts'
import { checkTlsDial, type TlsDialOptions } from '../../../transports/tls/options.ts'
import type { Endpoint } from './connection.ts'
import { DEFAULT_PREFIX, Keys } from './keys.ts'

/** Options of `etcdRegistry`. */
export interface EtcdOptions {
  /**
   * Servers of one cluster, as `host`, `host:port` or `[v6]:port`, also with `http://` or, for TLS, `https://` before
   * it. Default: those in `DMICRO_REGISTRY_ADDRESS`, with commas between them, else `127.0.0.1:2379`.
   */
  endpoints?: readonly string[] | undefined
  /** Talks TLS. Servers must have a valid certificate of their host. Default: no TLS, unless an endpoint is https. */
  tls?: TlsDialOptions | true | undefined
  /** User of etcd. Default: `ETCD_USERNAME`, if `ETCD_PASSWORD` is there too. */
  user?: string | undefined
  /** Password of `user`. Default: `ETCD_PASSWORD`. */
  password?: string | undefined
  /** Before all keys. Default: `/dmicro/registry/`, as in Go. */
  prefix?: string | undefined
  /** Milliseconds that an operation may take, with all its tries. Default: 5,000. */
  timeout?: number | undefined
  /** Milliseconds that one server may take before another one is tried. Default: 2,000. */
  attemptTimeout?: number | undefined
  /** Gets warnings about values that are no records, and nodes that cannot be kept. Default: none. */
  log?: Logger | undefined
}

/** Options with their defaults. */
export interface EtcdSettings {
  readonly endpoints: readonly Endpoint[]
  readonly tls: TlsDialOptions | undefined
  readonly user: { readonly name: string; readonly password: string } | undefined
  readonly keys: Keys
  readonly timeout: number
  readonly attemptTimeout: number
  readonly log: Logger
}

const DEFAULT_PORT = 2379
const TIMEOUT_MS = 5_000
const ATTEMPT_TIMEOUT_MS = 2_000

const names = optionNames<EtcdOptions>({
  endpoints: true,
  tls: true,
  user: true,
  password: true,
  prefix: true,
  timeout: true,
  attemptTimeout: true,
  log: true,
})

/** @throws TypeError or RangeError that names the option */
export function settingsOf(options: EtcdOptions, environment: NodeJS.ProcessEnv = process.env): EtcdSettings {
  requireOptions('options', options, names)
  const { log = silentLogger, prefix, timeout, attemptTimeout } = options
  requireText('prefix', prefix)
  const whole = duration('timeout', timeout, TIMEOUT_MS, 1)
  const { endpoints, isSecure } = endpointsOf(options, environment)
  return {
    endpoints,
    tls: tlsOf(options.tls, isSecure),
    user: userOf(options, environment),
    keys: new Keys(prefix ?? DEFAULT_PREFIX),
    timeout: whole,
    attemptTimeout: Math.min(duration('attemptTimeout', attemptTimeout, ATTEMPT_TIMEOUT_MS, 1), whole),
    log: guarded(checkLogger('log', log)),
  }
}

function endpointsOf({ endpoints }: EtcdOptions, { DMICRO_REGISTRY_ADDRESS = '' }: NodeJS.ProcessEnv) {
  requireNames('endpoints', endpoints)
  const given = endpoints ?? DMICRO_REGISTRY_ADDRESS.split(',').filter((part) => part.trim() !== '')
  if (endpoints !== undefined && endpoints.length === 0) throw new TypeError('option endpoints must have at least one')
  const parsed = (given.length === 0 ? ['127.0.0.1'] : given).map(endpointOf)
  const schemes = new Set(parsed.map(({ scheme }) => scheme))
  if (schemes.has('http') && schemes.has('https')) throw new TypeError('option endpoints must not have both http and https')
  return { endpoints: parsed.map(({ host, port }) => ({ host, port })), isSecure: schemes.has('https') }
}

function endpointOf(text: string): Endpoint & { scheme: string | undefined } {
  const [, scheme, v6, name, port] =
    /^(?:(https?):\/\/)?(?:\[([0-9a-fA-F:.]+)\]|([^:/?#@\s[\]]+))(?::(\d{1,5}))?\/?$/.exec(text.trim()) ?? []
  const host = v6 ?? name
  const number = port === undefined ? DEFAULT_PORT : Number(port)
  if (host === undefined || number < 1 || number > 65_535)
    throw new TypeError(`option endpoints: ${JSON.stringify(text.slice(0, 64))} is not host:port`)
  return { host, port: number, scheme }
}

function tlsOf(tls: EtcdOptions['tls'], isSecure: boolean): TlsDialOptions | undefined {
  if (tls === undefined) return isSecure ? {} : undefined
  if (typeof tls === 'boolean') return flag('tls', tls, true) ? {} : undefined
  checkTlsDial(tls)
  return { ...tls }
}

function userOf({ user, password }: EtcdOptions, { ETCD_USERNAME = '', ETCD_PASSWORD = '' }: NodeJS.ProcessEnv) {
  requireText('user', user)
  requireText('password', password)
  if (user === undefined && password === undefined)
    return ETCD_USERNAME !== '' && ETCD_PASSWORD !== '' ? { name: ETCD_USERNAME, password: ETCD_PASSWORD } : undefined
  if (!user || password === undefined) throw new TypeError('options user and password belong together')
  return { name: user, password }
}
