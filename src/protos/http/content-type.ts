import { ByteTable } from './byte-table.ts'

/**
 * Codec ids by media type (docs/spec/wire.md#http). Codecs that Go does not have use the registered types of their
 * formats.
 */
const goTypes: readonly (readonly [string, number])[] = [
  ['application/x-protobuf', 112],
  ['application/json', 106],
  ['application/x-www-form-urlencoded', 102],
  ['text/plain', 115],
  ['text/xml', 120],
]
const ownTypes: readonly (readonly [string, number])[] = [
  ['application/msgpack', 109],
  ['application/cbor', 99],
]
/** Types that are recognized when received, but never sent. */
const otherTypes: readonly (readonly [string, number])[] = [
  ['application/xml', 120],
  ['text/json', 106],
  ['application/protobuf', 112],
  ['application/vnd.msgpack', 109],
  ['application/x-msgpack', 109],
]
/** Suffixes of formats that are based on others (RFC 6839, RFC 8949). */
const suffixes: readonly (readonly [string, number])[] = [
  ['json', 106],
  ['xml', 120],
  ['cbor', 99],
]
/**
 * Types that a page can make its browser send to any origin without a preflight (the Fetch standard's safelist). A body
 * without a type is such a one too.
 */
const pageTypeNames = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']
const pageTypes = new ByteTable<boolean>(pageTypeNames.map((type) => [type, true]))

export const JSON_CODEC = 106
export const FORM_CODEC = 102
export const PLAIN_CODEC = 115
const XML_CODEC = 120
/** Codecs that cannot encode every value. */
const narrow: ReadonlySet<number> = new Set([FORM_CODEC, PLAIN_CODEC, XML_CODEC])
const suffixTable = new ByteTable<number>(suffixes)
const PLUS = 0x2b
/** Maximum length of a type that an error repeats. */
const MAX_SHOWN = 128
const ANY_SUBTYPE = /^\s*[^/\s;]+\/\*/

/** Maps media types to codecs and back. */
export class ContentTypes {
  readonly #codecs: ByteTable<number>
  readonly #written = new Map<number, string>()
  /** Whether a codec is that of a type in `pageTypes`; index 0 is for unknown codecs. */
  readonly #ofPages: readonly boolean[]

  /** @param more further media types and their codec ids, as for Go's `RegBodyCodec` */
  constructor(more: Readonly<Record<string, number>> = {}) {
    const added = Object.entries(more)
    // The last of several entries for one type counts.
    this.#codecs = new ByteTable([...goTypes, ...ownTypes, ...otherTypes, ...added])
    const ofPages: boolean[] = new Array(256).fill(false)
    for (const type of pageTypeNames) ofPages[this.#codecs.get(Buffer.from(type), 0, type.length) ?? 0] = true
    this.#ofPages = ofPages
    for (const [type, codec] of goTypes) this.#written.set(codec, `${type};charset=utf-8`)
    for (const [type, codec] of [...ownTypes, ...added]) if (!this.#written.has(codec)) this.#written.set(codec, type)
  }

  /** The codec of a Content-Type; 0 when it is unknown. */
  codec(buffer: Uint8Array, start: number, end: number): number {
    const stop = essenceEnd(buffer, start, end)
    return this.#codecs.get(buffer, start, stop) ?? suffixCodec(buffer, start, stop)
  }

  /**
   * Whether a page can make its browser send a body of this type without a preflight.
   *
   * @param codec codec of the type
   */
  isPageType(codec: number, buffer: Uint8Array, start: number, end: number): boolean {
    return this.#ofPages[codec] && pageTypes.get(buffer, start, essenceEnd(buffer, start, end)) === true
  }

  /**
   * The codec that an Accept header prefers; of several equal ones the first. 0 when it names none, or any type is
   * equally welcome. A codec that cannot encode every value, such as text, is left out where JSON is accepted, because
   * the handler's result is not known yet.
   */
  accepted(value: string): number {
    let best = 0
    let most = 0
    let others = -1
    for (const part of value.split(',')) {
      const quality = qualityOf(part)
      if (quality === 0) continue
      const any = ANY_SUBTYPE.test(part)
      const bytes = Buffer.from(part.trim(), 'latin1')
      const codec = any ? 0 : this.codec(bytes, 0, bytes.length)
      if (!any && codec === 0) continue
      if (codec === JSON_CODEC || (any && others < 0)) others = codec
      if (quality <= most) continue
      most = quality
      best = codec
    }
    return narrow.has(best) && others >= 0 ? others : best
  }

  /**
   * The Content-Type of a codec. Go sends an unknown codec as text/plain, which a receiver would then decode as text.
   *
   * @throws TypeError for a codec without a media type
   */
  written(codec: number): string {
    const type = this.#written.get(codec)
    if (type === undefined) throw new TypeError(`http: no content type for codec id ${codec}, give one in http({ contentTypes })`)
    return type
  }
}

/** Start of the JSON in `bytes[start, end)`, after a byte order mark (RFC 8259 §8.1). */
export function jsonStart(bytes: Uint8Array, start: number, end: number): number {
  return end - start > 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf ? start + 3 : start
}

/** Text of a type for an error. */
export function shownType(buffer: Buffer, start: number, end: number): string {
  return buffer.toString('latin1', start, Math.min(essenceEnd(buffer, start, end), start + MAX_SHOWN))
}

/** Whether a Content-Type has a type and not only parameters. */
export function namesType(buffer: Uint8Array, start: number, end: number): boolean {
  return essenceEnd(buffer, start, end) > start
}

/** End of the type, where its parameters begin. */
function essenceEnd(buffer: Uint8Array, start: number, end: number): number {
  let stop = start
  while (stop < end && buffer[stop] !== 0x3b) stop++
  while (stop > start && (buffer[stop - 1] === 0x20 || buffer[stop - 1] === 0x09)) stop--
  return stop
}

/** Codec of a suffix, such as JSON for `application/vnd.api+json`; 0 for a type without a known suffix. */
function suffixCodec(buffer: Uint8Array, start: number, end: number): number {
  let at = end
  while (at > start && buffer[at - 1] !== PLUS) at--
  return at === start ? 0 : (suffixTable.get(buffer, at, end) ?? 0)
}

/** Whether an Accept-Encoding header accepts gzip. */
export function acceptsGzip(value: string): boolean {
  let any = false
  for (const part of value.split(',')) {
    const coding = part.split(';', 1)[0].trim().toLowerCase()
    if (coding === 'gzip' || coding === 'x-gzip') return !refused(part)
    if (coding === '*') any = !refused(part)
  }
  return any
}

/** Whether `;q=0` rejects this part. */
function refused(part: string): boolean {
  return qualityOf(part) === 0
}

/** Weight of one part of an Accept header, 0 to 1 (RFC 9110 §12.4.2). */
function qualityOf(part: string): number {
  const said = /;\s*q=([01](?:\.\d{0,3})?)\s*(?:;|$)/i.exec(part)
  return said === null ? 1 : Math.min(Number(said[1]), 1)
}
