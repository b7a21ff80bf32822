import { FEC_HEADER, FecDecoder, FecEncoder, TYPE_DATA, TYPE_PARITY } from './fec.ts'
import { KcpMachine } from './machine.ts'
import { MAX_DATAGRAM, OVERHEAD } from './segment.ts'
import { defaultKcp, type KcpSettings } from './settings.ts'

/** One conversation with its forward error correction: datagrams in and out. */
export class KcpConversation {
  readonly machine: KcpMachine
  readonly #send: (datagram: Buffer) => void
  readonly #encoder: FecEncoder | undefined
  readonly #decoder: FecDecoder
  #now = 0

  /** @param send gets each datagram that is to be sent, and owns it */
  constructor(conv: number, settings: KcpSettings, send: (datagram: Buffer) => void) {
    const { fecData, fecParity } = settings
    const { fecData: usualData, fecParity: usualParity } = defaultKcp
    this.#send = send
    this.machine = new KcpMachine(conv, settings, (segments) => this.#output(segments))
    this.#encoder = fecData === 0 ? undefined : new FecEncoder(fecData, fecParity)
    this.#decoder = new FecDecoder(fecData || usualData, fecParity || usualParity)
  }

  /** Whether the peer's parity cannot be used. */
  get repairOff(): boolean {
    return this.#decoder.off
  }

  /**
   * Takes a datagram, whose bytes are kept.
   * @returns number of good segments in it, and in what it repaired
   */
  receive(datagram: Buffer, now: number): number {
    if (datagram.length < OVERHEAD || datagram.length > MAX_DATAGRAM) return 0
    if (!hasFecHeader(datagram)) return this.machine.input(datagram, true, now)
    // Before the segments, so that a repeated datagram costs as little as it may.
    const repaired = this.#decoder.take(datagram)
    let count = 0
    if (datagram[4] === TYPE_DATA) count += this.machine.input(datagram.subarray(FEC_HEADER), true, now)
    for (const shard of repaired) {
      const size = shard.readUInt16LE(0)
      if (size >= 2 && size <= shard.length) count += this.machine.input(shard.subarray(2, size), false, now)
    }
    return count
  }

  /** Flushes, as `KcpMachine.flush`. */
  flush(full: boolean, now: number): void {
    this.#now = now
    this.machine.flush(full, now)
  }

  #output(segments: Buffer): void {
    const encoder = this.#encoder
    const at = encoder === undefined ? 0 : FEC_HEADER
    const datagram = Buffer.allocUnsafe(at + segments.length)
    segments.copy(datagram, at)
    if (encoder === undefined) {
      this.#send(datagram)
      return
    }
    const parity = encoder.seal(datagram, this.#now)
    this.#send(datagram)
    for (const each of parity) this.#send(each)
  }
}

/** Whether a datagram of at least `OVERHEAD` bytes has a FEC header before its segments, or is parity. */
export function hasFecHeader(datagram: Buffer): boolean {
  return datagram[5] === 0 && (datagram[4] === TYPE_DATA || datagram[4] === TYPE_PARITY)
}

/** The segments of a datagram of at least `OVERHEAD` bytes; undefined for parity, and when not one fits. */
export function segmentsOf(datagram: Buffer): Buffer | undefined {
  if (!hasFecHeader(datagram)) return datagram
  return datagram[4] === TYPE_DATA && datagram.length >= FEC_HEADER + OVERHEAD ? datagram.subarray(FEC_HEADER) : undefined
}
