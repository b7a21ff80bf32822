import { rawEnvelope } from '../../src/protos/raw-envelope.ts'
import { SendResult, type Wire, type WireSink } from '../../src/transport.ts'

/** A wire without a socket: keeps the frames it is given, and counts who holds it. */
export class FakeWire implements Wire {
  readonly envelope = rawEnvelope
  readonly localAddress = 'local'
  readonly remoteAddress = 'remote'
  sink!: WireSink
  readonly frames: Buffer[] = []
  holds = 0
  readonly heard = 0
  /** What sending gives. */
  result: SendResult = SendResult.Ok

  send(): SendResult {
    throw new Error('a frame was expected')
  }

  sendFrame(frame: Uint8Array | string): SendResult {
    if (this.result === SendResult.Ok) this.frames.push(Buffer.from(frame as Uint8Array))
    return this.result
  }

  hold(): void {
    this.holds++
  }

  release(): void {
    this.holds--
  }

  end(): void {}

  destroy(): void {}
}
