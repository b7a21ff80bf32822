import type { LookupFunction } from 'node:net'
import {
  duration,
  flag,
  MAX_DURATION,
  optionNames,
  requireAll,
  requireFunction,
  requireMethods,
  requireNames,
  requireObject,
  requireOptions,
  requireText,
  timeLimit,
  whole,
} from '../base/check-options.ts'
import { lendToUsers } from '../base/lent-memory.ts'
import { defaultLimits, type Limits } from '../base/limits.ts'
import { checkLogger, consoleLogger, guarded, type Logger, silentLogger } from '../base/log.ts'
import { type Clock, realClock, type TimeLimit } from '../base/time/clock.ts'
import type { Codec } from '../codecs/codec.ts'
import { type CodecTable, makeCodecs } from '../codecs/codec-table.ts'
import { type FilterTable, makeFilters } from '../filters/filter-table.ts'
import type { Plugin } from '../hooks/plugin.ts'
import type { Filter } from '../message/filter.ts'
import { httpName, type NameMapper, rpcName } from '../message/naming.ts'
import type { Meter } from '../overload/meter.ts'
import { type Overload, type OverloadOptions, readOverload } from '../overload/settings.ts'
import type { Proto } from '../protos/proto.ts'
import { makeProtocols, type Protocol, type ProtoTable } from '../protos/proto-table.ts'
import type { IoThreads, TransportChoice } from '../transports/choose.ts'
import { defaultSocket, readSocketOptions, type SocketOptions, type SocketSettings } from '../transports/socket-options.ts'
import type { Transport } from '../transports/transport.ts'
import { type Redial, type RedialOptions, readRedial } from './redial.ts'
import type { Tracer } from './tracer.ts'

/** Limits that differ from `defaultLimits`. */
export type LimitOptions = { readonly [Name in keyof Limits]?: Limits[Name] | undefined }

