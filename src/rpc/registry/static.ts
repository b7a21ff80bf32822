import { requireObject } from '../../base/check-options.ts'
import { registryClosed } from './errors.ts'
import { compare, copyService, nodeId, requireName } from './record.ts'
import type { LookupOptions, RegisterOptions, Registry, Service } from './registry.ts'
import { Readers, SnapshotReader } from './snapshots.ts'

/**
 * A list that never changes. `register` and `deregister` do nothing, so that a server may use the registry of its
 * clients.
 *
 * @param list services; or addresses that serve every name, as `['tcp://10.0.0.1:9000']`; or addresses by name, as
 *   `{ math: ['10.0.0.1:9000'] }`
 * @throws TypeError for a bad list
 */
export function staticRegistry(list: readonly Service[] | readonly string[] | Readonly<Record<string, readonly string[]>>): Registry {
  return new StaticRegistry(list)
}

class StaticRegistry implements Registry {
  readonly name = 'static'
  readonly #services: readonly Service[]
  /** Addresses that serve every name. */
  readonly #addresses: readonly string[]
  readonly #readers = new Readers()
  #closed = false

  constructor(list: readonly Service[] | readonly string[] | Readonly<Record<string, readonly string[]>>) {
    requireObject('the list', list)
    const items: readonly unknown[] = Array.isArray(list) ? list : []
    const named = Array.isArray(list) ? [] : Object.entries(list as Record<string, readonly string[]>)
    this.#addresses = items.filter((item) => typeof item === 'string')
    serviceAt('any', this.#addresses)
    const services = items.filter((item) => typeof item !== 'string').map((item) => copyService(item as Service))
    services.push(...named.map(([name, addresses]) => serviceAt(name, addresses)))
    this.#services = services.sort((a, b) => compare(a.name, b.name) || compare(a.version, b.version))
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
    return this.#find(name)
  }

  async listServices(options: LookupOptions = {}): Promise<readonly Service[]> {
    this.#begin(options.signal)
    return this.#services
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
          this.#readers.add(reader)
          reader.set(this.#find(name))
        },
        onReaderGone: (reader) => this.#readers.delete(reader),
      },
      options.signal,
    )
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#readers.fail(registryClosed(this.name))
  }

  #begin(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted()
    if (this.#closed) throw registryClosed(this.name)
  }

  #find(name: string): readonly Service[] {
    const services = this.#services.filter((service) => service.name === name)
    return services.length > 0 || this.#addresses.length === 0 ? services : [serviceAt(name, this.#addresses)]
  }
}

function serviceAt(name: string, addresses: readonly string[]): Service {
  if (!Array.isArray(addresses)) throw new TypeError(`the addresses of ${JSON.stringify(name.slice(0, 64))} must be a list`)
  const nodes = addresses.map((address: string) => ({ id: nodeId(name, address), address, paths: undefined, metadata: {} }))
  return copyService({ name, version: '', metadata: {}, nodes })
}
