import { isThenable } from '../../base/async/thenable.ts'
import { forgetAbort, whenAborted } from '../../base/async/when-aborted.ts'
import { Code, StatusError } from '../../base/errors/status.ts'
import { realClock } from '../../base/time/clock.ts'
import { within } from '../../hooks/hook-timeout.ts'
import { type BusSettings, checkSubscribeOptions, type EventBusOptions, readBusOptions } from './bus-options.ts'
import { Cursor } from './cursor.ts'
import { DeliveryQueue } from './delivery-queue.ts'
import { BusEvent } from './event.ts'
import type { BatchItem, EventArguments, EventName, EventOf, EventPattern } from './event-types.ts'
import { ListenerTable, type Plan } from './listener-table.ts'
import { checkName, checkPattern } from './names.ts'
import { type AnyListener, Registration, type Step, type SubscribeOptions, type Subscription } from './subscription.ts'

/** Outcome of one item of `publishBatch`. */
export interface BatchResult {
  /** The event; undefined when nobody listens, or after an error. */
  readonly event: BusEvent | undefined
  /** The exception of a listener, or of an item that cannot be published; undefined when there was none. */
  readonly error: unknown
}

/**
 * Publishes events of this process to listeners by name: `order.paid`, `order.*`, `order.**`, `*`.
 *
 * Listeners of the exact name run first, then those of patterns with `*` alone, of patterns with `**`, and of `*`;
 * among those by priority, then in the order of subscribing.
 *
 * @template Events map of the names of events to the types of their data; default: any name, data of type unknown
 */
export class EventBus<Events extends object = Record<string, unknown>> {
  readonly #settings: BusSettings
  readonly #table = new ListenerTable(checkName)
  #subscribed = 0
  #queue: DeliveryQueue | undefined

  /** @throws TypeError or RangeError for bad options */
  constructor(options: EventBusOptions = {}) {
    this.#settings = readBusOptions(options)
  }

  /** Name of the bus. */
  get name(): string {
    return this.#settings.name
  }

  /**
   * Calls `listener` for each event of a name or pattern, or of a list of them. A listener that several of a list match
   * gets an event once. The same function may be added several times.
   *
   * @throws TypeError or RangeError for a bad name, listener or option; then nothing is added
   */
  on<Pattern extends EventPattern<Events>>(
    pattern: Pattern | readonly Pattern[],
    listener: (event: EventOf<Events, Pattern>) => unknown,
    options: SubscribeOptions = {},
  ): Subscription {
    return this.#subscribe(pattern, listener as AnyListener, options, false)
  }

  /**
   * Calls `listener` for the next event of a name or pattern, or of a list of them, and removes it before that.
   *
   * @throws TypeError or RangeError for a bad name, listener or option; then nothing is added
   */
  once<Pattern extends EventPattern<Events>>(
    pattern: Pattern | readonly Pattern[],
    listener: (event: EventOf<Events, Pattern>) => unknown,
    options: SubscribeOptions = {},
  ): Subscription {
    return this.#subscribe(pattern, listener as AnyListener, options, true)
  }

  /**
   * Removes the subscriptions that name exactly `pattern`, or those of them with this `listener`. One that names
   * further patterns is removed as a whole.
   *
   * @returns the number of subscriptions removed
   * @throws TypeError for a bad name
   */
  off(pattern: EventPattern<Events>, listener?: (event: never) => unknown): number {
    const list = this.#table.find(checkPattern(pattern))
    return unsubscribeAll([...(list ?? [])].filter((each) => listener === undefined || each.listener === listener))
  }

