import { registryLost } from '../errors.ts'
import { Collecting } from './collecting.ts'
import type { Medium } from './medium.ts'
import { type DomainNames, isDnsName } from './names.ts'
import type { PacketWriter } from './packets.ts'
import type { Packet } from './read-packet.ts'
import type { MdnsSettings } from './settings.ts'

/** Most names, since anybody in the network can answer with some. */
const MAX_NAMES = 10_000

/** Asks once for the names of all services. */
export class ListCollector {
  readonly #domain: DomainNames
  readonly #ask: () => void
  readonly #collecting: Collecting
  readonly #names = new Set<string>()

  constructor(settings: MdnsSettings, names: DomainNames, writer: PacketWriter, medium: Medium) {
    this.#domain = names
    this.#ask = () => {
      const sent = medium.query(writer.query(Math.floor(settings.clock.random() * 0x10000), names.list))
      if (!sent) this.stop(registryLost('mdns', 'no network interface takes part in multicast'))
    }
    this.#collecting = new Collecting(settings, this.#ask)
  }

  /** Asks for the first time. Requires that packets are passed on from now on. */
  start(): void {
    this.#ask()
  }

  async names(): Promise<string[]> {
    await this.#collecting.done
    return [...this.#names]
  }

  onPacket({ records }: Packet): void {
    for (const record of records) {
      if (record.type !== 'PTR' || record.name !== this.#domain.list || record.ttl === 0) continue
      const name = this.#domain.listed(record.data)
      if (name === undefined || this.#names.has(name) || this.#names.size >= MAX_NAMES || !isDnsName(name)) continue
      this.#names.add(name)
      this.#collecting.heard()
    }
  }

  stop(reason: unknown): void {
    this.#collecting.fail(reason)
  }
}
