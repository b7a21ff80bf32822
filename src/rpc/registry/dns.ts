import { orAborted } from '../../base/async/or-aborted.ts'
import { runInRoot } from '../../base/async/root-context.ts'
import { duration, optionNames, requireNames, requireOptions, requireText, whole } from '../../base/check-options.ts'
import { type Clock, type ClockTimer, realClock } from '../../base/time/clock.ts'
import { type DnsSettings, Zone } from './dns/zone.ts'
import { registryCannot, registryClosed, registryLost } from './errors.ts'
import { copyService, requireName, sameServices, servicesOf } from './record.ts'
import type { LookupOptions, RegisterOptions, Registry, Service } from './registry.ts'
import { Readers, SnapshotReader } from './snapshots.ts'

/** Options of `dnsRegistry`. Durations are milliseconds. */
export interface DnsRegistryOptions {
  /**
   * Domain of the services: with `default.svc.cluster.local` the service `math` is looked up as
   * `math.default.svc.cluster.local`.
   * @default none: names are looked up as they are
   */
  readonly domain?: string
  /**
   * Port of the nodes, whose addresses are A and AAAA records. Without it SRV records say port and host.
   * @default none
   */
  readonly port?: number
  /**
   * First labels of the names of SRV records: in Kubernetes the name and the protocol of the service's port.
   * @default '_dmicro._tcp'
   */
  readonly srv?: string
  /**
   * Scheme of the nodes' addresses, as `tls`, which makes them URLs.
   * @default none: addresses are `host:port`
   */
  readonly scheme?: string
  /**
   * Kind of addresses that is asked for: 4, 6, or 0 for both.
   * @default 0
   */
  readonly family?: 0 | 4 | 6
  /**
   * Version of the services, which DNS does not know.
   * @default ''
   */
  readonly version?: string
  /**
   * Milliseconds between two lookups of a name that is watched.
   * @default 5,000
   */
  readonly interval?: number
  /**
   * Most milliseconds that a lookup may take.
   * @default 4,000
   */
  readonly timeout?: number
  /**
   * Name servers, as `10.0.0.10` or `127.0.0.1:5300`.
   * @default the system's
   */
  readonly servers?: readonly string[]
  /**
   * Time for intervals and the timeout.
   * @default the system's
   */
  readonly clock?: Clock
}

const known = optionNames<DnsRegistryOptions>({
  domain: true,
  port: true,
  srv: true,
  scheme: true,
  family: true,
  version: true,
  interval: true,
  timeout: true,
  servers: true,
  clock: true,
})

/**
 * Services as DNS knows them, such as the headless services of Kubernetes: one node for each address, from SRV records,
 * or from A and AAAA records together with the option `port`. `register` and `deregister` do nothing, since whoever
 * runs the zone does that. A watch looks up its name again and again.
 *
 * @throws TypeError or RangeError for bad options
 */
export function dnsRegistry(options: DnsRegistryOptions = {}): Registry {
  return new DnsRegistry(readOptions(options))
}

/** A name that is watched. */
interface Watched {
  readonly readers: Readers
  latest: readonly Service[] | undefined
  timer: ClockTimer | undefined
}

class DnsRegistry implements Registry {
  readonly name = 'dns'
  readonly #settings: DnsSettings
  readonly #zone: Zone
  readonly #lookups = new Map<string, Promise<readonly Service[]>>()
  readonly #watched = new Map<string, Watched>()
  #closed = false

  constructor(settings: DnsSettings) {
    this.#settings = settings
    this.#zone = new Zone(settings)
  }

  async register(service: Service, options: RegisterOptions = {}): Promise<void> {
    this.#begin(options.signal)
    copyService(service)
  }

  async deregister(service: Service, options: LookupOptions = {}): Promise<void> {
    this.#begin(options.signal)
    copyService(service)
  }

