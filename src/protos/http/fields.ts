import { CloseReason } from '../../message/close-reason.ts'
import { ByteTable } from './byte-table.ts'
import { acceptsGzip, type ContentTypes, namesType, shownType } from './content-type.ts'
import { headerNames, Use } from './header-names.ts'
import type { Head } from './llhttp.ts'
import type { Refuse } from './refusal.ts'
import { Site } from './site.ts'

/** Methods of Buffer that its type declarations leave out; `toString` costs about 20 ns more. */
interface Slices {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
}

/** Values of Accept-Encoding that Go and most clients send, which need no parsing. */
const gzipAccepted = new ByteTable<boolean>(
  ['gzip', 'gzip, deflate', 'gzip, deflate, br', 'gzip, deflate, br, zstd', 'deflate, gzip', 'deflate, gzip, br, zstd'].map((v) => [
    v,
    true,
  ]),
)
const codings = new ByteTable<boolean>([
  ['gzip', true],
  ['x-gzip', true],
  ['identity', false],
])
const chunkedOnly = new ByteTable<boolean>([['chunked', true]])
const ownSites = new ByteTable<boolean>([
  ['same-origin', true],
  ['none', true],
])
const continueOnly = new ByteTable<boolean>([['100-continue', true]])

/** The header fields of one message. One object is used for all messages of a connection. */
export class Fields {
  /** Codec of the Content-Type; -1 without one, 0 for an unknown one. */
  codec = -1
  /** The Content-Type without its parameters, if it is unknown or a page can send it without a preflight. */
  mediaType = ''
  /** Whether a page can send the Content-Type without a preflight. */
  pageType = false
  /** Content-Length in bytes; -1 without one. */
  length = -1
  chunked = false
  /** Sequence number in Go's form; undefined in plain HTTP. */
  seq: number | undefined
  /** Offsets of its digits from the start of the head. */
  seqStart = 0
  seqEnd = 0
  /** X-MType; 0 without one. */
  type = 0
  gzip = false
  takesGzip = false
  /** Codec that Accept names; 0 for none. */
  accept = 0
  expects = false
  hosts = 0
  origin = ''
  site: Site = Site.Unsaid
  asksMethod = false
  dated = false
  askedHeaders = ''
  /** Meta without a prototype; undefined when there is none. */
  meta: Record<string, string> | undefined
  metaKeys = 0
  /** Offsets in `Head.fields` of fields that become meta, and of those that do only in Go's form. */
  readonly #rest: number[] = []
  readonly #browser: number[] = []

  /**
   * Reads the header fields of a message.
   *
   * @param base offset of the message in `bytes`
   */
  read(bytes: Buffer, base: number, head: Readonly<Head>, types: ContentTypes, maxMetaKeys: number, refuse: Refuse): void {
    this.#clear()
    const { fields, count } = head
    const rest = this.#rest
    const browser = this.#browser
    for (let i = 0; i < 4 * count; i += 4) {
      const known = headerNames.get(bytes, base + fields[i], base + fields[i + 1])
      if (known === undefined || known.use === Use.Meta) {
        rest.push(i)
        continue
      }
      if (known.use === Use.Ignored) continue
      if (known.use === Use.Browser) {
        browser.push(i)
        continue
      }
      const start = base + fields[i + 2]
      const end = trimmed(bytes, start, base + fields[i + 3])
      if (known.use === Use.Seq) {
        this.seqStart = start - base
        this.seqEnd = end - base
      }
      if (this.#field(known.use, bytes, start, end, types, refuse)) (known.use === Use.Origin ? rest : browser).push(i)
    }
    if (browser.length > 0) {
      if (this.seq !== undefined) rest.push(...browser)
      browser.length = 0
    }
    if (rest.length > 0) {
      this.#readMeta(bytes, base, fields, maxMetaKeys, refuse)
      rest.length = 0
    }
  }

  /**
   * Reads a field with a meaning in HTTP.
   *
   * @returns whether it is also meta of the application in Go's form
   */
  #field(use: Use, bytes: Buffer, start: number, end: number, types: ContentTypes, refuse: Refuse): boolean {
    switch (use) {
      case Use.ContentType:
        // An empty one means the same as none.
        if (!namesType(bytes, start, end)) break
        this.codec = types.codec(bytes, start, end)
        this.pageType ||= types.isPageType(this.codec, bytes, start, end)
        if (this.codec === 0 || this.pageType) this.mediaType = shownType(bytes, start, end)
        break
      case Use.ContentLength:
        this.length = digits(bytes, start, end)
        break
      case Use.TransferEncoding:
        if (this.chunked || chunkedOnly.get(bytes, start, end) === undefined) throw refuse(501, 'a Transfer-Encoding other than chunked')
        this.chunked = true
        break
      case Use.Seq:
        if (this.seq !== undefined) throw refuse(400, 'more than one X-Seq', CloseReason.Seq)
        this.seq = int32(bytes, start, end)
        if (this.seq === undefined) throw refuse(400, 'X-Seq is no int32', CloseReason.Seq)
        break
      case Use.Type:
        this.type = int32(bytes, start, end) || -1 // 0 says that there is none
        break
      case Use.ContentEncoding: {
        const gzip = start === end ? false : codings.get(bytes, start, end)
        if (gzip === undefined) throw refuse(415, 'a Content-Encoding other than gzip', CloseReason.Filter)
        this.gzip ||= gzip
        break
      }
      case Use.AcceptEncoding:
        this.takesGzip = gzipAccepted.get(bytes, start, end) ?? acceptsGzip(latin1(bytes, start, end))
        break
      case Use.Expect:
        if (continueOnly.get(bytes, start, end) === undefined) throw refuse(417, 'an Expect other than 100-continue')
        this.expects = true
        break
      case Use.Host:
        this.hosts++
        break
      case Use.Accept:
        if (end - start > 3) this.accept = types.accepted(latin1(bytes, start, end))
        return true
      case Use.Origin:
        // Two origins are joined, so that they equal no allowed origin.
        this.origin = this.origin === '' ? latin1(bytes, start, end) : `${this.origin}, ${latin1(bytes, start, end)}`
        return true
      case Use.FetchSite:
        if (this.site !== Site.Foreign) this.site = ownSites.get(bytes, start, end) === true ? Site.Own : Site.Foreign
        return true
      case Use.Date:
        this.dated = true
        return true
      case Use.RequestMethod:
        this.asksMethod = true
        return true
      case Use.RequestHeaders:
        this.askedHeaders = latin1(bytes, start, end)
        return true
    }
    return false
  }

