import { duration, optionNames, requireFunction, requireOptions, requireText } from '../../base/check-options.ts'
import { type Clock, realClock } from '../../base/time/clock.ts'
import { wheelOf } from '../../base/time/timer-wheel.ts'
import type { HookedContext } from '../../endpoint/hooked-context.ts'
import type { Hook, ReadContext } from '../../hooks/hooks.ts'
import type { Plugin, PluginEndpoint } from '../../hooks/plugin.ts'
import { BoundedTable } from './bounded-table.ts'
import { countOption } from './check.ts'
import { type Criticality, rankOf, rankOfMeta } from './criticality.ts'
import { Gate, type GateSettings, type GateStats, type Ticket } from './gate.ts'
import { Notifier } from './notify.ts'
import type { LimitedMessage } from './rate-limit-options.ts'

/** Options of `bulkhead`. Durations are milliseconds. */
export interface BulkheadOptions {
  /** Maximum number of messages that are handled at once. */
  max: number
  /** Maximum number of messages that wait. Default: 100. */
  maxQueued?: number | undefined
  /** Milliseconds that a message may wait. Default: 100. */
  queueTimeout?: number | undefined
  /**
   * Whether messages of one class are served in the order they came, or the newest first: then, under lasting overload,
   * some are served in time rather than all too late. Default: `oldest`.
   */
  first?: 'oldest' | 'newest' | undefined
  /** The messages that share the limit: all, or those of one route. Default: `route`. */
  by?: 'endpoint' | 'route' | undefined
  /** Whether only CALLs, only PUSHes or both are limited. Default: `both`. */
  kind?: 'call' | 'push' | 'both' | undefined
  /**
   * Class of a message, the most important of which are served first. Default: the meta `X-Criticality`, which is
   * `critical`, `default` or `sheddable`. Peers set it themselves, so give a function where they are not trusted.
   */
  criticality?: ((message: LimitedMessage) => Criticality) | undefined
  /** Maximum number of routes with a limit of their own. Beyond it, others share one. Default: 10,000. */
  maxKeys?: number | undefined
  /** Name of the plugin. Default: `bulkhead`. */
  name?: string | undefined
}

/** Events of a bulkhead. */
export interface BulkheadEvents {
  /** A message was refused because too many were waiting. */
  refused: [event: { message: LimitedMessage }]
}

interface Settings extends GateSettings {
  readonly byRoute: boolean
  readonly calls: boolean
  readonly pushes: boolean
  readonly criticality: ((message: LimitedMessage) => Criticality) | undefined
  readonly maxKeys: number
  readonly name: string
}

const known = optionNames<BulkheadOptions>({
  max: true,
  maxQueued: true,
  queueTimeout: true,
  first: true,
  by: true,
  kind: true,
  criticality: true,
  maxKeys: true,
  name: true,
})

/**
 * A plugin that bounds how many messages of a route are handled at once, by `bulkhead`, so that a slow route cannot
 * take everything. A message without a place in the queue is refused before its body is decoded; one with a place waits
 * decoded, because otherwise everything behind it would wait too, even what its predecessors wait for.
 */
