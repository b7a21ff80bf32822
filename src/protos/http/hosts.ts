/** Authorities that are remembered. One more forgets all: they are learned again. */
const MAX_KEPT = 1000

/**
 * Which peers are told where they were dialled (`Host`): every server of HTTP wants it, but a DMicro peer takes it for meta, so that calls to one
 * leave it out as soon as it has answered once, on later connections too.
 */
export class Hosts {
  readonly #peers = new Set<string>()

  /** The header line for a connection to `authority`, '' for a DMicro peer. */
  line(authority: string): string {
    return this.#peers.has(authority) ? '' : `Host: ${authority}\r\n`
  }

  /** @param peer it answered as DMicro peers do */
  learn(authority: string, peer: boolean): void {
    if (!peer) {
      this.#peers.delete(authority)
    } else if (!this.#peers.has(authority)) {
      if (this.#peers.size === MAX_KEPT) this.#peers.clear()
      this.#peers.add(authority)
    }
  }
}
