import { currentCall } from '../base/async/call-context.ts'
import { StatusError } from '../base/errors/status.ts'
import { turnNow } from '../base/time/turn-now.ts'
import { Endpoint } from '../endpoint/endpoint.ts'
import { settingsOf } from '../endpoint/settings-of.ts'
import type { Plugin } from '../hooks/plugin.ts'
import type { CallOptions } from '../message/call-options.ts'
import type { Meter } from '../overload/meter.ts'
import { heartbeatPing } from '../plugins/heartbeat.ts'
import type { Settings } from '../session/options.ts'
import { engineOf } from '../session/session.ts'
import type { TracedAttempts, Tracer } from '../session/tracer.ts'
import { BreakerMap } from './broker/breaker-map.ts'
import { ContextNeed, contextOfCaller } from './broker/context-free.ts'
import { Fallback } from './broker/fallback.ts'
import { Hedge } from './broker/hedge.ts'
import { RetryPolicy } from './broker/retry-policy.ts'
import type { CallCore, RpcClientStats, Waiting } from './call-core.ts'
import { forSession, type RpcCallOptions, type RpcClientOptions, readClientOptions } from './client-options.ts'
import { deadlineOf } from './deadline.ts'
import { endingWith } from './ending-with.ts'
import { HedgedCall, type MakeCall } from './hedged-call.ts'
import { type NodeDial, NodeSessions } from './node-sessions.ts'
import { RpcCall } from './rpc-call.ts'
import { closedError } from './rpc-error.ts'
import type { NodePick } from './selector/pick.ts'
import { type NodeChange, Selector } from './selector/selector.ts'
import { readStrategy, type StrategyName } from './selector/strategies/by-name.ts'
import type { Candidate, Strategy } from './selector/strategy.ts'
import type { TrackedNode } from './selector/tracked-node.ts'
import { requireService } from './server-options.ts'

type Settle = (value: unknown) => void

/** The engine behind an `RpcClient`: its parts, the sessions with its nodes, and how calls begin. */
export class ClientEngine implements CallCore {
  readonly service: string
  readonly endpoint: Endpoint
  readonly clock
  readonly now: () => number
  readonly timeout: number
  readonly attemptTimeout: number
  readonly selector: Selector
  readonly retry: RetryPolicy | undefined
  readonly breakers: BreakerMap | undefined
  readonly hedge: Hedge | undefined
  readonly fallback: Fallback | undefined
  readonly stats: RpcClientStats = { failovers: 0, unavailable: 0 }
  readonly waiting = new Set<Waiting>()
  isClosed = false
  readonly #settings: Settings
  readonly #dial: NodeDial
  /** Whether an attempt has all the time of its call. */
  readonly #isPlain: boolean
  readonly #contextNeed: ContextNeed
  /** The call that a node is picked for; filled in again for each. */
  readonly #draft: { path: string; key: undefined } = { path: '', key: undefined }
  readonly #strategies = new Map<string, Strategy>()
  readonly #draining = new Set<Promise<unknown>>()

  constructor(service: string, options: RpcClientOptions) {
    requireService(service)
    const settings = readClientOptions(options)
    const own: Plugin[] = settings.heartbeat === undefined ? [] : [heartbeatPing(settings.heartbeat)]
    const { endpoint } = settings
    this.service = service
    this.endpoint = new Endpoint({ dialTimeout: 5_000, ...endpoint, plugins: [...(endpoint.plugins ?? []), ...own] })
    this.#settings = settingsOf(this.endpoint)
    const { clock, timeout } = this.#settings
    this.clock = clock
    this.now = turnNow(clock)
    this.timeout = timeout
    this.attemptTimeout = settings.attemptTimeout
    this.retry = settings.retry && new RetryPolicy(settings.retry, clock)
    this.breakers = settings.breaker && new BreakerMap(settings.breaker, clock)
    this.hedge = settings.hedge && new Hedge(this.retry === undefined ? settings.hedge : { ...settings.hedge, budget: this.retry.budget })
    this.fallback = settings.fallback && new Fallback(settings.fallback)
    this.#isPlain = this.attemptTimeout === 0
    this.#dial = { endpoint: this.endpoint, options: settings.dial, perNode: settings.sessionsPerNode }
    this.#contextNeed = new ContextNeed(this.endpoint.plugins)
    this.selector = new Selector({ ...settings.selector, registry: settings.registry, logger: this.endpoint.log, clock })
    this.selector.onChange((change) => this.#onChange(change))
    this.selector.loaded(service).catch(() => {})
  }

  get hooked(): boolean {
    return this.#contextNeed.isThere
  }

  get tracer(): Tracer | null {
    return this.#settings.tracer
  }

  get meter(): Meter | null {
    return this.#settings.meter
  }

  discover(): Promise<unknown> {
    const { tracer } = this
    const loaded = (): Promise<unknown> => this.selector.loaded(this.service)
    return tracer === null ? loaded() : tracer.step('discover', this.service, loaded)
  }

  start(path: string, arg: unknown, options: RpcCallOptions | undefined, full: boolean, resolve: Settle, reject: Settle): void {
    const trace = this.tracer?.attempting(this.service, path) ?? null
    if (trace?.isRecorded === true) {
      ;[resolve, reject] = endingWith(trace, resolve, reject)
    }
    try {
      this.#begin(path, arg, options, full, resolve, reject, trace)
    } catch (error) {
      reject(error) // with the end of the span
    }
  }

  #begin(
    path: string,
    arg: unknown,
    options: RpcCallOptions | undefined,
    full: boolean,
    resolve: Settle,
    reject: Settle,
    trace: TracedAttempts | null,
  ): void {
    const { fallback } = this
    let fail = reject
    if (fallback !== undefined)
      fail = (error) => {
        if (error instanceof StatusError) resolve((async () => fallback.handle(error, path, arg))())
        else reject(error)
      }
    if (options === undefined && this.#isPlain && currentCall() === undefined && this.#callAtOnce(path, arg, full, resolve, fail, trace))
      return
    const given: CallOptions | undefined = options === undefined ? undefined : forSession(options)
    this.retry?.onRequest()
    const strategy = options?.strategy === undefined ? undefined : this.#strategyOf(options.strategy)
    if (this.hedge !== undefined && options?.idempotent === true) {
      this.#startHedged(
        this.hedge,
        path,
        given,
        (own, settle, drop, isHedge) => new RpcCall(this, path, arg, own, options, strategy, full, settle, drop, trace, isHedge),
        (exclude) => this.selector.hasNode(this.service, { path, key: options.key, filters: options.nodeFilters, exclude }),
        resolve,
        fail,
      )
      return
    }
    new RpcCall(this, path, arg, given, options, strategy, full, resolve, fail, trace).start()
  }

