import { Resolver } from 'node:dns/promises'
import { isIPv6 } from 'node:net'
import type { Clock } from '../../../base/time/clock.ts'
import { sleep } from '../../../base/time/sleep.ts'
import { nodeId } from '../record.ts'
import type { ServiceNode } from '../registry.ts'

/** Options of `dnsRegistry` with their defaults filled in. */
export interface DnsSettings {
  /** Put behind names, with a dot before it; '' for none. */
  readonly suffix: string
  /** Port of the nodes; undefined where SRV records say it. */
  readonly port: number | undefined
  /** First labels of SRV names. */
  readonly srv: string
  /** Put before addresses, as `tls://`; '' for none. */
  readonly scheme: string
  readonly families: readonly (4 | 6)[]
  readonly version: string
  readonly interval: number
  readonly timeout: number
  readonly servers: readonly string[]
  readonly clock: Clock
}

/** Most nodes taken out of one answer of SRV, since each costs queries of its own. */
const MAX_TARGETS = 1_000

/** The error codes by which DNS says with authority that there are no such records. */
const NONE: readonly unknown[] = ['ENOTFOUND', 'ENODATA']

/** Nodes of services, asked of name servers. */
export class Zone {
  readonly #settings: DnsSettings
  readonly #resolver: Resolver

  constructor(settings: DnsSettings) {
    this.#settings = settings
    // Two attempts, since one datagram may be lost, and half of the time for each.
    this.#resolver = new Resolver({ timeout: Math.ceil(settings.timeout / 2), tries: 2 })
    if (settings.servers.length > 0) this.#resolver.setServers(settings.servers)
  }

  /** Ends all queries. */
  close(): void {
    this.#resolver.cancel()
  }

  /**
   * The nodes of a service; none when DNS says so.
   * @throws (rejects) when DNS does not know, or does not answer in time
   */
  async nodesOf(service: string): Promise<readonly ServiceNode[]> {
    const { timeout, clock } = this.#settings
    const done = new AbortController()
    // Several names are asked one after the other, and each may take the timeout of the resolver.
    const late = sleep(clock, timeout, done.signal).then(() => {
      throw new Error(`no answer within ${timeout} ms`)
    })
    try {
      return await Promise.race([this.#find(service, done.signal), late])
    } finally {
      late.catch(() => {})
      done.abort()
    }
  }

  /** @param signal ends it before its next question: whoever answers could name hosts without end */
  async #find(service: string, signal: AbortSignal): Promise<readonly ServiceNode[]> {
    const { port, suffix, srv } = this.#settings
    const host = service + suffix
    if (port !== undefined) return (await this.#addressesOf(host)).map((ip) => this.#node(service, ip, port, { host }))
    const targets = await orNone(this.#resolver.resolveSrv(`${srv}.${host}`))
    targets.sort((a, b) => a.priority - b.priority)
    for (let i = 0; i < Math.min(targets.length, MAX_TARGETS) && !signal.aborted; ) {
      const { priority } = targets[i]
      const group = targets.slice(i, MAX_TARGETS).filter((target) => target.priority === priority)
      i += group.length
      const nodes = await Promise.all(
        group.map(async ({ name, port, weight }) => {
          const metadata = { host: name, weight: String(weight) }
          return (await this.#addressesOf(name)).map((ip) => this.#node(service, ip, port, metadata))
        }),
      )
      // Nodes of a higher number are to be used only when there are none of a lower one.
      if (nodes.some((found) => found.length > 0)) return nodes.flat()
    }
    return []
  }

  /** The addresses of a host. One family is enough, because some servers never answer for the other. */
  async #addressesOf(host: string): Promise<string[]> {
    const { families } = this.#settings
    const asked = families.map((family) => orNone(family === 4 ? this.#resolver.resolve4(host) : this.#resolver.resolve6(host)))
    const results = await Promise.allSettled(asked)
    const found = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))
    const failed = results.find((result) => result.status === 'rejected')
    if (found.length === 0 && failed !== undefined) throw failed.reason
    return found
  }

  #node(service: string, ip: string, port: number, metadata: Record<string, string>): ServiceNode {
    const place = isIPv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`
    return {
      id: nodeId(service, place),
      address: this.#settings.scheme + place,
      paths: undefined,
      metadata: { registry: 'dns', ...metadata },
    }
  }
}

/** The records, or none when DNS says that there are none. */
async function orNone<T>(records: Promise<T[]>): Promise<T[]> {
  try {
    return await records
  } catch (error) {
    if (NONE.includes((error as NodeJS.ErrnoException).code)) return []
    throw error
  }
}