  /**
   * Removes a listener from all names and patterns.
   *
   * @returns the number of subscriptions removed
   */
  offEverywhere(listener: (event: never) => unknown): number {
    return unsubscribeAll([...this.#all()].filter((each) => each.listener === listener))
  }

  /** Removes all listeners and registered events. The name of the bus, aliases and queued events remain. */
  clear(): void {
    unsubscribeAll(this.#all())
    this.removeEvents()
  }

  /** Whether somebody listens to exactly this name or pattern. */
  hasListeners(pattern: EventPattern<Events>): boolean {
    return this.listenerCount(pattern) > 0
  }

  /** Number of subscriptions to exactly this name or pattern. */
  listenerCount(pattern: EventPattern<Events>): number {
    return this.#table.find(checkPattern(pattern))?.size ?? 0
  }

  /** The names and patterns that have listeners. */
  listenedNames(): string[] {
    return this.#table.names()
  }

  /** Whether an event of this name would reach a listener, be it by a pattern. */
  isListened(name: EventName<Events>): boolean {
    return this.#table.planOf(name).steps.length > 0
  }

  /**
   * Makes `alias` another name of the events `name`. Listeners of the alias get them under the alias, everybody else
   * under `name`, whichever of the two is published.
   *
   * @throws TypeError for a bad name
   * @throws Error when one of them is part of another alias
   */
  alias(alias: string, name: string): void {
    this.#table.alias(checkName(alias), checkName(name))
  }

  /**
   * Registers an event by its name: each publish of it starts with a copy of the properties of `data`, over which those
   * of the published data are laid.
   *
   * @throws TypeError for a bad name, or data that is no object
   * @throws Error when it is registered already
   */
  addEvent<Name extends EventName<Events>>(name: Name, data: Partial<Events[Name]> & object): void {
    const resolved = this.#table.resolve(checkName(name))
    if (typeof data !== 'object' || data === null) throw new TypeError('data of a registered event must be an object')
    if (this.#table.registered.has(resolved)) throw new Error(`event ${resolved} is registered already`)
    this.#table.register(resolved, { ...data })
  }

  /** A copy of the data of a registered event; undefined when there is none. */
  getEvent<Name extends EventName<Events>>(name: Name): Partial<Events[Name]> | undefined {
    const data = this.#table.registered.get(this.#table.resolve(checkName(name)))
    return data === undefined ? undefined : { ...(data as Partial<Events[Name]>) }
  }

  /** Whether an event is registered by this name. */
  hasEvent(name: EventName<Events>): boolean {
    return this.#table.registered.has(this.#table.resolve(checkName(name)))
  }

  /**
   * Takes a registered event out. Its listeners remain.
   *
   * @returns whether it was registered
   */
  removeEvent(name: EventName<Events>): boolean {
    return this.#table.unregister(this.#table.resolve(checkName(name)))
  }

  /** Takes all registered events out. Their listeners remain. */
  removeEvents(): void {
    for (const name of [...this.#table.registered.keys()]) this.#table.unregister(name)
  }

  /**
   * Calls the listeners one after the other, at once. The first that throws ends the publish. Promises of listeners are
   * not waited for; what they reject with goes to the option `onError`.
   *
   * @returns the event; undefined when nobody listens
   * @throws what a listener throws
   * @throws TypeError for a bad name
   */
  publish<Name extends EventName<Events>>(
    name: Name,
    ...data: EventArguments<Events[Name]>
  ): BusEvent<EventName<Events>, Events[Name]> | undefined
  publish(name: string, data?: unknown): BusEvent | undefined {
    const plan = this.#table.planOf(name)
    const { calls } = plan
    if (calls.length === 0) return undefined
    const event = newEvent(plan, data)
    for (let i = 0; i < calls.length; i++) {
      const call = calls[i]
      const result = call(event)
      if (typeof result === 'object' && result !== null) this.#reportRejection(result, event)
      if (event.aborted) return event
      // All listeners of a fresh plan are active, so only one that has become stale needs a closer look.
      if (plan.stale) {
        this.#publishRest(new Cursor(this.#table, plan, i + 1), event)
        return event
      }
    }
    return event
  }

  /**
   * Calls the listeners one after the other, and waits for the promise of each. The first that throws, rejects or takes
   * longer than `listenerTimeout` ends the publish.
   *
   * @returns the event; undefined when nobody listens
   * @throws what a listener throws or rejects with; StatusError 408 for one that took too long
   * @throws TypeError for a bad name
   */
  publishAsync<Name extends EventName<Events>>(
    name: Name,
    ...data: EventArguments<Events[Name]>
  ): Promise<BusEvent<EventName<Events>, Events[Name]> | undefined>
  async publishAsync(name: string, data?: unknown): Promise<BusEvent | undefined> {
    const plan = this.#table.planOf(name)
    return plan.steps.length === 0 ? undefined : this.#deliverInOrder(plan, newEvent(plan, data))
  }

  /**
   * Calls all listeners in their order without waiting, then waits for the promises of all. A listener that fails stops
   * no other; one that calls `event.abort()` before it returns stops the later ones.
   *
   * @returns the event; undefined when nobody listens
   * @throws AggregateError of what listeners threw or rejected with, and of StatusErrors 408 for those that took longer
   * than `listenerTimeout`
   * @throws TypeError for a bad name
   */
  publishConcurrent<Name extends EventName<Events>>(
    name: Name,
    ...data: EventArguments<Events[Name]>
  ): Promise<BusEvent<EventName<Events>, Events[Name]> | undefined>
  async publishConcurrent(name: string, data?: unknown): Promise<BusEvent | undefined> {
    const plan = this.#table.planOf(name)
    if (plan.steps.length === 0) return undefined
    const event = newEvent(plan, data)
    const errors: unknown[] = []
    const waits: Promise<unknown>[] = []
    const cursor = new Cursor(this.#table, plan, 0)
    for (let step = cursor.next(); step !== undefined && !event.aborted; step = cursor.next()) {
      try {
        const result = callListener(step, event)
        if (isThenable(result)) waits.push(this.#settled(result).catch((error) => errors.push(error)))
      } catch (error) {
        errors.push(error)
      }
    }
    await Promise.all(waits)
    if (errors.length > 0) throw new AggregateError(errors, `${errors.length} listeners of ${event.name} failed`)
    return event
  }

  /**
   * Publishes several events as `publish` does, one after the other: names, or lists of a name and its data. An item
   * that fails stops no other.
   *
   * @returns what became of each item, in their order
   */
  publishBatch(items: Iterable<BatchItem<Events>>): BatchResult[] {
    return Array.from(items as Iterable<unknown>, (item) => {
      try {
        const [name, data] = typeof item === 'string' ? [item] : Array.isArray(item) ? (item as unknown[]) : []
        return { event: (this as EventBus).publish(name as string, data), error: undefined }
      } catch (error) {
        return { event: undefined, error }
      }
    })
  }

  /**
   * Puts an event in the queue, from which it is delivered in the background, as by `publishAsync` in the async context
   * of this call. Failures go to the option `onError`. While events wait, the process stays alive.
   *
   * @returns false when the queue is full and the event is dropped, which is reported to `onError` too
   * @throws TypeError for a bad name
   */
  enqueue<Name extends EventName<Events>>(name: Name, ...data: EventArguments<Events[Name]>): boolean
  enqueue(name: string, data?: unknown): boolean {
    const checked = checkName(name)
    const { maxQueued, concurrency, report } = this.#settings
    this.#queue ??= new DeliveryQueue(maxQueued, concurrency, (queued, value) => this.#deliverQueued(queued, value))
    if (this.#queue.push(checked, data)) return true
    report(new StatusError(Code.ServiceUnavailable, 'event queue full', '', { stack: false }), { name: checked, data })
    return false
  }

  /** Number of events that wait in the queue. */
  get queued(): number {
    return this.#queue?.size ?? 0
  }

  /** Resolves when the queue is empty and its last event is delivered. */
  idle(): Promise<void> {
    return this.#queue?.idle() ?? Promise.resolve()
  }

  #subscribe(given: string | readonly string[], listener: AnyListener, options: SubscribeOptions, isOnce: boolean): Subscription {
    const patterns = [...new Set((Array.isArray(given) ? given : [given]).map(checkPattern))]
    if (patterns.length === 0) throw new TypeError('a listener needs at least one name or pattern')
    if (typeof listener !== 'function') throw new TypeError('the listener of an event must be a function')
    checkSubscribeOptions(options)
    const registration = new Registration(patterns, listener, options, isOnce, this.#subscribed++, this.#forget)
    const { signal } = options
    if (signal?.aborted) registration.active = false
    else {
      this.#table.add(registration)
      if (signal !== undefined) whenAborted(signal, registration)
    }
    return registration
  }

  readonly #forget = (registration: Registration): void => {
    this.#table.remove(registration)
    if (registration.signal !== undefined) forgetAbort(registration.signal, registration)
  }

  #all(): Set<Registration> {
    return new Set(this.#table.names().flatMap((name) => [...(this.#table.find(name) ?? [])]))
  }

  #publishRest(cursor: Cursor, event: BusEvent): void {
    for (let step = cursor.next(); step !== undefined && !event.aborted; step = cursor.next()) {
      const result = callListener(step, event)
      if (typeof result === 'object' && result !== null) this.#reportRejection(result, event)
    }
  }

  async #deliverInOrder(plan: Plan, event: BusEvent): Promise<BusEvent> {
    const cursor = new Cursor(this.#table, plan, 0)
    for (let step = cursor.next(); step !== undefined && !event.aborted; step = cursor.next()) {
      const result = callListener(step, event)
      if (isThenable(result)) await this.#settled(result)
    }
    return event
  }

  async #deliverQueued(name: string, data: unknown): Promise<void> {
    try {
      await (this as EventBus).publishAsync(name, data)
    } catch (error) {
      this.#settings.report(error, { name, data })
    }
  }

  #reportRejection(result: object, event: BusEvent): void {
    const report = (error: unknown): void => this.#settings.report(error, event)
    try {
      // A promise of a library may call back more than once, or throw.
      if (isThenable(result)) Promise.resolve(result).catch(report)
    } catch (error) {
      report(error)
    }
  }

  #settled(result: PromiseLike<unknown>): Promise<unknown> {
    const ms = this.#settings.listenerTimeout
    return ms === 0 ? Promise.resolve(result) : within(result, { ms, clock: realClock }, 'an event listener')
  }
}

function newEvent({ name, registered }: Plan, data: unknown): BusEvent {
  return new BusEvent(name, registered === undefined ? data : withRegistered(registered, data), undefined)
}

function withRegistered(registered: object, data: unknown): unknown {
  if (data !== undefined && (typeof data !== 'object' || data === null)) return data
  // Not Object.assign, for which a property `__proto__` is no property.
  return { ...registered, ...data }
}

function callListener({ call }: Step, event: BusEvent): unknown {
  return call(event)
}

function unsubscribeAll(registrations: Iterable<Registration>): number {
  let count = 0
  for (const registration of registrations) {
    registration.unsubscribe()
    count++
  }
  return count
}
