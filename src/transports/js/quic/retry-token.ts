import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Milliseconds in which a client must answer a Retry. */
const LIFETIME_MS = 10_000
const MAC_BYTES = 16
const TIME_BYTES = 8

/**
 * Tokens of Retry packets (RFC 9000 §8.1.2), by which a client proves its address before anything is kept of it. A
 * token holds the time and the connection id that the client has chosen first, under a key of this process.
 */
export class RetryTokens {
  readonly #key = randomBytes(32)

  /**
   * @param peer `host:port`
   * @param odcid the connection id that the client has chosen
   * @param scid the one that replaces it
   */
  make(peer: string, odcid: Uint8Array, scid: Uint8Array, now: number): Buffer {
    const token = Buffer.alloc(TIME_BYTES + odcid.length + MAC_BYTES)
    token.writeDoubleBE(now, 0)
    token.set(odcid, TIME_BYTES)
    this.#mac(token.subarray(0, -MAC_BYTES), peer, scid).copy(token, token.length - MAC_BYTES)
    return token
  }

  /** The `odcid` of a valid token; undefined for others. */
  read(given: Uint8Array, peer: string, scid: Uint8Array, now: number): Buffer | undefined {
    if (given.length <= TIME_BYTES + MAC_BYTES) return undefined
    const token = Buffer.from(given)
    const body = token.subarray(0, -MAC_BYTES)
    if (!timingSafeEqual(token.subarray(-MAC_BYTES), this.#mac(body, peer, scid))) return undefined
    const age = now - token.readDoubleBE(0)
    return age >= 0 && age <= LIFETIME_MS ? body.subarray(TIME_BYTES) : undefined
  }

  #mac(body: Uint8Array, peer: string, scid: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(body).update(scid).update(peer).digest().subarray(0, MAC_BYTES)
  }
}
