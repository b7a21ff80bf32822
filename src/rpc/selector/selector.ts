import { runInRoot } from '../../base/async/root-context.ts'
import { forgetAbort, whenAborted } from '../../base/async/when-aborted.ts'
import { optionNames, requireAll, requireMethods, requireOptions, requireSignal, timeLimit } from '../../base/check-options.ts'
import type { StatusError } from '../../base/errors/status.ts'
import { checkLogger, consoleLogger, guarded, type Logger } from '../../base/log.ts'
import { type Clock, realClock } from '../../base/time/clock.ts'
import type { Registry, Service } from '../registry/registry.ts'
import type { NodeFilter } from './filters/filter.ts'
import { type HealthOptions, readHealth } from './health.ts'
import type { NodePick, PickOptions } from './pick.ts'
import { Pool, type PoolSettings, type SelectorStats, unavailable } from './pool.ts'
import { readStrategy, type StrategyName } from './strategies/by-name.ts'
import type { Candidate, Strategy } from './strategy.ts'
import { watchService } from './watch-service.ts'

/** Options of a `Selector`. */
export interface SelectorOptions {
  /** Where the nodes are found. The selector does not close it. */
  readonly registry: Pick<Registry, 'watch'>
  /**
   * How the next node is picked: a built-in strategy by its name, or one of the user's own.
   * @default 'p2c'
   */
  readonly strategy?: StrategyName | Strategy | undefined
  /**
   * Leave out nodes, in this order.
   * @default none
   */
  readonly filters?: readonly NodeFilter[] | undefined
  /**
   * When nodes are ejected because calls to them fail; false for never.
   * @default true
   */
  readonly health?: HealthOptions | boolean | undefined
  /**
   * Milliseconds in which a node that is new, or returns from an ejection, reaches its full weight; 0 for at once.
   * @default 10,000
   */
  readonly slowStart?: number | undefined
  /**
   * Receives a warning when the registry is lost or a node is ejected, and the error of a listener that throws.
   * @default warnings to stderr
   */
  readonly logger?: Logger | undefined
  /**
   * Time and chance, for tests in virtual time.
   * @default the system's
   */
  readonly clock?: Clock | undefined
}

/** Nodes of one service that came or left. A node whose address changes leaves and comes. */
export interface NodeChange {
  /** Name of the service. */
  readonly service: string
  /** Nodes that may be picked from now on. */
  readonly came: readonly Candidate[]
  /** Nodes that are picked no more. */
  readonly left: readonly Candidate[]
}

const known = optionNames<SelectorOptions>({
  registry: true,
  strategy: true,
  filters: true,
  health: true,
  slowStart: true,
  logger: true,
  clock: true,
})

/**
 * Picks nodes for calls: watches services in a registry, leaves out nodes by filters and by their health, and lets a
 * strategy choose among the rest. While the registry is lost, the nodes known last are used.
 */
export class Selector {
  readonly #registry: Pick<Registry, 'watch'>
  readonly #settings: PoolSettings
  readonly #log: Logger
  readonly #pools = new Map<string, Pool>()
  /** A controller for each watch, because registries put listeners on its signal, and Node warns of many on one. */
  readonly #watches = new Set<AbortController>()
  readonly #closedStats = new Map<string, SelectorStats>()
  #isClosed = false
  readonly #listeners = new Set<(change: NodeChange) => void>()
  /** Checks of those who wait in `loaded` and `ready`. */
  readonly #waiting = new Set<() => void>()

