import type { Limits } from '../../base/limits.ts'
import { CloseReason } from '../../message/close-reason.ts'
import type { Incoming } from '../../message/message.ts'
import type { ProtoError } from '../proto.ts'
import { ChunkedBody } from './chunked-body.ts'
import type { ContentTypes } from './content-type.ts'
import { Fields, int32 } from './fields.ts'
import { type Head, Parsers, Step } from './llhttp.ts'
import { type Refuse, refuseRequest, refuseResponse } from './refusal.ts'

/** Maximum size of a head, and of all parts of chunks besides their contents, in bytes. */
const MAX_HEAD = 65_536

/** Maximum size of a head that is kept for comparison. */
const MAX_KEPT = 1024

const empty = Buffer.alloc(0)
const CR = 0x0d
const LF = 0x0a
const DIGIT_0 = 0x30
const DIGIT_9 = 0x39
const LETTER_H = 0x48
const LETTER_T = 0x54

/** Body length of a message that ends with the connection. */
export const UNTIL_END = -1

/** The part of a message that the next bytes belong to. */
const Phase = { Head: 0, Body: 1, Chunks: 2, Ignored: 3, UntilEnd: 4 } as const
type Phase = (typeof Phase)[keyof typeof Phase]

/** Handles the requests or the responses of a connection. */
export interface Receiver {
  /**
   * Handles a complete head.
   *
   * @param start offset of the head in `bytes`; valid during the call
   * @param bodyToCome whether no byte after the head has arrived
   * @returns the length of the body in bytes, or `UNTIL_END`; ignored when `fields.chunked`
   * @throws ProtoError to refuse the message
   */
  begin(bytes: Buffer, start: number, head: Readonly<Head>, fields: Fields, bodyToCome: boolean): number
  /** Whether an equal head that follows needs no `begin` of its own. */
  repeatable(fields: Fields): boolean
  /** Handles a complete message. `bytes[start, end)` is its body, even if `message` gets another one. */
  finish(bytes: Buffer, start: number, end: number, fields: Fields, message: Incoming): void
}

/**
 * Cuts the bytes of a connection into messages. Requests and responses may alternate: as in Go, the beginning of a
 * message tells them apart.
 */
export class Reader {
  readonly #limits: Readonly<Limits>
  readonly #types: ContentTypes
  readonly #requests: Receiver
  readonly #responses: Receiver
  readonly #parsers = new Parsers()
  readonly #fields = new Fields()
  #phase: Phase = Phase.Head
  #begun = false
  #receiver: Receiver
  #refuse: Refuse = refuseRequest
  #bodyLength = 0
  #chunks: ChunkedBody | undefined
  #chunkBytes = 0
  #last = empty
  /** Size of the kept head; 0 for none. */
  #lastSize = 0

  constructor(limits: Readonly<Limits>, types: ContentTypes, requests: Receiver, responses: Receiver) {
    this.#limits = limits
    this.#types = types
    this.#requests = requests
    this.#responses = responses
    this.#receiver = requests
  }

  /** Whether a head was used up and its body was not. */
  get unfinished(): boolean {
    return this.#phase === Phase.Body || this.#phase === Phase.Chunks || this.#phase === Phase.UntilEnd
  }

  /** Reads the next message, as `ProtoSession.unpack`. */
  read(bytes: Buffer, start: number, end: number, message: Incoming): number {
    const used = this.#read(bytes, start, end, message)
    this.#parsers.advance(used)
    return used
  }

