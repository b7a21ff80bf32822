import { ByteTable } from './byte-table.ts'

/** Codec ids by media type (docs/spec/wire.md#http), and for codecs that Go does not have the types their formats are registered with. */
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
/** Read, never written. */
const otherTypes: readonly (readonly [string, number])[] = [
  ['application/xml', 120],
  ['text/json', 106],
  ['application/protobuf', 112],
  ['application/vnd.msgpack', 109],
  ['application/x-msgpack', 109],
]
/** Of formats that are made of others (RFC 6839, RFC 8949). */
const suffixes: readonly (readonly [string, number])[] = [
  ['json', 106],
  ['xml', 120],
  ['cbor', 99],
]
/** What a page may have its browser send to any origin without asking first (the Fetch standard's safelist); so may it a body without a type. */
const pageTypeNames = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']
const pageTypes = new ByteTable<boolean>(pageTypeNames.map((type) => [type, true]))

export const JSON_CODEC = 106
export const FORM_CODEC = 102
export const PLAIN_CODEC = 115
const XML_CODEC = 120
/** Codecs that cannot hold every value. */
const narrow: ReadonlySet<number> = new Set([FORM_CODEC, PLAIN_CODEC, XML_CODEC])
const suffixTable = new ByteTable<number>(suffixes)
const PLUS = 0x2b
/** Longest type that is told back. */
const MAX_SHOWN = 128
const ANY_SUBTYPE = /^\s*[^/\s;]+\/\*/

/** Which codec a media type stands for, and how it is written. */
export class ContentTypes {
  readonly #codecs: ByteTable<number>
  readonly #written = new Map<number, string>()
  /** Codecs that a type of `pageTypes` stands for, and 0 for those that are unknown. */
  readonly #ofPages: readonly boolean[]

  /** @param more further media types and their codec ids, as Go's RegBodyCodec takes them */
  constructor(more: Readonly<Record<string, number>> = {}) {
    const added = Object.entries(more)
    for (const [type, codec] of added) {
      if (!/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(type)) throw new TypeError(`contentTypes: ${JSON.stringify(type)} is no media type`)
      if (!Number.isInteger(codec) || codec < 1 || codec > 255)
        throw new RangeError(`contentTypes: the codec id of ${type} must be 1 to 255`)
    }
    // Of entries for one type the last one is found first.
    this.#codecs = new ByteTable([...goTypes, ...ownTypes, ...otherTypes, ...added])
    const ofPages: boolean[] = new Array(256).fill(false)
    for (const type of pageTypeNames) ofPages[this.#codecs.get(Buffer.from(type), 0, type.length) ?? 0] = true
    this.#ofPages = ofPages
    for (const [type, codec] of goTypes) this.#written.set(codec, `${type};charset=utf-8`)
    for (const [type, codec] of [...ownTypes, ...added]) if (!this.#written.has(codec)) this.#written.set(codec, type)
  }

  /** The codec of the value of a Content-Type, 0 when unknown. */
  codec(buffer: Uint8Array, start: number, end: number): number {
    const stop = essenceEnd(buffer, start, end)
    return this.#codecs.get(buffer, start, stop) ?? suffixCodec(buffer, start, stop)
  }

  /** Whether a page may send a body of this type, which stands for `codec`, without its browser asking us first. */
  isPageType(codec: number, buffer: Uint8Array, start: number, end: number): boolean {
    return this.#ofPages[codec] && pageTypes.get(buffer, start, essenceEnd(buffer, start, end)) === true
  }

  /**
   * The codec that the value of an Accept likes best, of several the first; 0 when it names none, or would as soon have anything. One that cannot hold
   * every value, such as text, is passed over where JSON will do: what the handler returns is not known yet.
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
   * The value of a Content-Type. Go writes an unknown codec as text/plain, which a receiver would then decode as text.
   * @throws TypeError for a codec without a media type
   */
  written(codec: number): string {
    const type = this.#written.get(codec)
    if (type === undefined) throw new TypeError(`http: no content type for codec id ${codec}, give one in http({ contentTypes })`)
    return type
  }
}

/** Where JSON begins in `bytes[start, end)`: a byte order mark before it is passed over (RFC 8259 §8.1). */
export function jsonStart(bytes: Uint8Array, start: number, end: number): number {
  return end - start > 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf ? start + 3 : start
}

/** The type itself, for an error. */
export function shownType(buffer: Buffer, start: number, end: number): string {
  return buffer.toString('latin1', start, Math.min(essenceEnd(buffer, start, end), start + MAX_SHOWN))
}

/** Whether a Content-Type has a type at all, and not only parameters. */
export function namesType(buffer: Uint8Array, start: number, end: number): boolean {
  return essenceEnd(buffer, start, end) > start
}

/** Where the type ends and its parameters begin. */
function essenceEnd(buffer: Uint8Array, start: number, end: number): number {
  let stop = start
  while (stop < end && buffer[stop] !== 0x3b) stop++
  while (stop > start && (buffer[stop - 1] === 0x20 || buffer[stop - 1] === 0x09)) stop--
  return stop
}

/** `application/vnd.api+json` is JSON; 0 for a type without a known suffix. */
function suffixCodec(buffer: Uint8Array, start: number, end: number): number {
  let at = end
  while (at > start && buffer[at - 1] !== PLUS) at--
  return at === start ? 0 : (suffixTable.get(buffer, at, end) ?? 0)
}

/** Whether the value of an Accept-Encoding takes gzip. */
export function acceptsGzip(value: string): boolean {
  let any = false
  for (const part of value.split(',')) {
    const coding = part.split(';', 1)[0].trim().toLowerCase()
    if (coding === 'gzip' || coding === 'x-gzip') return !refused(part)
    if (coding === '*') any = !refused(part)
  }
  return any
}

/** `;q=0`: not this one. */
function refused(part: string): boolean {
  return qualityOf(part) === 0
}

/** How much one part of an Accept is liked, 0 to 1 (RFC 9110 §12.4.2). */
function qualityOf(part: string): number {
  const said = /;\s*q=([01](?:\.\d{0,3})?)\s*(?:;|$)/i.exec(part)
  return said === null ? 1 : Math.min(Number(said[1]), 1)
}
