/**
 * Maximum number of addresses without a session to remember. A rate per address does not stop a peer that has more
 * addresses.
 */
const MAX_ADDRESSES = 65_536
/** Number of entries to check when a new address arrives at a full table. */
const SWEEP = 16

/** The state of one address. */
interface Entry {
  sessions: number
  /** Connects that are left: the tokens of a token bucket. */
  tokens: number
  /** Time when `tokens` was computed. */
  at: number
}

/** Counts connections and limits connects by remote address. */
export class AddressTable {
  readonly #maxSessions: number
  /** Connects per second; also the size of a burst. */
  readonly #rate: number
  readonly #entries = new Map<string, Entry>()
  readonly #now: () => number

  /**
   * @param maxSessions maximum number of connections of one address
   * @param rate connects per second
   * @param now monotonic milliseconds
   */
  constructor(maxSessions: number, rate: number, now: () => number) {
    this.#maxSessions = maxSessions
    this.#rate = rate
    this.#now = now
  }

  /** Number of addresses known. */
  get size(): number {
    return this.#entries.size
  }

  /**
   * Handles a new connection.
   *
   * @param remote as `Connection.remoteAddress`
   * @returns undefined when it is accepted, and then `leave` must follow; otherwise why it is refused
   */
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

  /** Handles the end of an accepted connection. */
  leave(remote: string): void {
    const entry = this.#entries.get(addressKey(remote))
    if (entry !== undefined && entry.sessions > 0) entry.sessions--
  }

  #refill(entry: Entry, now: number): void {
    entry.tokens = Math.min(this.#rate, entry.tokens + ((now - entry.at) * this.#rate) / 1000)
    entry.at = now
  }

  /**
   * Makes room, checking the oldest addresses first: one of them is dropped even if it has not regained all tokens.
   * Addresses with sessions stay, and move to the end.
   */
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
 * The key of what counts as one peer: an IPv4 address, or the /64 network of an IPv6 address, because an owner of such
 * a network has 2^64 addresses. '' for a Unix socket, whose file permissions say who may connect.
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
    // A dotted IPv4 part takes two groups.
    const missing = 8 - groups.length - behind.length - (address.includes('.') ? 1 : 0)
    for (let i = 0; i < missing; i++) groups.push('0')
    groups.push(...behind)
  }
  return groups
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')
}
