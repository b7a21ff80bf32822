import { CloseReason } from '../../message/close-reason.ts'
import { type Incoming, MessageType } from '../../message/message.ts'
import { JSON_CODEC, jsonStart } from './content-type.ts'
import type { Fields } from './fields.ts'
import type { Head } from './llhttp.ts'
import { type Receiver, UNTIL_END } from './reader.ts'
import { refuseResponse } from './refusal.ts'
import { responseStatus } from './response-status.ts'

/** Go's HTTP status for a failed call (docs/spec/wire.md#http). */
const BUSINESS_ERROR = 299

/** Handles responses to our calls, in Go's form or of any HTTP server, which answers in order. */
export class Responses implements Receiver {
  #status = 0
  /** Our calls in order; undefined once it is known that a DMicro peer answers, without a proxy between. */
  #calls: Set<number> | undefined = new Set()

  /** Whether a DMicro peer answers. */
  get own(): boolean {
    return this.#calls === undefined
  }

  called(seq: number): void {
    this.#calls?.add(seq)
  }

  begin(_bytes: Buffer, _start: number, head: Readonly<Head>, fields: Fields): number {
    const { status } = head
    this.#status = status
    // An offer of another protocol (`Upgrade`) is ignored.
    if (status === 101 || status < 100) throw refuseResponse(400, `a response with status ${status}`)
    if (fields.type !== 0 && fields.type !== MessageType.Reply)
      throw refuseResponse(400, 'an X-MType that no response has', CloseReason.Type)
    if (status < 200 || status === 204 || status === 304) {
      fields.chunked = false
      return 0
    }
    if (fields.length < 0 && !fields.chunked && fields.seq === undefined) {
      if (this.#calls === undefined || this.#calls.size === 0) throw refuseResponse(400, 'a response to no call', CloseReason.Seq)
      return UNTIL_END
    }
    return Math.max(0, fields.length)
  }

  repeatable(): boolean {
    return false
  }

  finish(bytes: Buffer, start: number, end: number, fields: Fields, message: Incoming): void {
    const status = this.#status
    if (status < 200) return
    message.seq = this.#seq(fields)
    message.type = MessageType.Reply
    message.meta = fields.meta
    if (status < 300 && status !== BUSINESS_ERROR) {
      message.codec = fields.codec < 0 && fields.seq === undefined ? JSON_CODEC : Math.max(0, fields.codec)
      if (fields.codec === 0) message.mediaType = fields.mediaType
      else if (message.codec === JSON_CODEC) message.bodyStart = jsonStart(bytes, start, end)
      if (fields.gzip) message.bodyFilters = ['gzip']
      return
    }
    message.status = responseStatus(status, bytes.subarray(start, end), fields.gzip)
    message.bodyStart = message.bodyEnd
  }

  /** The call that a response answers. */
  #seq({ seq: own, dated }: Fields): number {
    if (own !== undefined) {
      // HTTP servers, and so proxies before a DMicro peer, send a date. A proxy may also answer itself, so the order
      // counts.
      if (dated) this.#calls?.delete(own)
      else this.#calls = undefined
      return own
    }
    for (const seq of this.#calls ?? []) {
      this.#calls!.delete(seq)
      return seq
    }
    throw refuseResponse(400, 'a response to no call', CloseReason.Seq)
  }
}
