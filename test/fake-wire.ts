import { SendResult, type Wire, type WireSink } from '../src/transport.ts'

/** A wire without a socket: keeps the frames it is given, and counts who holds it. */
export class FakeWire implements Wire {
  readonly localAddress = 'local'
  readonly remoteAddress = 'remote'
  sink!: WireSink
  readonly frames: Buffer[] = []
  holds = 0
  /** What sending gives. */
  result: SendResult = SendResult.Ok

  send(): SendResult {
    throw new Error('a frame was expected')
  }

  sendFrame(frame: Uint8Array): SendResult {
    if (this.result === SendResult.Ok) this.frames.push(Buffer.from(frame))
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
