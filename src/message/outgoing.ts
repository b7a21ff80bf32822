import { decodeMeta, type Meta } from './meta.ts'
import { type DecodedStatus, decodeStatus } from './status-json.ts'

const noFilters: readonly string[] = []

/** Limits for reading our own meta back: any number of keys, string values only. */
const anyMeta = { maxMetaKeys: 65_536, maxDepth: 1 }

/**
 * One message to send, as a protocol packs it. The same object may be used for every message: keep no reference to it.
 */
export class Outgoing {
  /** `MessageType.Call`, `Reply` or `Push`. */
  type = 0
  /**
   * Sequence number: in a CALL or PUSH an int32 that the session chose, in a REPLY the `seq` that `unpack` gave the
   * CALL.
   */
  seq = 0
  /** Service method; '' in a REPLY. */
  method = ''
  /** The status as JSON (docs/spec/wire.md#status); '' when OK. */
  statusText = ''
  /** The meta as JSON (docs/spec/wire.md#meta); '' when there is none. */
  metaText = ''
  /** Id of the body's codec; 0 in a REPLY that failed. */
  codec = 0
  /** The body: text, bytes, or null for an empty one. */
  body: string | Uint8Array | null = null
  /**
   * Id of `method` in the table of names (names.ts); -1 for none.
   * @internal
   */
  route = -1
  /**
   * Whether `body` is ASCII text that goes between quotation marks (`Codec.isPlainJsonString`).
   * @internal
   */
  plainJsonString = false
  /** Names of the filters that `body` went through, outermost first: only ones that `Proto.bodyFilters` names. */
  filters: readonly string[] = noFilters

  /**
   * Sets everything but the body.
   * @internal
   */
  head(type: number, seq: number, route: number, method: string, statusText: string, metaText: string): this {
    this.type = type
    this.seq = seq
    this.route = route
    this.method = method
    this.statusText = statusText
    this.metaText = metaText
    return this
  }

  /**
   * Sets the body.
   * @internal
   */
  content(codec: number, body: string | Uint8Array | null, plainJsonString = false): this {
    this.codec = codec
    this.body = body
    this.plainJsonString = plainJsonString
    return this
  }

  /**
   * Puts a plain string between its quotation marks.
   * @internal
   */
  quote(): this {
    if (this.plainJsonString) {
      this.body = `"${this.body}"`
      this.plainJsonString = false
    }
    return this
  }

  /**
   * A copy to keep. The body is not copied.
   * @internal
   */
  copy(): Outgoing {
    const { type, seq, route, method, statusText, metaText, codec, body, plainJsonString } = this
    return new Outgoing().head(type, seq, route, method, statusText, metaText).content(codec, body, plainJsonString)
  }

  /** The parsed status; undefined when OK. */
  get status(): DecodedStatus | undefined {
    return this.statusText === '' ? undefined : decodeStatus(this.statusText)
  }

  /** The parsed meta: string keys and values, no prototype. */
  get meta(): Meta {
    return decodeMeta(this.metaText, anyMeta) as Meta
  }
}
