import type { Codec } from './codec.ts'
import { decodeBody, encodeBody } from './codec.ts'
import type { CodecTable } from './codec-table.ts'
import type { MessageKind, ReadContext, WriteContext } from './hooks.ts'
import type { Limits } from './limits.ts'
import { Incoming } from './message.ts'
import type { MessageType as BodyType } from './message-type.ts'
import type { Meta } from './meta.ts'
import type { CtxSession } from './session-views.ts'
import type { StatusError } from './status.ts'

/** A received message on its way through hooks. Made only where there are some. */
export class Inbound implements ReadContext {
  readonly session: CtxSession
  readonly kind: MessageKind
  readonly seq: number
  readonly size: number
  serviceMethod: string
  readonly meta: Meta
  readonly status: StatusError | undefined
  readonly request: WriteContext | undefined
  body: unknown = undefined
  /** Of the body; undefined for none or one that is unknown. */
  readonly bodyCodec: Codec | undefined
  #message: Incoming
  #bytes: Uint8Array | undefined
  #own = false

  /** @param message borrowed: valid until `own` is called, or the call that brought it returns */
  constructor(
    session: CtxSession,
    kind: MessageKind,
    message: Incoming,
    serviceMethod: string,
    meta: Meta,
    codec: Codec | undefined,
    status?: StatusError,
    request?: WriteContext,
  ) {
    this.status = status
    this.request = request
    this.session = session
    this.kind = kind
    this.seq = message.seq
    this.size = message.bodyEnd - message.bodyStart
    this.serviceMethod = serviceMethod
    this.meta = meta
    this.bodyCodec = codec
    this.#message = message
    this.#bytes = undefined
  }

  get codec(): string {
    return this.bodyCodec === undefined ? '' : this.bodyCodec.name
  }

  get bytes(): Uint8Array {
    const { buffer, bodyStart, bodyEnd } = this.#message
    this.#bytes ??= new Uint8Array(buffer.subarray(bodyStart, bodyEnd))
    return this.#bytes
  }

  set bytes(bytes: Uint8Array) {
    if (!(bytes instanceof Uint8Array)) throw new TypeError('the bytes of a body must be a Uint8Array')
    const message = new Incoming()
    message.codec = this.#message.codec
    message.filters = this.#message.filters
    message.setBody(bytes)
    this.#message = message
    this.#bytes = bytes
  }

  get incoming(): Incoming {
    return this.#message
  }

  /** A hook or the handler takes its time: the message gets memory of its own. */
  own(): void {
    if (this.#own) return
    this.#own = true
    this.#message = this.#message.owned()
  }

  /** @throws StatusError 400 */
  decode(limits: Pick<Limits, 'maxDepth'>, type: BodyType | undefined): void {
    this.body = decodeBody(this.#message, this.bodyCodec, limits, type)
  }
}

/** A message to send on its way through hooks. */
export class Outbound implements WriteContext {
  readonly session: CtxSession
  readonly kind: MessageKind
  readonly seq: number
  readonly serviceMethod: string
  status: StatusError | undefined
  readonly request: ReadContext | undefined
  readonly meta: Record<string, string>
  codec: string
  body: unknown
  bodyType: BodyType | undefined
  readonly #codecs: CodecTable

  constructor(
    session: CtxSession,
    codecs: CodecTable,
    kind: MessageKind,
    seq: number,
    serviceMethod: string,
    status: StatusError | undefined,
    request: ReadContext | undefined,
    meta: Readonly<Record<string, string>> | undefined,
    codec: string,
    body: unknown,
    bodyType: BodyType | undefined,
  ) {
    this.session = session
    this.kind = kind
    this.seq = seq
    this.serviceMethod = serviceMethod
    this.status = status
    this.request = request
    this.meta = { ...meta }
    this.codec = codec
    this.body = body
    this.bodyType = bodyType
    this.#codecs = codecs
  }

  encode(): Uint8Array {
    const codec = this.#codecs.byName(this.codec)
    if (codec === undefined) throw new TypeError(`no codec is named ${JSON.stringify(this.codec)}`)
    const body = encodeBody(codec, this.body, this.bodyType)
    return body === null ? new Uint8Array() : Buffer.from(body as Uint8Array)
  }
}
