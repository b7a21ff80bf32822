import type { StatusError } from '../base/errors/status.ts'
import type { Codec } from '../codecs/codec.ts'
import { encodeBody } from '../codecs/codec.ts'
import type { CodecTable } from '../codecs/codec-table.ts'
import { Incoming } from '../message/message.ts'
import type { MessageType as BodyType } from '../message/message-type.ts'
import { encodeMeta, type Meta } from '../message/meta.ts'
import type { MessageKind, ReadContext, WriteContext } from './hooks.ts'
import type { CtxSession } from './session-views.ts'

// One object is made here for each message with hooks. Fields are `private`, not `#`, because initializing a `#` field
// costs a call each; costly values are made when they are read.

/** The session side of an outgoing message with hooks. */
interface MessageOwner {
  /** The session as hooks see it. */
  readonly session: CtxSession
  readonly settings: { readonly codecs: CodecTable }
}

/** A received message whose memory is borrowed from the read buffer. */
export interface Borrowed {
  /**
   * Copies the bytes that hooks may still read. Called when a hook or the handler returned a promise and the message is
   * already decoded or refused.
   */
  retainBytes(): void
}

/**
 * Copies the body of `message`.
 *
 * @throws Error when the message is undefined: the memory it borrowed is gone
 */
export function copyBody(message: Incoming | undefined): Uint8Array {
  if (message === undefined) throw new Error('the message is done with, and its bytes are gone')
  return new Uint8Array(message.buffer.subarray(message.bodyStart, message.bodyEnd))
}

/**
 * Makes a message with `bytes` in place of the body of `of`.
 *
 * @throws TypeError when `bytes` is no Uint8Array
 */
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

/** A received REPLY that passes hooks. */
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
  /** The body's codec id, as `Reply.codec` reports it. */
  readonly codecId: number
  /** The received message. Borrowed until the call that delivered it returns. */
  private borrowed: Incoming | undefined
  /**
   * The message that replaces `borrowed`, once a hook returned a promise or replaced the bytes. Like `copy` the field
   * is declared only: most messages never need it, and an initializer would cost time.
   */
  declare private kept?: Incoming | undefined
  declare private copy?: Uint8Array

  /**
   * @param message borrowed until `retainMessage` or `retainBytes` is called, or the call that delivered it returns
   */
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
    this.borrowed = message
  }

  get kind(): MessageKind {
    return 'reply'
  }

  get codec(): string {
    return this.bodyCodec === undefined ? '' : this.bodyCodec.name
  }

  get bytes(): Uint8Array {
    this.copy ??= copyBody(this.kept ?? this.borrowed)
    return this.copy
  }

  set bytes(bytes: Uint8Array) {
    this.kept = withBody(this.kept ?? this.borrowed, bytes)
    this.copy = bytes
  }

  /** The message to decode. Valid only while it is read. */
  get incoming(): Incoming {
    return (this.kept ?? this.borrowed) as Incoming
  }

  /** Copies the whole message. Called when a hook returned a promise and the message is not decoded yet. */
  retainMessage(): void {
    this.kept ??= this.borrowed?.owned()
  }

  retainBytes(): void {
    if (this.kept === undefined && this.borrowed !== undefined) this.copy ??= copyBody(this.borrowed)
    this.borrowed = undefined
  }

  /** Forgets the borrowed message, whose memory is no longer valid. */
  releaseBorrowed(): void {
    this.borrowed = undefined
  }
}

/** An outgoing message that passes hooks. */
export class Outbound implements WriteContext {
  private readonly owner: MessageOwner
  readonly kind: MessageKind
  readonly seq: number
  readonly serviceMethod: string
  status: StatusError | undefined
  readonly request: (ReadContext & Borrowed) | undefined
  body: unknown
  bodyType: BodyType | undefined
  /** Codec of the body. Undefined for a REPLY with a failure, until a hook sets one. */
  bodyCodec: Codec | undefined
  private readonly given: Readonly<Record<string, string>> | undefined
  private copy: Record<string, string> | undefined

  /** @param meta the sender's own object, which it may change once this message is sent or `retain` was called */
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

  /**
   * The meta, encoded as a message carries them.
   *
   * @throws TypeError when a hook put another value than a string into them
   */
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

  /** Copies what belongs to others. Called when a hook returned a promise. */
  retain(): void {
    this.copy ??= { ...this.given }
    this.request?.retainBytes()
  }
}
