import { orAborted } from '../../base/async/or-aborted.ts'
import { duration, flag, optionNames, requireMethods, requireOptions, whole } from '../../base/check-options.ts'
import { checkLogger, consoleLogger, guarded, type Logger, silentLogger } from '../../base/log.ts'
import { type Clock, realClock } from '../../base/time/clock.ts'
import { CachedName, type CacheSettings } from './cached/name.ts'
import { registryClosed } from './errors.ts'
import { requireName } from './record.ts'
import type { LookupOptions, RegisterOptions, Registry, Service } from './registry.ts'
import { SnapshotReader } from './snapshots.ts'

/** Options of `cachedRegistry`. Durations are milliseconds. */
export interface CachedRegistryOptions {
  /**
   * Age in milliseconds at which an answer is looked up again, although the watch reported no change.
   * @default 60,000
   */
  readonly ttl?: number
  /**
   * Milliseconds that nodes are still used after the registry said that there are none any more; 0 believes it at once.
   * A registry that lost its data, or a deployment that replaces all nodes, says so for a moment.
   * @default 5,000
   */
  readonly emptyGrace?: number
  /**
   * Milliseconds before the watch is opened again after it was lost; doubled with each failure.
   * @default 100
   */
  readonly minDelay?: number
  /**
   * Most milliseconds before the watch is opened again.
   * @default 10,000
   */
  readonly maxDelay?: number
  /**
   * Most names that are kept. Over it the name that was asked for least recently is forgotten, unless it is watched.
   * @default 1,000
   */
  readonly maxNames?: number
  /**
   * Leaves the wrapped registry open at `close`, for whoever shares it.
   * @default false
   */
  readonly keepOpen?: boolean
  /**
   * Receives a warning when the registry is lost; false for none.
   * @default lines on stderr
   */
  readonly log?: Logger | false
  /**
   * Time for delays and ages.
   * @default the system's
   */
  readonly clock?: Clock
}

const known = optionNames<CachedRegistryOptions>({
  ttl: true,
  emptyGrace: true,
  minDelay: true,
  maxDelay: true,
  maxNames: true,
  keepOpen: true,
  log: true,
  clock: true,
})

/**
 * `registry` with a memory. Each name that was asked for is watched once, however many ask, and lookups get what the
 * watch saw last. When the registry is lost, lookups get the last known nodes, without a limit of time, while the watch
 * is opened again; only a name that was never answered is rejected. A watch of this registry does not throw then: it
 * has no news.
 *
 * @throws TypeError or RangeError for bad options
 */
export function cachedRegistry(registry: Registry, options: CachedRegistryOptions = {}): Registry {
  return new CachedRegistry(registry, options)
}

class CachedRegistry implements Registry {
  readonly name: string
  readonly #registry: Registry
  readonly #settings: CacheSettings
  readonly #maxNames: number
  readonly #keepOpen: boolean
  /** By name, the one asked for least recently first. */
  readonly #names = new Map<string, CachedName>()
  #closed = false

  constructor(registry: Registry, options: CachedRegistryOptions) {
    requireMethods('registry', registry, 'getService', 'watch')
    requireOptions('options', options, known)
    const { log = consoleLogger(), clock = realClock } = options
    const minDelay = duration('minDelay', options.minDelay, 100, 1)
    this.name = registry.name
    this.#registry = registry
    this.#maxNames = whole('maxNames', options.maxNames ?? 1_000, 1, 1_000_000)
    this.#keepOpen = flag('keepOpen', options.keepOpen, false)
    this.#settings = {
      ttl: duration('ttl', options.ttl, 60_000, 1),
      emptyGrace: duration('emptyGrace', options.emptyGrace, 5_000, 0),
      minDelay,
      maxDelay: duration('maxDelay', options.maxDelay, Math.max(minDelay, 10_000), minDelay),
      clock,
      log: log === false ? silentLogger : guarded(checkLogger('log', log)),
    }
  }

  async register(service: Service, options?: RegisterOptions): Promise<void> {
    this.#begin(options?.signal)
    await this.#registry.register(service, options)
  }

  async deregister(service: Service, options?: LookupOptions): Promise<void> {
    this.#begin(options?.signal)
    await this.#registry.deregister(service, options)
  }

  async getService(name: string, options: LookupOptions = {}): Promise<readonly Service[]> {
    this.#begin(options.signal)
    requireName(name)
    return orAborted(this.#nameOf(name).get(), options.signal)
  }

  async listServices(options?: LookupOptions): Promise<readonly Service[]> {
    this.#begin(options?.signal)
    return this.#registry.listServices(options)
  }

  watch(name: string, options: LookupOptions = {}): AsyncIterable<readonly Service[]> {
    requireName(name)
    let found: CachedName | undefined
    return new SnapshotReader(
      {
        onReader: (reader) => {
          if (this.#closed) {
            reader.fail(registryClosed(this.name))
            return
          }
          found = this.#nameOf(name)
          found.addReader(reader)
        },
        onReaderGone: (reader) => found?.readers.delete(reader),
      },
      options.signal,
    )
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const name of this.#names.values()) name.stop()
    this.#names.clear()
    if (!this.#keepOpen) await this.#registry.close()
  }

  #begin(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted()
    if (this.#closed) throw registryClosed(this.name)
  }

  /** The entry of `name`, which becomes the one asked for most recently. */
  #nameOf(name: string): CachedName {
    const known = this.#names.get(name)
    if (known !== undefined) this.#names.delete(name)
    else if (this.#names.size >= this.#maxNames) this.#forgetOne()
    const found = known ?? new CachedName(name, this.#registry, this.#settings)
    this.#names.set(name, found)
    return found
  }

  #forgetOne(): void {
    for (const [name, found] of this.#names) {
      if (found.isWanted) continue
      this.#names.delete(name)
      found.stop()
      return
    }
  }
}
