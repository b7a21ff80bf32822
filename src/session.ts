import { EventEmitter } from 'node:events'
import { type Abort, Aborts } from './aborts.ts'
import { ANNOUNCEMENT_KEY, RETRY_AFTER_KEY, readTimeout, TIMEOUT_KEY } from './announcement.ts'
import type { CallOptions, PushOptions, TypedCallOptions } from './call-options.ts'
import { CloseReason, closeReasonText, isViolation } from './close-reason.ts'
import { bodyText, type Codec, decodeBody, encodeBody } from './codec.ts'
import { type EarlyOwner, EarlyPhase } from './early.ts'
import { asBadMessage, asWriteFailure, sendFailure } from './failures.ts'
import type { Filter } from './filter.ts'
import type { FilteredOut } from './filtering/outbound.ts'
import { FilterPipes } from './filtering/pipes.ts'
import { guardReply } from './guard.ts'
import { Inbound, Outbound } from './hooked-messages.ts'
import { type HookList, inTurn, type MessageHooks, runHooks, type WriteContext, writeThrough } from './hooks.ts'
import { inherited } from './inherited.ts'
import { type Incoming, MessageType, TextHint, WHOLE } from './message.ts'
import { type MessageType as BodyType, checkMessageType } from './message-type.ts'
import { decodeMeta, encodeMeta, type Meta, noMeta } from './meta.ts'
import { findNameText, internName, nameText, RESERVED_NAMES } from './names.ts'
import { duration, type Settings } from './options.ts'
import { Peering, type PeeringOwner } from './peering.ts'
import { PendingTable } from './pending.ts'
import { canceled, PendingCall, type Reply, setReplyMeta } from './pending-call.ts'
import { type Redial, WaitingRoom } from './redial.ts'
import type { CtxSession, EarlyMessage, EarlyOptions, EarlySession } from './session-views.ts'
import { isSchema } from './standard-schema.ts'
import { badMessage, Code, StatusError, statusText, textOf, toStatusError } from './status.ts'
import { type DecodedStatus, decodeStatus, encodeStatus } from './status-json.ts'
import type { TimerWheel } from './timer-wheel.ts'
import { SendResult, type Wire } from './transport.ts'

/** `draining`: the peer is about to close and takes nothing new; what runs goes on. */
export type SessionState = 'preparing' | 'open' | 'draining' | 'redialing' | 'closing' | 'closed'

export interface SessionEvents {
  /** The peer is about to close: calls and pushes wait for another connection, or fail with 503 where there is no redial. */
  draining: []
  /** The connection is lost, and will be made anew. Open calls have failed with 102. */
  redialing: [reason: StatusError]
  /** It is there again. */
  redialed: []
  /** The session is gone. The error says why, and is undefined when this side closed it without a cause. */
  close: [reason: StatusError | undefined]
}

/** What a session needs from the endpoint it belongs to. */
export interface SessionOwner {
  readonly settings: Settings
  readonly hooks: MessageHooks
  readonly wheel: TimerWheel
  /** A CALL or PUSH arrived. `message` is borrowed. */
  onRequest(session: Session, message: Incoming): void
  onSessionClosed(session: Session, reason: number): void
  /** The connection of a session with redial is lost. */
  onSessionLost(session: Session): void
  /** An id that no session has, best `address`. */
  freeId(address: string): string
  renameSession(session: Session, id: string): void
}

const done = Promise.resolve()
/** CALLs that hooks saw, for the hooks of their REPLYs: an entry goes with its call. */
const requests = new WeakMap<PendingCall, Outbound>()
const ignore = (): void => {}
/** Milliseconds after which a peer that was about to close may be there again: told where it does not say so itself. */
const DRAIN_RETRY = 1000

/**
 * One peer. Either side may call or push the other (spec/behaviour.md §2, §3). Made by `Endpoint.dial` and
 * `Endpoint.listen`.
 */
export class Session extends EventEmitter<SessionEvents> implements CtxSession, EarlySession, PeeringOwner {
  readonly #owner: SessionOwner
  #wire: Wire
  readonly #pending = new PendingTable<PendingCall>()
  #id: string
  #seq = 0
  #state: SessionState = 'open'
  /** Counts connections: a reply belongs to the one its call came from. @internal */
  epoch = 0
  readonly #redial: Redial | undefined
  /** The endpoint's: the same object for life. */
  readonly #hooks: MessageHooks
  /** Calls and pushes made while there is no connection. */
  #room: WaitingRoom | undefined
  #ownId = false
  /** While redialing: the attempt's connection is open. */
  #attached = false
  /** While the hooks about a new connection run. */
  #early: EarlyPhase | undefined
  #swap: Map<unknown, unknown> | undefined
  #running = 0
  #aborts: Aborts | undefined
  /** Requests cancelled before anybody looked at their signals. */
  #canceled: Set<number> | undefined
  /** What goes beyond Go's protocol; undefined where it is switched off, and with protocols without meta or pushes. */
  #peering: Peering | undefined
  readonly #extensible: boolean
  /** A message is still to be sent that announces us. */
  #announcing = false
  /** The peer answers our notice and has not done so yet. */
  #drainAwaited = false
  #closed: Promise<void> | undefined
  /** Why this side closed it, where something said so. */
  #cause: string | undefined
  #onIdle: (() => void) | undefined
  #onClosed: (() => void) | undefined
  #filters: FilterPipes
  /** Filters that every message must have come through; null for none. */
  readonly #required: readonly Filter[] | null

