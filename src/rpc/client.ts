import { closeTimeout } from '../base/check-options.ts'
import { clientFor } from '../contract/client-for.ts'
import type { Client, ClientOptions, ControllerClient, ServiceOf } from '../contract/types.ts'
import type { Endpoint } from '../endpoint/endpoint.ts'
import type { RouteGroup } from '../endpoint/router.ts'
import { settingsOf } from '../endpoint/settings-of.ts'
import type { Plugin } from '../hooks/plugin.ts'
import type { PushOptions, TypedCallOptions } from '../message/call-options.ts'
import type { Reply } from '../message/reply.ts'
import type { BreakerMap } from './broker/breaker-map.ts'
import type { Fallback } from './broker/fallback.ts'
import type { Hedge } from './broker/hedge.ts'
import type { RetryPolicy } from './broker/retry-policy.ts'
import { type CallCore, coreMark, type RpcClientStats } from './call-core.ts'
import { ClientEngine } from './client-engine.ts'
import type { RpcCallOptions, RpcClientOptions } from './client-options.ts'
import { noteOwner } from './endpoint-owner.ts'
import { sendPush } from './rpc-push.ts'
import type { Selector } from './selector/selector.ts'

/**
 * Calls a service by its name: finds its nodes in a registry, picks one for each call, and tries another one where that
 * is safe (docs/services.md).
 *
 * @example
 * const client = new RpcClient('math', { registry: staticRegistry(['127.0.0.1:9000']), timeout: 1_000 })
 * await client.call<number>('/math/add', [1, 2, 3], { idempotent: true })
 * await client.close()
 */
export class RpcClient {
  /** Name of the service. */
  readonly service: string
  /** The endpoint that dials, with the routes that nodes may call. */
  readonly endpoint: Endpoint
  /** Picks the nodes. */
  readonly selector: Selector
  /** The policy of retries; undefined for none. */
  readonly retry: RetryPolicy | undefined
  /** The circuit breakers; undefined for none. */
  readonly breakers: BreakerMap | undefined
  /** Hedging of idempotent calls; undefined for none. */
  readonly hedge: Hedge | undefined
  /** The values for failed calls; undefined for none. */
  readonly fallback: Fallback | undefined
  /** Counts since the client was made. */
  readonly stats: RpcClientStats
  readonly #engine: ClientEngine
  #closed: Promise<void> | undefined

  /**
   * Makes a client, which begins to look for nodes at once and dials at the first call.
   *
   * @throws TypeError or RangeError for a bad name or option, and as `new Endpoint`
   */
  constructor(service: string, options: RpcClientOptions) {
    const engine = new ClientEngine(service, options)
    this.#engine = engine
    this.service = service
    this.endpoint = engine.endpoint
    this.selector = engine.selector
    this.retry = engine.retry
    this.breakers = engine.breakers
    this.hedge = engine.hedge
    this.fallback = engine.fallback
    this.stats = engine.stats
    noteOwner(engine.endpoint, { client: this })
  }

  /**
   * The engine behind the client.
   *
   * @internal
   */
  get [coreMark](): CallCore {
    return this.#engine
  }

  /** Number of sessions that are not closed. */
  get sessionCount(): number {
    return this.endpoint.sessionCount
  }

  /** As `Endpoint.routeCall`: what nodes may call. */
  get routeCall(): Endpoint['routeCall'] {
    return this.endpoint.routeCall.bind(this.endpoint) as Endpoint['routeCall']
  }

  /** As `Endpoint.routePush`: what nodes may push. */
  get routePush(): Endpoint['routePush'] {
    return this.endpoint.routePush.bind(this.endpoint) as Endpoint['routePush']
  }

  /** As `Endpoint.serve`: what nodes may call, such as `toClient` of a service. */
  get serve(): Endpoint['serve'] {
    return this.endpoint.serve.bind(this.endpoint) as Endpoint['serve']
  }

  /** As `Endpoint.group`. */
  group(prefix: string, ...plugins: Plugin[]): RouteGroup {
    return this.endpoint.group(prefix, ...plugins)
  }

  /**
   * Calls `path` of a node, and of another one where the first was not reached, refused, or failed and the call is
   * idempotent.
   *
   * @throws RpcError (rejects) a StatusError with service, node and attempts: that of the last attempt; 503 when no
   *   node serves, 408 at the deadline, 499 when `signal` fires, 100 when the client is closed
   * @throws TypeError or RangeError (rejects) that names a bad option
   */
  call<T>(path: string, arg: unknown, options: TypedCallOptions<T> & RpcCallOptions): Promise<T>
  call<T = unknown>(path: string, arg?: unknown, options?: RpcCallOptions): Promise<T>
  call<T>(path: string, arg?: unknown, options?: RpcCallOptions): Promise<T> {
    const engine = this.#engine
    return new Promise((resolve, reject) => engine.start(path, arg, options, false, resolve as (value: unknown) => void, reject))
  }

  /**
   * Calls `path` as `call` does, and resolves to the reply's body, meta and codec.
   *
   * @throws RpcError, TypeError or RangeError (rejects) as `call`
   */
  callReply<T>(path: string, arg: unknown, options: TypedCallOptions<T> & RpcCallOptions): Promise<Reply<T>>
  callReply<T = unknown>(path: string, arg?: unknown, options?: RpcCallOptions): Promise<Reply<T>>
  callReply<T>(path: string, arg?: unknown, options?: RpcCallOptions): Promise<Reply<T>> {
    const engine = this.#engine
    return new Promise((resolve, reject) => engine.start(path, arg, options, true, resolve as (value: unknown) => void, reject))
  }

  /**
   * Sends a message without an answer to one node, or to another one as long as nothing was sent. Resolves when it is
   * queued; whether it arrives stays unknown. A rejection that is not handled causes no `unhandledRejection`.
   *
   * @param options.key affinity key, as for `call`
   * @throws RpcError (rejects) 105 when no node could be dialled, 503 when none serves, 408 when the registry has not
   *   answered within `timeout`, and as `Session.push`
   * @throws TypeError (rejects) that names a bad option
   */
  push(path: string, arg?: unknown, options?: PushOptions & { key?: string | undefined }): Promise<void> {
    const { key, ...rest } = options ?? {}
    const sent = sendPush(this.#engine, path, arg, options === undefined ? undefined : rest, key)
    sent.catch(() => {})
    return sent
  }

  /**
   * The methods of a service or a controller as functions, as `Session.client` makes them.
   *
   * @throws TypeError for what is neither, and for bad options
   */
  client<Of>(service: ServiceOf<Of>, options?: ClientOptions): Client<Of, RpcCallOptions, PushOptions & { key?: string | undefined }>
  client<Controller extends object>(prefix: string): ControllerClient<Controller, RpcCallOptions>
  client(of: ServiceOf<unknown> | string, options?: ClientOptions): unknown {
    return clientFor(this, settingsOf(this.endpoint).mapper, of, options)
  }

  /**
   * Closes the client: accepts no more calls, and closes all sessions as `Session.close` does. Calls that wait for a
   * node, a session or their next attempt fail with 100 at once. The registry stays open.
   *
   * @param options.timeout milliseconds to wait for open calls; default: `closeTimeout`
   * @throws RangeError for a bad timeout; TypeError for other options
   */
  close(options?: { timeout?: number | undefined }): Promise<void> {
    closeTimeout(options, 0)
    this.#closed ??= this.#engine.close(options)
    return this.#closed
  }
}
