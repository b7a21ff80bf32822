import { BlockList } from 'node:net'
import { networkInterfaces } from 'node:os'

/** One address family on one network interface. */
interface Interface {
  readonly family: 4 | 6
  /** Names the interface towards the system: an address of it, or of IPv6 its scope. */
  readonly id: string
  readonly address: string
  readonly internal: boolean
}

/** The interfaces that are up, and which addresses are behind them. */
export class Interfaces {
  readonly all: readonly Interface[]
  readonly #near = new BlockList()

  constructor(found = networkInterfaces()) {
    const all = new Map<string, Interface>()
    for (const [name, addresses = []] of Object.entries(found)) {
      for (const { address, family, internal, cidr, ...more } of addresses) {
        const [kind, version] = family === 'IPv6' ? (['ipv6', 6] as const) : (['ipv4', 4] as const)
        const scope = process.platform === 'win32' ? (more as { scopeid?: number }).scopeid : name
        const id = version === 4 ? address : `::%${scope}`
        // Several addresses of IPv6 have one scope. Others cannot use the link's own address without a scope of theirs.
        const before = all.get(id)
        if (before === undefined || before.address.startsWith('fe80')) all.set(id, { family: version, id, address, internal })
        if (cidr !== null) this.#near.addSubnet(address, Number(cidr.split('/')[1]), kind)
      }
    }
    this.all = [...all.values()]
  }

  /** Where to send: all that lead to others, or the loopback interface when there is no other. */
  senders(family: 4 | 6): readonly Interface[] {
    const own = this.all.filter((each) => each.family === family)
    const outward = own.filter(({ internal }) => !internal)
    return outward.length > 0 ? outward : own
  }

  /** Whether an address belongs to a network that an interface is in. */
  isNear(address: string): boolean {
    const [plain, scope] = address.split('%')
    if (scope !== undefined) return true
    try {
      return this.#near.check(plain, plain.includes(':') ? 'ipv6' : 'ipv4')
    } catch {
      return false
    }
  }

  /** By which others reach this host: an address of IPv4 if there is one. */
  ownAddress(): string {
    const usable = this.all.filter(({ internal, address }) => !internal && !address.startsWith('fe80'))
    return (usable.find(({ family }) => family === 4) ?? usable[0])?.address ?? '127.0.0.1'
  }
}