export class Bulkhead extends Notifier<BulkheadEvents & Record<never, never>> implements Plugin {
  readonly name: string
  /** Counts since the plugin was made. */
  readonly stats: GateStats = { passed: 0, queued: 0, refused: 0, displaced: 0, late: 0 }
  readonly afterNewEndpoint?: (endpoint: PluginEndpoint) => void
  readonly beforeReadCallBody: Hook<ReadContext> = (ctx) => (this.#settings.calls ? this.#enter(ctx) : undefined)
  readonly beforeReadPushBody: Hook<ReadContext> = (ctx) => (this.#settings.pushes ? this.#enter(ctx) : undefined)
  readonly afterReadCallBody: Hook<ReadContext> = (ctx) => this.#wait(ctx)
  readonly afterReadPushBody: Hook<ReadContext> = (ctx) => this.#wait(ctx)
  readonly #tickets = new Map<ReadContext, Ticket>()
  #given: BulkheadOptions
  #settings: Settings
  #clock: Clock
  #gates: BoundedTable<Gate>

  constructor(options: BulkheadOptions, clock?: Clock) {
    super()
    this.#given = { ...options }
    this.#settings = readOptions(options)
    this.#clock = clock ?? realClock
    this.name = this.#settings.name
    this.#gates = this.#makeGates()
    if (clock === undefined) {
      this.afterNewEndpoint = (endpoint) => {
        if (endpoint.clock === this.#clock) return
        this.#clock = endpoint.clock
        this.#gates = this.#makeGates()
      }
    }
  }

  /**
   * Changes the given options; others stay as they are. A higher maximum lets waiting messages pass at once.
   *
   * @throws TypeError or RangeError that names the option; then nothing changes
   */
  update(options: Partial<BulkheadOptions>): void {
    const given = { ...this.#given, ...options }
    const settings = readOptions(given)
    if (settings.name !== this.name) throw new TypeError('option name of a bulkhead cannot change')
    this.#given = given
    this.#settings = settings
    for (const gate of [...this.#gates.values(), this.#gates.overflow]) gate.advance()
  }

  /** Number of messages that are handled now. */
  get running(): number {
    return this.#sum('running')
  }

  /** Number of messages that wait now. */
  get queued(): number {
    return this.#sum('queued')
  }

  /**
   * Runs a function within the limit, such as one that makes a call: for clients.
   *
   * @param key route, or any other text
   * @returns a promise of its result
   * @throws StatusError (rejects) 503 when there is no place, or no turn in time
   */
  async run<T>(key: string, act: () => T | PromiseLike<T>, criticality: Criticality = 'default'): Promise<T> {
    const gate = this.#gateOf(key)
    const ticket = gate.enter(rankOf(criticality))
    try {
      if (ticket !== undefined) await ticket.wait()
      return await act()
    } finally {
      if (ticket === undefined) gate.release()
      else gate.leave(ticket)
    }
  }

  #makeGates(): BoundedTable<Gate> {
    return new BoundedTable(
      () => new Gate(() => this.#settings, this.stats, wheelOf(this.#clock)),
      (gate) => gate.running === 0 && gate.queued === 0,
    )
  }

  #gateOf(route: string): Gate {
    const { byRoute, maxKeys } = this.#settings
    return this.#gates.get(byRoute ? route : '', maxKeys, 0)
  }

  #enter(ctx: ReadContext): void {
    const { criticality } = this.#settings
    const gate = this.#gateOf(ctx.serviceMethod)
    const rank = criticality === undefined ? rankOfMeta(ctx.meta) : rankOf(criticality(ctx))
    let ticket: Ticket | undefined
    try {
      ticket = gate.enter(rank)
    } catch (error) {
      this.notify('refused', { message: ctx })
      throw error
    }
    const message = ctx as HookedContext
    if (ticket === undefined) {
      message.onEnd(gate.release)
      return
    }
    const place = ticket
    this.#tickets.set(ctx, place)
    message.onEnd(() => {
      this.#tickets.delete(ctx)
      gate.leave(place)
    })
  }

  #wait(ctx: ReadContext): Promise<void> | undefined {
    if (this.#tickets.size === 0) return undefined
    return this.#tickets.get(ctx)?.wait()
  }

  #sum(name: 'running' | 'queued'): number {
    let sum = this.#gates.overflow[name]
    for (const gate of this.#gates.values()) sum += gate[name]
    return sum
  }
}

/**
 * Bounds how many messages of a route, or of the endpoint, are handled at once. Others wait in a bounded queue, the
 * most important class first. What finds no place there, or no turn in time, is refused with 503 and `retryAfter`: it
 * never ran. A push that is refused is dropped.
 *
 * @example
 * server.routeCall('/report', () => 'made', { plugins: [bulkhead({ max: 4, maxQueued: 20, queueTimeout: 500 })] })
 *
 * @param clock default: that of the endpoint; in a group or route, real time
 * @throws TypeError or RangeError that names the option
 */
export function bulkhead(options: BulkheadOptions, clock?: Clock): Bulkhead {
  return new Bulkhead(options, clock)
}

function readOptions(options: BulkheadOptions): Settings {
  requireOptions('options', options, known)
  const { max, first = 'oldest', by = 'route', kind = 'both', criticality, name = 'bulkhead' } = options
  if (max === undefined) throw new RangeError('option max must be given')
  if (first !== 'oldest' && first !== 'newest') throw new TypeError("option first must be 'oldest' or 'newest'")
  if (by !== 'endpoint' && by !== 'route') throw new TypeError("option by must be 'endpoint' or 'route'")
  if (kind !== 'call' && kind !== 'push' && kind !== 'both') throw new TypeError("option kind must be 'call', 'push' or 'both'")
  requireFunction('criticality', criticality)
  requireText('name', name)
  if (name === '') throw new TypeError('option name must not be empty')
  return {
    max: countOption('max', max, 1, 1),
    maxQueued: countOption('maxQueued', options.maxQueued, 100, 0),
    queueTimeout: duration('queueTimeout', options.queueTimeout, 100, 1),
    newestFirst: first === 'newest',
    byRoute: by === 'route',
    calls: kind !== 'push',
    pushes: kind !== 'call',
    criticality,
    maxKeys: countOption('maxKeys', options.maxKeys, 10_000, 1),
    name,
  }
}