  /** Name of the protocol it speaks, such as 'raw'. */
  readonly protocol: string

  /** @param extensible its protocol carries meta, and pushes both ways @param preparing it does not run until `begin` @internal */
  constructor(owner: SessionOwner, wire: Wire, id: string, protocol: string, extensible: boolean, preparing: boolean, redial?: Redial) {
    super()
    this.protocol = protocol
    this.#extensible = extensible && owner.settings.extensions
    this.#owner = owner
    this.#wire = wire
    this.#id = id
    this.#redial = redial
    this.#hooks = owner.hooks
    this.#required = owner.settings.required
    if (preparing) {
      this.#state = 'preparing'
      this.#early = new EarlyPhase(this.#earlyOwner())
    }
    this.#filters = new FilterPipes(wire, owner.settings, protocol, this)
    this.#meet()
    wire.sink = this
  }

  /** A new connection, on which nobody has announced anything. */
  #meet(): void {
    if (!this.#extensible) return
    const { clock, required, timeout, timeoutNamed } = this.#owner.settings
    this.#peering = new Peering(this, clock, timeoutNamed ? timeout : 0, required?.map(({ name }) => name) ?? [])
    this.#announcing = true
    this.#drainAwaited = false
  }

  /** Unique in its endpoint. At first the remote address on the accepting side, the local one on the dialling side. */
  get id(): string {
    return this.#id
  }