  async getService(name: string, options: LookupOptions = {}): Promise<readonly Service[]> {
    this.#begin(options.signal)
    requireName(name)
    return orAborted(this.#lookUp(name), options.signal)
  }

  async listServices(options: LookupOptions = {}): Promise<readonly Service[]> {
    this.#begin(options.signal)
    throw registryCannot(this.name, 'list services')
  }

  watch(name: string, options: LookupOptions = {}): AsyncIterable<readonly Service[]> {
    requireName(name)
    return new SnapshotReader(
      { onReader: (reader) => this.#addReader(name, reader), onReaderGone: (reader) => this.#removeReader(name, reader) },
      options.signal,
    )
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#zone.close()
    for (const { readers } of [...this.#watched.values()]) readers.fail(registryClosed(this.name))
  }

  #begin(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted()
    if (this.#closed) throw registryClosed(this.name)
  }

  /** One lookup of a name at a time, whoever wants it. */
  #lookUp(name: string): Promise<readonly Service[]> {
    let lookup = this.#lookups.get(name)
    if (lookup === undefined) {
      lookup = this.#find(name).finally(() => this.#lookups.delete(name))
      this.#lookups.set(name, lookup)
    }
    return lookup
  }

  async #find(name: string): Promise<readonly Service[]> {
    const { version } = this.#settings
    try {
      const nodes = await this.#zone.nodesOf(name)
      const records = new Map(nodes.map((node) => [node.id, { version, metadata: {}, node }]))
      return servicesOf(name, records.values())
    } catch (error) {
      throw this.#closed ? registryClosed(this.name) : registryLost(this.name, error)
    }
  }

  #addReader(name: string, reader: SnapshotReader): void {
    if (this.#closed) {
      reader.fail(registryClosed(this.name))
      return
    }
    const found = this.#watched.get(name)
    if (found !== undefined) {
      found.readers.add(reader)
      if (found.latest !== undefined) reader.set(found.latest)
      return
    }
    const watched: Watched = { readers: new Readers(), latest: undefined, timer: undefined }
    watched.readers.add(reader)
    this.#watched.set(name, watched)
    runInRoot(() => void this.#poll(name, watched), undefined)
  }

  #removeReader(name: string, reader: SnapshotReader): void {
    const watched = this.#watched.get(name)
    if (watched === undefined) return
    watched.readers.delete(reader)
    if (watched.readers.size > 0) return
    this.#watched.delete(name)
    this.#settings.clock.clearTimeout(watched.timer)
  }

  /** Looks up the name, and again after the interval, as long as somebody watches. */
  async #poll(name: string, watched: Watched): Promise<void> {
    const { clock, interval } = this.#settings
    try {
      const services = await this.#lookUp(name)
      if (this.#watched.get(name) !== watched) return
      if (watched.latest === undefined || !sameServices(watched.latest, services)) {
        watched.latest = services
        watched.readers.set(services)
      }
    } catch (error) {
      if (this.#watched.get(name) === watched) watched.readers.fail(error)
      return
    }
    // A tenth of chance, so that many processes that started together do not ask together.
    watched.timer = clock.setTimeout(() => void this.#poll(name, watched), interval * (0.9 + clock.random() / 10))
    watched.timer.unref()
  }
}

function readOptions(options: DnsRegistryOptions): DnsSettings {
  requireOptions('options', options, known)
  const { domain = '', port, srv = '_dmicro._tcp', scheme, family = 0, version = '', servers = [], clock = realClock } = options
  for (const [name, text] of Object.entries({ domain, srv, scheme, version })) requireText(name, text)
  requireNames('servers', servers)
  if (family !== 0 && family !== 4 && family !== 6) throw new RangeError(`option family must be 0, 4 or 6, got ${family}`)
  return {
    suffix: domain === '' ? '' : `.${domain}`,
    port: port === undefined ? undefined : whole('port', port, 1, 65_535),
    srv,
    scheme: scheme === undefined ? '' : `${scheme}://`,
    families: family === 0 ? [4, 6] : [family],
    version,
    interval: duration('interval', options.interval, 5_000, 1),
    timeout: duration('timeout', options.timeout, 4_000, 1),
    servers,
    clock,
  }
}
