import type { TestContext } from 'node:test'
import { MdnsRegistry } from '../../../../../src/rpc/registry/mdns/mdns-registry.ts'
import type { Medium, MediumHandler, Remote } from '../../../../../src/rpc/registry/mdns/medium.ts'
import type { MdnsSettings } from '../../../../../src/rpc/registry/mdns/settings.ts'
import { FakeClock } from '../../../../support/fake-clock.ts'
import { recorder } from '../../../../support/helpers.ts'

export interface Sent {
  readonly way: 'query' | 'announce' | 'reply'
  readonly packet: Buffer
  readonly from: string
  readonly to?: Remote
}

/** A network in memory: what is sent arrives at once, at the sender too, as with multicast loopback. */
export class MemoryNetwork {
  readonly clock = new FakeClock()
  readonly log = recorder()
  readonly sent: Sent[] = []
  readonly #media: MemoryMedium[] = []
  /** Nothing arrives while set. */
  isDown = false

  registry(t: TestContext, more: Partial<MdnsSettings> = {}): { registry: MdnsRegistry; medium: MemoryMedium } {
    const medium = new MemoryMedium(this, `10.0.0.${this.#media.length + 1}`)
    this.#media.push(medium)
    const settings = { domain: 'dmicro', hostName: 'host1', advertise: '', timeout: 1_000, quiet: 200, clock: this.clock, log: this.log }
    const registry = new MdnsRegistry({ ...settings, ...more }, medium)
    t.after(() => registry.close())
    return { registry, medium }
  }

  deliver(sent: Sent): void {
    this.sent.push(sent)
    if (this.isDown) return
    const port = sent.way === 'query' ? 40_000 : 5_353
    for (const medium of this.#media) {
      if (sent.to === undefined || sent.to.address === medium.address) medium.handler?.onPacket(sent.packet, { address: sent.from, port })
    }
  }

  /** Packets that were sent in this way, which are forgotten. */
  take(way: Sent['way']): Buffer[] {
    const packets = this.sent.filter((each) => each.way === way).map(({ packet }) => packet)
    this.sent.splice(0, this.sent.length, ...this.sent.filter((each) => each.way !== way))
    return packets
  }
}

export class MemoryMedium implements Medium {
  readonly #network: MemoryNetwork
  readonly address: string
  handler: MediumHandler | undefined
  opens = 0
  /** What `open` rejects with. */
  failure: Error | undefined
  /** False while nothing can be sent. */
  works = true

  constructor(network: MemoryNetwork, address: string) {
    this.#network = network
    this.address = address
  }

  async open(handler: MediumHandler): Promise<void> {
    if (this.failure !== undefined) throw this.failure
    this.opens++
    this.handler = handler
  }

  close(): void {
    this.handler = undefined
  }

  query(packet: Buffer): boolean {
    if (this.works) this.#network.deliver({ way: 'query', packet, from: this.address })
    return this.works
  }

  announce(packet: Buffer): void {
    this.#network.deliver({ way: 'announce', packet, from: this.address })
  }

  reply(packet: Buffer, to: Remote): void {
    this.#network.deliver({ way: 'reply', packet, from: this.address, to })
  }

  ownAddress(): string {
    return this.address
  }
}
