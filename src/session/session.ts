import { AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { type Abort, AbortRegistry } from './abort-registry.ts'
import { ANNOUNCEMENT_KEY, ONCE_KEY, RETRY_AFTER_KEY, readTimeout, TIMEOUT_KEY } from '../message/announcement.ts'
import {
  type CallOptions,
  checkCallOptions,
  checkPushOptions,
  type PushOptions,
  requireMethod,
  type TypedCallOptions,
} from '../message/call-options.ts'
import { duration, timeLimit } from '../base/check-options.ts'
import { CloseReason, closeReasonText, isViolation } from '../message/close-reason.ts'
import { bodyText, type Codec, decodeBody, encodeBody } from '../codecs/codec.ts'
import type { CodecTable } from '../codecs/codec-table.ts'
import { Draining, type DrainingOwner } from './draining.ts'
import { type EarlyOwner, EarlyPhase } from './early-phase.ts'
import { describe } from '../base/errors/error-text.ts'
import { asBadMessage, asWriteFailure, receivedFailure, refuseToSend, requireSent, sendFailure } from '../transports/failures.ts'
import type { Filter } from '../message/filter.ts'
import type { FilteredOut } from '../filtering/outbound.ts'
import { FilterPipes } from '../filtering/pipes.ts'
import { FIRST_WORD_SEQ, isFirstWord } from '../message/first-word.ts'
import { guardReply } from './guard.ts'
import { HeldRequests } from './held-requests.ts'
import { HookedCall, HookedCalls, type HookedCallsOwner } from './hooked-calls.ts'
import { type EarlyContext, type MessageHooks, runHooks } from '../hooks/hooks.ts'
import { currentCall } from '../base/async/call-context.ts'
import { defaultLimits, HELD_AFTER } from '../base/limits.ts'
import { type Incoming, MessageType, TextHint, UNPARSED } from '../message/message.ts'
import type { MessageType as BodyType } from '../message/message-type.ts'
import { decodeMeta, encodeMeta, type Meta, noMeta } from '../message/meta.ts'
import { findNameText, internCalled, nameText, RESERVED_NAMES, Reserved } from '../message/names.ts'
import type { Settings } from './options.ts'
import { fieldsOf, PeerExtensions, type PeerExtensionsOwner, readBody } from './peer-extensions.ts'
import { PendingTable } from './pending-table.ts'
import { CallRequest, canceled, NO_KEY, PendingCall, type Reply, setReplyMeta } from './pending-call.ts'
import { ReadThrottle } from '../transports/read-throttle.ts'
import type { Redial } from './redial.ts'
import type { EncodedMessage } from './resume-state.ts'
import { type ResumeOwner, ResumeProtocol } from './resume-protocol.ts'
import { runInRoot, untouched } from '../base/async/root-context.ts'
import type { SessionEvents, SessionState } from './session-events.ts'
import { type SessionSocket, WireSocket } from '../hooks/session-socket.ts'
import type { CtxSession, EarlyMessage, EarlyOptions, EarlySession } from '../hooks/session-views.ts'
import { isSchema } from '../message/standard-schema.ts'
import { badMessage, Code, StatusError, statusText } from '../base/errors/status.ts'
import { type DecodedStatus, decodeStatus } from '../message/status-json.ts'
import { ResettableTimer, type TimerWheel } from '../base/time/timer-wheel.ts'
import { type Connection, SendResult } from '../transports/transport.ts'
import { OfflineCalls, type OfflineCallsOwner } from './offline-calls.ts'

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
  /** The connection of an accepted session is lost, which its peer may resume. */
  onSessionAway(session: Session): void
  /** Its peer is back. */
  onSessionBack(session: Session): void
  /** Gives a session a name by which its peer can resume it. */
  issueToken(session: Session): string
  /** The session with this name, when it may go on; undefined when it is not known any more. */
  findSession(token: string): Session | undefined
  /** The peer sent more than it may: it is not read for a while. */
  onSessionSlowed(session: Session): void
  /** What it has waiting may perhaps go on. */
  onSessionRoom(session: Session): void
  /** An id that no session has, best `address`. */
  freeId(address: string): string
  renameSession(session: Session, id: string): void
}

const done = Promise.resolve()
const ignore = (): void => {}
/** Why a session was closed, or dialled anew, whose age passed. */
const AGE_PASSED = 'the session reached its age'
/** Milliseconds after which a peer that was about to close may be there again: told where it does not say so itself. */
const DRAIN_RETRY = 1000

/**
 * One peer. Either side may call or push the other (spec/behaviour.md §2, §3). Made by `Endpoint.dial` and
 * `Endpoint.listen`.
 */
