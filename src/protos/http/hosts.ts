/** Maximum number of authorities. One more clears the table, which is then filled again. */
const MAX_KEPT = 1000

/**
 * Remembers which peers are DMicro peers. Every HTTP server requires the header `Host`, but a DMicro peer reads it as
 * meta, so calls leave it out once the peer has answered, on later connections too.
 */
export class Hosts {
  readonly #peers = new Set<string>()

  /** The `Host` line for a connection to `authority`; '' for a DMicro peer. */
  line(authority: string): string {
    return this.#peers.has(authority) ? '' : `Host: ${authority}\r\n`
  }

  /**
   * Stores what the peer at `authority` is.
   *
   * @param peer whether it answered as a DMicro peer
   */
  learn(authority: string, peer: boolean): void {
    if (!peer) {
      this.#peers.delete(authority)
    } else if (!this.#peers.has(authority)) {
      if (this.#peers.size === MAX_KEPT) this.#peers.clear()
      this.#peers.add(authority)
    }
  }
}
