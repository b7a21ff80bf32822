import { optionNames, requireAll, requireOptions, timeLimit } from '../../base/check-options.ts'
import { type Clock, type ClockTimer, realClock } from '../../base/time/clock.ts'
import { registryClosed } from './errors.ts'
import { compare, copyService, type NodeRecord, requireName, sameRecord, servicesOf } from './record.ts'
import { type LookupOptions, REGISTER_TTL, type RegisterOptions, type Registry, type Service } from './registry.ts'
import { Readers, SnapshotReader } from './snapshots.ts'

/** Options of `memoryRegistry`. */
export interface MemoryRegistryOptions {
  /**
   * Services that are there from the beginning, without a time to live.
   * @default none
   */
  readonly services?: readonly Service[]
  /**
   * Time by which records expire.
   * @default the system's
   */
  readonly clock?: Clock
}

/**
 * A registry in this process, for tests and for services that share one. What is not renewed within its time to live
 * is gone, and watches see it go. Paths and metadata stay as they were registered.
 *
 * @throws TypeError for bad options
 */
export function memoryRegistry(options: MemoryRegistryOptions = {}): Registry {
  return new MemoryRegistry(options)
}

interface Entry extends NodeRecord {
  /** By the clock; Infinity for records without a time to live. */
  readonly expires: number
}

/** One name: its nodes by id, and who watches. */
interface Name {
  readonly entries: Map<string, Entry>
  readonly readers: Readers
}

/** Milliseconds that the timer is late beyond what a busy process may cause; after that there is as long to renew. */
const STANDSTILL_MS = 5_000

const known = optionNames<MemoryRegistryOptions>({ services: true, clock: true })

class MemoryRegistry implements Registry {
  readonly name = 'memory'
  readonly #clock: Clock
  readonly #names = new Map<string, Name>()
  #timer: ClockTimer | undefined
  /** When `#timer` fires; Infinity for never. */
  #timerAt = Number.POSITIVE_INFINITY
  #closed = false

  constructor(options: MemoryRegistryOptions) {
    requireOptions('options', options, known)
    requireAll('services', options.services)
    this.#clock = options.clock ?? realClock
    for (const service of options.services ?? []) this.#put(copyService(service), Number.POSITIVE_INFINITY)
  }

  async register(service: Service, options: RegisterOptions = {}): Promise<void> {
    this.#begin(options.signal)
    const ttl = timeLimit('ttl', options.ttl, REGISTER_TTL)
    this.#put(copyService(service), ttl === 0 ? Number.POSITIVE_INFINITY : this.#clock.now() + ttl)
  }

  async deregister(service: Service, options: LookupOptions = {}): Promise<void> {
    this.#begin(options.signal)
    const { name, nodes } = copyService(service)
    const found = this.#names.get(name)
    if (found === undefined) return
    let changed = false
    for (const { id } of nodes) changed = found.entries.delete(id) || changed
    if (changed) this.#changed(name, found)
  }

  async getService(name: string, options: LookupOptions = {}): Promise<readonly Service[]> {
    this.#begin(options.signal)
    requireName(name)
    return servicesOf(name, this.#names.get(name)?.entries.values() ?? [])
  }

  async listServices(options: LookupOptions = {}): Promise<readonly Service[]> {
    this.#begin(options.signal)
    const names = [...this.#names].sort(([a], [b]) => compare(a, b))
    return names.flatMap(([name, { entries }]) => servicesOf(name, entries.values()))
  }

  watch(name: string, options: LookupOptions = {}): AsyncIterable<readonly Service[]> {
    requireName(name)
    return new SnapshotReader(
      {
        onReader: (reader) => {
          if (this.#closed) {
            reader.fail(registryClosed(this.name))
            return
          }
          const found = this.#nameOf(name)
          found.readers.add(reader)
          reader.set(servicesOf(name, found.entries.values()))
        },
        onReaderGone: (reader) => {
          const found = this.#names.get(name)
          found?.readers.delete(reader)
          if (found !== undefined) this.#dropUnused(name, found)
        },
      },
      options.signal,
    )
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#clock.clearTimeout(this.#timer)
    for (const { readers } of [...this.#names.values()]) readers.fail(registryClosed(this.name))
    this.#names.clear()
  }

  #begin(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted()
    if (this.#closed) throw registryClosed(this.name)
  }

  #put({ name, version, metadata, nodes }: Service, expires: number): void {
    if (nodes.length === 0) return
    const found = this.#nameOf(name)
    let changed = false
    for (const node of nodes) {
      const before = found.entries.get(node.id)
      const entry: Entry = { version, metadata, node, expires }
      found.entries.set(node.id, entry)
      changed ||= before === undefined || !sameRecord(before, entry)
    }
    this.#wakeAt(expires)
    if (changed) this.#changed(name, found)
  }

  #changed(name: string, found: Name): void {
    found.readers.set(servicesOf(name, found.entries.values()))
    this.#dropUnused(name, found)
  }

  #nameOf(name: string): Name {
    let found = this.#names.get(name)
    if (found === undefined) this.#names.set(name, (found = { entries: new Map(), readers: new Readers() }))
    return found
  }

  #dropUnused(name: string, found: Name): void {
    if (found.entries.size === 0 && found.readers.size === 0) this.#names.delete(name)
  }

  /** Sets the one timer to the earliest expiry. A renewal leaves it too early, which `#expire` finds out. */
  #wakeAt(time: number): void {
    if (time >= this.#timerAt) return
    this.#clock.clearTimeout(this.#timer)
    this.#timerAt = time
    this.#timer = this.#clock.setTimeout(() => this.#expire(), time - this.#clock.now())
    this.#timer.unref()
  }

  #postpone(ms: number): void {
    for (const { entries } of this.#names.values())
      for (const [id, entry] of entries) entries.set(id, { ...entry, expires: entry.expires + ms })
  }

  #expire(): void {
    const now = this.#clock.now()
    const late = now - this.#timerAt
    // The process stood still, as when it was stopped or suspended, and so did those in it that renew.
    if (late > STANDSTILL_MS) this.#postpone(late + STANDSTILL_MS)
    let next = Number.POSITIVE_INFINITY
    this.#timerAt = next
    for (const [name, found] of this.#names) {
      let changed = false
      for (const [id, { expires }] of found.entries) {
        if (expires <= now) changed = found.entries.delete(id)
        else next = Math.min(next, expires)
      }
      if (changed) this.#changed(name, found)
    }
    this.#wakeAt(next)
  }
}
