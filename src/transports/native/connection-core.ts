import type { Framing } from '../../wire/framing.ts'
import type { SocketOption } from '../transport.ts'

/**
 * The parts of a core that its connections use: the shared memory they write to, and a few calls about one connection.
 */
export interface ConnectionCore {
  readonly control: Int32Array
  readonly sends: Int32Array
  readonly outbox: Buffer
  /** By slot: bytes that the peer has not taken. */
  readonly unsent: Int32Array
  /** By slot: part of `unsent` that replies to the peer take. */
  readonly replies: Int32Array
  /** By slot: changes when bytes of the peer were received, or when it took bytes that waited for it. */
  readonly activity: Int32Array
  /** Makes room in the outbox by passing its messages to the core now. */
  drain(): void
  /** Drains the outbox, with `body` as the body of its last message. */
  drainWith(body: Uint8Array): void
  end(slot: number, generation: number): void
  pauseReading(slot: number, generation: number, on: boolean): void
  setSocketOption(slot: number, generation: number, option: SocketOption, value: number): number
  descriptor(slot: number, generation: number): number
  setFraming(slot: number, generation: number, framing: Framing, skip: number, webSocket: number): void
  destroy(slot: number, generation: number, reason: number): void
}
