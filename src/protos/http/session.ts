import { CloseReason } from '../../close-reason.ts'
import { type Incoming, MessageType } from '../../message.ts'
import type { Outgoing } from '../../outgoing.ts'
import { ProtoError, type ProtoLink, type ProtoSession } from '../../proto.ts'
import type { ContentTypes } from './content-type.ts'
import type { Cors } from './cors.ts'
import { Reader } from './reader.ts'
import { ReplyQueue } from './reply-queue.ts'
import { Requests } from './requests.ts'
import { Responses } from './responses.ts'
import type { Writer } from './write.ts'

/** A plain reply below this is not worth compressing. */
const MIN_COMPRESSED = 1024

/** HTTP on one connection. */
export class HttpSession implements ProtoSession {
  readonly #link: ProtoLink
  readonly #writer: Writer
  readonly #replies: ReplyQueue
  readonly #requests: Requests
  readonly #responses = new Responses()
  readonly #reader: Reader
  /** What ends the connection once the requests before it were answered. */
  #refusal: CloseReason | undefined

  constructor(link: ProtoLink, types: ContentTypes, writer: Writer, cors: Cors | undefined) {
    this.#link = link
    this.#writer = writer
    this.#replies = new ReplyQueue(link.limits.maxUnsent)
    this.#requests = new Requests(link, this.#replies, cors)
    this.#reader = new Reader(link.limits, types, this.#requests, this.#responses)
  }

  get unfinished(): boolean {
    return this.#reader.unfinished
  }

  unpack(bytes: Buffer, start: number, end: number, message: Incoming): number {
    try {
      const used = this.#reader.read(bytes, start, end, message)
      if (this.#requests.closing && !this.#reader.unfinished) this.#reader.ignore()
      return used
    } catch (error) {
      // Requests before this one are still answered, and first.
      if (!(error instanceof ProtoError) || error.farewell === '' || this.#replies.empty) throw error
      this.#replies.settle(this.#replies.add({ head: false, close: true, gzip: false, cors: '' }), error.farewell)
      this.#reader.ignore()
      this.#refusal = error.reason ?? CloseReason.Malformed
      return end - start
    }
  }

  pack(message: Outgoing): string | Uint8Array {
    const { type, seq } = message
    if (type === MessageType.Reply) return ReplyQueue.owns(seq) ? this.#plainReply(message) : this.#writer.reply(message)
    if (type !== MessageType.Call) throw new TypeError(`unsupport message type: ${type}${type === MessageType.Push ? '(PUSH)' : ''}`)
    if (this.#requests.plainPeer) throw new TypeError('http: the peer sends plain HTTP requests, it takes no calls')
    const request = this.#writer.request(message)
    this.#responses.called(seq)
    return request
  }

  worthFilters(message: Outgoing): boolean {
    if (!ReplyQueue.owns(message.seq)) return true
    return this.#replies.get(message.seq)?.gzip === true && message.body !== null && message.body.length >= MIN_COMPRESSED
  }

  close(): void {
    this.#reader.free()
  }

  #plainReply(message: Outgoing): string | Uint8Array {
    const asked = this.#replies.get(message.seq)
    if (asked === undefined) throw new Error(`http: no request waits for reply ${message.seq}`)
    const bytes = this.#replies.settle(message.seq, this.#writer.plainReply(message, asked))
    if (!this.#replies.ended) return bytes
    // Written here, so that the end comes behind it.
    this.#link.write(bytes)
    this.#link.end(this.#refusal)
    return ''
  }
}