/** Options of an endpoint. Durations are milliseconds, sizes bytes. An option that is undefined has its default. */
export interface EndpointOptions {
  /**
   * Which transport serves the sockets: 'native' (C++), 'js' (JavaScript), or 'auto', which is native where its binary
   * runs and JavaScript elsewhere. The environment variable DMICRO_TRANSPORT overrides a name. A transport object, such
   * as that of a host of `dmicro/testing`, is used as it is. Default: 'auto'.
   */
  transport?: TransportChoice | Transport | undefined
  /**
   * Deadline in milliseconds of a call that sets none; 0 or Infinity means none. When this option is given, the
   * deadline is sent with the calls; the default is not. Default: 30,000.
   */
  timeout?: number | undefined
  /**
   * Milliseconds that `dial` may take, resolving a host name and trying all of its addresses included. Default: 10,000.
   */
  dialTimeout?: number | undefined
  /**
   * Resolves host names that are dialled or listened on, as the option `lookup` of `node:net`; called with `all: true`.
   * Addresses are dialled in its order, IPv6 and IPv4 alternating: the next one when the last has failed, or has not
   * answered for 250 ms (RFC 8305). Default: the system's resolver (`dns.lookup`).
   */
  lookup?: LookupFunction | undefined
  /**
   * Whether dialled sessions redial (reconnect) when they lose their connection, and how; `true` for the defaults of
   * `RedialOptions`. `dial` may override it. Default: false.
   */
  redial?: boolean | RedialOptions | undefined
  /**
   * How the sockets of connections are configured. `listen`, `dial` and `session.socket` may override it. Default:
   * those of `SocketOptions`.
   */
  socket?: SocketOptions | undefined
  /**
   * Maximum lifetime of a session in milliseconds, counted from when it runs; 0 means unlimited. Then it is closed
   * gracefully, or reconnects if it has redial (docs/spec/behaviour.md#age). Traffic does not prolong it.
   * `session.setAge` overrides it. Default: 0.
   */
  sessionAge?: number | undefined
  /**
   * Milliseconds that an asynchronous handler of a CALL or PUSH may run; 0 means no limit. Then its `ctx.signal` fires
   * with a StatusError 408, and the caller gets that as the reply. The handler is not interrupted and counts as running
   * until it settles; its result is dropped (docs/spec/behaviour.md#handler-time). `session.setHandlerTimeout`
   * overrides it. Default: 0.
   */
  handlerTimeout?: number | undefined
  /**
   * The old name of `handlerTimeout`. Giving both is a TypeError. Default: none.
   *
   * @deprecated use `handlerTimeout`
   */
  contextAge?: number | undefined
  /** Milliseconds that a graceful close waits for running handlers and open calls. Default: 5,000. */
  closeTimeout?: number | undefined
  /** Name of the codec of calls and pushes that name none. Default: 'json'. */
  codec?: string | undefined
  /**
   * Codecs besides json, plain, protobuf, form, xml, msgpack and cbor. A codec with the name and id of one of these
   * replaces it. Default: none.
   */
  codecs?: readonly Codec[] | undefined
  /**
   * Transfer filters besides gzip and md5. A filter with the name and id of one of these replaces it. Default: none.
   */
  filters?: readonly Filter[] | undefined
  /**
   * Names of transfer filters that every received message must have gone through, such as an authenticated one. The
   * sender chooses its filters, so without this option it may also send unprotected messages (docs/spec/go-defects.md
   * W16). A message that lacks one closes the session. Default: none.
   */
  requireFilters?: readonly string[] | undefined
  /** Name of the protocol of listeners and dials that name none. Default: 'raw'. */
  protocol?: string | undefined
  /**
   * Protocols besides raw, json, protobuf, http, jsonrpc and redis. A protocol with the name and id of one of these
   * replaces it. Default: none.
   */
  protocols?: readonly Proto[] | undefined
  /** Plugins, in the order they run; see `Plugin`. Default: none. */
  plugins?: readonly Plugin[] | undefined
  /** Milliseconds that a plugin's hook may take to settle; after that it has failed with 408. Default: 10,000. */
  hookTimeout?: number | undefined
  /**
   * How names of controllers and functions become routes: 'http' (`/math/add`), 'rpc' (`Math.Add`), or a function.
   * Default: 'http'.
   */
  mapper?: 'http' | 'rpc' | NameMapper | undefined
  /** Overrides of single limits. Default: `defaultLimits`. */
  limits?: LimitOptions | undefined
  /**
   * Whether the endpoint protects itself from overload: CALLs that cannot be answered in time get 503 or 429 with a
   * hint when to retry (`StatusError.retryAfter`), before their bodies are decoded. Sessions share the capacity evenly.
   * `true` for the defaults of `OverloadOptions`. Default: false.
   */
  overload?: boolean | OverloadOptions | undefined
  /** Whether callers get the text of errors that are no StatusError. Otherwise they get a bare 500. Default: false. */
  exposeErrors?: boolean | undefined
  /**
   * Microseconds to poll for traffic before the event loop blocks, at most 10,000; 0 means off. Lowers latency and
   * costs CPU time. Native transport only. Default: 0.
   */
  busyPoll?: number | undefined
  /**
   * Number of threads that serve sockets besides JavaScript's own, at most 64. Endpoints of the environment that ask
   * for as many or more share them, and sessions are spread over them. 0 means that JavaScript's thread does it, which
   * costs the least CPU time; 'auto' decides by the number of cores, and `endpoint.transport` says how it did. Native
   * transport only. The environment variable DMICRO_IO_THREADS overrides it. Default: 0.
   */
  ioThreads?: IoThreads | undefined
  /**
   * Whether dmicro peers are notified of deadlines, cancellation and the end of a session (docs/extensions.md). Go
   * peers ignore the meta that carry it. Default: true.
   */
  extensions?: boolean | undefined
  /**
   * Logger for what happens outside of calls; `false` for none. Default: warnings and errors on stderr, at most ten
   * lines a second.
   */
  log?: Logger | false | undefined
}

/** The options of an endpoint, complete and checked. */
export interface Settings {
  transport: TransportChoice | Transport
  /** Clock of the transport, or the system's. */
  clock: Clock
  timeout: number
  /** Whether the option `timeout` was given. */
  timeoutNamed: boolean
  extensions: boolean
  dialTimeout: number
  lookup: LookupFunction | undefined
  redial: Redial | undefined
  socket: SocketSettings
  sessionAge: number
  handlerTimeout: number
  closeTimeout: number
  codec: Codec
  codecs: CodecTable
  filters: FilterTable
  /** Filters that every received message must have gone through; null for none. */
  required: readonly Filter[] | null
  protocol: Protocol
  protocols: ProtoTable
  hookTimeout: TimeLimit
  mapper: NameMapper
  limits: Readonly<Limits>
  /** Overload protection; null for none. */
  overload: Overload | null
  /** Measures the endpoint; null until a plugin sets it, which most endpoints do not have. */
  meter: Meter | null
  /** Follows calls from process to process; null until a plugin sets it. */
  tracer: Tracer | null
  exposeErrors: boolean
  busyPoll: number
  ioThreads: IoThreads
  log: Logger
}

/** Largest size in bytes: a frame's length is a u32, and the native core counts in int32. */
const MAX_BYTES = 2 ** 31 - 1
const MAX_BUSY_POLL = 10_000
const known = optionNames<EndpointOptions>({
  transport: true,
  timeout: true,
  dialTimeout: true,
  lookup: true,
  redial: true,
  socket: true,
  sessionAge: true,
  handlerTimeout: true,
  contextAge: true,
  closeTimeout: true,
  codec: true,
  codecs: true,
  filters: true,
  requireFilters: true,
  protocol: true,
  protocols: true,
  mapper: true,
  plugins: true,
  hookTimeout: true,
  limits: true,
  overload: true,
  exposeErrors: true,
  busyPoll: true,
  ioThreads: true,
  extensions: true,
  log: true,
})
const mappers: Record<string, NameMapper> = { http: httpName, rpc: rpcName }