  /**
   * Makes a call whose node has a session, with as few objects as possible: what a failed call needs is made when it
   * has failed.
   *
   * @returns whether the call was made
   */
  #callAtOnce(path: string, arg: unknown, full: boolean, resolve: Settle, reject: Settle, trace: TracedAttempts | null): boolean {
    const draft = this.#draft
    draft.path = path
    let pick: NodePick
    try {
      pick = this.selector.pick(this.service, draft)
    } catch {
      return false
    }
    this.retry?.onRequest()
    const session = this.sessionsOf(pick.candidate).open()
    const breaker = session === undefined ? undefined : this.breakers?.get(pick.candidate.node.address, path)
    const caller = this.hooked ? contextOfCaller() : undefined
    // With this pick: a strategy that gave its turn to the node would never give it another one.
    if (session === undefined) this.#whole(path, arg, full, resolve, reject, trace).startOn(pick, caller)
    else if (breaker?.allow(pick.pickedAt) === false)
      this.#whole(path, arg, full, resolve, reject, trace).startRefused(pick, breaker, caller)
    else
      engineOf(session).calls.call(
        path,
        arg,
        undefined,
        full,
        (value) => {
          const now = this.now()
          pick.done(false, now - pick.pickedAt, now)
          breaker?.onResult(undefined, now)
          resolve(value)
        },
        (error) => this.#whole(path, arg, full, resolve, reject, trace).resume(pick, error, breaker, caller),
        0,
        trace === null ? undefined : trace.next(false),
      )
    return true
  }

  /** A call without options that needs what `#callAtOnce` leaves out. */
  #whole(path: string, arg: unknown, full: boolean, resolve: Settle, reject: Settle, trace: TracedAttempts | null): RpcCall {
    return new RpcCall(this, path, arg, undefined, undefined, undefined, full, resolve, reject, trace)
  }

  #startHedged(
    hedge: Hedge,
    path: string,
    given: CallOptions | undefined,
    make: (own: CallOptions, resolve: Settle, reject: Settle, isHedge: boolean) => RpcCall,
    hasNode: (exclude: readonly Candidate[]) => boolean,
    resolve: Settle,
    reject: Settle,
  ): void {
    const { clock } = this
    const parent = currentCall()
    // A later attempt is made by a timer, outside of the handler whose deadline it inherits.
    const limit = deadlineOf(given, parent, clock.now(), this.timeout)
    const timed = (elapsed: number): number => (limit === 0 ? 0 : Math.max(limit - elapsed, 1))
    const one: MakeCall = (elapsed, signal, settle, drop, isHedge) =>
      make({ ...given, timeout: timed(elapsed), signal }, settle, drop, isHedge)
    new HedgedCall(hedge, clock, path, given?.signal ?? parent?.signal, one, hasNode, resolve, reject).start()
  }

  /** The strategy of one call. One of a name is kept, because it has state, such as whose turn it is. */
  #strategyOf(option: StrategyName | Strategy): Strategy {
    if (typeof option !== 'string') return readStrategy(option, this.clock)
    let strategy = this.#strategies.get(option)
    if (strategy === undefined) this.#strategies.set(option, (strategy = readStrategy(option, this.clock)))
    return strategy
  }

  isConnected(candidate: Candidate): boolean {
    return keptOf(candidate)?.open() !== undefined
  }

  sessionsOf(candidate: Candidate): NodeSessions {
    const node = candidate as TrackedNode
    const kept = node.kept as NodeSessions | undefined
    if (kept !== undefined) return kept
    const sessions = new NodeSessions(node.node.address, this.#dial)
    node.kept = sessions
    // Nothing would end sessions with a node that has left since it was picked.
    if (node.isGone) void sessions.drain()
    return sessions
  }

  async close(options: { timeout?: number | undefined } | undefined): Promise<void> {
    this.isClosed = true
    this.selector.close()
    for (const call of [...this.waiting]) call.abandon(closedError())
    await this.endpoint.close(options)
    await Promise.all(this.#draining)
  }

  #onChange({ left }: NodeChange): void {
    for (const candidate of left) {
      this.breakers?.delete(candidate.node.address)
      const sessions = keptOf(candidate)
      if (sessions === undefined) continue
      const drained = sessions.drain().finally(() => this.#draining.delete(drained))
      this.#draining.add(drained)
    }
  }
}

function keptOf(candidate: Candidate): NodeSessions | undefined {
  return (candidate as TrackedNode).kept as NodeSessions | undefined
}
