import { type Connection, type ConnectionHandler, SendResult } from '../../src/transports/transport.ts'
import { rawEnvelope } from '../../src/wire/raw-envelope.ts'

/** A wire without a socket: keeps the frames it is given, and counts who holds it. */
export class FakeWire implements Connection {
  readonly envelope = rawEnvelope
  readonly localAddress = 'local'
  readonly remoteAddress = 'remote'
  handler!: ConnectionHandler
  readonly frames: Buffer[] = []
  holds = 0
  readonly activity = 0
  /** What sending gives. */
  result: SendResult = SendResult.Ok

  send(): SendResult {
    throw new Error('a frame was expected')
  }

  sendFrame(frame: Uint8Array | string): SendResult {
    if (this.result === SendResult.Ok) this.frames.push(Buffer.from(frame as Uint8Array))
    return this.result
  }

  pauseReading(): void {
    this.holds++
  }

  resumeReading(): void {
    this.holds--
  }

  end(): void {}

  destroy(): void {}
}