export class Session
  extends EventEmitter<SessionEvents>
  implements CtxSession, EarlySession, PeerExtensionsOwner, HookedCallsOwner, ResumeOwner, OfflineCallsOwner, DrainingOwner, EarlyOwner
{
  readonly #owner: SessionOwner
  #connection: Connection
  readonly #pending = new PendingTable<PendingCall>()
  #id: string
  #seq = 0
  #state: SessionState = 'open'
  /** Counts connections: a reply belongs to the one its call came from. @internal */
  epoch = 0
  readonly #redial: Redial | undefined
  /** The endpoint's: the same object for life. */
  readonly #hooks: MessageHooks
  #hookedCalls: HookedCalls | undefined
  /** Calls and pushes made while there is no connection. */
  #waiting: OfflineCalls | undefined
  #ownId = false
  /** While redialing: the attempt's connection is open. */
  #attached = false
  /** While the hooks about a new connection run. */
  #early: EarlyPhase | undefined
  #swap: Map<unknown, unknown> | undefined
  #running = 0
  #held: HeldRequests | undefined
  /** Requests of its peer have to wait: too many replies are unsent, or some wait already. @internal */
  gated = false
  /** It called its peer, ever: the replies must be read. @internal */
  asks = false
  #aborts: AbortRegistry | undefined
  /** What goes beyond Go's protocol; undefined where it is switched off, and with protocols without meta or pushes. */
  #peering: PeerExtensions | undefined
  readonly #extensible: boolean
  /** A message is still to be sent that announces us. */
  #announcing = false
  /** How its connection ends in peace; undefined while neither side thinks of it. */
  #draining: Draining | undefined
  /** How it goes on when its connection is lost; undefined: it does not, or that is not agreed upon. */
  #resuming: ResumeProtocol | undefined
  /** Calls and pushes that hooks or filters keep from being written. */
  #pendingWrites = 0
  /** That which has its connection now. */
  #successor: Session | undefined
  #closed: Promise<void> | undefined
  /** Its connection did what it is for, and is no failure when it is lost. */
  #stable = false
  /** When its connection began, by the clock. */
  #since: number
  /** Why this side closed it, where something said so. */
  #cause: string | undefined
  #age: number
  #handlerTimeout: number
  /** There with the first age. */
  #aging: ResettableTimer | undefined
  #socket: WireSocket | undefined
  #onClosed: (() => void) | undefined
  #filters: FilterPipes
  /** Filters that every message must have come through; null for none. */
  readonly #required: readonly Filter[] | null
  /** How fast the peer may send; null: as fast as it can. */
  readonly #meter: ReadThrottle | null

  /** Name of the protocol it speaks, such as 'raw'. */
  readonly protocol: string

  /** @param extensible its protocol carries meta, and pushes both ways @param preparing it does not run until `begin` @internal */
  constructor(
    owner: SessionOwner,
    connection: Connection,
    id: string,
    protocol: string,
    extensible: boolean,
    preparing: boolean,
    redial?: Redial,
  ) {
    super()
    this.protocol = protocol
    const { settings } = owner
    this.#extensible = extensible && settings.extensions
    this.#owner = owner
    this.#connection = connection
    this.#id = id
    this.#since = settings.clock.now()
    this.#redial = redial
    this.#hooks = owner.hooks
    this.#required = owner.settings.required
    this.#age = owner.settings.sessionAge
    this.#handlerTimeout = owner.settings.handlerTimeout
    const { maxMessageRate } = owner.settings.limits
    const metered = maxMessageRate < defaultLimits.maxMessageRate
    this.#meter = metered ? new ReadThrottle(owner.wheel, maxMessageRate, () => owner.onSessionSlowed(this)) : null
    if (preparing) {
      this.#state = 'preparing'
      this.#early = new EarlyPhase(this)
    } else if (this.#age > 0) {
      this.#startAging()
    }
    this.#filters = new FilterPipes(connection, owner.settings, protocol, this)
    this.#resetPeerState()
    if (this.#extensible && redial?.resume === true) this.#openResuming()
    connection.handler = this
  }

  /** A new connection, on which nobody has announced anything. */
  #resetPeerState(): void {
    if (!this.#extensible) return
    const { clock, required, timeout, timeoutNamed } = this.#owner.settings
    this.#peering = new PeerExtensions(this, clock, timeoutNamed ? timeout : 0, required?.map(({ name }) => name) ?? [])
    this.#announcing = true
    this.#draining?.resetPeerState()
    this.#aborts?.forget()
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
    return this.#connection.localAddress
  }

  /** `host:port`, or the path of a Unix socket (`@` when it has none). */
  get remoteAddress(): string {
    return this.#connection.remoteAddress
  }

  /** Calls and pushes may be made. */
  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Its connection, also one that is lost by now, answered a call or lives for some time. What a server says before it refuses proves nothing. @internal */
  get stable(): boolean {
    return this.#stable || this.#owner.settings.clock.now() - this.#since >= Math.max(HELD_AFTER, this.#redial?.maxDelay ?? 0)
  }

  /** The application's own data about this session. */
  get data(): Map<unknown, unknown> {
    this.#swap ??= new Map()
    return this.#swap
  }

  /** Changes when bytes of the peer came, or it took some that had to wait for it; NaN while it is not read. */
  get activity(): number {
    return this.#connection.activity
  }

  /** The socket below it, to look at and to set up. */
  get socket(): SessionSocket {
    this.#socket ??= new WireSocket(this.#connection)
    return this.#socket
  }

  /** Milliseconds it may live, 0 for no limit. Default: the endpoint's `sessionAge`. */
  get age(): number {
    return this.#age
  }

  /**
   * Closes it gracefully after so many milliseconds from now, 0 for never; one with redial is dialled anew then, and has as many again
   * (spec/behaviour.md §5.1). No more than 2^31 - 1.
   * @throws RangeError
   */
  setAge(ms: number): void {
    this.#age = timeLimit('age', ms ?? Number.NaN, 0)
    if (this.#state !== 'closed' && this.#state !== 'closing') this.#startAging()
  }

  /** Milliseconds a handler of its requests may run, 0 for no limit. Default: the endpoint's `handlerTimeout`. */
  get handlerTimeout(): number {
    return this.#handlerTimeout
  }

  /** Counts for what comes from now on. @throws RangeError */
  setHandlerTimeout(ms: number): void {
    this.#handlerTimeout = timeLimit('handlerTimeout', ms ?? Number.NaN, 0)
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
   *   sent, 400 when the reply does not decode or breaks its schema, 408 at the deadline, 499 when `signal` fires; TypeError or RangeError
   *   (rejects) that names a bad option
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
    let read = false
    try {
      requireMethod(method)
      if (options !== undefined) checkPushOptions(options)
      const codec = this.#codecFor(options?.codec)
      const filters = options?.filters === undefined ? undefined : this.appendFilters(undefined, options.filters)
      read = true
      if (this.#state !== 'open' && !this.#finishing) return ignoreRejection(this.#requireWaiting().push(method, arg, options))
      const extra = this.#announcing ? this.#announce() : undefined
      const seq = extra === undefined ? this.nextSeq() : extra.seq
      const meta = extra === undefined ? options?.meta : { ...options?.meta, ...extra.meta }
      let sent: Promise<void> | undefined
      if (this.#hooks.pushesOut) {
        sent = this.#trackWrite(this.#hooked.sendPush(seq, method, filters, meta, codec, arg, options?.arg, options?.forwarded))
      } else {
        const text = meta === undefined ? '' : encodeMeta(meta)
        sent = this.sendMessage(filters, MessageType.Push, seq, method, text, codec, arg, options?.arg, options?.forwarded)
      }
      return sent === undefined ? done : ignoreRejection(sent)
    } catch (error) {
      return ignoreRejection(Promise.reject(read ? asWriteFailure(error) : error))
    }
  }

  /**
   * A push that no hook sees; it may go out before the session runs too (spec/behaviour.md §2).
   * @throws StatusError (rejects): 102 also while it is dialled anew, or 104
   */
  rawPush(method: string, arg?: unknown, options?: PushOptions): Promise<void> {
    let read = false
    try {
      requireMethod(method)
      if (options !== undefined) checkPushOptions(options)
      const codec = this.#codecFor(options?.codec)
      const filters = options?.filters === undefined ? undefined : this.appendFilters(undefined, options.filters)
      read = true
      if (this.#early === undefined) this.requireSendable(this.epoch)
      const meta = options?.meta === undefined ? '' : encodeMeta(options.meta)
      const seq = this.nextSeq()
      const sent = this.sendMessage(filters, MessageType.Push, seq, method, meta, codec, arg, options?.arg, options?.forwarded)
      return sent === undefined ? done : ignoreRejection(sent)
    } catch (error) {
      return ignoreRejection(Promise.reject(read ? asWriteFailure(error) : error))
    }
  }

  /**
   * Closes gracefully: refuses new work, lets running handlers, open calls and transfer filters finish for at most `timeout` milliseconds
   * (default: the endpoint's `closeTimeout`), then flushes and closes. Resolves when closed; never rejects. A handler may
   * start this for its own session, but not await it. While handlers run calls and pushes to the peer are still sent, for they may need them.
   * A peer that is dmicro too is told, makes no new calls from then on, and its calls that came too late are refused with 503 and `retryAfter`.
   */
  close(options?: { timeout?: number | undefined }): Promise<void> {
    return this.closeWithin(duration('timeout', options?.timeout, this.#owner.settings.closeTimeout, 0), 0)
  }

  /** @param linger milliseconds for a peer that has not announced itself yet, so that it can be told @internal */
  closeWithin(timeout: number, linger: number): Promise<void> {
    this.#closed ??= this.#close(timeout, linger)
    return this.#closed
  }

  /** The endpoint's. @internal */
  get settings(): Settings {
    return this.#owner.settings
  }

  /** The endpoint's. @internal */
  get codecs(): CodecTable {
    return this.#owner.settings.codecs
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
    if (this.#cause === AGE_PASSED) this.#cause = undefined
    this.#cause ??= cause
    if (this.#state === 'redialing' || this.#state === 'disconnected') this.abandonReconnect(CloseReason.Local, '')
    else this.#connection.destroy(CloseReason.Local)
  }

  /** @internal */
  onMessage(message: Incoming): void {
    if (this.#meter !== null && !(message.type === MessageType.Reply && this.#pending.has(message.seq))) this.#meter.count(this.#connection)
    if (message.type === UNPARSED) {
      this.#filters.receive(message)
      return
    }
    if (this.#required !== null && !this.#required.every((filter) => message.filters?.includes(filter))) {
      if (!isFirstWord(message)) this.fail(CloseReason.FilterMissing)
    } else if (this.#early !== undefined) {
      // A hook that waits for what its peer has to say is not to take this for it.
      if (!isFirstWord(message)) this.#early.take(message)
    } else {
      this.#deliver(message)
      if (this.#hooks.beforeReadHeader !== null) (this.#successor ?? this).#beforeNext()
    }
  }

  /** Each message has an async context of its own, in which nobody else's stores are. */
  #deliver(message: Incoming): void {
    if (untouched) this.#take(message)
    else runInRoot(this.#take, this, message)
  }

  #take(message: Incoming): void {
    if (message.type === MessageType.Reply) this.#onReply(message)
    else if (message.type !== MessageType.Call && message.type !== MessageType.Push)
      this.fail(CloseReason.Type) // authentication is over (spec/wire.md §1.1)
    else if (message.route >>> 0 < RESERVED_NAMES && this.#onReserved(message)) return
    else {
      if (this.#resuming !== undefined && message.type === MessageType.Push) this.#resuming.countPush()
      this.#owner.onRequest(this, message)
    }
  }

  #onReserved(message: Incoming): boolean {
    const peering = this.#peering
    if (peering === undefined) return false
    return message.type === MessageType.Call ? this.#onResumeCall(peering, message) : peering.receive(message)
  }

  /** The hooks about the new connection are done. @internal */
  begin(): void {
    const early = this.#early
    if (early === undefined || this.#state !== 'preparing') return
    this.#state = 'open'
    this.#early = undefined
    if (this.#age > 0) this.#startAging()
    this.#run(early)
  }

  #run(early: EarlyPhase): void {
    if (this.#hooks.beforeReadHeader !== null) this.#beforeNext()
    const { before } = early
    early.end((message, index) => {
      if (this.#successor !== undefined) {
        this.#successor.onMessage(message)
        return
      }
      if (this.#state === 'closed' || this.#state === 'redialing') return
      if (this.#resuming !== undefined) this.#resuming.counts = index >= before
      this.#deliver(message)
    })
    if (this.#resuming !== undefined) this.#resuming.counts = true
  }

  /** A hook refused the new connection: what it sent is written, then it closes. @internal */
  refuse(): void {
    if (this.#state !== 'preparing') return
    this.#state = 'closing'
    this.#early?.fail('the session is refused')
    this.#early = undefined
    this.#connection.end()
  }

  /** The hook before a message, which runs before one is there: a session whose hook fails is closed. */
  #beforeNext(): void {
    const { settings } = this.#owner
    const hooks = this.#hooks
    let waiting: Promise<unknown> | undefined
    try {
      waiting = runInRoot(runHooks<EarlyContext>, undefined, hooks.beforeReadHeader, { session: this }, settings.hookTimeout)
    } catch {
      this.fail(CloseReason.Hook)
      return
    }
    if (waiting === undefined) return
    const connection = this.#connection
    connection.pauseReading()
    waiting.catch(() => connection.destroy(CloseReason.Hook)).finally(() => connection.resumeReading())
  }

  /** Reads no message until what this returns is called. @internal */
  holdReading(): () => void {
    const connection = this.#connection
    connection.pauseReading()
    return () => connection.resumeReading()
  }

  async earlySend(type: MessageType, method: string, body: unknown, options: EarlyOptions = {}): Promise<void> {
    const seq = this.nextSeq()
    await this.#requireEarly().send(type, seq, method, body, options)
  }

  earlyReceive(options: { timeout?: number | undefined; type?: MessageType | undefined } = {}): Promise<EarlyMessage> {
    try {
      const timeout = duration('timeout', options.timeout, this.#owner.settings.limits.frameTimeout, 1)
      return this.#requireEarly().receive(timeout, options.type)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async earlyCall(method: string, arg?: unknown, options: EarlyOptions = {}): Promise<unknown> {
    const seq = this.nextSeq()
    await this.#requireEarly().send(MessageType.Call, seq, method, arg, options)
    const { type, seq: answered, status, body } = await this.earlyReceive()
    if (type !== MessageType.Reply || answered !== seq) throw badMessage(`expected the reply to ${method}, got another message`)
    if (status !== undefined) throw status
    return body
  }

  async earlyReply(request: EarlyMessage, body: unknown, options: EarlyOptions = {}): Promise<void> {
    await this.#requireEarly().send(MessageType.Reply, request.seq, request.serviceMethod, body, options)
  }

  #requireEarly(): EarlyPhase {
    if (this.#early === undefined) throw new StatusError(Code.InvalidOperation, undefined, 'the session runs already, or is gone')
    return this.#early
  }

  /** Requests of its peer that wait. @internal */
  get held(): HeldRequests {
    this.#held ??= new HeldRequests()
    return this.#held
  }

  /** @internal */
  onPress(): void {
    this.held.wirePressed = this.gated = true
  }

  /** @internal */
  onDrain(): void {
    if (this.#held === undefined) return
    this.#held.wirePressed = false
    this.#owner.onSessionRoom(this)
  }

  /** @internal */
  onFiltersPressed(on: boolean): void {
    this.held.filtersPressed = on
    if (on) this.gated = true
    else this.#owner.onSessionRoom(this)
  }

  /** Some of what waited was started. @internal */
  onHeld(): void {
    this.gated = this.held.size > 0 || this.held.pressed
    this.#draining?.check()
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
    const lost = running && (reason !== CloseReason.Local || this.#cause !== undefined)
    if (lost && this.#redial !== undefined) {
      if (reason !== CloseReason.Peer && this.#draining !== undefined) this.#draining.peerDraining = false // what the peer sent behind its notice may not have come
      this.#attached = false
      if (this.#suspend('redialing', reason, detail)) this.#owner.onSessionLost(this)
    } else if (lost && this.#resuming?.token !== undefined && this.#draining?.peerDraining !== true && reason <= CloseReason.WriteTimeout) {
      this.#suspend('disconnected', reason, detail, () => this.#awaitPeer())
    } else {
      this.#finishClose(reason, this.#onDisconnect(reason, detail))
    }
  }

  #awaitPeer(): void {
    this.#resuming?.awaitPeer()
    this.#owner.onSessionAway(this)
  }

  /**
   * Goes on without a connection. Idempotent calls wait for the next one, before all others.
   * @returns false when somebody who was told closed the session
   */
  #suspend(state: 'redialing' | 'disconnected', reason: number, detail: string, then: () => void = ignore): boolean {
    const error = this.#onDisconnect(reason, detail, state)
    if (this.state !== state) return false
    const calls = this.#pending.takeAll()
    this.#cause = undefined
    this.#openWaiting()
    this.#resuming?.lost(this.#draining?.peerDraining === true)
    for (const call of calls) {
      this.#owner.wheel.remove(call)
      call.retry(this.#owner.wheel.now())
    }
    then()
    this.emitSafely(state, error)
    return this.state === state
  }

  #openResuming(): ResumeProtocol {
    this.#resuming = new ResumeProtocol(this, this.#owner.wheel, this.#owner.settings.limits)
    return this.#resuming
  }

  #startAging(): void {
    this.#aging ??= new ResettableTimer(this.#owner.wheel, () => this.#onAge())
    this.#aging.start(this.#age)
  }

  #onAge(): void {
    // While redialing or draining the next connection has its own time.
    if (this.#state !== 'open' && this.#state !== 'preparing') return
    this.#cause ??= AGE_PASSED
    this.#stable = true
    if (this.#redial === undefined || this.#state !== 'open') void this.close()
    else void this.#rotateConnection()
  }

  /** What runs on this connection is done first; what is called meanwhile has the next one. */
  async #rotateConnection(): Promise<void> {
    this.#state = 'draining'
    this.#openWaiting()
    this.emitSafely('draining')
    const idle = this.#openDraining().untilIdle(this.#owner.settings.closeTimeout)
    if (idle !== undefined) await idle
    if (this.#state !== 'draining') return // lost, or closed
    this.#filters.drop()
    this.#connection.end()
  }

  /** A new connection, for hooks to try out. @internal */
  attach(connection: Connection): void {
    this.epoch++
    this.#stable = false
    this.#since = this.#owner.settings.clock.now()
    this.#attached = true
    this.#connection = connection
    this.#socket?.move(connection)
    this.#filters = new FilterPipes(connection, this.#owner.settings, this.protocol, this)
    this.#early = new EarlyPhase(this)
    this.#resetPeerState()
    if (!this.#ownId) {
      const id = this.#owner.freeId(connection.localAddress)
      this.#owner.renameSession(this, id)
      this.#id = id
    }
    connection.handler = this
  }

  /** It is of no use after all. @internal */
  detach(): void {
    if (this.#state !== 'redialing') return
    this.#early?.fail('the connection is given up')
    this.#early = undefined
    if (!this.#attached) return
    this.#attached = false
    this.#connection.handler = { onMessage: () => {}, onClose: () => {} }
    this.#connection.end()
  }

  /** Goes on with the connection that was attached; false when it is gone. @internal */
  reopen(): boolean {
    const early = this.#early
    if (this.#state !== 'redialing' || !this.#attached || early === undefined) return false
    this.#state = 'open'
    this.#early = undefined
    if (this.#age > 0) this.#startAging()
    this.#resend()
    this.#run(early)
    this.emitSafely('redialed')
    return true
  }

  /** What was sent in vain goes out again, then what waited, before anything new. */
  #resend(): void {
    this.#resuming?.resendPushes()
    this.#waiting?.run()
  }

  /** Asks the peer of the new connection to go on with this session (docs/resume.md). @internal */
  async resume(): Promise<void> {
    const resuming = this.#resuming
    const peering = this.#peering
    if (resuming === undefined || peering === undefined) return
    if (resuming.token === undefined) {
      resuming.startFresh(undefined)
      return
    }
    const early = this.#requireEarly()
    this.#announcing = false // the question does
    await resuming.requestResume(peering, early)
  }

  /** A CALL to `/dmicro/resume`: the peer asks for a name of this session, or goes on with another one on this connection. */
  #onResumeCall(peering: PeerExtensions, message: Incoming): boolean {
    const meta = this.readMeta(message)
    if (meta === undefined) return true
    const announced = meta[ANNOUNCEMENT_KEY]
    if (announced !== undefined) peering.onAnnouncement(announced, message.seq)
    if (!peering.supported || message.route !== Reserved.Resume || this.#state !== 'open' || this.#redial !== undefined) return false
    const fields = fieldsOf(readBody(message))
    const known = typeof fields.token === 'string' ? this.#owner.findSession(fields.token) : undefined
    if (known !== undefined && known !== this && known.protocol === this.protocol && known.#adoptConnectionOf(this, message.seq, fields))
      return true
    const resuming = this.#keys()
    resuming.grantToken(resuming.token ?? this.#owner.issueToken(this), message.seq, fields.sent)
    return true
  }

  /** Where keys of idempotent calls are, on the accepting side from the first of them on. */
  #keys(): ResumeProtocol {
    if (this.#resuming !== undefined) return this.#resuming
    const resuming = this.#openResuming()
    resuming.stopBuffering() // until the peer wants it to be resumed
    return resuming
  }

  /** Goes on with the connection of `other`, a session that ends. False when a listener closed this one. */
  #adoptConnectionOf(other: Session, seq: number, fields: Readonly<Record<string, unknown>>): boolean {
    const resuming = this.#resuming as ResumeProtocol
    if (this.#state !== 'disconnected') {
      // Its old connection is dead, which only the peer knows yet.
      const old = this.#connection
      old.handler = { onMessage: () => {}, onClose: () => {} }
      old.destroy(CloseReason.Local)
      if (!this.#suspend('disconnected', CloseReason.Peer, 'it came back on another connection')) return false
    }
    resuming.stop()
    this.#owner.onSessionBack(this)
    this.#draining?.resetPeerState()
    this.epoch++
    this.#connection = other.#connection
    this.#filters = other.#filters
    this.#filters.moveTo(this)
    this.#peering = other.#peering
    this.#peering?.moveTo(this)
    if (other.#held?.wirePressed === true) this.onPress()
    if (other.#held?.filtersPressed === true) this.onFiltersPressed(true)
    this.#announcing = false
    // Replies to what the other one asked still come: no number of ours may be one of theirs.
    if (((other.#seq - this.#seq) | 0) > 0) this.#seq = other.#seq
    other.#handOverTo(this)
    this.#connection.handler = this
    this.#state = 'open'
    const gap = resuming.acceptResume(seq, fields)
    this.#resend()
    resuming.reportGap(gap)
    this.emitSafely('resumed')
    return true
  }

  /** Its connection belongs to another session now. */
  #handOverTo(heir: Session): void {
    this.#successor = heir
    this.#state = 'closed'
    this.#release()
    this.#owner.onSessionClosed(this, CloseReason.Local)
    this.#resuming?.end()
    this.#peering = undefined
    this.#resuming = undefined
    const error = new StatusError(Code.ConnectionClosed, undefined, 'its connection went on with another session', { stack: false })
    for (const call of this.#pending.takeAll()) {
      this.#owner.wheel.remove(call)
      call.fail(error)
    }
    this.#aborts?.cancelAll(error, () => false)
    this.emitSafely('close', undefined)
  }

  /** Its name on the accepting side, for its peer to come back to. @internal */
  get token(): string | undefined {
    return this.#redial === undefined ? this.#resuming?.token : undefined
  }

  /** The peer is one of ours: asks for a name by which it will know this session after its connection was lost. @internal */
  onPeerKnown(): void {
    if (this.#state === 'closing') this.#draining?.onPeerKnown()
    if (this.#redial !== undefined && this.#peering !== undefined) this.#resuming?.requestToken(this.#peering)
  }

  /** @internal */
  onAck(received: unknown, settled: unknown, skip: boolean): void {
    this.#resuming?.onAck(received, settled, skip)
  }

  /** False for an idempotent call that runs already, or ran: its reply goes to the CALL with number `seq`. @internal */
  registerIdempotentCall(meta: Meta, seq: number): boolean {
    const text = meta[ONCE_KEY]
    if (text === undefined) return true
    delete (meta as Record<string, string>)[ONCE_KEY]
    if (this.#peering?.supported !== true || (this.#resuming === undefined && this.#redial !== undefined)) return true
    return this.#keys().registerIdempotentCall(text, seq)
  }

  /** A reply to request `seq` of connection `epoch` is still wanted. @internal */
  wantsReply(epoch: number, seq: number): boolean {
    return epoch === this.epoch || this.#resuming?.running(seq) !== undefined
  }

  /** @internal */
  sendEncoded(
    type: MessageType,
    seq: number,
    route: number,
    method: string,
    { filters, status = '', meta, codec, body }: EncodedMessage,
  ): SendResult | Promise<SendResult> {
    const out = this.#outFor(filters)
    return out === undefined
      ? this.#connection.send(type, seq, route, method, status, meta, codec, body)
      : out.send(filters, type, seq, method, status, meta, codec, body)
  }

  /** No connection comes any more. @internal */
  abandonReconnect(reason: number, detail: string): void {
    if (this.#state !== 'redialing' && this.#state !== 'disconnected') return
    this.detach()
    const error = this.#onDisconnect(reason, detail)
    this.#finishClose(reason, error)
  }

  /** What a lost connection takes with it. */
  #onDisconnect(reason: number, detail: string, next: 'redialing' | 'disconnected' | 'closed' = 'closed'): StatusError {
    // From now on: who is told of the loss may close the session.
    this.#state = next
    this.#aging?.stop()
    const goesOn = next !== 'closed'
    this.#early?.fail(closeReasonText[reason])
    this.#early = undefined
    this.#draining?.stop()
    this.#filters.drop()
    this.#meter?.stop()
    this.#release()
    const told = reason === CloseReason.Local ? this.#cause : undefined
    const text = told ?? (detail === '' ? closeReasonText[reason] : `${closeReasonText[reason]}: ${detail}`)
    const { log } = this.#owner.settings
    if (isViolation(reason) || (told !== undefined && told !== AGE_PASSED))
      log.warn('session closed', { remote: this.remoteAddress, reason: text })
    const error = new StatusError(Code.ConnectionClosed, statusText(Code.ConnectionClosed), text, { stack: false })
    for (const call of this.#pending.takeAll()) {
      if (goesOn && call.key > 0) {
        this.#pending.set(call) // it is made again
        continue
      }
      this.#owner.wheel.remove(call)
      call.fail(error)
    }
    this.#aborts?.cancelAll(error, (seq) => goesOn && this.#resuming?.running(seq) !== undefined)
    return error
  }

  /** Its connection is another's, or gone: nothing waits for it any more. */
  #release(): void {
    const held = this.#held
    if (held === undefined) return
    held.wirePressed = held.filtersPressed = false
    held.readOn()
    if (this.gated) this.#owner.onSessionRoom(this)
  }

  #finishClose(reason: number, error: StatusError): void {
    this.#resuming?.stop()
    this.#waiting?.fail(error)
    this.#draining?.stopWaiting()
    this.#onClosed?.()
    this.#owner.onSessionClosed(this, reason)
    this.emitSafely('close', reason === CloseReason.Local && this.#cause === undefined ? undefined : error)
  }

  /** @internal */
  breakSilence(): void {
    if (this.#state === 'open' && this.#extensible) this.#connection.send(MessageType.Reply, FIRST_WORD_SEQ, -1, '', '', '', 0, null)
  }

  /** @internal */
  emitSafely<Name extends keyof SessionEvents>(name: Name, ...args: SessionEvents[Name]): void {
    try {
      runInRoot(this.emit as (name: Name, ...args: SessionEvents[Name]) => boolean, this, name, ...args)
    } catch (thrown) {
      this.#owner.settings.log.error(`a ${name} listener threw`, { error: describe(thrown) })
    }
  }

  /** @internal */
  onFiltersIdle(): void {
    this.#draining?.check()
  }

  /** A message is unreadable, or would break a limit: the stream can no longer be trusted. @internal */
  fail(reason: CloseReason): void {
    this.#connection.destroy(reason)
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
    const resuming = this.#resuming
    const once = resuming?.running(seq)
    if (resuming !== undefined && once !== undefined) {
      return resuming.reply(once, { filters, status: '', meta, codec: codec.id, body: encodeBody(codec, value, type) })
    }
    const quoted = typeof value === 'string' && codec.isPlainJsonString?.(value) === true
    const body = quoted ? value : encodeBody(codec, value, type)
    const out = this.#outFor(filters)
    if (out === undefined) return this.#connection.send(MessageType.Reply, seq, -1, '', '', meta, codec.id, body, quoted)
    return out.send(filters, MessageType.Reply, seq, '', '', meta, codec.id, body, quoted)
  }

  /** Sends a REPLY with another status, which has codec 0 and no body (spec/wire.md §7). @internal */
  replyStatus(filters: readonly Filter[] | undefined, seq: number, status: string, meta: string): SendResult | Promise<SendResult> {
    const resuming = this.#resuming
    const once = resuming?.running(seq)
    if (resuming !== undefined && once !== undefined) {
      if (!meta.includes(RETRY_AFTER_KEY)) return resuming.reply(once, { filters, status, meta, codec: 0, body: null })
      resuming.refuse(once) // it never began
      seq = once.seq
    }
    const out = this.#outFor(filters)
    if (out === undefined) return this.#connection.send(MessageType.Reply, seq, -1, '', status, meta, 0, null)
    return out.send(filters, MessageType.Reply, seq, '', status, meta, 0, null)
  }

  /** `pipe` with the filters called `names` behind it. @throws TypeError, RangeError @internal */
  appendFilters(pipe: readonly Filter[] | undefined, names: readonly string[]): readonly Filter[] | undefined {
    const { filters, limits } = this.#owner.settings
    return filters.append(pipe, names, limits.maxFilters)
  }

  /** False once this side gave notice that it closes: new calls are refused. @internal */
  get accepting(): boolean {
    return this.#state === 'open' || this.#state === 'draining' || (this.#state === 'closing' && this.#draining?.noticeSent !== true)
  }

  /** This side closes, and its handlers that still run may need the peer. */
  get #finishing(): boolean {
    return this.#state === 'closing' && (this.#running > 0 || this.acceptingPushes)
  }

  /** The peer may not have read our notice yet: its pushes, which nobody could refuse, are taken. @internal */
  get acceptingPushes(): boolean {
    return this.#draining?.awaitingAnswer === true
  }

  /** @internal */
  get peering(): PeerExtensions | undefined {
    return this.#peering
  }

  /** @internal */
  get connection(): Connection {
    return this.#connection
  }

  /** A handler did not settle at once. @internal */
  handlerStarted(): void {
    this.#running++
  }

  /** It did now. @internal */
  handlerFinished(): void {
    this.#running--
    if (this.#running === 0) this.#aborts?.forget()
    if (this.gated) this.#owner.onSessionRoom(this)
    this.#draining?.check()
  }

  /**
   * The signal of request `seq` fires when its caller cancels it or waits no more, and when the connection is lost, unless `release` came first.
   * @param expires when its caller waits no more, by the clock; undefined: it did not say @internal
   */
  openAbort(seq: number, expires: number | undefined): Abort {
    const left = expires === undefined ? 0 : Math.max(expires - this.#owner.settings.clock.now(), 1)
    return this.#openAborts().open(seq, left, this.#state === 'closed' ? new StatusError(Code.ConnectionClosed) : undefined)
  }

  #openAborts(): AbortRegistry {
    this.#aborts ??= new AbortRegistry(this.#owner.wheel)
    return this.#aborts
  }

  /** @internal */
  release(abort: Abort): void {
    this.#aborts?.release(abort)
  }

  /** @internal */
  onCancel(seq: number, code: number): void {
    if (this.#aborts?.cancel(seq, code) === true || (this.#running === 0 && !this.gated)) return
    this.#openAborts().remember(seq, code, this.#owner.settings.limits.maxRunning)
  }

  /** The caller of request `seq`, which has waited here, does not wait for it any more. @internal */
  isCanceled(seq: number): boolean {
    return this.#aborts?.wasCanceled(seq) === true
  }

  /** @internal */
  onPeerDrain(asked: boolean, limit: number): void {
    const draining = this.#openDraining()
    draining.peerDraining = true
    this.#resuming?.acknowledge()
    if (asked) {
      draining.onAnswer()
      return
    }
    if (this.#state === 'open') {
      this.#state = 'draining'
      draining.awaitClose(limit)
      this.emitSafely('draining')
    }
    draining.answer(this.#pendingWrites === 0)
  }

  #openDraining(): Draining {
    const { settings, wheel } = this.#owner
    this.#draining ??= new Draining(this, settings.clock, wheel)
    return this.#draining
  }

  /** @internal */
  get busy(): boolean {
    const waits = this.#held !== undefined && this.#held.size > 0
    return waits || this.#running > 0 || this.#pending.size > 0 || this.#pendingWrites > 0 || this.#filters.busy
  }

  /** A call or push that hooks or filters worked on is written, or never will be. */
  #onTrackedWrite(): void {
    this.#pendingWrites--
    if (this.#pendingWrites === 0) this.#draining?.onWritten()
  }

  /** @internal */
  pushReserved(route: number, body: unknown, filters: readonly string[]): void {
    try {
      const sent = this.sendReserved(MessageType.Push, this.nextSeq(), route, body, filters, undefined)
      if (typeof sent !== 'number') sent.catch(ignore)
    } catch {
      // A filter that is unknown here, or a connection that is gone: the peer does without.
    }
  }

  /** @throws (or rejects) TypeError for a filter that is unknown here, and what filters throw @internal */
  sendReserved(
    type: MessageType,
    seq: number,
    route: number,
    body: unknown,
    filters: readonly string[],
    meta: Readonly<Record<string, string>> | undefined,
  ): SendResult | Promise<SendResult> {
    const pipe = filters.length === 0 ? undefined : this.appendFilters(undefined, filters)
    const { id } = this.#owner.settings.codecs.byName('json') as Codec
    const text = body === undefined ? null : JSON.stringify(body)
    const method = route < 0 ? '' : nameText(route)
    return this.sendEncoded(type, seq, route, method, {
      filters: pipe,
      meta: meta === undefined ? '' : encodeMeta(meta),
      codec: id,
      body: text,
    })
  }

  /** @internal */
  callReserved(
    route: number,
    body: unknown,
    filters: readonly string[],
    resolve: (body: unknown) => void,
    reject: (error: unknown) => void,
  ): void {
    const call = new PendingCall(this, this.nextSeq(), nameText(route), false, undefined, resolve, reject)
    this.#pending.set(call)
    try {
      const sent = this.sendReserved(MessageType.Call, call.seq, route, body, filters, undefined)
      if (typeof sent !== 'number') this.#failCallOnSendError(sent, call)
    } catch (error) {
      this.#notSent(call, error)
    }
  }

  /** @internal */
  abandon(call: PendingCall, code: number): void {
    this.#forget(call)
    this.#peering?.cancel(call.seq, code)
  }

  #forget(call: PendingCall): void {
    this.closeKey(call.key)
    this.#pending.take(call.seq)
    this.#owner.wheel.remove(call)
    this.#draining?.check()
  }

  /** The number and meta of the first message on a connection. */
  #announce(): { seq: number; meta: Record<string, string> } | undefined {
    this.#announcing = false
    const peering = this.#peering as PeerExtensions
    if (peering.announced) return undefined
    this.nextSeq() // counts as any other
    const seq = peering.nextAnnouncementSeq()
    return { seq, meta: { [ANNOUNCEMENT_KEY]: peering.announcement } }
  }

  /**
   * Reads what goes beyond Go's protocol from the meta of a request.
   * @returns milliseconds that its caller waits; 0: it did not say, or waits for ever @internal
   */
  readExtensionMeta(meta: Meta, seq: number): number {
    const peering = this.#peering
    if (peering === undefined) return 0
    if (meta === noMeta) return peering.peerTimeout
    const announced = meta[ANNOUNCEMENT_KEY]
    if (announced !== undefined) peering.onAnnouncement(announced, seq)
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
    key = 0,
  ): void {
    const { settings, wheel } = this.#owner
    let timeout = settings.timeout
    let codec = settings.codec
    let signal: AbortSignal | undefined
    let resultType: BodyType | undefined
    let filters: readonly Filter[] | undefined
    const settled = resolve
    let read = false
    try {
      requireMethod(method)
      if (options !== undefined) {
        checkCallOptions(options)
        timeout = timeLimit('timeout', options.timeout, timeout)
        codec = this.#codecFor(options.codec)
        if (options.acceptCodec !== undefined) this.#codecFor(options.acceptCodec, 'acceptCodec')
        signal = options.signal
        if (options.filters !== undefined) filters = this.appendFilters(undefined, options.filters)
        if (isSchema(options.result)) resolve = guardReply(options.result, full, resolve, reject)
        else resultType = options.result
      }
      read = true
      if (this.#state !== 'open' && !this.#finishing) {
        this.#requireWaiting().call(new CallRequest(method, arg, options, full, settled, reject, key))
        return
      }
      if (signal?.aborted) throw canceled(signal)
      let sentTimeout = options?.timeout === undefined ? -1 : timeout
      const parentCall = currentCall()
      if (parentCall !== undefined) {
        const left = (parentCall.expires as number) - settings.clock.now()
        if (left <= 0) throw new StatusError(Code.HandleTimeout, undefined, 'the deadline of the call that made this one')
        if (timeout === 0 || left < timeout) sentTimeout = timeout = left
        signal ??= parentCall.signal
        if (signal.aborted) throw canceled(signal)
      }
      if (options?.idempotent === true && key === 0) key = this.#newKey()
      const extra = this.#announcing ? this.#announce() : undefined
      const seq = extra === undefined ? this.nextSeq() : extra.seq
      const hooked = this.#hooks.callsOut
      const call = new (hooked ? HookedCall : PendingCall)(this, seq, method, full, resultType, resolve, reject)
      call.key = key
      if (this.#redial?.wait === true || key > 0) {
        call.retryRequest = new CallRequest(method, arg, options, full, settled, reject, key)
        if (hooked) call.retryRequest.caller = new AsyncResource('dmicro')
      }
      const plain = options === undefined && sentTimeout < 0 && extra === undefined
      const meta = plain ? undefined : this.#callMeta(options, sentTimeout, key, extra?.meta)
      let sent: Promise<void> | undefined
      if (hooked) {
        sent = this.#trackWrite(this.#hooked.sendCall(call as HookedCall, filters, meta, codec, arg, options?.arg, options?.forwarded))
      } else {
        const text = meta === undefined ? '' : encodeMeta(meta)
        sent = this.sendMessage(filters, MessageType.Call, seq, method, text, codec, arg, options?.arg, options?.forwarded, call)
      }
      this.#pending.set(call)
      if (!this.asks) this.#beginAsking()
      if (sent !== undefined) this.#failCallOnSendError(sent, call)
      if (timeout > 0) wheel.add(call, timeout)
      if (signal !== undefined) call.listen(signal)
    } catch (error) {
      this.closeKey(key)
      reject(read ? asWriteFailure(error) : error)
    }
  }

  #beginAsking(): void {
    this.asks = true
    if (this.gated) this.#owner.onSessionRoom(this)
  }

  #newKey(): number {
    return this.#resuming !== undefined || (this.#extensible && this.#redial === undefined) ? this.#keys().openKey() : NO_KEY
  }

  /** @internal */
  closeKey(key: number): void {
    if (key > 0) this.#resuming?.closeKey(key)
  }

  /** @internal */
  makeCall({ method, arg, options, full, resolve, reject, key }: CallRequest, left: number): void {
    this.#call(method, arg, { ...options, timeout: left }, full, resolve, reject, key)
  }

  /** @internal */
  requeueCall(request: CallRequest, left: number): void {
    try {
      this.#requireWaiting().add(request, left)
    } catch (error) {
      this.closeKey(request.key)
      request.reject(error)
    }
  }

  /** @throws StatusError 102 or 503 unless calls and pushes may wait for another connection */
  #requireWaiting(): OfflineCalls {
    const { state } = this
    if (state === 'disconnected' || ((state === 'redialing' || state === 'draining') && this.#redial?.wait === true))
      return this.#openWaiting()
    if (state !== 'draining') throw new StatusError(Code.ConnectionClosed)
    throw new StatusError(Code.ServiceUnavailable, undefined, 'the peer is about to close', { retryAfter: DRAIN_RETRY })
  }

  #openWaiting(): OfflineCalls {
    this.#waiting ??= new OfflineCalls(this, this.#owner.settings, this.#owner.wheel)
    return this.#waiting
  }

  /** @param sentTimeout milliseconds that the call waits, 0 for ever; below 0: as announced */
  #callMeta(
    options: CallOptions | undefined,
    sentTimeout: number,
    key: number,
    announcement: Readonly<Record<string, string>> | undefined,
  ): Readonly<Record<string, string>> {
    const wish = options?.acceptCodec
    const tells = sentTimeout >= 0 && this.#extensible
    const keyed = key > 0 && key !== NO_KEY
    if (wish === undefined && !tells && !keyed && announcement === undefined) return options?.meta ?? noMeta
    const meta: Record<string, string> = { ...options?.meta, ...announcement }
    if (wish !== undefined) meta['X-Accept-Body-Codec'] = String(this.#codecFor(wish).id)
    if (keyed) meta[ONCE_KEY] = (this.#resuming as ResumeProtocol).idempotencyHeader(key)
    if (tells) meta[TIMEOUT_KEY] = String(Math.ceil(sentTimeout))
    return meta
  }

  /** What hooks keep from being written is waited for by a close. */
  #trackWrite(sent: Promise<void> | undefined): Promise<void> | undefined {
    if (sent === undefined) return undefined
    this.#pendingWrites++
    const left = (): void => this.#onTrackedWrite()
    sent.then(left, left)
    return sent
  }

  /** What is not sent at once may fail later. Apart, since the hot path must not make room for closures. */
  #failCallOnSendError(sent: Promise<unknown>, call: PendingCall): void {
    sent.catch((error) => this.#notSent(call, error))
  }

  /** A call that waited for its filters could not be sent. */
  #notSent(call: PendingCall, error: unknown): void {
    if (!this.isPending(call)) return // its deadline was faster, or the session's end
    this.#forget(call)
    call.fail(asWriteFailure(error))
  }

  /**
   * Undefined when it was sent at once.
   * @throws (or rejects) StatusError 102 or 104, or what codec and filters throw
   * @internal
   */
  sendMessage(
    filters: readonly Filter[] | undefined,
    type: number,
    seq: number,
    method: string,
    meta: string,
    codec: Codec,
    arg: unknown,
    argType: BodyType | undefined,
    forwarded: boolean | undefined,
    call?: PendingCall,
  ): Promise<void> | undefined {
    if (typeof method !== 'string') throw new TypeError(`a service method must be a string, got ${typeof method}`)
    if (type === MessageType.Push && this.#resuming !== undefined && this.#early === undefined) {
      const body = encodeBody(codec, arg, argType)
      const route = forwarded === true ? findNameText(method) : internCalled(method)
      return this.#resuming.sendPush(seq, { filters, method, route, meta, codec: codec.id, body })
    }
    const quoted = typeof arg === 'string' && codec.isPlainJsonString?.(arg) === true
    const body = quoted ? arg : encodeBody(codec, arg, argType)
    const out = this.#outFor(filters)
    const result =
      out === undefined
        ? this.#connection.send(
            type,
            seq,
            forwarded === true ? findNameText(method) : internCalled(method),
            method,
            '',
            meta,
            codec.id,
            body,
            quoted,
          )
        : out.send(filters, type, seq, method, '', meta, codec.id, body, quoted)
    if (result === SendResult.Ok) return undefined
    if (result === SendResult.Closed && call !== undefined && call.retryRequest !== null && this.#state === 'open') {
      // The connection is gone, which the session learns next: then the call is made again.
      if (call.key === 0) call.key = NO_KEY
      return undefined
    }
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
    // One of ours would have said so before this: what it must not be sent again need not be kept.
    if (this.#resuming !== undefined && this.#resuming.token === undefined && this.#peering?.supported !== true)
      this.#resuming.stopBuffering()
    let status: DecodedStatus | undefined
    if (message.status !== undefined || message.statusStart !== message.statusEnd) {
      status = this.readStatus(message)
      if (status === undefined) {
        this.fail(CloseReason.Status)
        return
      }
    }
    if (this.#hooks.repliesIn && call.method !== nameText(Reserved.Resume)) {
      this.#hooked.receive(call, message, meta, status)
      return
    }
    let failure: StatusError | undefined
    let body: unknown
    if (status !== undefined && status.code !== 0) failure = receivedFailure(status, meta)
    if (failure === undefined) {
      try {
        const { codecs, limits } = this.#owner.settings
        body = decodeBody(message, codecs.byId(message.codec), limits, call.resultType)
      } catch (error) {
        failure = asBadMessage(error)
      }
    }
    this.settle(call, failure, body, meta, message.codec)
  }

  /** @internal */
  settle(call: PendingCall, failure: StatusError | undefined, body: unknown, meta: Meta, codec: number): void {
    this.#pending.take(call.seq)
    this.#owner.wheel.remove(call)
    if (failure?.retryAfter === undefined) {
      this.#stable = true
    } else if (this.#state === 'draining' && call.retryRequest !== null) {
      call.retry(this.#owner.wheel.now()) // it never began
      this.#draining?.check()
      return
    }
    if (call.key > 0) this.closeKey(call.key)
    if (failure !== undefined) {
      if (call.full && meta !== noMeta) setReplyMeta(failure, meta)
      call.fail(failure)
    } else {
      call.succeed(call.full ? { body, meta, codec } : body)
    }
    if (this.#draining !== undefined) this.#draining.check()
  }

  /** @internal */
  isPending(call: PendingCall): boolean {
    return this.#pending.peek(call.seq) === call
  }

  get #hooked(): HookedCalls {
    this.#hookedCalls ??= new HookedCalls(this, this.#owner.settings, this.#hooks)
    return this.#hookedCalls
  }

  /** @internal */
  readStatus(message: Incoming): DecodedStatus | undefined {
    if (message.status !== undefined) return message.status
    const text = bodyText(message.buffer, message.statusStart, message.statusEnd, TextHint.Nothing)
    return decodeStatus(text, this.#owner.settings.limits.maxDepth)
  }

  async #close(timeout: number, linger: number): Promise<void> {
    if (this.#state === 'redialing' || this.#state === 'disconnected') this.abandonReconnect(CloseReason.Local, '')
    if (this.#state === 'draining') {
      if (this.#cause === AGE_PASSED) this.#cause = undefined
      this.#draining?.stopWaiting()
    }
    if (this.#state === 'closed') return
    this.#state = 'closing'
    this.#waiting?.fail(new StatusError(Code.ConnectionClosed))
    const closed = new Promise<void>((resolve) => {
      this.#onClosed = resolve
    })
    await undefined // a handler that closes its own session must still be answered
    const idle = this.#openDraining().finish(timeout, linger)
    if (idle !== undefined) await idle
    this.#filters.drop()
    this.#connection.end() // a no-op when the peer was faster
    await closed
  }

  /** @internal */
  requireSendable(epoch: number): void {
    // A close in between waits for it, on either side.
    const gone =
      this.epoch === epoch
        ? this.#state === 'redialing' || this.#state === 'disconnected' || this.#state === 'closed'
        : this.#state !== 'open'
    if (gone) throw new StatusError(Code.ConnectionClosed)
  }

  /** Counts up from 1 and wraps (spec/wire.md §2.1), passing over calls that are still open after a wrap. @internal */
  nextSeq(): number {
    do {
      this.#seq = (this.#seq + 1) | 0
    } while (this.#pending.has(this.#seq))
    return this.#seq
  }

  /** The number after `seq` is next: what a session that has lived for long comes to, for tests. @internal */
  countFrom(seq: number): void {
    this.#seq = seq
  }

  /** @throws TypeError that names the option */
  #codecFor(name: string | undefined, option = 'codec'): Codec {
    const { codec, codecs } = this.#owner.settings
    if (name === undefined) return codec
    const named = codecs.byName(name)
    if (named === undefined) throw new TypeError(`option ${option}: no codec is named ${JSON.stringify(name)}`)
    return named
  }
}

/** A rejection that nobody looks at is no unhandled rejection. */
function ignoreRejection(sent: Promise<void>): Promise<void> {
  sent.catch(ignore)
  return sent
}
