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
  /** The status as JSON (spec/wire.md §2.3), '' when OK. */
  statusText = ''
  /** The meta as JSON (spec/wire.md §2.4), '' when there is none. */
  metaText = ''
  /** Id of the body's codec; 0 in a REPLY that failed. */
  codec = 0
  /** Text, bytes, or null for an empty body. */
  body: string | Uint8Array | null = null
  /** The filters `body` went through, outermost first: only ones that `Proto.bodyFilters` names. */
  filters: readonly string[] = noFilters

  /** Everything but the filters. @param quoted `body` goes between quotation marks (`Codec.isPlainJsonString`) @internal */
  fill(
    type: number,
    seq: number,
    method: string,
    statusText: string,
    metaText: string,
    codec: number,
    body: string | Uint8Array | null,
    quoted: boolean,
  ): this {
    this.type = type
    this.seq = seq
    this.method = method
    this.statusText = statusText
    this.metaText = metaText
    this.codec = codec
    this.body = quoted ? `"${body}"` : body
    return this
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
