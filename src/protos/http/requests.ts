import { CloseReason } from '../../message/close-reason.ts'
import { type Incoming, MessageType } from '../../message/message.ts'
import { ProtoError, type ProtoLink } from '../proto.ts'
import { FORM_CODEC, JSON_CODEC, jsonStart, PLAIN_CODEC } from './content-type.ts'
import type { DateLine } from './date.ts'
import type { Fields } from './fields.ts'
import type { Head } from './llhttp.ts'
import { ALLOWED, ALLOWED_UNSAFE, type Denial, type Pages, Verb, verbOf } from './pages.ts'
import type { Receiver } from './reader.ts'
import { denied as denialText, refuseRequest } from './refusal.ts'
import type { Asked, ReplyQueue } from './reply-queue.ts'
import { readTarget, type Target } from './target.ts'

const ACCEPT_CODEC = 'X-Accept-Body-Codec'
const gzipOnly: readonly string[] = ['gzip']

const LETTER_H = 0x48
const SPACE = 0x20
const DIGIT_0 = 0x30
const DIGIT_1 = 0x31

const CLOSE = 'Connection: close\r\n'

/** Handles the requests of a peer: those in Go's form, which have X-Seq, and plain ones of any HTTP client. */
export class Requests implements Receiver {
  /** Whether a plain request was received. Such a peer accepts no calls. */
  plainPeer = false
  /** Whether a DMicro peer has called. */
  ownPeer = false
  /**
   * Whether the last request is the last one to be served: the peer said so, or cannot find the end of the reply
   * otherwise.
   */
  closing = false
  readonly #link: ProtoLink
  readonly #replies: ReplyQueue
  readonly #pages: Pages
  readonly #date: DateLine
  /**
   * Header lines which say that the connection stays open, for peers that assume it and for those that asked for it.
   */
  readonly #goesOn: string
  readonly #goesOnOld: string
  readonly #target: Target = { route: -1, method: undefined, query: undefined }
  #asked: Asked | undefined
  /** Whether only a route without effects may be called. */
  #safeOnly = false
  /**
   * Makes the response that replaces the handler's, given the lines about date and connection; undefined for most
   * requests.
   */
  #answer: ((lines: string) => string) | undefined

  /** @param idleTimeout milliseconds, 0 for none */
  constructor(link: ProtoLink, replies: ReplyQueue, pages: Pages, date: DateLine, idleTimeout: number) {
    this.#link = link
    this.#replies = replies
    this.#pages = pages
    this.#date = date
    // Rounded down to whole seconds, because a client that is promised more sends its next request into a closing
    // connection.
    const limit = idleTimeout >= 1000 ? `Keep-Alive: timeout=${Math.floor(idleTimeout / 1000)}\r\n` : ''
    this.#goesOnOld = `Connection: keep-alive\r\n${limit}`
    this.#goesOn = limit === '' ? '' : this.#goesOnOld
  }

