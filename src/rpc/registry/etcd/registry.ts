import { duration } from '../../../base/check-options.ts'
import { type Clock, realClock } from '../../../base/time/clock.ts'
import { WarningThrottle } from '../../../base/warning-throttle.ts'
import { registryClosed, registryLost } from '../errors.ts'
import { compare, copyService, type NodeRecord, requireName, servicesOf } from '../record.ts'
import { type LookupOptions, REGISTER_TTL, type RegisterOptions, type Registry, type Service } from '../registry.ts'
import { SnapshotReader } from '../snapshots.ts'
import { Channel } from './channel.ts'
import { Client } from './client.ts'
import { Credentials } from './credentials.ts'
import { Gate } from './gate.ts'
import { EtcdError } from './grpc-status.ts'
import { remove } from './messages.ts'
import { type EtcdOptions, type EtcdSettings, settingsOf } from './options.ts'
import { Records } from './records.ts'
import { Registration } from './registration.ts'
import { Counters, type EtcdStats } from './stats.ts'
import { readAll } from './store.ts'
import { decodeValue, encodeValue } from './value.ts'
import { ServiceWatch, type WatchSink } from './watch.ts'
import { Watches } from './watches.ts'

/** A registry in etcd. */
export interface EtcdRegistry extends Registry {
  /** Counters of what this registry has met so far. */
  readonly stats: EtcdStats
}

const KIND = 'etcd'
/** Watches that read all of their service at a time. */
const WATCH_READS = 8

/**
 * Services in etcd (3.4 to 3.7), in the keys and values of Go DMicro. What is registered stays registered: leases are
 * renewed, and nodes written again after an outage, until `deregister` or `close`.
 * @throws TypeError or RangeError that names an option
 */
export function etcdRegistry(options: EtcdOptions = {}): EtcdRegistry {
  return new Etcd(settingsOf(options), realClock)
}

class Etcd implements EtcdRegistry {
  readonly name = KIND
  readonly #settings: EtcdSettings
  readonly #clock: Clock
  readonly #channel: Channel
  readonly #client: Client
  readonly #counters = new Counters()
  readonly #warnings: WarningThrottle
  readonly #registrations = new Map<string, Registration>()
  readonly #reads: Gate
  readonly #watches = new Watches((name, sink) => this.#makeWatch(name, sink))

  constructor(settings: EtcdSettings, clock: Clock) {
    const { endpoints, tls, user, timeout, attemptTimeout, log } = settings
    this.#settings = settings
    this.#clock = clock
    this.#reads = new Gate(WATCH_READS, timeout, clock)
    this.#warnings = new WarningThrottle(log, clock.now)
    this.#channel = new Channel(endpoints, tls, attemptTimeout, clock)
    const credentials = user && new Credentials(user.name, user.password, clock)
    this.#client = new Client(this.#channel, credentials, { timeout, attemptTimeout }, clock)
  }

