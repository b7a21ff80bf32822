import { optionNames, requireFunction, requireOptions, requireSignal, requireText, timeLimit, whole } from '../../base/check-options.ts'
import { describe } from '../../base/errors/error-text.ts'
import { consoleLogger, type Logger } from '../../base/log.ts'
import type { SubscribeOptions } from './subscription.ts'

/** Options of an `EventBus`. */
export interface EventBusOptions {
  /** Name of the bus, which stands in log lines. Default: `'default'`. */
  name?: string | undefined
  /**
   * Called for each failure that no publisher gets: an exception or rejection of a listener of a queued event, a
   * rejection of a listener after `publish`, and an event for which the queue has no room. Default: a log line on
   * stderr.
   */
  onError?: ((error: unknown, event: { readonly name: string; readonly data: unknown }) => void) | undefined
  /**
   * Maximum time in milliseconds for which the promise of a listener is waited for, where it is; then the listener has
   * failed with a StatusError 408. 0 or Infinity: no limit. Default: 30,000.
   */
  listenerTimeout?: number | undefined
  /** Maximum number of events that wait in the queue of `enqueue`. Default: 10,000. */
  maxQueued?: number | undefined
  /** Number of queued events that are delivered at the same time; with 1 they keep their order. Default: 1. */
  concurrency?: number | undefined
}

const known = optionNames<EventBusOptions>({ name: true, onError: true, listenerTimeout: true, maxQueued: true, concurrency: true })
const knownOfSubscribe = optionNames<SubscribeOptions>({ priority: true, signal: true })

/** Checked options with their defaults. `listenerTimeout` is 0 where there is no limit. */
export interface BusSettings {
  readonly name: string
  readonly report: (error: unknown, event: { readonly name: string; readonly data: unknown }) => void
  readonly listenerTimeout: number
  readonly maxQueued: number
  readonly concurrency: number
}

/** @throws TypeError or RangeError for bad options */
export function readBusOptions(options: EventBusOptions): BusSettings {
  requireOptions('options', options, known)
  const { name = 'default', onError, listenerTimeout, maxQueued = 10_000, concurrency = 1 } = options
  requireText('name', name)
  requireFunction('onError', onError)
  let log: Logger | undefined
  const write = (text: string, error: unknown, event: string): void => {
    log ??= consoleLogger()
    log.error(text, { bus: name, event, error: describe(error) })
  }
  return {
    name,
    listenerTimeout: timeLimit('listenerTimeout', listenerTimeout, 30_000),
    maxQueued: whole('maxQueued', maxQueued, 1, Number.MAX_SAFE_INTEGER),
    concurrency: whole('concurrency', concurrency, 1, Number.MAX_SAFE_INTEGER),
    report(error, event) {
      if (onError === undefined) return write('an event listener failed', error, event.name)
      try {
        onError(error, event)
      } catch (failure) {
        write('option onError threw', failure, event.name)
      }
    },
  }
}

/** @throws TypeError or RangeError for bad options */
export function checkSubscribeOptions(options: SubscribeOptions): void {
  requireOptions('options', options, knownOfSubscribe)
  if (options.priority !== undefined) whole('priority', options.priority, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
  requireSignal('signal', options.signal)
}
