import { Parsers, Step } from '../http/llhttp.ts'

/** Most bytes of the head of a handshake, which may carry cookies. Node.js has the same limit. */
const MAX_HEAD_BYTES = 16_384

/** Result of reading a head. */
export const HeadStep = {
  More: 0,
  Done: 1,
  /** The bytes are no HTTP. */
  Malformed: 2,
  TooLarge: 3,
} as const
export type HeadStep = (typeof HeadStep)[keyof typeof HeadStep]

/** Reads the head of a request or a response that comes in pieces, by the parser of the protocol `http`. */
export class HeadReader {
  /** Bytes of the last piece that belong to the head. */
  used = 0
  /** First line, its parts. */
  method = ''
  target = ''
  status = 0
  /** Names and values in turn. */
  fields: string[] = []
  readonly #parsers = new Parsers()
  #bytes = Buffer.alloc(0)

  readonly #response: boolean

  /** @param response whether a response is read */
  constructor(response: boolean) {
    this.#response = response
  }

  /** Reads the next piece. Must not be called again after another result than More. */
  add(bytes: Buffer, start: number, end: number): HeadStep {
    const before = this.#bytes.length
    if (before === 0) this.#parsers.begin(this.#response)
    this.#bytes = Buffer.concat([this.#bytes, bytes.subarray(start, Math.min(end, start + MAX_HEAD_BYTES + 1 - before))])
    const step = this.#parsers.readHead(this.#bytes, 0, this.#bytes.length)
    const size = this.#parsers.fed
    if (step === Step.More && this.#bytes.length <= MAX_HEAD_BYTES) {
      this.used = end - start
      return HeadStep.More
    }
    if (step === Step.More || step === Step.TooManyFields || size > MAX_HEAD_BYTES) return HeadStep.TooLarge
    if (step !== Step.Done) return HeadStep.Malformed
    this.used = size - before
    this.#take()
    return HeadStep.Done
  }

  #take(): void {
    const { fields, count, urlStart, urlEnd, status } = this.#parsers.head
    const text = (from: number, to: number): string => this.#bytes.toString('latin1', from, to)
    this.status = status
    this.target = text(urlStart, urlEnd)
    this.method = text(0, Math.max(this.#bytes.indexOf(0x20), 0))
    for (let i = 0; i < 4 * count; i += 4) {
      this.fields.push(text(fields[i], fields[i + 1]), text(fields[i + 2], fields[i + 3]).trim())
    }
  }

  free(): void {
    this.#parsers.free()
  }
}