  get stats(): EtcdStats {
    return { connects: this.#channel.connects, ...this.#counters }
  }

  async register(service: Service, { ttl, signal }: RegisterOptions = {}): Promise<void> {
    const copy = copyService(service)
    if (copy.nodes.length === 0) throw new TypeError('service.nodes must have at least one')
    const wanted = { ttl: duration('ttl', ttl, REGISTER_TTL, 1) }
    const nodes = copy.nodes.map((node) => ({ key: this.#settings.keys.ofNode(copy.name, node.id), value: encodeValue(copy, node) }))
    await this.#run(async () => {
      for (const { key, value } of nodes) await this.#registration(key, (each) => each.set({ ...wanted, value }, signal))
    }, signal)
  }

  async deregister(service: Service, { signal }: LookupOptions = {}): Promise<void> {
    const { name, nodes } = copyService(service)
    const keys = nodes.map(({ id }) => this.#settings.keys.ofNode(name, id))
    await this.#run(async () => {
      const removed = keys.map((key) => {
        const registration = this.#registrations.get(key)
        this.#registrations.delete(key)
        return registration?.remove(signal) ?? this.#client.call(remove, Buffer.from(key), { signal })
      })
      // None stays because another one failed.
      for (const result of await Promise.allSettled(removed)) if (result.status === 'rejected') throw result.reason
    }, signal)
  }

  async getService(name: string, { signal }: LookupOptions = {}): Promise<readonly Service[]> {
    const prefix = this.#prefixOf(name)
    const records = new Records(name, (key) => this.#onMalformed(key))
    const { pairs } = await this.#run(() => readAll(this.#client, prefix, { signal }, () => this.#onStale()), signal)
    records.replace(pairs)
    return servicesOf(name, records)
  }

  async listServices({ signal }: LookupOptions = {}): Promise<readonly Service[]> {
    const { prefix } = this.#settings.keys
    const { pairs } = await this.#run(() => readAll(this.#client, prefix, { signal }, () => this.#onStale()), signal)
    const services = new Map<string, NodeRecord[]>()
    for (const { key, value } of pairs) {
      const decoded = decodeValue(value)
      if (decoded === undefined) {
        this.#onMalformed(key)
        continue
      }
      const known = services.get(decoded.name)
      if (known === undefined) services.set(decoded.name, [...decoded.records])
      else known.push(...decoded.records)
    }
    const names = [...services.keys()].sort(compare)
    return names.flatMap((name) => servicesOf(name, services.get(name) as NodeRecord[]))
  }

  watch(name: string, { signal }: LookupOptions = {}): AsyncIterable<readonly Service[]> {
    this.#prefixOf(name)
    const source = this.#watches.sourceOf(name)
    const onReader = (reader: SnapshotReader): void => {
      if (this.#client.isClosed) reader.fail(registryClosed(KIND))
      else source.onReader(reader)
    }
    return new SnapshotReader({ ...source, onReader }, signal)
  }

  async close(): Promise<void> {
    for (const registration of this.#registrations.values()) registration.forget()
    this.#registrations.clear()
    this.#client.close()
    this.#watches.fail(registryClosed(KIND))
  }

  /** Lets the registration of a key do something. One whose first write fails is none. */
  async #registration(key: string, act: (registration: Registration) => Promise<void>): Promise<void> {
    let registration = this.#registrations.get(key)
    if (registration === undefined) {
      registration = new Registration(key, this.#client, this.#counters, this.#settings.log, this.#clock)
      this.#registrations.set(key, registration)
    }
    try {
      await act(registration)
    } catch (error) {
      if (!registration.isKept && this.#registrations.get(key) === registration) {
        this.#registrations.delete(key)
        // Perhaps etcd has it all the same.
        registration.remove(undefined).catch(() => {})
      }
      throw error
    }
  }

  async #run<T>(operation: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (this.#client.isClosed) throw registryClosed(KIND)
    try {
      signal?.throwIfAborted()
      return await operation()
    } catch (error) {
      throw this.#failure(error)
    }
  }

  #failure(error: unknown): unknown {
    if (this.#client.isClosed) return registryClosed(KIND)
    return error instanceof EtcdError ? registryLost(KIND, error) : error
  }

  #makeWatch(name: string, { onServices, onLost }: WatchSink): ServiceWatch {
    const records = new Records(name, (key) => this.#onMalformed(key))
    const target = { name, prefix: this.#prefixOf(name), records, reads: this.#reads }
    const sink = { onServices, onLost: (reason: unknown) => onLost(this.#failure(reason)) }
    return new ServiceWatch(this.#client, target, sink, this.#counters, this.#clock)
  }

  #prefixOf(name: string): string {
    requireName(name)
    return this.#settings.keys.ofService(name)
  }

  #onStale(): void {
    this.#counters.staleReads++
    this.#warnings.warn('etcd has no leader: one server alone was asked', '', 'no leader')
  }

  #onMalformed(key: string): void {
    this.#counters.malformed++
    this.#warnings.warn('a value in etcd is no record of a service', Buffer.from(key.slice(0, 256), 'latin1').toString(), 'malformed')
  }
}
