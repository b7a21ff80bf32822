import type { StatusError } from '../base/errors/status.ts'
import type { Codec } from '../codecs/codec.ts'
import type { Filter } from '../message/filter.ts'
import type { MessageType } from '../message/message-type.ts'
import { type Meta, noMeta } from '../message/meta.ts'
import type { RouteCounts } from '../overload/meter.ts'
import type { Abort } from '../session/abort-registry.ts'
import type { SessionEngine } from '../session/engine.ts'
import type { PeerLink } from '../session/peer-link.ts'
import type { Session } from '../session/session.ts'

/** The context of a received PUSH, for its handler (docs/spec/behaviour.md#contexts). */
export interface PushContext {
  /** The session that received the message. */
  readonly session: Session
  /** Service method, such as `/log/add`. */
  readonly serviceMethod: string
  /** Sequence number that the sender gave the message. */
  readonly seq: number
  /** Meta of the message: string values by key. */
  readonly meta: Meta
  /** Name of the body's codec; '' when the message named none. */
  readonly codec: string
  /** Names of the transfer filters that the message went through, outermost first. */
  readonly filters: readonly string[]
  /**
   * Fires when the caller cancels the call, at the caller's deadline, when the handler exceeds the session's
   * `handlerTimeout`, and when the connection is lost. The reason is a StatusError 499, 408 or 102. A Go peer announces
   * neither cancellation nor deadline, so only its lost connection fires.
   */
  readonly signal: AbortSignal
  /**
   * The caller's deadline, in milliseconds of the endpoint's clock (`performance.now()`, except with `dmicro/testing`).
   * Calls that the handler makes get no later one. Undefined when neither the call nor its endpoint set a timeout, the
   * peer is a Go peer, or the handler has settled.
   */
  readonly deadline: number | undefined
  /**
   * The client's address: meta `X-Real-IP`, else the peer's host. Any peer can claim the former, so trust it only
   * behind your own proxy.
   */
  readonly realIp: string
}

/** The context of a received CALL, for its handler, which can also set up the reply with it. */
export interface CallContext extends PushContext {
  /**
   * Sets one entry of the reply's meta, which is also sent with errors.
   *
   * @throws TypeError when key or value is no string
   */
  setMeta(key: string, value: string): void
  /**
   * Sets the reply's codec by name or id, whatever the caller asked for (docs/spec/wire.md#reply-codec).
   *
   * @throws TypeError for an unknown codec
   */
  setCodec(codec: string | number): void
  /**
   * Adds a transfer filter to the reply, inside the filters of the CALL, through which every reply goes, errors too
   * (docs/spec/wire.md#filters, docs/spec/wire.md#replies).
   *
   * @throws TypeError for an unknown name
   * @throws RangeError beyond `limits.maxFilters`
   */
  addFilter(name: string): void
}

/** The context of a CALL or PUSH without hooks. Costly values are made when they are read. */
export class Context implements CallContext {
  /**
   * Engine of the session.
   *
   * @internal
   */
  readonly engine: SessionEngine
  readonly serviceMethod: string
  readonly seq: number
  readonly meta: Meta
  /**
   * Type of the handler's result, for codecs that need one.
   *
   * @internal
   */
  readonly resultType: MessageType | undefined
  // One object is made per message: fields are `private`, not `#`, because initializing a `#` field costs a call each.
  /**
   * Codec of the body; undefined for none or an unknown one.
   *
   * @internal
   */
  readonly bodyCodec: Codec | undefined
  private metaOut: Record<string, string> | undefined
  private codecOut: Codec | undefined
  private filtersOut: readonly Filter[] | undefined
  private abortEntry: Abort | undefined
  /**
   * The filters of the CALL, once the handler has added one. Declared only: most contexts never need it, and an
   * initializer would cost time.
   */
  declare private filtersIn?: readonly Filter[]
  /**
   * The caller's deadline by the endpoint's clock. Undefined when it is not known, and once the handler has settled.
   *
   * @internal
   */
  declare expires?: number | undefined
  /**
   * Link that the message was received on.
   *
   * @internal
   */
  readonly link: PeerLink
  /**
   * Counts of the route by the endpoint's meter; null without a meter, and once the end is counted.
   *
   * @internal
   */
  counts: RouteCounts | null
  /**
   * Time at which the message arrived, by the endpoint's meter; 0 without one.
   *
   * @internal
   */
  arrived: number