  begin(bytes: Buffer, start: number, head: Readonly<Head>, fields: Fields, bodyToCome: boolean): number {
    const version = start + head.urlEnd + 1
    const plain = fields.seq === undefined
    const old = bytes[version + 7] === DIGIT_0
    // The parser accepts several spaces here, a missing version, and RTSP.
    if (bytes[version] !== LETTER_H || bytes[start + head.urlStart - 2] === SPACE) throw refuseRequest(400, 'a malformed request line')
    if (bytes[version + 5] !== DIGIT_1) throw refuseRequest(505, 'a version of HTTP other than 1.0 and 1.1', CloseReason.Version)
    const verb = verbOf(bytes, start, start + head.urlStart - 1)
    // An offer of another protocol (`Upgrade`) is ignored (RFC 9110 §7.8).
    if (verb === Verb.Connect) throw refuseRequest(501, 'CONNECT is not served', CloseReason.Protocol)
    // Go's form has no Host.
    if (fields.hosts > 1 || (fields.hosts === 0 && plain && !old)) throw refuseRequest(400, 'not one Host')
    if (fields.chunked && old) throw refuseRequest(400, 'chunks in HTTP/1.0')
    checkType(fields.type, plain)
    const { maxMetaKeys } = this.#link.limits
    readTarget(bytes, start + head.urlStart, start + head.urlEnd, maxMetaKeys - fields.metaKeys, this.#target, refuseRequest)
    if (this.#target.query !== undefined) fields.addQuery(this.#target.query)
    const denied = this.#pages.denial(verb, plain, fields)
    const denial = denied?.status === 405 ? { ...denied, lines: this.#allowed() } : denied
    const asksForBody = fields.expects && bodyToCome && !old && (fields.length > 0 || fields.chunked)
    // The client may or may not send the body of a request that is refused at once, so the stream ends.
    if (denial !== undefined && asksForBody)
      throw new ProtoError(`http: ${denial.cause}`, CloseReason.Protocol, denialText(denial.status, denial.cause, denial.lines + CLOSE))
    if (plain) this.plainPeer = true
    else this.ownPeer = true
    this.#answer = denial === undefined && verb !== Verb.Options ? undefined : this.#answerTo(denial, fields)
    this.#safeOnly = !this.#pages.any && (verb === Verb.Get || verb === Verb.Head)
    if (plain || this.#answer !== undefined) this.#ask(verb, old, head.keepAlive, fields)
    if (asksForBody) this.#askForBody()
    return Math.max(0, fields.length)
  }

  /**
   * Whether the request has nothing of its own but its X-Seq: no meta, question for the body, end of the connection, or
   * prepared response.
   */
  repeatable(fields: Fields): boolean {
    return fields.meta === undefined && !fields.expects && !this.closing && this.#answer === undefined
  }

  finish(bytes: Buffer, start: number, end: number, fields: Fields, message: Incoming): void {
    if (this.#answer !== undefined) {
      this.#write(this.#answer)
      return
    }
    message.type = fields.type || MessageType.Call
    message.route = this.#target.route
    message.method = this.#target.method
    message.safeOnly = this.#safeOnly
    if (fields.codec === 0) message.mediaType = fields.mediaType
    else if (fields.codec === JSON_CODEC || fields.codec < 0) message.bodyStart = jsonStart(bytes, start, end)
    if (fields.gzip) message.bodyFilters = gzipOnly
    if (fields.seq === undefined) {
      this.#finishPlain(start === end, fields, message)
    } else {
      message.seq = fields.seq
      message.codec = Math.max(0, fields.codec)
      message.meta = fields.meta
    }
  }

  #ask(verb: Verb, old: boolean, keepAlive: boolean, fields: Fields): void {
    const { cors } = this.#pages
    this.closing = !keepAlive
    this.#asked = {
      head: verb === Verb.Head,
      close: !keepAlive,
      gzip: fields.takesGzip,
      safeOnly: this.#safeOnly,
      lines:
        (fields.origin === '' || cors === undefined ? '' : cors.lines(fields.origin)) +
        (keepAlive ? (old ? this.#goesOnOld : this.#goesOn) : CLOSE),
    }
  }

  /**
   * Makes the response to a request that runs no handler.
   *
   * @param denial why it is refused; undefined for OPTIONS
   */
  #answerTo(denial: Denial | undefined, fields: Fields): ((lines: string) => string) | undefined {
    if (denial !== undefined) {
      const { status, cause, lines } = denial
      return (more) => denialText(status, cause, lines + more)
    }
    const { any, cors } = this.#pages
    const preflight = cors !== undefined && fields.origin !== '' && fields.asksMethod
    if (any && !preflight) return undefined
    const allowed = this.#allowed() + (preflight ? cors.preflight(fields.origin, fields.askedHeaders) : '')
    return (more) => `HTTP/1.1 204 No Content\r\n${more}${allowed}\r\n`
  }

  /** A header line with the methods of the target's route; without a route, those that some route may handle. */
  #allowed(): string {
    const { route, method } = this.#target
    return method === '*' || this.#pages.any || this.#link.isSafe?.(route) !== false ? ALLOWED : ALLOWED_UNSAFE
  }

  /**
   * Chooses the codecs of a plain request. Without a type it is JSON, and so is the reply to a form or a text, because
   * those codecs cannot encode every value.
   */
  #finishPlain(empty: boolean, fields: Fields, message: Incoming): void {
    const codec = fields.codec < 0 || (fields.codec === 0 && empty) ? JSON_CODEC : fields.codec
    message.codec = codec
    const reply = fields.accept || (codec === FORM_CODEC || codec === PLAIN_CODEC || codec === 0 ? JSON_CODEC : codec)
    message.meta = fields.meta
    if (reply !== codec && fields.meta?.[ACCEPT_CODEC] === undefined) {
      message.meta = Object.assign(Object.create(null), fields.meta, { [ACCEPT_CODEC]: String(reply) })
    }
    if (fields.takesGzip && !fields.gzip) message.replyFilters = gzipOnly
    message.seq = this.#replies.add(this.#asked!)
  }

  #write(answer: (lines: string) => string): void {
    const asked = this.#asked!
    const text = answer(asked.lines + this.#date.line)
    const bytes = this.#replies.settle(this.#replies.add(asked), asked.head ? text.slice(0, text.indexOf('\r\n\r\n') + 4) : text)
    if (bytes.length > 0) this.#link.write(bytes)
    if (this.#replies.ended) this.#link.end()
  }

  /** Answers `Expect: 100-continue`. */
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
