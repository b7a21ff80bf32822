import { decodeMeta, type Meta } from './meta.ts'
import { type DecodedStatus, decodeStatus } from './status-json.ts'

const noFilters: readonly string[] = []

/** Our own meta may have any number of keys, and nothing but strings. */
const anyMeta = { maxMetaKeys: 65_536, maxDepth: 1 }

/** One message on its way out, as a protocol packs it. The same object may be used for every message: keep nothing of it. */
export class Outgoing {
  /** `MessageType.Call`, `Reply` or `Push`. */
  type = 0
  /** An int32 of ours in a CALL or PUSH; in a REPLY what `unpack` said in the CALL. */
  seq = 0
  /** Service method; '' in a REPLY. */
  method = ''
  /** The status as JSON (docs/spec/wire.md#status), '' when OK. */
  statusText = ''
  /** The meta as JSON (docs/spec/wire.md#meta), '' when there is none. */
  metaText = ''
  /** Id of the body's codec; 0 in a REPLY that failed. */
  codec = 0
  /** Text, bytes, or null for an empty body. */
  body: string | Uint8Array | null = null
  /** Interned id of `method` (names.ts), -1 for none. @internal */
  route = -1
  /** `body` is ASCII text that goes between quotation marks (`Codec.isPlainJsonString`). @internal */
  plainJsonString = false
  /** The filters `body` went through, outermost first: only ones that `Proto.bodyFilters` names. */
  filters: readonly string[] = noFilters

  /** Everything but the body. @internal */
  head(type: number, seq: number, route: number, method: string, statusText: string, metaText: string): this {
    this.type = type
    this.seq = seq
    this.route = route
    this.method = method
    this.statusText = statusText
    this.metaText = metaText
    return this
  }

  /** @internal */
  content(codec: number, body: string | Uint8Array | null, plainJsonString = false): this {
    this.codec = codec
    this.body = body
    this.plainJsonString = plainJsonString
    return this
  }

  /** Puts a plain string between its quotation marks. @internal */
  quote(): this {
    if (this.plainJsonString) {
      this.body = `"${this.body}"`
      this.plainJsonString = false
    }
    return this
  }

  /** For whoever keeps it: the body is not copied. @internal */
  copy(): Outgoing {
    const { type, seq, route, method, statusText, metaText, codec, body, plainJsonString } = this
    return new Outgoing().head(type, seq, route, method, statusText, metaText).content(codec, body, plainJsonString)
  }

  /** The status, taken apart; undefined when OK. */
  get status(): DecodedStatus | undefined {
    return this.statusText === '' ? undefined : decodeStatus(this.statusText)
  }

  /** The meta, taken apart: string keys and values, no prototype. */
  get meta(): Meta {
    return decodeMeta(this.metaText, anyMeta) as Meta
  }
}
