import type { StatusError } from '../base/errors/status.ts'
import type { Codec } from '../codecs/codec.ts'
import { encodeBody } from '../codecs/codec.ts'
import type { CodecTable } from '../codecs/codec-table.ts'
import { Incoming } from '../message/message.ts'
import type { MessageType as BodyType } from '../message/message-type.ts'
import { encodeMeta, type Meta } from '../message/meta.ts'
import type { MessageKind, ReadContext, WriteContext } from './hooks.ts'
import type { CtxSession } from './session-views.ts'

// Objects of messages with hooks, made for each one: `private` in place of `#`, whose initializers cost a call each, and everything costly
// is made when asked for.

/** Whose message with hooks is sent. */
export interface MessageOwner {
  /** As hooks see it. */
  readonly session: CtxSession
  readonly settings: { readonly codecs: CodecTable }
}

/** A received message whose memory is lent. */
export interface Borrowed {
  /** A hook or the handler takes its time, and the message is decoded or refused: its bytes may still be looked at. */
  retainBytes(): void
}

/** Memory that is lent to us ends with the message that brought it. @throws Error when it has */
export function copyBody(message: Incoming | undefined): Uint8Array {
  if (message === undefined) throw new Error('the message is done with, and its bytes are gone')
  return new Uint8Array(message.buffer.subarray(message.bodyStart, message.bodyEnd))
}

/** A message with `bytes` in place of the body. @throws TypeError when they are none */
export function withBody(of: Incoming | undefined, bytes: Uint8Array): Incoming {
  if (!(bytes instanceof Uint8Array)) throw new TypeError('the bytes of a body must be a Uint8Array')
  const message = new Incoming()
  if (of !== undefined) {
    message.codec = of.codec
    message.filters = of.filters
    message.allowCallRoute = of.allowCallRoute
    message.namedOnly = of.namedOnly
    message.route = of.route
    message.method = of.method
  }
  message.setBody(bytes)
  return message
}

/** A REPLY on its way through hooks. */
export class InboundReply implements ReadContext, Borrowed {
  readonly session: CtxSession
  readonly seq: number
  readonly size: number
  serviceMethod: string
  readonly meta: Meta
  readonly status: StatusError | undefined
  readonly request: WriteContext | undefined
  body: unknown
  readonly bodyCodec: Codec | undefined
  /** Its codec as the caller is told: an id. */
  readonly codecId: number
  /** Borrowed: it ends with the call that brought it. */
  private lent: Incoming | undefined
  /** In its place, once a hook took its time or put other bytes there. Like `copy` it is not there otherwise: most messages never need it. */
  declare private kept?: Incoming | undefined
  declare private copy?: Uint8Array

  /** @param message borrowed: valid until `own` or `keepBytes` is called, or the call that brought it returns */
  constructor(
    session: CtxSession,
    message: Incoming,
    serviceMethod: string,
    meta: Meta,
    codec: Codec | undefined,
    status: StatusError | undefined,
    request: WriteContext | undefined,
  ) {
    this.session = session
    this.seq = message.seq
    this.size = message.bodyEnd - message.bodyStart
    this.serviceMethod = serviceMethod
    this.meta = meta
    this.status = status
    this.request = request
    this.body = undefined
    this.bodyCodec = codec
    this.codecId = message.codec
    this.lent = message
  }

  get kind(): MessageKind {
    return 'reply'
  }

  get codec(): string {
    return this.bodyCodec === undefined ? '' : this.bodyCodec.name
  }

  get bytes(): Uint8Array {
    this.copy ??= copyBody(this.kept ?? this.lent)
    return this.copy
  }

  set bytes(bytes: Uint8Array) {
    this.kept = withBody(this.kept ?? this.lent, bytes)
    this.copy = bytes
  }

  /** Only while it is read. */
  get incoming(): Incoming {
    return (this.kept ?? this.lent) as Incoming
  }

  /** A hook takes its time, and the message is not decoded yet. */
  retainMessage(): void {
    this.kept ??= this.lent?.owned()
  }

  retainBytes(): void {
    if (this.kept === undefined && this.lent !== undefined) this.copy ??= copyBody(this.lent)
    this.lent = undefined
  }

  /** What was borrowed is given back. */
  releaseBorrowed(): void {
    this.lent = undefined
  }
}

/** A message to send on its way through hooks. */
export class Outbound implements WriteContext {
  private readonly owner: MessageOwner
  readonly kind: MessageKind
  readonly seq: number
  readonly serviceMethod: string
  status: StatusError | undefined
  readonly request: (ReadContext & Borrowed) | undefined
  body: unknown
  bodyType: BodyType | undefined
  /** Of the body; undefined for a REPLY that tells of a failure, until a hook names one. */
  bodyCodec: Codec | undefined
  private readonly given: Readonly<Record<string, string>> | undefined
  private copy: Record<string, string> | undefined

  /** @param meta its sender's, who may change it once this is sent or `keep` was called */
  constructor(
    owner: MessageOwner,
    kind: MessageKind,
    seq: number,
    serviceMethod: string,
    status: StatusError | undefined,
    request: (ReadContext & Borrowed) | undefined,
    meta: Readonly<Record<string, string>> | undefined,
    codec: Codec | undefined,
    body: unknown,
    bodyType: BodyType | undefined,
  ) {
    this.owner = owner
    this.kind = kind
    this.seq = seq
    this.serviceMethod = serviceMethod
    this.status = status
    this.request = request
    this.body = body
    this.bodyType = bodyType
    this.bodyCodec = codec
    this.given = meta
    this.copy = undefined
  }

  get session(): CtxSession {
    return this.owner.session
  }

  get meta(): Record<string, string> {
    this.copy ??= { ...this.given }
    return this.copy
  }

  /** As a wire wants it. @throws TypeError when hooks put something else than strings into it */
  get metaText(): string {
    const meta = this.copy ?? this.given
    return meta === undefined ? '' : encodeMeta(meta)
  }

  get codec(): string {
    return this.bodyCodec === undefined ? '' : this.bodyCodec.name
  }

  set codec(name: string) {
    this.bodyCodec = this.owner.settings.codecs.named(name)
  }

  encode(): Uint8Array {
    if (this.bodyCodec === undefined) throw new TypeError('a message that tells of a failure has no body')
    const body = encodeBody(this.bodyCodec, this.body, this.bodyType)
    return body === null ? new Uint8Array() : Buffer.from(body as Uint8Array)
  }

  /** A hook takes its time: what is others' is copied. */
  retain(): void {
    this.copy ??= { ...this.given }
    this.request?.retainBytes()
  }
}