  /** Completes the message that ends with the connection. */
  finish(message: Incoming): void {
    if (this.#phase !== Phase.UntilEnd) return
    const body = this.#taken.take()
    this.#finish(body, 0, body.length, message)
  }

  /** Ignores everything that is still received. */
  ignore(): void {
    this.#phase = Phase.Ignored
  }

  free(): void {
    this.#phase = Phase.Ignored
    this.#parsers.free()
  }

  #read(bytes: Buffer, start: number, end: number, message: Incoming): number {
    switch (this.#phase) {
      case Phase.Head:
        return this.#readHead(bytes, start, end, message)
      case Phase.Body:
        if (end - start < this.#bodyLength) return 0
        this.#finish(bytes, start, start + this.#bodyLength, message)
        return this.#bodyLength
      case Phase.Chunks:
        return this.#readChunks(bytes, start, end, message)
      case Phase.UntilEnd:
        if (!this.#taken.add(bytes.subarray(start, end))) throw this.#refuse(413, 'a body over the limit', CloseReason.TooLarge)
        return end - start
      default:
        return end - start
    }
  }

  #readHead(bytes: Buffer, start: number, end: number, message: Incoming): number {
    if (!this.#begun) {
      let from = start
      // RFC 9112 §2.2: empty lines before a message are ignored.
      while (from < end && (bytes[from] === CR || bytes[from] === LF)) from++
      if (from > start) return from - start
      const repeated = this.#repeated(bytes, start, end)
      if (repeated > 0) return this.#readBody(bytes, start, end, repeated, message)
      if (!this.#begin(bytes, start, end)) return 0
    }
    const step = this.#parsers.readHead(bytes, start, end)
    const size = this.#parsers.fed
    if (size > MAX_HEAD) throw this.#refuse(431, 'a head over 64 KiB', CloseReason.TooLarge)
    if (step === Step.More) return 0
    if (step !== Step.Done) throw this.#failure(step)
    this.#begun = false
    const fields = this.#fields
    const head = this.#parsers.head
    fields.read(bytes, start, head, this.#types, this.#limits.maxMetaKeys, this.#refuse)
    if (fields.length > this.#limits.maxMessage) throw this.#refuse(413, 'a Content-Length over the limit', CloseReason.TooLarge)
    this.#bodyLength = this.#receiver.begin(bytes, start, head, fields, start + size >= end)
    if (fields.chunked) {
      this.#phase = Phase.Chunks
      this.#chunkBytes = 0
      this.#parsers.resume()
      return size
    }
    if (this.#bodyLength === UNTIL_END) {
      this.#phase = Phase.UntilEnd
      return size
    }
    this.#keep(bytes, start, size)
    return this.#readBody(bytes, start, end, size, message)
  }

  /** Reads the body after a head of `size` bytes. */
  #readBody(bytes: Buffer, start: number, end: number, size: number, message: Incoming): number {
    const bodyStart = start + size
    if (end - bodyStart < this.#bodyLength) {
      this.#phase = Phase.Body
      return size
    }
    this.#finish(bytes, bodyStart, bodyStart + this.#bodyLength, message)
    return size + this.#bodyLength
  }

  /** Keeps a head of usual size whose repetition would mean the same. */
  #keep(bytes: Buffer, start: number, size: number): void {
    if (size > MAX_KEPT || !this.#receiver.repeatable(this.#fields)) return
    if (this.#last.length < size) this.#last = Buffer.allocUnsafeSlow(size)
    bytes.copy(this.#last, 0, start, start + size)
    this.#lastSize = size
  }

  /**
   * The size of the next head if it equals the kept one, byte for byte but for the digits of X-Seq; else 0. The parser
   * starts afresh with each head and would find the same, so the earlier result is used.
   */
  #repeated(bytes: Buffer, start: number, end: number): number {
    const size = this.#lastSize
    if (size === 0) return 0
    const fields = this.#fields
    const own = fields.seq !== undefined
    const same = own ? fields.seqStart : size
    if (end - start < same || bytes.compare(this.#last, 0, same, start, start + same) !== 0) return 0
    if (!own) return size
    let at = start + same
    while (at < end && bytes[at] >= DIGIT_0 && bytes[at] <= DIGIT_9) at++
    const seq = int32(bytes, start + same, at)
    const rest = size - fields.seqEnd
    if (seq === undefined || end - at < rest) return 0
    for (let i = 0; i < rest; i++) if (bytes[at + i] !== this.#last[fields.seqEnd + i]) return 0
    fields.seq = seq
    return at - start + rest
  }

  /**
   * Recognizes a request or a response.
   *
   * @returns false when there are too few bytes
   */
  #begin(bytes: Buffer, start: number, end: number): boolean {
    // No method begins with `HT`; `H` alone may become HEAD.
    if (start === end || (bytes[start] === LETTER_H && start + 1 === end)) return false
    const response = bytes[start] === LETTER_H && bytes[start + 1] === LETTER_T
    this.#refuse = response ? refuseResponse : refuseRequest
    this.#receiver = response ? this.#responses : this.#requests
    this.#parsers.begin(response)
    this.#lastSize = 0
    this.#begun = true
    return true
  }

  #readChunks(bytes: Buffer, start: number, end: number, message: Incoming): number {
    const { maxMessage } = this.#limits
    const chunks = this.#taken
    const step = this.#parsers.readBody(bytes, start, end, chunks.add)
    const used = this.#parsers.fed
    this.#chunkBytes += used
    if (chunks.overflow || this.#chunkBytes > maxMessage + MAX_HEAD) {
      throw this.#refuse(413, 'a chunked body over the limit', CloseReason.TooLarge)
    }
    if (step === Step.Done) {
      const body = chunks.take()
      this.#finish(body, 0, body.length, message)
    } else if (step !== Step.More) {
      throw this.#failure(step)
    }
    return used
  }

  get #taken(): ChunkedBody {
    return (this.#chunks ??= new ChunkedBody(this.#limits.maxMessage))
  }

  #failure(step: Step): ProtoError {
    if (step === Step.TooManyFields) return this.#refuse(431, 'too many header fields', CloseReason.Meta)
    if (step === Step.Version) return this.#refuse(505, this.#parsers.complaint, CloseReason.Version)
    return this.#refuse(400, this.#parsers.complaint)
  }

  #finish(bytes: Buffer, start: number, end: number, message: Incoming): void {
    this.#phase = Phase.Head
    message.buffer = bytes
    message.nameStart = message.nameEnd = message.statusStart = message.statusEnd = message.metaStart = message.metaEnd = start
    message.bodyStart = start
    message.bodyEnd = end
    this.#receiver.finish(bytes, start, end, this.#fields, message)
  }
}
