import type { StatusError } from '../base/errors/status.ts'
import type { Codec } from '../codecs/codec.ts'
import type { Filter } from '../message/filter.ts'
import type { MessageType } from '../message/message-type.ts'
import { type Meta, noMeta } from '../message/meta.ts'
import type { Abort } from '../session/abort-registry.ts'
import type { SessionEngine } from '../session/engine.ts'
import type { PeerLink } from '../session/peer-link.ts'
import type { Session } from '../session/session.ts'

/** What the handler of a PUSH sees of it (docs/spec/behaviour.md#contexts). */
export interface PushContext {
  readonly session: Session
  readonly serviceMethod: string
  /** The sender's sequence number. */
  readonly seq: number
  readonly meta: Meta
  /** Name of the body's codec, '' when the message named none. */
  readonly codec: string
  /** Names of the transfer filters it came through, outermost first. */
  readonly filters: readonly string[]
  /**
   * Fires when the caller cancels the call or its deadline passes, when the handler ran over the session's `handlerTimeout`, and when the connection is
   * lost; its reason is a StatusError, 499, 408 or 102. Of a Go peer only its connection is seen.
   */
  readonly signal: AbortSignal
  /**
   * When the caller stops waiting, in milliseconds of the endpoint's clock (`performance.now()`, but for `dmicro/testing`); undefined when neither
   * the call nor its endpoint named a timeout, the peer is a Go one, or the handler has settled. Calls that the handler makes have no later one of their own.
   */
  readonly deadline: number | undefined
  /** Meta `X-Real-IP`, else the peer's host. Any peer can claim the former: trust it only behind a proxy of yours. */
  readonly realIp: string
}

/** What the handler of a CALL sees of it, and says about the reply. */
export interface CallContext extends PushContext {
  /** Sets one entry of the reply's meta. It travels with errors too. */
  setMeta(key: string, value: string): void
  /** Chooses the reply's codec by name or id, over what the caller asked for (docs/spec/wire.md#reply-codec). */
  setCodec(codec: string | number): void
  /**
   * Adds a transfer filter to the reply, inside those of the CALL, which every reply has, errors too (docs/spec/wire.md#filters, docs/spec/wire.md#replies).
   * @throws TypeError for an unknown name, RangeError beyond `limits.maxFilters`
   */
  addFilter(name: string): void
}

/** One for each CALL or PUSH that reaches a handler. Everything costly in it is made when asked for. */
export class Context implements CallContext {
  /** @internal */
  readonly engine: SessionEngine
  readonly serviceMethod: string
  readonly seq: number
  readonly meta: Meta
  /** Of what the handler returns. @internal */
  readonly resultType: MessageType | undefined
  // One is made per message: `private` in place of `#`, whose initializers cost a call each.
  /** Of the body; undefined for none or one that is unknown. @internal */
  readonly bodyCodec: Codec | undefined
  private metaOut: Record<string, string> | undefined
  private codecOut: Codec | undefined
  private filtersOut: readonly Filter[] | undefined
  private abortEntry: Abort | undefined
  /** What `filtersOut` was before the handler added to it. Not there otherwise: most contexts never need it. */
  declare private filtersIn?: readonly Filter[]
  /** When the caller stops waiting, by the endpoint's clock. Not there where it did not say, and once the handler settled. @internal */
  declare expires?: number | undefined
  /** The connection that brought it. @internal */
  readonly link: PeerLink

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

  /** What the reply goes through, outermost first. @internal */
  get replyFilters(): readonly Filter[] | undefined {
    return this.filtersOut
  }

  /** The meta set for the reply. @internal */
  get replyMeta(): Readonly<Record<string, string>> | undefined {
    return this.metaOut
  }

  /** The reply's codec, as docs/spec/wire.md#reply-codec has it: the handler's choice, the caller's wish if we know it, the codec of the CALL, else `fallback`. @internal */
  replyCodec(fallback: Codec): Codec {
    if (this.codecOut !== undefined) return this.codecOut
    // The usual case, without a look-up.
    return (this.meta === noMeta ? undefined : wished(this)) ?? this.bodyCodec ?? fallback
  }

  /** The handler's time is over: `signal` fires with `reason`, whenever it is looked at. @internal */
  abort(reason: StatusError): void {
    this.abortEntry ??= this.engine.requests.openAbort(this.seq, 0)
    this.abortEntry.fire(reason)
  }

  /** The handler settled. @internal */
  finish(): void {
    if (this.abortEntry !== undefined) this.engine.requests.release(this.abortEntry)
    if (this.expires !== undefined) this.expires = undefined
  }
}

/** No method: one `#` would mark each object of the class. */
function wished({ meta, engine }: Context): Codec | undefined {
  const wish = meta['X-Accept-Body-Codec']
  return wish !== undefined && /^[0-9]{1,3}$/.test(wish) && Number(wish) < 256 ? engine.settings.codecs.byId(Number(wish)) : undefined
}