const defaultLog = consoleLogger('warn')

/**
 * Checks the options of an endpoint and adds the defaults.
 *
 * @throws TypeError or RangeError that names the option, what was expected and what was given
 */
export function readOptions(options: EndpointOptions): Settings {
  requireOptions('options', options, known)
  requireAll('codecs', options.codecs, 'encode', 'decode')
  requireAll('filters', options.filters, 'pack', 'unpack')
  requireAll('protocols', options.protocols, 'open')
  requireNames('requireFilters', options.requireFilters)
  requireText('protocol', options.protocol)
  requireText('codec', options.codec)
  requireFunction('lookup', options.lookup)
  for (const own of [options.codecs, options.filters, options.protocols]) if (own !== undefined && own.length > 0) lendToUsers()
  const codecs = makeCodecs(options.codecs)
  const codec = codecs.named(options.codec ?? 'json', 'option codec: ')
  const { mapper = 'http', log } = options
  const named = typeof mapper === 'function' ? mapper : mappers[mapper]
  if (named === undefined) throw new TypeError(`option mapper must be 'http', 'rpc' or a function, got ${JSON.stringify(mapper)}`)
  const protocols = makeProtocols(options.protocols ?? [])
  const filters = makeFilters(options.filters ?? [])
  const limits = readLimits(options.limits)
  const required = filters.append(undefined, options.requireFilters ?? [], Number.POSITIVE_INFINITY) ?? null
  const { transport = 'auto' } = options
  if (typeof transport === 'object') requireMethods('transport', transport, 'listen', 'dial')
  const clock = (typeof transport === 'object' && transport.clock) || realClock
  return {
    transport,
    clock,
    timeout: timeLimit('timeout', options.timeout, 30_000),
    timeoutNamed: options.timeout !== undefined,
    extensions: flag('extensions', options.extensions, true),
    dialTimeout: duration('dialTimeout', options.dialTimeout, 10_000, 1),
    lookup: options.lookup,
    redial: readRedial(options.redial),
    socket: readSocketOptions('socket', options.socket, defaultSocket),
    sessionAge: timeLimit('sessionAge', options.sessionAge, 0),
    handlerTimeout: readHandlerTimeout(options),
    closeTimeout: duration('closeTimeout', options.closeTimeout, 5_000, 0),
    codec,
    codecs,
    filters,
    required,
    protocol: protocols.byName(options.protocol ?? 'raw'),
    protocols,
    hookTimeout: { ms: duration('hookTimeout', options.hookTimeout, 10_000, 1), clock },
    mapper: named,
    limits,
    overload: readOverload(options.overload, limits.maxEndpointRunning),
    meter: null,
    tracer: null,
    exposeErrors: flag('exposeErrors', options.exposeErrors, false),
    busyPoll: whole('busyPoll', options.busyPoll === undefined ? 0 : options.busyPoll, 0, MAX_BUSY_POLL),
    ioThreads: options.ioThreads === undefined ? 0 : options.ioThreads,
    log: log === false ? silentLogger : log === undefined ? defaultLog : guarded(checkLogger('log', log)),
  }
}

/** Reads `handlerTimeout`, or its old name `contextAge`. */
function readHandlerTimeout({ handlerTimeout, contextAge }: EndpointOptions): number {
  if (contextAge === undefined) return timeLimit('handlerTimeout', handlerTimeout, 0)
  if (handlerTimeout !== undefined) throw new TypeError('option contextAge is the old name of handlerTimeout: give only one of them')
  return timeLimit('contextAge', contextAge, 0)
}

function readLimits(limits: LimitOptions = {}): Readonly<Limits> {
  requireObject('option limits', limits)
  const result: Limits = { ...defaultLimits }
  for (const [key, value] of Object.entries(limits)) {
    if (!Object.hasOwn(defaultLimits, key)) throw new TypeError(`unknown limit ${JSON.stringify(key)}`)
    if (value === undefined) continue
    const most = largest(key)
    const given = value === Number.POSITIVE_INFINITY && key.endsWith('Timeout') ? most : value
    result[key as keyof Limits] = whole(`limits.${key}`, given, key === 'maxFilters' ? 0 : 1, most)
  }
  return Object.freeze(result)
}

/** Largest value of a limit: what the frame format and the native core can count. */
function largest(limit: string): number {
  if (limit === 'maxFilters') return 255
  if (limit === 'maxMessage' || limit === 'maxUnsent') return MAX_BYTES
  return limit.endsWith('Timeout') ? MAX_DURATION : Number.MAX_SAFE_INTEGER
}
