import { CloseReason } from '../../close-reason.ts'
import { type Incoming, MessageType } from '../../message.ts'
import type { ProtoLink } from '../../proto.ts'
import { JSON_CODEC } from './content-type.ts'
import type { Cors } from './cors.ts'
import type { Fields } from './fields.ts'
import type { Head } from './llhttp.ts'
import type { Receiver } from './reader.ts'
import { refuseRequest } from './refusal.ts'
import type { Asked, ReplyQueue } from './reply-queue.ts'
import { readTarget, type Target } from './target.ts'

const FORM_CODEC = 102
const ACCEPT_CODEC = 'X-Accept-Body-Codec'
const gzipOnly: readonly string[] = ['gzip']

const LETTER_H = 0x48
const LETTER_O = 0x4f
const SPACE = 0x20
const DIGIT_0 = 0x30
const DIGIT_1 = 0x31

/** Requests of a peer: in Go's form, which have X-Seq, or plain ones of any HTTP client. */
export class Requests implements Receiver {
  /** A plain request came: such a peer takes no calls. */
  plainPeer = false
  /** The last request there was is the last one to be served: the peer said so, or has no other way to learn where the reply ends. */
  closing = false
  readonly #link: ProtoLink
  readonly #replies: ReplyQueue
  readonly #cors: Cors | undefined
  readonly #target: Target = { route: -1, method: undefined, query: undefined }
  #asked: Asked | undefined
  #preflight = false

  constructor(link: ProtoLink, replies: ReplyQueue, cors: Cors | undefined) {
    this.#link = link
    this.#replies = replies
    this.#cors = cors
  }

  begin(bytes: Buffer, start: number, head: Readonly<Head>, fields: Fields, bodyToCome: boolean): number {
    const version = start + head.urlEnd + 1
    const plain = fields.seq === undefined
    const old = bytes[version + 7] === DIGIT_0
    // The parser takes several spaces here, a missing version, and RTSP.
    if (bytes[version] !== LETTER_H || bytes[start + head.urlStart - 2] === SPACE) throw refuseRequest(400, 'a malformed request line')
    if (bytes[version + 5] !== DIGIT_1) throw refuseRequest(505, 'a version of HTTP other than 1.0 and 1.1', CloseReason.Version)
    if (head.upgrade) throw refuseRequest(501, 'CONNECT and Upgrade are not served', CloseReason.Protocol)
    // Go's form has no Host.
    if (fields.hosts > 1 || (fields.hosts === 0 && plain && !old)) throw refuseRequest(400, 'not one Host')
    if (fields.chunked && old) throw refuseRequest(400, 'chunks in HTTP/1.0')
    checkType(fields.type, plain)
    const { maxMetaKeys } = this.#link.limits
    readTarget(bytes, start + head.urlStart, start + head.urlEnd, maxMetaKeys - fields.metaKeys, this.#target, refuseRequest)
    if (this.#target.query !== undefined) fields.addQuery(this.#target.query)
    if (plain) this.#beginPlain(bytes[start], head.keepAlive, fields)
    else this.#preflight = false
    if (fields.expects && bodyToCome && !old && (fields.length > 0 || fields.chunked)) this.#askForBody()
    return Math.max(0, fields.length)
  }

  /** Nothing that belongs to one message alone: X-Seq, meta, a question for the body, an end. */
  repeatable(fields: Fields): boolean {
    return fields.seq === undefined && fields.meta === undefined && !fields.expects && !this.closing && !this.#preflight
  }

  finish(_bytes: Buffer, start: number, end: number, fields: Fields, message: Incoming): void {
    if (this.#preflight) {
      this.#answerPreflight(fields)
      return
    }
    message.type = fields.type || MessageType.Call
    message.route = this.#target.route
    message.method = this.#target.method
    if (fields.gzip) message.packed = gzipOnly
    if (fields.seq === undefined) {
      this.#finishPlain(start === end, fields, message)
    } else {
      message.seq = fields.seq
      message.codec = Math.max(0, fields.codec)
      message.meta = fields.meta
    }
  }

  #beginPlain(letter: number, keepAlive: boolean, fields: Fields): void {
    const { origin } = fields
    const cors = origin === '' ? undefined : this.#cors
    this.plainPeer = true
    this.closing = !keepAlive
    // Of the methods that the parser knows, one alone begins with H, and one with O.
    this.#asked = { head: letter === LETTER_H, close: !keepAlive, gzip: fields.takesGzip, cors: cors?.lines(origin) ?? '' }
    this.#preflight = cors !== undefined && fields.asksMethod && letter === LETTER_O
  }

  /** JSON unless something else is named. A form's reply is JSON: a form could not hold it. */
  #finishPlain(empty: boolean, fields: Fields, message: Incoming): void {
    const codec = fields.codec < 0 || (fields.codec === 0 && empty) ? JSON_CODEC : fields.codec
    message.codec = codec
    const reply = fields.accept || (codec === FORM_CODEC || codec === 0 ? JSON_CODEC : codec)
    message.meta = fields.meta
    if (reply !== codec && fields.meta?.[ACCEPT_CODEC] === undefined) {
      message.meta = Object.assign(Object.create(null), fields.meta, { [ACCEPT_CODEC]: String(reply) })
    }
    if (fields.takesGzip && !fields.gzip) message.replyThrough = gzipOnly
    message.seq = this.#replies.add(this.#asked!)
  }

  #answerPreflight(fields: Fields): void {
    const text = this.#cors!.preflight(fields.origin, fields.askedHeaders, this.#asked!.close)
    const bytes = this.#replies.settle(this.#replies.add(this.#asked!), text)
    if (bytes.length > 0) this.#link.write(bytes)
    if (this.#replies.ended) this.#link.end()
  }

  /** Expect: 100-continue. */
  #askForBody(): void {
    const text = 'HTTP/1.1 100 Continue\r\n\r\n'
    if (this.#replies.empty) this.#link.write(text)
    else this.#replies.afterAll(text)
  }
}

function checkType(type: number, plain: boolean): void {
  if (type === 0 || type === MessageType.Call || (type === MessageType.Push && !plain)) return
  throw refuseRequest(400, 'an X-MType that no request has', CloseReason.Type)
}
