/** Addresses without a session that are remembered. A peer with more of them is not stopped by a rate per address. */
const MAX_ADDRESSES = 65_536
/** Looked at when a new one comes and there are so many. */
const SWEEP = 16

interface Entry {
  sessions: number
  /** Connects that are left. */
  tokens: number
  /** When `tokens` was right. */
  at: number
}

/** Connections by remote address: how many there are, and how often they come. */
export class AddressTable {
  readonly #maxSessions: number
  /** Connects a second; as many may come at once. */
  readonly #rate: number
  readonly #entries = new Map<string, Entry>()
  readonly #now: () => number

  /** @param now monotonic milliseconds */
  constructor(maxSessions: number, rate: number, now: () => number) {
    this.#maxSessions = maxSessions
    this.#rate = rate
    this.#now = now
  }

  get size(): number {
    return this.#entries.size
  }

  /** A connection came. Undefined when it may stay, which `leave` ends; else why not. @param remote as `Wire.remoteAddress` */
  enter(remote: string): string | undefined {
    const key = addressKey(remote)
    if (key === '') return undefined
    const now = this.#now()
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      if (this.#entries.size >= MAX_ADDRESSES) this.#sweep(now)
      entry = { sessions: 0, tokens: this.#rate, at: now }
      this.#entries.set(key, entry)
    }
    this.#refill(entry, now)
    if (entry.sessions >= this.#maxSessions) return 'too many sessions of this address'
    if (entry.tokens < 1) return 'this address connects too often'
    entry.tokens--
    entry.sessions++
    return undefined
  }

  leave(remote: string): void {
    const entry = this.#entries.get(addressKey(remote))
    if (entry !== undefined && entry.sessions > 0) entry.sessions--
  }

  #refill(entry: Entry, now: number): void {
    entry.tokens = Math.min(this.#rate, entry.tokens + ((now - entry.at) * this.#rate) / 1000)
    entry.at = now
  }

  /** Makes room: those that came first are looked at first, and one goes whatever it has left. Those with sessions stay, and move behind. */
  #sweep(now: number): void {
    let spare: string | undefined
    let looked = 0
    for (const [key, entry] of this.#entries) {
      if (++looked > SWEEP) break
      if (entry.sessions > 0) {
        this.#entries.delete(key)
        this.#entries.set(key, entry)
        continue
      }
      this.#refill(entry, now)
      if (entry.tokens >= this.#rate) this.#entries.delete(key)
      else spare ??= key
    }
    if (this.#entries.size >= MAX_ADDRESSES && spare !== undefined) this.#entries.delete(spare)
  }
}

/**
 * What counts as one peer: an IPv4 address, or the network of an IPv6 address, of which whoever has one has 2^64. '' for a Unix socket: the
 * file's permissions say who may use it.
 */
export function addressKey(remote: string): string {
  const colon = remote.lastIndexOf(':')
  if (colon < 0 || remote.startsWith('/') || remote.startsWith('@')) return ''
  const host = remote.slice(0, colon)
  if (!host.startsWith('[')) return host
  const [address] = host.slice(1, -1).split('%')
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)
  if (mapped !== null) return mapped[1]
  const [before, after] = address.split('::')
  const groups = before === '' ? [] : before.split(':')
  const behind = after === undefined || after === '' ? [] : after.split(':')
  if (after !== undefined) {
    // A dotted end takes two groups.
    const missing = 8 - groups.length - behind.length - (address.includes('.') ? 1 : 0)
    for (let i = 0; i < missing; i++) groups.push('0')
    groups.push(...behind)
  }
  return groups
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')
}
