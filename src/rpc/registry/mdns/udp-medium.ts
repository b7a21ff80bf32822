import { createSocket, type Socket } from 'node:dgram'
import type { Clock } from '../../../base/time/clock.ts'
import { Interfaces } from './interfaces.ts'
import type { Medium, MediumHandler, Remote } from './medium.ts'

const GROUPS = { 4: '224.0.0.251', 6: 'ff02::fb' } as const
/** Milliseconds after which the interfaces are looked up again, since a host may join another network. */
const RESCAN_MS = 5_000

type Family = 4 | 6

/** The sockets of one address family. */
interface Pair {
  readonly family: Family
  /** On the port of mDNS, which it shares. */
  readonly group: Socket
  /** On a port of its own: replies to our queries come here, which on the shared port another process might get. */
  readonly own: Socket
  /** Interfaces whose group has been joined. */
  readonly joined: Set<string>
  /** Whether `group` is bound to more than the group, so that packets from anywhere may come. */
  readonly isOpen: boolean
}

/**
 * Multicast by two UDP sockets for each address family. Sends on every interface by its name, since there may be no
 * route.
 */
export class UdpMedium implements Medium {
  readonly #port: number
  #pairs: Pair[] = []
  #interfaces = new Interfaces()
  readonly #clock: Clock
  /** By the clock. */
  #scanned = 0

  /** @param port of the group; another one than 5353 is for tests */
  constructor(port: number, clock: Clock) {
    this.#port = port
    this.#clock = clock
  }

  async open(handler: MediumHandler): Promise<void> {
    const opened = await Promise.allSettled([this.#openPair(4, handler), this.#openPair(6, handler)])
    this.#pairs = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const [failed] = opened
    if (this.#pairs.length === 0 && failed.status === 'rejected') throw failed.reason
    this.#scan(true)
    if (this.#pairs.every(({ joined }) => joined.size === 0)) {
      this.close()
      throw new Error('no network interface takes part in multicast')
    }
  }

  close(): void {
    for (const { group, own } of this.#pairs.splice(0)) for (const socket of [group, own]) socket.close()
  }

  query(packet: Buffer): boolean {
    this.#scan(false)
    let sent = 0
    for (const pair of this.#pairs) sent += this.#multicast(pair.own, pair.family, packet)
    return sent > 0
  }

  announce(packet: Buffer): void {
    this.#scan(false)
    for (const pair of this.#pairs) this.#multicast(pair.group, pair.family, packet)
  }

  reply(packet: Buffer, { address, port }: Remote): void {
    const family = address.includes(':') ? 6 : 4
    const pair = this.#pairs.find((each) => each.family === family)
    if (pair !== undefined) send(pair.group, packet, port, address)
  }

  ownAddress(): string {
    return this.#interfaces.ownAddress()
  }

  async #openPair(family: Family, handler: MediumHandler): Promise<Pair> {
    const own = await bound(family, 0, undefined)
    try {
      const { socket: group, isOpen } = await this.#bindGroup(family)
      // RFC 6762 §11: unicast from outside of our networks is ignored, because anybody could send it.
      own.on('message', (packet, from) => {
        if (this.#interfaces.isNear(from.address)) handler.onPacket(packet, from)
      })
      group.on('message', (packet, from) => {
        if (!isOpen || this.#interfaces.isNear(from.address)) handler.onPacket(packet, from)
      })
      for (const socket of [own, group]) {
        // The sockets of a registry keep no process alive; what it serves does.
        socket.unref()
        socket.setMulticastLoopback(true)
      }
      return { family, group, own, joined: new Set(), isOpen }
    } catch (error) {
      own.close()
      throw error
    }
  }

  /**
   * Bound to the group itself, the socket gets multicast alone, and takes no packet away from other processes on the
   * port. Not every system can do it, and of IPv6 it would need a socket for each interface.
   */
  async #bindGroup(family: Family): Promise<{ socket: Socket; isOpen: boolean }> {
    if (family === 4) {
      try {
        return { socket: await bound(4, this.#port, GROUPS[4]), isOpen: false }
      } catch {
        // As on Windows.
      }
    }
    return { socket: await bound(family, this.#port, undefined), isOpen: true }
  }

  /** Joins the group on interfaces that are new. One that fails must not keep the others from it. */
  #scan(now: boolean): void {
    const time = this.#clock.now()
    if (!now && time - this.#scanned < RESCAN_MS) return
    this.#scanned = time
    this.#interfaces = new Interfaces()
    for (const { family, group, joined } of this.#pairs) {
      const ids = this.#interfaces.all.filter((each) => each.family === family).map(({ id }) => id)
      // One that went away and returns is joined anew.
      for (const id of joined) if (!ids.includes(id)) joined.delete(id)
      for (const id of ids) if (!joined.has(id) && attempt(() => group.addMembership(GROUPS[family], id))) joined.add(id)
    }
  }

  /** Returns the number of interfaces that the packet was sent on. */
  #multicast(socket: Socket, family: Family, packet: Buffer): number {
    let sent = 0
    for (const { id } of this.#interfaces.senders(family)) {
      if (attempt(() => socket.setMulticastInterface(id)) && send(socket, packet, this.#port, GROUPS[family])) sent++
    }
    return sent
  }
}

async function bound(family: Family, port: number, address: string | undefined): Promise<Socket> {
  const socket = createSocket({
    type: family === 4 ? 'udp4' : 'udp6',
    reuseAddr: port !== 0,
    ipv6Only: family === 6,
    // At once instead of in a later turn: the packet leaves by the interface that is set now.
    lookup: (host, _options, callback) => callback(null, host, family),
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ port, ...(address !== undefined && { address }) }, resolve)
  }).catch((error: unknown) => {
    socket.close()
    throw error
  })
  socket.removeAllListeners('error')
  // An interface that goes away is no reason to end the process.
  socket.on('error', () => {})
  return socket
}

/** A packet that cannot be sent is lost, as any may be. */
function send(socket: Socket, packet: Buffer, port: number, address: string): boolean {
  return attempt(() => socket.send(packet, port, address, () => {}))
}

function attempt(run: () => void): boolean {
  try {
    run()
    return true
  } catch {
    return false
  }
}
