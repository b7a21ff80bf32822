import { createHmac, randomBytes } from 'node:crypto'
import { Command, type Header, MARK } from '../../../wire/kcp/segment.ts'

/** Milliseconds for which cookies are made alike; each is good for as long again. */
const EPOCH_MS = 8192
/** Number of answers that are known to have opened a session. */
const REMEMBERED = 512

/**
 * Challenges that prove an address without any state: a PUSH with a number in the past, which every KCP acknowledges
 * with the same `sn` and `ts`. These are a keyed hash of the address, the conversation and the time.
 */
export class Cookies {
  readonly #key = randomBytes(32)
  readonly #used: string[] = []
  #nextUsed = 0

  /** The challenge to a peer that no session knows. */
  challenge(peer: string, conv: number, window: number, now: number): Header {
    const hash = this.#hash(peer, conv, Math.floor(now / EPOCH_MS))
    return { conv, cmd: Command.Push, frg: MARK, wnd: window, ts: hash.readUInt32LE(0), sn: oldNumber(hash), una: 0 }
  }

  /**
   * Whether an acknowledgement answers a challenge of this or the last epoch, for the first time: a copy of it can come
   * when the session that it has opened is closed.
   */
  answers(peer: string, { conv, ts, sn }: Header, now: number): boolean {
    // A number in the past: anything else was never sent here.
    if (sn < 0x8000_0000) return false
    const epoch = Math.floor(now / EPOCH_MS)
    for (let age = 0; age < 2; age++) {
      const hash = this.#hash(peer, conv, epoch - age)
      if (hash.readUInt32LE(0) === ts && oldNumber(hash) === sn) return this.#isFirst(`${sn} ${ts}`)
    }
    return false
  }

  #isFirst(answer: string): boolean {
    if (this.#used.includes(answer)) return false
    this.#used[this.#nextUsed] = answer
    this.#nextUsed = (this.#nextUsed + 1) % REMEMBERED
    return true
  }

  #hash(peer: string, conv: number, epoch: number): Buffer {
    return createHmac('sha256', this.#key).update(`${peer} ${conv} ${epoch}`).digest()
  }
}

function oldNumber(hash: Buffer): number {
  return (hash.readUInt32LE(4) | 0x8000_0000) >>> 0
}

/** Whether a segment is a challenge. */
export function isChallenge({ cmd, frg, sn }: Header): boolean {
  return cmd === Command.Push && frg === MARK && sn >= 0x8000_0000
}
