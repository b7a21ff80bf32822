import { EtcdError, GrpcCode } from './grpc-status.ts'

/** Bytes before each message of gRPC: a flag for compression and the length. */
const HEADER = 5
/** No server of gRPC sends more. */
const LONGEST = 2 ** 31 - 1

/** A message as it goes into a stream of gRPC. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(HEADER + message.length)
  framed[0] = 0
  framed.writeUInt32BE(message.length, 1)
  framed.set(message, HEADER)
  return framed
}

/** Cuts the messages out of the bytes of a stream of gRPC. */
export class FrameReader {
  readonly #max: number
  #chunks: Buffer[] = []
  #size = 0
  /** Bytes that are needed before anything can be cut. */
  #needed = HEADER

  /** @param max longest message in bytes; a longer one is refused by its header, before its bytes are kept */
  constructor(max: number) {
    this.#max = max
  }

  /**
   * The messages that `chunk` completes. They may share its memory.
   * @throws EtcdError when these are no messages, or one is too long
   */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    if (this.#size < this.#needed) return []
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#size)
    const messages: Buffer[] = []
    let at = 0
    this.#needed = HEADER
    while (bytes.length - at >= HEADER) {
      const length = this.#lengthAt(bytes, at)
      this.#needed = HEADER + length
      if (bytes.length - at < this.#needed) break
      messages.push(bytes.subarray(at + HEADER, at + this.#needed))
      at += this.#needed
      this.#needed = HEADER
    }
    this.#size = bytes.length - at
    this.#chunks = this.#size === 0 ? [] : [bytes.subarray(at)]
    return messages
  }

  #lengthAt(bytes: Buffer, at: number): number {
    const length = bytes.readUInt32BE(at + 1)
    if (bytes[at] !== 0 || length > LONGEST) throw new EtcdError(GrpcCode.Internal, 'a message is compressed, or none of gRPC')
    if (length > this.#max) throw new TooLong(length)
    return length
  }
}

/** A message that is longer than this client takes. */
export class TooLong extends EtcdError {
  constructor(length: number) {
    super(GrpcCode.ResourceExhausted, `a message of ${length} bytes is too long`)
  }
}
