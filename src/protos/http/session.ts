import { CloseReason } from '../../message/close-reason.ts'
import { type Incoming, MessageType } from '../../message/message.ts'
import type { Outgoing } from '../../message/outgoing.ts'
import { ProtoError, type ProtoLink, type ProtoSession } from '../proto.ts'
import type { ContentTypes } from './content-type.ts'
import { type DateLine, dateOf } from './date.ts'
import type { Hosts } from './hosts.ts'
import type { Pages } from './pages.ts'
import { Reader } from './reader.ts'
import { type Asked, ReplyQueue } from './reply-queue.ts'
import { Requests } from './requests.ts'
import { Responses } from './responses.ts'
import type { Writer } from './write.ts'

/** Minimum size in bytes of a plain reply that is compressed. */
const MIN_COMPRESSED = 1024

const farewells: Asked = { head: false, close: true, gzip: false, safeOnly: false, lines: '' }

/** HTTP on one connection. */
export class HttpSession implements ProtoSession {
  readonly #link: ProtoLink
  readonly #writer: Writer
  readonly #replies: ReplyQueue
  readonly #requests: Requests
  readonly #responses = new Responses()
  readonly #reader: Reader
  readonly #date: DateLine
  readonly #hosts: Hosts | undefined
  /** The `Host` line; '' for a DMicro peer. */
  #host = ''
  /** Whether this side has called. Then the connection may be silent for long. */
  #called = false
  readonly idleTimeout: number
  /** Reason that ends the connection once the requests before are answered. */
  #refusal: CloseReason | undefined

  /**
   * @param hosts undefined when no peer gets a `Host` line
   * @param idleTimeout milliseconds, 0 for none
   */
  constructor(link: ProtoLink, types: ContentTypes, writer: Writer, pages: Pages, hosts: Hosts | undefined, idleTimeout: number) {
    this.#link = link
    this.#writer = writer
    this.#hosts = hosts
    if (link.authority !== undefined && hosts !== undefined) this.#host = hosts.line(link.authority)
    this.idleTimeout = idleTimeout
    this.#date = dateOf(link.clock)
    this.#replies = new ReplyQueue(link.limits.maxUnsent)
    this.#requests = new Requests(link, this.#replies, pages, this.#date, idleTimeout)
    this.#reader = new Reader(link.limits, types, this.#requests, this.#responses)
  }

  get unfinished(): boolean {
    return this.#reader.unfinished
  }

  get idle(): boolean {
    if (this.#called || this.#requests.ownPeer || this.#reader.unfinished) return false
    return this.#replies.empty
  }

  finish(message: Incoming): void {
    this.#reader.finish(message)
  }

  unpack(bytes: Buffer, start: number, end: number, message: Incoming): number {
    try {
      const used = this.#reader.read(bytes, start, end, message)
      if (this.#requests.closing && !this.#reader.unfinished) this.#reader.ignore()
      if (message.type === MessageType.Reply) this.#answered()
      return used
    } catch (error) {
      if (!(error instanceof ProtoError) || error.finalResponse === '') throw error
      const finalResponse = error.finalResponse.replace('\r\n', `\r\n${this.#date.line}`)
      // Requests before this one are answered first.
      if (this.#replies.empty) throw new ProtoError(error.message, error.reason, finalResponse)
      this.#replies.settle(this.#replies.add(farewells), finalResponse)
      this.#reader.ignore()
      this.#refusal = error.reason ?? CloseReason.Malformed
      return end - start
    }
  }

  /** Learns from a response what the peer is. */
  #answered(): void {
    const { authority } = this.#link
    const { own } = this.#responses
    if (own === (this.#host === '') || authority === undefined || this.#hosts === undefined) return
    this.#hosts.learn(authority, own)
    this.#host = this.#hosts.line(authority)
  }

  pack(message: Outgoing): string | Uint8Array {
    const { type, seq } = message
    if (type === MessageType.Reply) return ReplyQueue.owns(seq) ? this.#plainReply(message) : this.#writer.reply(message)
    if (type !== MessageType.Call) throw new TypeError(`unsupport message type: ${type}${type === MessageType.Push ? '(PUSH)' : ''}`)
    if (this.#requests.plainPeer) throw new TypeError('http: the peer sends plain HTTP requests, it takes no calls')
    const request = this.#writer.request(message, this.#host)
    this.#responses.called(seq)
    this.#called = true
    return request
  }

  write(message: Outgoing, target: Buffer, at: number, end: number): number {
    const { type, seq } = message
    return type === MessageType.Reply && !ReplyQueue.owns(seq) ? this.#writer.writeReply(message, target, at, end) : -1
  }

  shouldFilter(message: Outgoing): boolean {
    if (!ReplyQueue.owns(message.seq)) return true
    return this.#replies.get(message.seq)?.gzip === true && message.body !== null && message.body.length >= MIN_COMPRESSED
  }

  close(): void {
    this.#reader.free()
  }

  #plainReply(message: Outgoing): string | Uint8Array {
    const asked = this.#replies.get(message.seq)
    if (asked === undefined) throw new Error(`http: no request waits for reply ${message.seq}`)
    const bytes = this.#replies.settle(message.seq, this.#writer.plainReply(message, asked, this.#date.line))
    if (!this.#replies.ended) return bytes
    // Written here, so that the end of the connection follows it.
    this.#link.write(bytes)
    this.#link.end(this.#refusal)
    return ''
  }
}