  constructor(
    engine: SessionEngine,
    serviceMethod: string,
    seq: number,
    meta: Meta,
    codec: Codec | undefined,
    resultType: MessageType | undefined,
    filters: readonly Filter[] | undefined,
  ) {
    this.engine = engine
    this.serviceMethod = serviceMethod
    this.seq = seq
    this.meta = meta
    this.resultType = resultType
    this.bodyCodec = codec
    this.metaOut = undefined
    this.codecOut = undefined
    this.filtersOut = filters
    this.abortEntry = undefined
    this.link = engine.link
    this.counts = null
    this.arrived = 0
  }

  get session(): Session {
    return this.engine.session as Session
  }

  get codec(): string {
    return this.bodyCodec === undefined ? '' : this.bodyCodec.name
  }

  get filters(): readonly string[] {
    return (this.filtersIn ?? this.filtersOut ?? []).map(({ name }) => name)
  }

  get signal(): AbortSignal {
    this.abortEntry ??= this.engine.requests.openAbort(this.seq, this.expires)
    return this.abortEntry.controller.signal
  }

  get deadline(): number | undefined {
    return this.expires
  }

  get realIp(): string {
    const claimed = this.meta['X-Real-IP']
    if (claimed !== undefined) return claimed
    const address = this.session.remoteAddress
    const colon = address.lastIndexOf(':')
    return colon < 0 || address.startsWith('/') ? address : address.slice(0, colon).replace(/^\[|\]$/g, '')
  }

  setMeta(key: string, value: string): void {
    if (typeof key !== 'string' || typeof value !== 'string') throw new TypeError('meta keys and values must be strings')
    this.metaOut ??= Object.create(null) as Record<string, string>
    this.metaOut[key] = value
  }

  setCodec(codec: string | number): void {
    const { codecs } = this.engine.settings
    const chosen = typeof codec === 'number' ? codecs.byId(codec) : codecs.byName(codec)
    if (chosen === undefined) throw new TypeError(`no codec ${typeof codec === 'number' ? 'has id' : 'is named'} ${JSON.stringify(codec)}`)
    this.codecOut = chosen
  }

  addFilter(name: string): void {
    this.filtersIn ??= this.filtersOut ?? []
    const { filters, limits } = this.engine.settings
    this.filtersOut = filters.append(this.filtersOut, [name], limits.maxFilters)
  }

  /**
   * Filters of the reply, outermost first.
   *
   * @internal
   */
  get replyFilters(): readonly Filter[] | undefined {
    return this.filtersOut
  }

  /**
   * The meta set for the reply.
   *
   * @internal
   */
  get replyMeta(): Readonly<Record<string, string>> | undefined {
    return this.metaOut
  }

  /**
   * Chooses the reply's codec (docs/spec/wire.md#reply-codec): the handler's choice, else the one that the caller asked
   * for if it is known, else that of the CALL, else `fallback`.
   *
   * @internal
   */
  replyCodec(fallback: Codec): Codec {
    if (this.codecOut !== undefined) return this.codecOut
    // Without meta, which is usual, nothing need be looked up.
    return (this.meta === noMeta ? undefined : wished(this)) ?? this.bodyCodec ?? fallback
  }

  /**
   * Fires `signal` with `reason`, also if the handler reads it later: the handler has run too long.
   *
   * @internal
   */
  abort(reason: StatusError): void {
    this.abortEntry ??= this.engine.requests.openAbort(this.seq, 0)
    this.abortEntry.fire(reason)
  }

  /**
   * Releases the signal and the deadline: the handler has settled.
   *
   * @internal
   */
  finish(): void {
    if (this.abortEntry !== undefined) this.engine.requests.release(this.abortEntry)
    if (this.expires !== undefined) this.expires = undefined
  }
}

/**
 * The codec that the caller asked for. A function, because a private method (`#`) would mark each object of the class.
 */
function wished({ meta, engine }: Context): Codec | undefined {
  const wish = meta['X-Accept-Body-Codec']
  return wish !== undefined && /^[0-9]{1,3}$/.test(wish) && Number(wish) < 256 ? engine.settings.codecs.byId(Number(wish)) : undefined
}

/**
 * Counts the end of a request, once. A function, so that pages, which count nothing, do without it.
 *
 * @param code status of the reply; 0 for OK
 * @param bytes size of its body
 */
export function countEnd(ctx: Context, code: number, bytes: number): void {
  const { counts, meta } = ctx
  if (counts === null) return
  ctx.counts = null
  counts.ended(ctx.arrived, code, bytes, meta === noMeta ? undefined : meta.traceparent, ctx.engine)
}