  #readMeta(bytes: Buffer, base: number, fields: Int32Array, maxMetaKeys: number, refuse: Refuse): void {
    for (const i of this.#rest) {
      const nameStart = base + fields[i]
      const nameEnd = base + fields[i + 1]
      const known = headerNames.get(bytes, nameStart, nameEnd)
      const key = known?.key ?? latin1(bytes, nameStart, nameEnd).toLowerCase()
      const start = base + fields[i + 2]
      const value = text(bytes, start, trimmed(bytes, start, base + fields[i + 3]))
      if (++this.metaKeys > maxMetaKeys) throw refuse(431, 'too many header fields and query parameters', CloseReason.Meta)
      this.meta ??= Object.create(null) as Record<string, string>
      const before = this.meta[key]
      // RFC 9110 §5.3; cookies are the exception (RFC 9113 §8.2.3).
      this.meta[key] = before === undefined ? value : before + (key === 'cookie' ? '; ' : ', ') + value
    }
  }

  /** Adds query parameters to the meta; a header with the same name wins. */
  addQuery(query: Map<string, string>): void {
    this.meta ??= Object.create(null) as Record<string, string>
    for (const [key, value] of query) this.meta[key] ??= value
  }

  #clear(): void {
    this.codec = this.length = -1
    this.chunked = this.gzip = this.takesGzip = this.expects = this.asksMethod = this.pageType = this.dated = false
    this.seq = undefined
    this.type = this.accept = this.hosts = this.metaKeys = 0
    this.origin = this.askedHeaders = this.mediaType = ''
    this.site = Site.Unsaid
    this.meta = undefined
    // A head that was refused may have left entries.
    if (this.#rest.length > 0) this.#rest.length = 0
    if (this.#browser.length > 0) this.#browser.length = 0
  }
}

/** End of a value without trailing white space, which the parser includes. */
function trimmed(bytes: Buffer, start: number, end: number): number {
  while (end > start && (bytes[end - 1] === 0x20 || bytes[end - 1] === 0x09)) end--
  return end
}

/** Parses digits. Requires what the parser accepts: only digits, at most 2^64 - 1. */
function digits(bytes: Buffer, start: number, end: number): number {
  let value = 0
  for (let i = start; i < end; i++) value = value * 10 + bytes[i] - 0x30
  return value
}

/** Parses an int32 in decimal; undefined for anything else. */
export function int32(bytes: Buffer, start: number, end: number): number | undefined {
  const negative = bytes[start] === 0x2d
  if (negative) start++
  if (end <= start || end - start > 10) return undefined
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = bytes[i] - 0x30
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  if (negative) value = -value
  return (value | 0) === value ? value | 0 : undefined
}

function latin1(bytes: Buffer, start: number, end: number): string {
  return (bytes as unknown as Slices).latin1Slice(start, end)
}

/** Decodes a value: UTF-8 as Go sends it, or Latin-1 as browsers do. */
function text(bytes: Buffer, start: number, end: number): string {
  const value = (bytes as unknown as Slices).utf8Slice(start, end)
  return value.includes('\ufffd') ? latin1Unless(bytes, start, end, value) : value
}

function latin1Unless(bytes: Buffer, start: number, end: number, value: string): string {
  return Buffer.from(value).equals(bytes.subarray(start, end)) ? value : latin1(bytes, start, end)
}