  /** @throws TypeError or RangeError that names the option */
  constructor(options: SelectorOptions) {
    requireOptions('selector options', options, known)
    const { registry, strategy = 'p2c', filters = [], health, slowStart, logger, clock = realClock } = options
    requireMethods('registry', registry, 'watch')
    requireAll('filters', filters, 'filter')
    this.#registry = registry
    this.#log = logger === undefined ? consoleLogger() : guarded(checkLogger('logger', logger))
    this.#settings = {
      clock,
      strategy: readStrategy(strategy, clock),
      filters: [...filters],
      health: readHealth(health),
      slowStart: timeLimit('slowStart', slowStart, 10_000),
      onHealth: ({ isEjected, node: { id, address }, service }) => {
        const fields = { service: service.name, node: id, address }
        if (isEjected) this.#log.warn('node ejected: too many of its calls fail', fields)
        else this.#log.info('node returned: a call to it has succeeded', fields)
      },
    }
  }

  /**
   * Picks a node of `service` for one call, at once. The first pick of a service starts to watch it and throws, so
   * `loaded` or `ready` comes before.
   *
   * @throws StatusError 503 whose cause says why there is no node: not known yet, none registered, which filter left
   *   none, or all excluded
   */
  pick(service: string, call: PickOptions): NodePick {
    return (this.#pools.get(service) ?? this.#watch(service)).pick(call)
  }

  /**
   * Whether `pick` would find a node. Nothing is picked: no call counts as in flight, no strategy has its turn, and no
   * node that is due for a probe loses it.
   *
   * @internal
   */
  hasNode(service: string, call: PickOptions): boolean {
    return this.#pools.get(service)?.hasNode(call) === true
  }

  /**
   * Resolves when the registry has answered for `service`, with nodes or without. After a wait that was ended, `pick`
   * throws an error that says why there are no nodes.
   *
   * @param signal ends the wait, which rejects with its reason
   * @throws StatusError 503 when the selector is closed
   */
  loaded(service: string, signal?: AbortSignal): Promise<void> {
    return this.#wait(service, ({ isLoaded }) => isLoaded, signal)
  }

  /**
   * Resolves when at least one node of `service` is known, and waits until one is registered.
   *
   * @param signal ends the wait, which rejects with its reason
   * @throws StatusError 503 when the selector is closed
   */
  ready(service: string, signal?: AbortSignal): Promise<void> {
    return this.#wait(service, ({ size }) => size > 0, signal)
  }

  /** All nodes of `service` known now, whatever the filters and their health. */
  candidates(service: string): readonly Candidate[] {
    return this.#pools.get(service)?.candidates ?? []
  }

  /** Why the registry is lost for `service`; '' while it is not. */
  failure(service: string): string {
    return this.#pools.get(service)?.failure ?? ''
  }

  /** Whether the registry has answered for `service`, and is not lost. */
  isConnected(service: string): boolean {
    const pool = this.#pools.get(service)
    return pool?.isLoaded === true && pool.failure === ''
  }

  /** Counts of the nodes of `service`; undefined before the first pick. Those at the close stay. */
  stats(service: string): SelectorStats | undefined {
    return this.#pools.get(service)?.stats ?? this.#closedStats.get(service)
  }

  /**
   * Calls `listener` after nodes of any service came or left.
   * @returns a function that unsubscribes it
   */
  onChange(listener: (change: NodeChange) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Ends all watches. Waiting promises reject, later picks throw; picks that are open may still be reported. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const watch of this.#watches) watch.abort(closed())
    this.#watches.clear()
    for (const [service, { stats }] of this.#pools) this.#closedStats.set(service, stats)
    this.#pools.clear()
    this.#listeners.clear()
    for (const check of [...this.#waiting]) check()
  }

  #watch(service: string): Pool {
    if (this.#isClosed) throw closed()
    const watch = new AbortController()
    this.#watches.add(watch)
    const pool = new Pool(service, this.#settings)
    this.#pools.set(service, pool)
    // Outside of the caller's async context, since the watch outlives the call.
    void runInRoot(watchService, undefined, this.#registry, service, this.#settings.clock, watch.signal, {
      onSnapshot: (services) => this.#update(pool, services),
      onLost: (reason) => this.#lost(pool, reason),
    })
    return pool
  }

  #update(pool: Pool, services: readonly Service[]): void {
    pool.failure = ''
    const { came, left } = pool.update(services)
    if (came.length > 0 || left.length > 0) {
      const change: NodeChange = { service: pool.service, came, left }
      for (const listener of [...this.#listeners]) this.#notify(listener, change)
    }
    for (const check of [...this.#waiting]) check()
  }

  #notify(listener: (change: NodeChange) => void, change: NodeChange): void {
    try {
      listener(change)
    } catch (error) {
      this.#log.error('a listener of a selector threw', { service: change.service, error })
    }
  }

  #lost(pool: Pool, reason: string): void {
    // One line for one outage, however many attempts fail.
    if (pool.failure === '') this.#log.warn('registry lost, the nodes known last are used', { service: pool.service, reason })
    pool.lost(reason)
  }

  async #wait(service: string, isDone: (pool: Pool) => boolean, signal: AbortSignal | undefined): Promise<void> {
    requireSignal('signal', signal)
    signal?.throwIfAborted()
    const pool = this.#pools.get(service) ?? this.#watch(service)
    if (isDone(pool)) return
    await new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        this.#waiting.delete(check)
        if (signal !== undefined) forgetAbort(signal, abortable)
      }
      const check = (): void => {
        if (!this.#isClosed && !isDone(pool)) return
        settle()
        if (this.#isClosed) reject(closed())
        else resolve()
      }
      const abortable = {
        onAbort: (by: AbortSignal): void => {
          settle()
          reject(by.reason)
        },
      }
      this.#waiting.add(check)
      if (signal !== undefined) whenAborted(signal, abortable)
    })
  }
}

function closed(): StatusError {
  return unavailable('the selector is closed')
}