  /** Another session that has this id is closed, as in Go. */
  setId(id: string): void {
    if (typeof id !== 'string' || id === '') throw new TypeError('a session id must be a string that is not empty')
    if (id === this.#id || this.#state === 'closed') return
    this.#owner.renameSession(this, id)
    this.#id = id
    this.#ownId = true
  }

  get state(): SessionState {
    return this.#state
  }

  get localAddress(): string {
    return this.#wire.localAddress
  }

  /** `host:port`, or the path of a Unix socket (`@` when it has none). */
  get remoteAddress(): string {
    return this.#wire.remoteAddress
  }

  /** Calls and pushes may be made. */
  get health(): boolean {
    return this.#state === 'open'
  }

  /** The application's own data about this session. */
  get swap(): Map<unknown, unknown> {
    this.#swap ??= new Map()
    return this.#swap
  }

  /** Handlers of this session's requests that have not settled. */
  get running(): number {
    return this.#running
  }

  /** Calls of ours without a reply yet. */
  get pendingCalls(): number {
    return this.#pending.size
  }

  /**
   * Calls `method` of the peer and resolves to the reply's body, undefined when that is empty.
   * @param arg what the codec takes; a Uint8Array is sent as it is, undefined as an empty body
   * @throws StatusError (rejects): the peer's status; 102 when the session is or gets closed, 104 when the message cannot be
   *   sent, 400 when the reply does not decode or breaks its schema, 408 at the deadline, 499 when `signal` fires
   */
  call<T>(method: string, arg: unknown, options: TypedCallOptions<T>): Promise<T>
  call<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<T>
  call<T>(method: string, arg?: unknown, options?: CallOptions): Promise<T> {
    return new Promise((resolve, reject) => this.#call(method, arg, options, false, resolve as (value: unknown) => void, reject))
  }

  /** The same, resolving to the reply's body, meta and codec. */
  callReply<T>(method: string, arg: unknown, options: TypedCallOptions<T>): Promise<Reply<T>>
  callReply<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<Reply<T>>
  callReply<T>(method: string, arg?: unknown, options?: CallOptions): Promise<Reply<T>> {
    return new Promise((resolve, reject) => this.#call(method, arg, options, true, resolve as (value: unknown) => void, reject))
  }

  /**
   * Sends without an answer: resolves when the message is queued, its filters done, and nothing tells whether it arrives. A rejection that
   * nobody looks at is no unhandled rejection.
   * @throws StatusError (rejects): 102 or 104
   */
  push(method: string, arg?: unknown, options?: PushOptions): Promise<void> {
    try {
      if (this.#state !== 'open') return this.#pushLater(method, arg, options)
      const codec = this.#codecFor(options?.codec)
      const filters = options?.filters === undefined ? undefined : this.appendFilters(undefined, options.filters)
      checkMessageType(options?.arg, 'option arg')
      const { beforeWritePush, afterWritePush } = this.#hooks
      const extra = this.#announcing ? this.#announce() : undefined
      const seq = extra === undefined ? this.#nextSeq() : extra.seq
      let sent: Promise<void> | undefined
      if (beforeWritePush === null && afterWritePush === null) {
        const meta = options?.meta === undefined && extra === undefined ? '' : encodeMeta({ ...options?.meta, ...extra?.meta })
        sent = this.#send(filters, MessageType.Push, seq, method, meta, codec, arg, options?.arg, options?.forwarded)
      } else {
        const { codecs } = this.#owner.settings
        const out = new Outbound(
          this,
          codecs,
          'push',
          seq,
          method,
          undefined,
          undefined,
          { ...options?.meta, ...extra?.meta },
          codec.name,
          arg,
          options?.arg,
        )
        sent = this.#sendHooked(beforeWritePush, afterWritePush, filters, out, options?.forwarded)
      }
      if (sent === undefined) return done
      sent.catch(ignore)
      return sent
    } catch (error) {
      const failed = Promise.reject(asWriteFailure(error))
      failed.catch(ignore)
      return failed
    }
  }

  #pushLater(method: string, arg: unknown, options: PushOptions | undefined): Promise<void> {
    const room = this.#requireRoom()
    const sent = new Promise<void>((resolve, reject) => {
      room.add(this.#owner.settings.timeout, () => resolve(this.push(method, arg, options)), reject)
    })
    sent.catch(ignore)
    return sent
  }

  /**
   * Closes gracefully: refuses new work, lets running handlers, open calls and transfer filters finish for at most `timeout` milliseconds
   * (default: the endpoint's `closeTimeout`), then flushes and closes. Resolves when closed; never rejects. A handler may
   * start this for its own session, but not await it.
   */
  close(options?: { timeout?: number }): Promise<void> {
    this.#closed ??= this.#close(duration('timeout', options?.timeout, this.#owner.settings.closeTimeout, 0))
    return this.#closed
  }

  /** The sequence number of the CALL or PUSH sent last. */
  get lastSeq(): number {
    return this.#seq
  }

  /**
   * Closes at once: open calls fail with 102, what is queued is lost.
   * @param cause told to them, to the log and to listeners of `close`; a connection lost for a cause is dialled anew where there is redial. Default:
   *   that this side closed it, for good
   */
  destroy(cause?: string): void {
    if (this.#state === 'closed') return
    this.#cause ??= cause
    if (this.#state === 'redialing') this.giveUp(CloseReason.Local, '')
    else this.#wire.destroy(CloseReason.Local)
  }

  /** @internal */
  onMessage(message: Incoming): void {
    if (message.type === WHOLE) {
      this.#filters.receive(message)
      return
    }
    if (this.#required !== null && !this.#required.every((filter) => message.filters?.includes(filter))) {
      this.fail(CloseReason.FilterMissing)
    } else if (this.#early !== undefined) {
      this.#early.take(message)
    } else {
      this.#deliver(message)
      if (this.#hooks.beforeReadHeader !== null) this.#beforeNext()
    }
  }

  #deliver(message: Incoming): void {
    if (message.type === MessageType.Reply) this.#onReply(message)
    else if (message.type !== MessageType.Call && message.type !== MessageType.Push)
      this.fail(CloseReason.Type) // authentication is over (spec/wire.md §1.1)
    else if (message.route >>> 0 >= RESERVED_NAMES || this.#peering?.receive(message) !== true) this.#owner.onRequest(this, message)
  }

  /** The hooks about the new connection are done. @internal */
  begin(): void {
    const early = this.#early
    if (early === undefined || this.#state !== 'preparing') return
    this.#state = 'open'
    this.#early = undefined
    this.#run(early)
  }

  #run(early: EarlyPhase): void {
    if (this.#hooks.beforeReadHeader !== null) this.#beforeNext()
    early.end((message) => {
      if (this.#state !== 'closed' && this.#state !== 'redialing') this.#deliver(message)
    })
  }

  /** A hook refused the new connection: what it sent is written, then it closes. @internal */
  refuse(): void {
    if (this.#state !== 'preparing') return
    this.#state = 'closing'
    this.#early?.fail('the session is refused')
    this.#early = undefined
    this.#wire.end()
  }

  /** The hook before a message, which runs before one is there: a session whose hook fails is closed. */
  #beforeNext(): void {
    const { settings } = this.#owner
    const hooks = this.#hooks
    let waiting: Promise<void> | undefined
    try {
      waiting = runHooks(hooks.beforeReadHeader, { session: this }, settings.hookTimeout)
    } catch {
      this.fail(CloseReason.Hook)
      return
    }
    if (waiting === undefined) return
    const wire = this.#wire
    wire.hold()
    waiting.catch(() => wire.destroy(CloseReason.Hook)).finally(() => wire.release())
  }

  /** Reads no message until what this returns is called. @internal */
  holdReading(): () => void {
    const wire = this.#wire
    wire.hold()
    return () => wire.release()
  }

  #earlyOwner(): EarlyOwner {
    return {
      settings: this.#owner.settings,
      readMeta: (message) => this.readMeta(message),
      readStatus: (message) => message.status ?? this.#readStatus(message),
      holdReading: () => this.holdReading(),
    }
  }

  async earlySend(type: MessageType, method: string, body: unknown, options: EarlyOptions = {}): Promise<void> {
    await this.#earlySend(type, this.#nextSeq(), method, body, options)
  }

  earlyReceive(options: { timeout?: number; type?: MessageType } = {}): Promise<EarlyMessage> {
    try {
      const timeout = duration('timeout', options.timeout, this.#owner.settings.limits.frameTimeout, 1)
      return this.#requireEarly().receive(timeout, options.type)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async earlyCall(method: string, arg?: unknown, options: EarlyOptions = {}): Promise<unknown> {
    const seq = this.#nextSeq()
    await this.#earlySend(MessageType.Call, seq, method, arg, options)
    const { type, seq: answered, status, body } = await this.earlyReceive()
    if (type !== MessageType.Reply || answered !== seq) throw badMessage(`expected the reply to ${method}, got another message`)
    if (status !== undefined) throw status
    return body
  }

  async earlyReply(request: EarlyMessage, body: unknown, options: EarlyOptions = {}): Promise<void> {
    await this.#earlySend(MessageType.Reply, request.seq, request.serviceMethod, body, options)
  }

  async #earlySend(type: MessageType, seq: number, method: string, body: unknown, options: EarlyOptions): Promise<void> {
    this.#requireEarly()
    const { status, meta = {}, codec, filters } = options
    const text = status === undefined ? '' : encodeStatus(status.code, status.message, status.cause)
    const named = this.#codecFor(codec)
    const pipe = filters === undefined ? undefined : this.appendFilters(undefined, filters)
    const out = this.#outFor(pipe)
    const bytes = encodeBody(named, body, undefined)
    const sent =
      out === undefined
        ? this.#wire.send(type, seq, -1, method, text, encodeMeta(meta), named.id, bytes)
        : out.send(pipe, type, seq, method, text, encodeMeta(meta), named.id, bytes)
    requireSent(await sent)
  }

  #requireEarly(): EarlyPhase {
    if (this.#early === undefined) throw new StatusError(Code.InvalidOperation, undefined, 'the session runs already, or is gone')
    return this.#early
  }

  /** @internal */
  onClose(reason: number, detail: string): void {
    if (this.#state === 'redialing') {
      // An attempt that got a connection lost it again.
      this.#early?.fail(closeReasonText[reason])
      this.#attached = false
      return
    }
    const running = this.#state === 'open' || this.#state === 'draining'
    const redial = this.#redial !== undefined && running && (reason !== CloseReason.Local || this.#cause !== undefined)
    const error = this.#lose(reason, detail)
    if (!redial) {
      this.#over(reason, error)
      return
    }
    this.#state = 'redialing'
    this.#cause = undefined
    this.#attached = false
    this.#openRoom()
    this.#owner.onSessionLost(this)
    this.#tell('redialing', error)
  }

  /** A new connection, for hooks to try out. @internal */
  attach(wire: Wire): void {
    this.epoch++
    this.#attached = true
    this.#wire = wire
    this.#filters = new FilterPipes(wire, this.#owner.settings, this.protocol, this)
    this.#early = new EarlyPhase(this.#earlyOwner())
    this.#meet()
    if (!this.#ownId) {
      const id = this.#owner.freeId(wire.localAddress)
      this.#owner.renameSession(this, id)
      this.#id = id
    }
    wire.sink = this
  }

  /** It is of no use after all. @internal */
  detach(): void {
    if (this.#state !== 'redialing') return
    this.#early?.fail('the connection is given up')
    this.#early = undefined
    if (!this.#attached) return
    this.#attached = false
    this.#wire.sink = { onMessage: () => {}, onClose: () => {} }
    this.#wire.end()
  }

  /** Goes on with the connection that was attached; false when it is gone. @internal */
  reopen(): boolean {
    const early = this.#early
    if (this.#state !== 'redialing' || !this.#attached || early === undefined) return false
    this.#state = 'open'
    this.#early = undefined
    this.#run(early)
    this.#room?.run()
    this.#tell('redialed')
    return true
  }

  /** No connection comes any more. @internal */
  giveUp(reason: number, detail: string): void {
    if (this.#state !== 'redialing') return
    this.detach()
    const error = this.#lose(reason, detail)
    this.#over(reason, error)
  }

  /** What a lost connection takes with it. */
  #lose(reason: number, detail: string): StatusError {
    this.#state = 'closed'
    this.#early?.fail(closeReasonText[reason])
    this.#early = undefined
    this.#filters.drop()
    const told = reason === CloseReason.Local ? this.#cause : undefined
    const text = told ?? (detail === '' ? closeReasonText[reason] : `${closeReasonText[reason]}: ${detail}`)
    const { log } = this.#owner.settings
    if (isViolation(reason) || told !== undefined) log.warn('session closed', { remote: this.remoteAddress, reason: text })
    const error = new StatusError(Code.ConnectionClosed, statusText(Code.ConnectionClosed), text, { stack: false })
    for (const call of this.#pending.takeAll()) {
      this.#owner.wheel.remove(call)
      call.fail(error)
    }
    this.#aborts?.cancelAll(error)
    return error
  }

  #over(reason: number, error: StatusError): void {
    this.#room?.fail(error)
    this.#onIdle?.()
    this.#onClosed?.()
    this.#owner.onSessionClosed(this, reason)
    this.#tell('close', reason === CloseReason.Local && this.#cause === undefined ? undefined : error)
  }

  #tell<Name extends keyof SessionEvents>(name: Name, ...args: SessionEvents[Name]): void {
    try {
      ;(this.emit as (name: Name, ...args: SessionEvents[Name]) => boolean).call(this, name, ...args)
    } catch (thrown) {
      this.#owner.settings.log.error(`a ${name} listener threw`, { error: textOf(thrown) })
    }
  }

  /** @internal */
  onFiltersIdle(): void {
    this.#checkIdle()
  }

  /** A message is unreadable, or would break a limit: the stream can no longer be trusted. @internal */
  fail(reason: CloseReason): void {
    this.#wire.destroy(reason)
  }

  /** The message's meta; undefined when it was unreadable and the session is being closed. @internal */
  readMeta(message: Incoming): Meta | undefined {
    if (message.meta !== undefined) return message.meta
    if (message.metaStart === message.metaEnd) return noMeta
    const meta = decodeMeta(bodyText(message.buffer, message.metaStart, message.metaEnd, TextHint.Nothing), this.#owner.settings.limits)
    if (meta === undefined) this.fail(CloseReason.Meta)
    return meta
  }

  /** Sends a REPLY with status OK. @throws (or rejects) what codec and filters throw @internal */
  reply(
    filters: readonly Filter[] | undefined,
    seq: number,
    meta: string,
    codec: Codec,
    value: unknown,
    type: BodyType | undefined,
  ): SendResult | Promise<SendResult> {
    const quoted = typeof value === 'string' && codec.quotes?.(value) === true
    const body = quoted ? value : encodeBody(codec, value, type)
    const out = this.#outFor(filters)
    if (out === undefined) return this.#wire.send(MessageType.Reply, seq, -1, '', '', meta, codec.id, body, quoted)
    return out.send(filters, MessageType.Reply, seq, '', '', meta, codec.id, body, quoted)
  }

  /** Sends a REPLY with another status, which has codec 0 and no body (spec/wire.md §7). @internal */
  replyStatus(filters: readonly Filter[] | undefined, seq: number, status: string, meta: string): SendResult | Promise<SendResult> {
    const out = this.#outFor(filters)
    if (out === undefined) return this.#wire.send(MessageType.Reply, seq, -1, '', status, meta, 0, null)
    return out.send(filters, MessageType.Reply, seq, '', status, meta, 0, null)
  }

  /** `pipe` with the filters called `names` behind it. @throws TypeError, RangeError @internal */
  appendFilters(pipe: readonly Filter[] | undefined, names: readonly string[]): readonly Filter[] | undefined {
    const { filters, limits } = this.#owner.settings
    return filters.append(pipe, names, limits.maxFilters)
  }

  /** False once this side began to close: new requests are refused. @internal */
  get accepting(): boolean {
    return this.#state === 'open' || this.#state === 'draining'
  }

  /** A handler did not settle at once. @internal */
  began(): void {
    this.#running++
  }

  /** It did now. @internal */
  ended(): void {
    this.#running--
    if (this.#running === 0) this.#canceled = undefined
    this.#checkIdle()
  }

  /**
   * The signal of request `seq` fires when its caller cancels it or waits no more, and when the connection is lost, unless `release` came first.
   * @param left milliseconds its caller waits; 0: it did not say @internal
   */
  openAbort(seq: number, expires: number | undefined): Abort {
    const left = expires === undefined ? 0 : Math.max(expires - this.#owner.settings.clock.now(), 1)
    this.#aborts ??= new Aborts(this.#owner.wheel)
    const abort = this.#aborts.open(seq, left)
    if (this.#state === 'closed') abort.controller.abort(new StatusError(Code.ConnectionClosed))
    else if (this.#canceled?.has(seq)) abort.controller.abort(new StatusError(Code.Canceled))
    return abort
  }

  /** @internal */
  release(abort: Abort): void {
    this.#aborts?.release(abort)
  }

  /** @internal */
  onCancel(seq: number, reason: StatusError): void {
    if (this.#aborts?.cancel(seq, reason) === true || this.#running === 0) return
    this.#canceled ??= new Set()
    if (this.#canceled.size < this.#owner.settings.limits.maxRunning) this.#canceled.add(seq)
  }

  /** The caller of request `seq`, which has waited here, does not wait for it any more. @internal */
  isCanceled(seq: number): boolean {
    return this.#canceled?.has(seq) === true
  }

  /** @internal */
  onPeerDrain(asked: boolean): void {
    if (asked) {
      this.#drainAwaited = false
      this.#checkIdle()
    } else if (this.#state === 'open') {
      this.#state = 'draining'
      this.#openRoom()
      this.#tell('draining')
    }
  }

  /** @internal */
  pushReserved(route: number, body: unknown, filters: readonly string[]): void {
    try {
      const pipe = filters.length === 0 ? undefined : this.appendFilters(undefined, filters)
      const text = body === undefined ? null : JSON.stringify(body)
      const out = this.#outFor(pipe)
      const seq = this.#nextSeq()
      const { id } = this.#owner.settings.codecs.byName('json') as Codec
      const sent =
        out === undefined
          ? this.#wire.send(MessageType.Push, seq, route, nameText(route), '', '', id, text)
          : out.send(pipe, MessageType.Push, seq, nameText(route), '', '', id, text)
      if (typeof sent !== 'number') sent.catch(ignore)
    } catch {
      // A filter that is unknown here, or a connection that is gone: the peer does without.
    }
  }

  /** @internal */
  abandon(call: PendingCall, code: number): void {
    this.#forget(call)
    this.#peering?.cancel(call.seq, code)
  }

  #forget(call: PendingCall): void {
    this.#pending.take(call.seq)
    this.#owner.wheel.remove(call)
    this.#checkIdle()
  }

  /** The number and meta of the first message on a connection. */
  #announce(): { seq: number; meta: Record<string, string> } | undefined {
    this.#announcing = false
    const peering = this.#peering as Peering
    if (peering.announced) return undefined
    this.#nextSeq() // counts as any other
    const seq = peering.nextHop()
    return { seq, meta: { [ANNOUNCEMENT_KEY]: peering.announcement } }
  }

  /**
   * Reads what goes beyond Go's protocol from the meta of a request.
   * @returns milliseconds that its caller waits; 0: it did not say, or waits for ever @internal
   */
  heed(meta: Meta, seq: number): number {
    const peering = this.#peering
    if (peering === undefined) return 0
    if (meta === noMeta) return peering.peerTimeout
    const announced = meta[ANNOUNCEMENT_KEY]
    if (announced !== undefined) peering.heard(announced, seq)
    const told = meta[TIMEOUT_KEY]
    // What is ours is not shown, and so never forwarded.
    if (announced !== undefined) delete (meta as Record<string, string>)[ANNOUNCEMENT_KEY]
    if (told !== undefined) delete (meta as Record<string, string>)[TIMEOUT_KEY]
    return (told === undefined ? undefined : readTimeout(told)) ?? peering.peerTimeout
  }

  #call(
    method: string,
    arg: unknown,
    options: CallOptions | undefined,
    full: boolean,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ): void {
    const { settings, wheel } = this.#owner
    let timeout = settings.timeout
    let codec = settings.codec
    let signal: AbortSignal | undefined
    let resultType: BodyType | undefined
    let filters: readonly Filter[] | undefined
    const settled = resolve
    try {
      if (this.#state !== 'open') {
        this.#callLater(method, arg, options, full, resolve, reject)
        return
      }
      if (options !== undefined) {
        timeout = duration('timeout', options.timeout, timeout, 0)
        codec = this.#codecFor(options.codec)
        signal = options.signal
        if (options.filters !== undefined) filters = this.appendFilters(undefined, options.filters)
        checkMessageType(options.arg, 'option arg')
        if (isSchema(options.result)) {
          resolve = guardReply(options.result, full, resolve, reject)
        } else {
          checkMessageType(options.result, 'option result')
          resultType = options.result
        }
        if (signal?.aborted) throw canceled(signal)
      }
      let told = options?.timeout === undefined ? -1 : timeout
      const around = inherited()
      if (around !== undefined) {
        const left = (around.expires as number) - settings.clock.now()
        if (left <= 0) throw new StatusError(Code.HandleTimeout, undefined, 'the deadline of the call that made this one')
        if (timeout === 0 || left < timeout) told = timeout = left
        signal ??= around.signal
        if (signal.aborted) throw canceled(signal)
      }
      const extra = this.#announcing ? this.#announce() : undefined
      const seq = extra === undefined ? this.#nextSeq() : extra.seq
      const call = new PendingCall(this, seq, method, full, resultType, resolve, reject)
      const { beforeWriteCall, afterWriteCall } = this.#hooks
      let sent: Promise<void> | undefined
      if (beforeWriteCall === null && afterWriteCall === null) {
        const meta = options === undefined && told < 0 && extra === undefined ? '' : encodeMeta(this.#callMeta(options, told, extra?.meta))
        sent = this.#send(filters, MessageType.Call, call.seq, method, meta, codec, arg, options?.arg, options?.forwarded)
      } else {
        const meta = this.#callMeta(options, told, extra?.meta)
        const out = new Outbound(this, settings.codecs, 'call', call.seq, method, undefined, undefined, meta, codec.name, arg, options?.arg)
        requests.set(call, out)
        sent = this.#sendHooked(beforeWriteCall, afterWriteCall, filters, out, options?.forwarded)
      }
      if (this.#redial?.wait === true) call.again = (left) => this.#wait(left, method, arg, options, full, settled, reject)
      this.#pending.set(call)
      sent?.catch((error) => this.#notSent(call, error))
      if (timeout > 0) wheel.add(call, timeout)
      if (signal !== undefined) call.listen(signal)
    } catch (error) {
      reject(asWriteFailure(error))
    }
  }

  /** @throws StatusError 102 unless the call may wait for a connection */
  #callLater(
    method: string,
    arg: unknown,
    options: CallOptions | undefined,
    full: boolean,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ): void {
    this.#requireRoom()
    const timeout = duration('timeout', options?.timeout, this.#owner.settings.timeout, 0)
    if (options?.signal?.aborted) throw canceled(options.signal)
    this.#wait(timeout, method, arg, options, full, resolve, reject)
  }

  /** @param timeout milliseconds that are left, 0 for no end */
  #wait(
    timeout: number,
    method: string,
    arg: unknown,
    options: CallOptions | undefined,
    full: boolean,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ): void {
    const room = this.#requireRoom()
    const signal = options?.signal
    const run = (waited: number): void => {
      signal?.removeEventListener('abort', abort)
      const left = timeout === 0 ? 0 : Math.max(timeout - waited, 1)
      this.#call(method, arg, { ...options, timeout: left }, full, resolve, reject)
    }
    const leave = room.add(timeout, run, reject)
    const abort = (): void => {
      leave()
      reject(canceled(signal as AbortSignal))
    }
    signal?.addEventListener('abort', abort, { once: true })
  }

  /** @throws StatusError 102 or 503 unless calls and pushes may wait for another connection */
  #requireRoom(): WaitingRoom {
    const { state } = this
    if ((state === 'redialing' || state === 'draining') && this.#redial?.wait === true) return this.#openRoom()
    if (state !== 'draining') throw new StatusError(Code.ConnectionClosed)
    throw new StatusError(Code.ServiceUnavailable, undefined, 'the peer is about to close', { retryAfter: DRAIN_RETRY })
  }

  #openRoom(): WaitingRoom {
    this.#room ??= new WaitingRoom(this.#owner.wheel, this.#owner.settings.limits.maxRunning)
    return this.#room
  }

  /** @param told milliseconds that the call waits, 0 for ever; below 0: as announced */
  #callMeta(
    options: CallOptions | undefined,
    told: number,
    announcement: Readonly<Record<string, string>> | undefined,
  ): Readonly<Record<string, string>> {
    const wish = options?.acceptCodec
    const tells = told >= 0 && this.#extensible
    if (wish === undefined && !tells && announcement === undefined) return options?.meta ?? noMeta
    const meta: Record<string, string> = { ...options?.meta, ...announcement }
    if (wish !== undefined) meta['X-Accept-Body-Codec'] = String(this.#codecFor(wish).id)
    if (tells) meta[TIMEOUT_KEY] = String(Math.ceil(told))
    return meta
  }

  /** Sends what the hooks leave of `out`. As `#send`; it also throws, or rejects with, what a hook before the write throws. */
  #sendHooked(
    before: HookList<WriteContext>,
    after: HookList<WriteContext>,
    filters: readonly Filter[] | undefined,
    out: Outbound,
    forwarded: boolean | undefined,
  ): Promise<void> | undefined {
    const type = out.kind === 'call' ? MessageType.Call : MessageType.Push
    const send = (): Promise<void> | undefined => {
      if (out.kind === 'push') this.#requireOpen()
      const { seq, serviceMethod, meta, codec, body, bodyType } = out
      return this.#send(filters, type, seq, serviceMethod, encodeMeta(meta), this.#codecFor(codec), body, bodyType, forwarded)
    }
    const { hookTimeout, log } = this.#owner.settings
    return writeThrough(before, after, out, hookTimeout, log, send)
  }

  /** A call that waited for its filters could not be sent. */
  #notSent(call: PendingCall, error: unknown): void {
    if (this.#pending.peek(call.seq) !== call) return // its deadline was faster, or the session's end
    this.#forget(call)
    call.fail(asWriteFailure(error))
  }

  /**
   * Undefined when it was sent at once.
   * @throws (or rejects) StatusError 102 or 104, or what codec and filters throw
   */
  #send(
    filters: readonly Filter[] | undefined,
    type: number,
    seq: number,
    method: string,
    meta: string,
    codec: Codec,
    arg: unknown,
    argType: BodyType | undefined,
    forwarded: boolean | undefined,
  ): Promise<void> | undefined {
    if (typeof method !== 'string') throw new TypeError(`a service method must be a string, got ${typeof method}`)
    const quoted = typeof arg === 'string' && codec.quotes?.(arg) === true
    const body = quoted ? arg : encodeBody(codec, arg, argType)
    const out = this.#outFor(filters)
    const result =
      out === undefined
        ? this.#wire.send(
            type,
            seq,
            forwarded === true ? findNameText(method) : internName(method),
            method,
            '',
            meta,
            codec.id,
            body,
            quoted,
          )
        : out.send(filters, type, seq, method, '', meta, codec.id, body, quoted)
    if (result === SendResult.Ok) return undefined
    if (typeof result === 'number') throw sendFailure(result)
    return result.then(requireSent, refuseToSend)
  }

  /** What a message goes through on its way to the wire; undefined, the usual case, for nothing. */
  #outFor(filters: readonly Filter[] | undefined): FilteredOut | undefined {
    return filters === undefined && this.#filters.out === undefined ? undefined : this.#filters.outFor(filters)
  }

  #onReply(message: Incoming): void {
    const call = this.#pending.peek(message.seq)
    if (call === undefined) return // answered before, or its deadline passed: ignored as in Go (spec/wire.md §7)
    const meta = this.readMeta(message)
    if (meta === undefined) return // the session is closing, which fails the call
    const { afterReadReplyHeader, beforeReadReplyBody, afterReadReplyBody } = this.#hooks
    if (afterReadReplyHeader !== null || beforeReadReplyBody !== null || afterReadReplyBody !== null) {
      this.#onReplyHooked(call, message, meta)
      return
    }
    let failure: StatusError | undefined
    let body: unknown
    if (message.status !== undefined || message.statusStart !== message.statusEnd) {
      const status = message.status ?? this.#readStatus(message)
      if (status === undefined) {
        this.fail(CloseReason.Status)
        return
      }
      if (status.code !== 0) failure = receivedFailure(status, meta)
    }
    if (failure === undefined) {
      try {
        const { codecs, limits } = this.#owner.settings
        body = decodeBody(message, codecs.byId(message.codec), limits, call.resultType)
      } catch (error) {
        failure = asBadMessage(error)
      }
    }
    this.#settle(call, failure, body, meta, message.codec)
  }

  #settle(call: PendingCall, failure: StatusError | undefined, body: unknown, meta: Meta, codec: number): void {
    this.#pending.take(call.seq)
    this.#owner.wheel.remove(call)
    if (failure !== undefined) {
      if (failure.retryAfter !== undefined && this.#state === 'draining' && call.again !== null) {
        call.repeat(call.again, this.#owner.wheel.now()) // it never began
        return
      }
      if (call.full && meta !== noMeta) setReplyMeta(failure, meta)
      call.fail(failure)
    } else {
      call.succeed(call.full ? { body, meta, codec } : body)
    }
    if (this.#onIdle !== undefined) this.#checkIdle()
  }

  /** spec/plugins.md §1.3: the hook after the body runs for what succeeded. A hook that fails fails the call. */
  #onReplyHooked(call: PendingCall, message: Incoming, meta: Meta): void {
    const { settings } = this.#owner
    const hooks = this.#hooks
    const status = message.status ?? this.#readStatus(message)
    if (status === undefined) {
      this.fail(CloseReason.Status)
      return
    }
    const failed = status.code === 0 ? undefined : receivedFailure(status, meta)
    const { codec } = message
    const inbound = new Inbound(this, 'reply', message, call.method, meta, settings.codecs.byId(codec), failed, requests.get(call))
    const steps = [
      () => runHooks(hooks.afterReadReplyHeader, inbound, settings.hookTimeout),
      () => runHooks(hooks.beforeReadReplyBody, inbound, settings.hookTimeout),
      () => (failed === undefined ? void inbound.decode(settings.limits, call.resultType) : undefined),
      () => (failed === undefined ? runHooks(hooks.afterReadReplyBody, inbound, settings.hookTimeout) : undefined),
    ]
    const settle = (failure: StatusError | undefined): void => {
      // Its deadline may have been faster, or the session's end.
      if (this.#pending.peek(call.seq) === call) this.#settle(call, failure, inbound.body, meta, codec)
    }
    let resume = ignore
    let waiting: Promise<void> | undefined
    try {
      waiting = inTurn(steps, () => {
        inbound.own()
        resume = this.holdReading()
      })
    } catch (error) {
      settle(toStatusError(error, true))
      return
    }
    if (waiting === undefined) {
      settle(failed)
    } else {
      void waiting
        .then(
          () => settle(failed),
          (error) => settle(toStatusError(error, true)),
        )

        .finally(resume)
    }
  }

  #readStatus(message: Incoming): DecodedStatus | undefined {
    const text = bodyText(message.buffer, message.statusStart, message.statusEnd, TextHint.Nothing)
    return decodeStatus(text, this.#owner.settings.limits.maxDepth)
  }

  async #close(timeout: number): Promise<void> {
    if (this.#state === 'redialing') this.giveUp(CloseReason.Local, '')
    if (this.#state === 'closed') return
    this.#state = 'closing'
    this.#room?.fail(new StatusError(Code.ConnectionClosed))
    const closed = new Promise<void>((resolve) => {
      this.#onClosed = resolve
    })
    await undefined // a handler that closes its own session must still be answered
    this.#drainAwaited = this.#peering?.drain() === true
    if (!this.#idleNow()) await this.#idle(timeout)
    this.#filters.drop()
    this.#wire.end() // a no-op when the peer was faster
    await closed
  }

  #idle(timeout: number): Promise<void> {
    return new Promise((resolve) => {
      const { clock } = this.#owner.settings
      const timer = clock.setTimeout(() => this.#onIdle?.(), timeout)
      this.#onIdle = () => {
        clock.clearTimeout(timer)
        this.#onIdle = undefined
        resolve()
      }
    })
  }

  #checkIdle(): void {
    if (this.#onIdle !== undefined && this.#idleNow()) this.#onIdle()
  }

  #idleNow(): boolean {
    return this.#running === 0 && this.#pending.size === 0 && !this.#drainAwaited && !this.#filters.busy
  }

  #requireOpen(): void {
    if (this.#state !== 'open') throw new StatusError(Code.ConnectionClosed)
  }

  /** Counts up from 1 and wraps (spec/wire.md §2.1), passing over calls that are still open after a wrap. */
  #nextSeq(): number {
    do {
      this.#seq = (this.#seq + 1) | 0
    } while (this.#pending.has(this.#seq))
    return this.#seq
  }

  #codecFor(name: string | undefined): Codec {
    const { codec, codecs } = this.#owner.settings
    if (name === undefined) return codec
    const named = codecs.byName(name)
    if (named === undefined) throw new TypeError(`no codec is named ${JSON.stringify(name)}`)
    return named
  }
}

function receivedFailure({ code, message, cause }: DecodedStatus, meta: Meta): StatusError {
  const retryAfter = meta === noMeta || meta[RETRY_AFTER_KEY] === undefined ? undefined : readTimeout(meta[RETRY_AFTER_KEY])
  return new StatusError(code, message, cause, { retryAfter })
}

function requireSent(result: SendResult): void {
  if (result !== SendResult.Ok) throw sendFailure(result)
}

function refuseToSend(error: unknown): never {
  throw asWriteFailure(error)
}
