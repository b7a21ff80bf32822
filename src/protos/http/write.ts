import { nodeHttp } from '../../base/builtin.ts'
import { digitsOf, writeInteger } from '../../base/text/write-integer.ts'
import { writeAscii } from '../../base/text/write-text.ts'
import { RETRY_AFTER_KEY, readTimeout } from '../../message/announcement.ts'
import type { Meta } from '../../message/meta.ts'
import type { Outgoing } from '../../message/outgoing.ts'
import type { ContentTypes } from './content-type.ts'
import { isProtocolName } from './header-names.ts'
import { ALLOWED_UNSAFE } from './pages.ts'
import type { Asked } from './reply-queue.ts'

/** Maximum number of kept heads. A process calls few methods, but one that invents them must not fill the memory. */
const MAX_KEPT = 1000

const okLine = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: ')
/** Bytes that a sequence number and what follows it may take. */
const SEQ_ROOM = 24

/** Matches meta with a key `host`, in any case. */
const NAMES_HOST = /[{,]"host":/i
const token = /^[\w!#$%&'*+.^`|~-]+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not get into a head
const control = /[\u0000-\u0008\u000a-\u001f\u007f]/

/** Writes messages (docs/spec/wire.md#http). Text bodies stay text, so that head and body are one string. */
export class Writer {
  readonly #types: ContentTypes
  readonly #requests = new Map<string, string>()
  readonly #replies: string[] = []
  /** End of the last head, which the next one usually has too. */
  #end = ''
  #date = ''
  /** The bytes between length and sequence number of OK replies, by codec. */
  readonly #middles: Buffer[] = []
  /** Number of digits of the last length. */
  #digits = 2
  #lines = ''

  constructor(types: ContentTypes) {
    this.#types = types
  }

  /**
   * A CALL in Go's form.
   *
   * @param host the `Host` line; '' for a DMicro peer, which reads every header as meta. A host in the message's meta
   *   takes precedence.
   */
  request(message: Outgoing, host: string): string | Uint8Array {
    const { method, codec, body, metaText } = message
    const key = `${codec} ${method}`
    let head = this.#requests.get(key)
    if (head === undefined) {
      head =
        `POST ${requestTarget(method)} HTTP/1.1\r\nAccept-Encoding: gzip\r\nContent-Type: ${this.#types.written(codec)}\r\n` +
        'User-Agent: drpc-httpproto/1.1\r\nX-MType: 1\r\n'
      if (this.#requests.size === MAX_KEPT) this.#requests.clear()
      this.#requests.set(key, head)
    }
    if (message.filters.length > 0) head += gzipLines(message.filters, true)
    if (host !== '' && !NAMES_HOST.test(metaText)) head += host
    if (metaText !== '') head += metaLines(message.meta, true)
    return join(`${head}Content-Length: ${sizeOf(body)}\r\nX-Seq: ${message.seq}\r\n\r\n`, body)
  }

  /** A REPLY in Go's form. */
  reply(message: Outgoing): string | Uint8Array {
    const { statusText, metaText, seq } = message
    const meta = metaText === '' ? '' : metaLines(message.meta, false)
    if (statusText !== '') {
      const size = Buffer.byteLength(statusText)
      return `HTTP/1.1 299 Business Error\r\nContent-Length: ${size}\r\nContent-Type: application/json\r\n${meta}X-MType: 2\r\nX-Seq: ${seq}\r\n\r\n${statusText}`
    }
    const gzip = message.filters.length > 0 ? gzipLines(message.filters, true) : ''
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${sizeOf(message.body)}\r\n`
    return join(`${head}${this.#typeLine(message.codec)}${gzip}${meta}X-MType: 2\r\nX-Seq: ${seq}\r\n\r\n`, message.body)
  }

  /** Writes what `reply` returns for an OK reply without meta whose body is still to be encoded; -1 when it cannot. */
  writeReply(message: Outgoing, target: Buffer, start: number, end: number): number {
    const { codec } = message
    const middle = (this.#middles[codec] ??= Buffer.from(`\r\n${this.#typeLine(codec)}X-MType: 2\r\nX-Seq: `))
    const expected = this.#digits
    if (start + okLine.length + expected + middle.length + SEQ_ROOM > end) return -1
    target.set(okLine, start)
    const length = start + okLine.length
    target.set(middle, length + expected)
    let at = writeInteger(target, message.seq, length + expected + middle.length)
    at = writeAscii(target, '\r\n\r\n', at)
    const body = at
    at = message.write(target, body, end - SEQ_ROOM)
    if (at < 0) return -1
    // The length stands before what it counts. Most replies have lengths of as many digits as the one before.
    const digits = digitsOf(at - body)
    if (digits !== expected) {
      target.copyWithin(length + digits, length + expected, at)
      at += digits - expected
      this.#digits = digits
    }
    writeInteger(target, at - (body + digits - expected), length)
    return at
  }

  /**
   * A REPLY to a plain request. OK is 200, also without a result. An error has its own code where HTTP has such codes,
   * else 500; its body is the status as JSON. An error with `retryAfter` also has the standard's header.
   *
   * @param date the date line
   */
  plainReply(message: Outgoing, asked: Asked, date: string): string | Uint8Array {
    const { statusText, metaText } = message
    if (date !== this.#date || asked.lines !== this.#lines) {
      this.#date = date
      this.#lines = asked.lines
      this.#end = asked.lines + date
    }
    let end = metaText === '' ? this.#end : metaLines(message.meta, false) + this.#end
    if (statusText !== '') {
      const code = message.status!.code
      const status = code >= 400 && code <= 599 ? code : 500
      const size = Buffer.byteLength(statusText)
      if (metaText !== '') end = retryLine(message.meta) + end
      if (status === 405 && asked.safeOnly) end = ALLOWED_UNSAFE + end
      const head = `HTTP/1.1 ${status} ${nodeHttp().STATUS_CODES[status] ?? 'Error'}\r\nContent-Length: ${size}\r\nContent-Type: application/json\r\n${end}\r\n`
      return asked.head ? head : head + statusText
    }
    const { body } = message
    if (message.filters.length > 0) end += `${gzipLines(message.filters, false)}Vary: Accept-Encoding\r\n`
    const size = sizeOf(body)
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n${size === 0 ? '' : this.#typeLine(message.codec)}${end}\r\n`
    return asked.head ? head : join(head, body)
  }

  #typeLine(codec: number): string {
    return (this.#replies[codec] ??= `Content-Type: ${this.#types.written(codec)}\r\n`)
  }
}

function join(head: string, body: string | Uint8Array | null): string | Uint8Array {
  if (body === null) return head
  return typeof body === 'string' ? head + body : joinBytes(head, body)
}

/** Joins head and body in fresh memory, because a reply may have to wait for earlier ones. */
function joinBytes(head: string, body: Uint8Array): Uint8Array {
  const size = Buffer.byteLength(head)
  const bytes = Buffer.allocUnsafe(size + body.length)
  bytes.write(head)
  bytes.set(body, size)
  return bytes
}

function sizeOf(body: string | Uint8Array | null): number {
  return body === null ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length
}

/**
 * Header lines for gzip, which can be used once only. Go sends both lines and reads the second
 * (docs/spec/go-defects.md W8).
 */
function gzipLines(filters: readonly string[], own: boolean): string {
  if (filters.length > 1 || filters[0] !== 'gzip')
    throw new TypeError(`http has no form for the filters ${filters.join(', ')}, only for gzip once`)
  return own ? 'Content-Encoding: gzip\r\nX-Content-Encoding: gzip\r\n' : 'Content-Encoding: gzip\r\n'
}

/** Formats meta as header lines. No value can end a line, and no key can be a header of the protocol. */
function metaLines(meta: Meta, request: boolean): string {
  let lines = ''
  for (const key of Object.keys(meta)) {
    if (!token.test(key)) throw new TypeError(`meta key ${JSON.stringify(key)} is no HTTP header name`)
    if (isProtocolName(key) || (!request && key.toLowerCase() === 'host')) {
      throw new TypeError(`meta key ${JSON.stringify(key)} is a header of the http protocol`)
    }
    const value = meta[key]
    if (control.test(value))
      throw new TypeError(`meta value of ${JSON.stringify(key)} has a control character, which no HTTP header can have`)
    lines += `${key}: ${value}\r\n`
  }
  return lines
}

/**
 * The line `Retry-After` (RFC 9110 §10.2.3) in whole seconds; '' where the meta have one already, or no retry time.
 */
function retryLine(meta: Meta): string {
  const told = meta[RETRY_AFTER_KEY]
  if (told === undefined || Object.keys(meta).some((key) => key.toLowerCase() === 'retry-after')) return ''
  const ms = readTimeout(told)
  return ms === undefined ? '' : `Retry-After: ${Math.ceil(ms / 1000)}\r\n`
}

/**
 * Formats a service method as request target. The path is percent-encoded so that the receiver's decoding restores it
 * (Go sends it decoded: docs/spec/go-defects.md W7); the part after the first `?` is a query that is already encoded.
 */
function requestTarget(method: string): string {
  if (!method.startsWith('/') && method !== '*')
    throw new TypeError(`http: service method ${JSON.stringify(method)} does not begin with '/'`)
  const mark = method.indexOf('?')
  const path = mark < 0 ? method : method.slice(0, mark)
  const query = mark < 0 ? '' : encodeURI(method.slice(mark).toWellFormed()).replaceAll('%25', '%').replaceAll('#', '%23')
  return encodeURI(path.toWellFormed()).replaceAll('#', '%23') + query
}
