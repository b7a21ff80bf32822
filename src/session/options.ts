import type { LookupFunction } from 'node:net'
import {
  duration,
  flag,
  MAX_DURATION,
  requireAll,
  requireNames,
  requireObject,
  requireOptions,
  requireText,
  timeLimit,
  whole,
} from '../base/check-options.ts'
import { defaultLimits, type Limits } from '../base/limits.ts'
import { checkLogger, consoleLogger, guarded, type Logger, silentLogger } from '../base/log.ts'
import { type Clock, realClock, type TimeLimit } from '../base/time/clock.ts'
import type { Codec } from '../codecs/codec.ts'
import { type CodecTable, makeCodecs } from '../codecs/codec-table.ts'
import { type FilterTable, makeFilters } from '../filters/filter-table.ts'
import type { Plugin } from '../hooks/plugin.ts'
import type { Filter } from '../message/filter.ts'
import { httpName, type NameMapper, rpcName } from '../message/naming.ts'
import { type Overload, type OverloadOptions, readOverload } from '../overload/settings.ts'
import type { Proto } from '../protos/proto.ts'
import { makeProtocols, type Protocol, type ProtoTable } from '../protos/proto-table.ts'
import type { IoThreads, TransportChoice } from '../transports/choose.ts'
import { defaultSocket, readSocketOptions, type SocketOptions, type SocketSettings } from '../transports/socket-options.ts'
import type { Transport } from '../transports/transport.ts'
import { type Redial, type RedialOptions, readRedial } from './redial.ts'

type LimitOptions = { readonly [Name in keyof Limits]?: Limits[Name] | undefined }

/** Options of an endpoint. Durations are milliseconds, sizes bytes. */
export interface EndpointOptions {
  /**
   * Default 'auto': native where its binary runs, else JavaScript. The variable DMICRO_TRANSPORT overrides it. Or a transport, such as that of a
   * host of `dmicro/testing`, which nothing overrides.
   */
  transport?: TransportChoice | Transport | undefined
  /** Deadline of a call that names none. Default 30,000; 0 or Infinity means none. One that is named travels with the calls; the default does not. */
  timeout?: number | undefined
  /** Time for `dial` to connect, the lookup of a name and all of its addresses included. Default 10,000. */
  dialTimeout?: number | undefined
  /**
   * Finds the addresses of a host that is dialled, or listened on, by its name; as the option of that name of `node:net`, asked for all of them. Default: the
   * system's (`dns.lookup`). Addresses are dialled in its order, IPv6 and IPv4 in turn: the next one when the last has failed, or has not answered
   * for 250 ms (RFC 8305).
   */
  lookup?: LookupFunction | undefined
  /** Make the connections of dialled sessions anew when they are lost. Default false; `dial` may say otherwise. */
  redial?: boolean | RedialOptions | undefined
  /** How the sockets of its connections are set up; `listen` and `dial` may say otherwise, a session for itself. */
  socket?: SocketOptions | undefined
  /**
   * How long a session may live, counted from when it begins to run: then it is closed gracefully, and one with redial is dialled anew
   * (docs/spec/behaviour.md#age). Traffic does not prolong it. Default 0: no limit. `session.setAge` changes it.
   */
  sessionAge?: number | undefined
  /**
   * How long the handler of a CALL or PUSH may run that returns a promise: then its `ctx.signal` fires with a StatusError 408, which the
   * caller is answered. The handler is not interrupted, and counts as running until it settles; what it returns then is dropped
   * (docs/spec/behaviour.md#handler-time). Default 0: no limit. `session.setContextAge` changes it.
   */
  handlerTimeout?: number | undefined
  /** How long a graceful close waits for running handlers and open calls. Default 5,000. */
  closeTimeout?: number | undefined
  /** Name of the codec of calls and pushes that name none. Default 'json'. */
  codec?: string | undefined
  /** Codecs besides json, plain, protobuf, form, xml, msgpack and cbor; one of the same name and id takes the place of any of them. */
  codecs?: readonly Codec[] | undefined
  /** Transfer filters besides gzip and md5, which every endpoint has; one of the same name and id takes the place of either. */
  filters?: readonly Filter[] | undefined
  /**
   * Names of transfer filters that every message received must have gone through, such as an authenticated one: the sender chooses its filters, so
   * nothing else keeps it from sending in clear (docs/spec/go-defects.md W16). A message that lacks one closes the session. Default: none.
   */
  requireFilters?: readonly string[] | undefined
  /** Name of the protocol of listeners and dials that name none. Default 'raw'. */
  protocol?: string | undefined
  /** Protocols besides raw, json, protobuf, http, jsonrpc and redis; one of the same name and id takes the place of any of them. */
  protocols?: readonly Proto[] | undefined
  /** Run in this order for all that the endpoint does; see `Plugin`. */
  plugins?: readonly Plugin[] | undefined
  /** Milliseconds that a plugin's hook may take to settle; then it failed with 408. Default 10,000. */
  hookTimeout?: number | undefined
  /** How controllers and functions are named: 'http' (`/math/add`, default), 'rpc' (`Math.Add`), or a function. */
  mapper?: 'http' | 'rpc' | NameMapper | undefined
  /** Overrides of single limits. */
  limits?: LimitOptions | undefined
  /**
   * Refuse what cannot be done in time instead of doing all of it too late: CALLs with 503 or 429 and a hint when to try again
   * (`StatusError.retryAfter`), before their bodies are decoded. Sessions share what can be done evenly. `true` for the defaults. Default false.
   */
  overload?: boolean | OverloadOptions | undefined
  /** Send the text of errors that are no StatusError to the caller. Default false: it sees 500 and nothing else. */
  exposeErrors?: boolean | undefined
  /** Microseconds to poll for traffic before the loop blocks; trades CPU for latency. Native transport only. Default 0, off. */
  busyPoll?: number | undefined
  /**
   * Threads that serve sockets beside the one JavaScript runs on, shared by all endpoints of the environment that ask for as many or
   * more; sessions are spread over them. 0 (default): JavaScript's own thread does it, which is cheapest in all. 'auto' decides by the
   * machine's cores; `endpoint.transport` tells how. At most 64. Native transport only. The variable DMICRO_IO_THREADS overrides it.
   */
  ioThreads?: IoThreads | undefined
  /**
   * Tell peers that are dmicro too, in meta that Go ignores, of deadlines, cancellation and the end of a session (`docs/extensions.md`). Default true.
   */
  extensions?: boolean | undefined
  /** Default: warnings and errors on stderr, at most ten lines a second. `false` silences. */
  log?: Logger | false | undefined
}

/** The same, complete and checked. */
export interface Settings {
  transport: TransportChoice | Transport
  /** The transport's, else the system's. */
  clock: Clock
  timeout: number
  /** It is not the default. */
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
  /** Every one of them, null for none. */
  required: readonly Filter[] | null
  protocol: Protocol
  protocols: ProtoTable
  hookTimeout: TimeLimit
  mapper: NameMapper
  limits: Readonly<Limits>
  /** Null: off. */
  overload: Overload | null
  exposeErrors: boolean
  busyPoll: number
  ioThreads: IoThreads
  log: Logger
}

/** Bytes of one connection: a frame's length is a u32 on the wire, and the native core counts in int32. */
const MAX_BYTES = 2 ** 31 - 1
const MAX_BUSY_POLL = 10_000
const known = new Set([
  'transport',
  'timeout',
  'dialTimeout',
  'lookup',
  'redial',
  'socket',
  'sessionAge',
  'handlerTimeout',
  'closeTimeout',
  'codec',
  'codecs',
  'filters',
  'requireFilters',
  'protocol',
  'protocols',
  'mapper',
  'plugins',
  'hookTimeout',
  'limits',
  'overload',
  'exposeErrors',
  'busyPoll',
  'ioThreads',
  'extensions',
  'log',
])
const mappers: Record<string, NameMapper> = { http: httpName, rpc: rpcName }

const defaultLog = consoleLogger('warn')

/** @throws TypeError or RangeError that names the option, what was expected and what came */
export function readOptions(options: EndpointOptions): Settings {
  requireOptions('options', options, known)
  requireAll('codecs', options.codecs, 'encode', 'decode')
  requireAll('filters', options.filters, 'pack', 'unpack')
  requireAll('protocols', options.protocols, 'open')
  requireNames('requireFilters', options.requireFilters)
  requireText('protocol', options.protocol)
  requireText('codec', options.codec)
  const codecs = makeCodecs(options.codecs)
  const codecName = options.codec ?? 'json'
  const codec = codecs.byName(codecName)
  if (codec === undefined) throw new TypeError(`option codec: no codec is named ${JSON.stringify(codecName)}`)
  const { mapper = 'http', log } = options
  const named = typeof mapper === 'function' ? mapper : mappers[mapper]
  if (named === undefined) throw new TypeError(`option mapper must be 'http', 'rpc' or a function, got ${JSON.stringify(mapper)}`)
  const protocols = makeProtocols(options.protocols ?? [])
  const filters = makeFilters(options.filters ?? [])
  const limits = readLimits(options.limits)
  const required = filters.append(undefined, options.requireFilters ?? [], Number.POSITIVE_INFINITY) ?? null
  const { transport = 'auto' } = options
  const clock = (typeof transport === 'object' && readTransport(transport).clock) || realClock
  return {
    transport,
    clock,
    timeout: timeLimit('timeout', options.timeout, 30_000),
    timeoutNamed: options.timeout !== undefined,
    extensions: flag('extensions', options.extensions, true),
    dialTimeout: duration('dialTimeout', options.dialTimeout, 10_000, 1),
    lookup: readLookup(options.lookup),
    redial: readRedial(options.redial),
    socket: readSocketOptions('socket', options.socket, defaultSocket),
    sessionAge: timeLimit('sessionAge', options.sessionAge, 0),
    handlerTimeout: timeLimit('handlerTimeout', options.handlerTimeout, 0),
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
    exposeErrors: flag('exposeErrors', options.exposeErrors, false),
    busyPoll: whole('busyPoll', options.busyPoll === undefined ? 0 : options.busyPoll, 0, MAX_BUSY_POLL),
    ioThreads: options.ioThreads === undefined ? 0 : options.ioThreads,
    log: log === false ? silentLogger : log === undefined ? defaultLog : guarded(checkLogger('log', log)),
  }
}

function readTransport(transport: Transport): Transport {
  if (typeof transport?.listen !== 'function' || typeof transport.dial !== 'function')
    throw new TypeError("option transport must be 'auto', 'native', 'js' or a transport, which has listen and dial")
  return transport
}

function readLookup(lookup: LookupFunction | undefined): LookupFunction | undefined {
  if (lookup !== undefined && typeof lookup !== 'function') throw new TypeError(`option lookup must be a function, got ${typeof lookup}`)
  return lookup
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

/** The largest value of a limit: what the wire and the native core can count. */
function largest(limit: string): number {
  if (limit === 'maxFilters') return 255
  if (limit === 'maxMessage' || limit === 'maxUnsent') return MAX_BYTES
  return limit.endsWith('Timeout') ? MAX_DURATION : Number.MAX_SAFE_INTEGER
}
