import { runInRoot } from '../base/async/root-context.ts'
import { describe } from '../base/errors/error-text.ts'
import { Code, StatusError } from '../base/errors/status.ts'
import { HELD_AFTER } from '../base/limits.ts'
import { ResettableTimer, type TimerWheel } from '../base/time/timer-wheel.ts'
import type { MessageHooks } from '../hooks/hooks.ts'
import { ConnectionSocket } from '../hooks/session-socket.ts'
import { FIRST_WORD_SEQ } from '../message/first-word.ts'
import { MessageType } from '../message/message.ts'
import type { UpgradeRequest } from '../protos/websocket/upgrade-request.ts'
import type { Connection } from '../transports/transport.ts'
import { outgoing } from './channel.ts'
import type { SessionCore } from './core.ts'
import { Draining } from './draining.ts'
import type { EarlyPhase } from './early-phase.ts'
import { IncomingRequests } from './incoming-requests.ts'
import type { Settings } from './options.ts'
import { OutgoingCalls } from './outbound.ts'
import { PeerExtensions } from './peer-extensions.ts'
import { PeerLink } from './peer-link.ts'
import type { Redial } from './redial.ts'
import { ResumeProtocol } from './resume-protocol.ts'
import type { SessionEvents } from './session-events.ts'
import type { InboundHandler, NewSession, SessionFace, SessionOwner } from './session-owner.ts'
import { type SessionState, StateMachine } from './state.ts'

/**
 * The parts of a session, and its getters. `link` has everything that belongs to one connection and is replaced as a
 * whole. `calls` has what this side asks of the peer, `requests` what the peer asks; `handler`, an `Inbound`, handles
 * received messages. `draining` and `resume` are made when first needed, because most sessions never need them.
 */
export abstract class SessionParts<Engine> implements SessionCore {
  readonly endpoint: SessionOwner<Engine>
  readonly settings: Settings
  readonly hooks: MessageHooks
  readonly wheel: TimerWheel
  readonly protocol: string
  readonly extensible: boolean
  readonly redial: Redial | undefined
  readonly calls: OutgoingCalls
  readonly requests: IncomingRequests
  readonly machine: StateMachine
  link!: PeerLink
  handler!: InboundHandler
  session!: SessionFace
  /** Graceful end of the connection; undefined until a side starts it. */
  draining: Draining | undefined = undefined
  /** Resume after a lost connection; undefined where none is possible or agreed upon. */
  resume: ResumeProtocol | undefined = undefined
  /** The request that the connection began with, if it is a WebSocket that was accepted. */
  request: UpgradeRequest | undefined = undefined
  /** The session that took over our connection after a resume; undefined while we have it. */
  successor: Engine | undefined = undefined
  /** Milliseconds that a handler may run; 0 means no limit. */
  handlerTimeout: number
  protected currentId: string
  protected ownId = false
  /** Maximum lifetime in milliseconds; 0 means unlimited. */
  age: number
  /** `activity` when the connection was accepted, where the first message had not come by then; else -1. */
  silentAt = -1
  /** Made with the first limit. */
  protected ageTimer: ResettableTimer | undefined = undefined
  protected currentSocket: ConnectionSocket | undefined = undefined

  constructor(endpoint: SessionOwner<Engine>, { id, protocol, extensible, preparing, redial }: NewSession) {
    const { settings } = endpoint
    this.endpoint = endpoint
    this.settings = settings
    this.hooks = endpoint.hooks
    this.wheel = endpoint.wheel
    this.protocol = protocol
    this.extensible = extensible && settings.extensions
    this.redial = redial
    this.calls = new OutgoingCalls(this)
    this.requests = new IncomingRequests(this)
    this.machine = new StateMachine(preparing ? 'preparing' : 'open')
    this.handlerTimeout = settings.handlerTimeout
    this.currentId = id
    this.age = settings.sessionAge
  }

  /** Makes the link of a new connection, on which neither side has announced anything. */
  protected newLink(connection: Connection): PeerLink {
    const { settings, protocol, handler } = this
    const { clock, required, timeout, timeoutNamed } = settings
    const filters = required?.map(({ name }) => name) ?? []
    const extensions = this.extensible ? new PeerExtensions(handler, clock, timeoutNamed ? timeout : 0, filters) : undefined
    return new PeerLink(connection, settings, protocol, handler, extensions, clock.now())
  }

  get state(): SessionState {
    return this.machine.state
  }

  get id(): string {
    return this.currentId
  }

  /**
   * Sets the id. Another session of the endpoint that has this id is closed, as in Go.
   *
   * @throws TypeError when it is no string, or empty
   */
  setId(id: string): void {
    if (typeof id !== 'string' || id === '') throw new TypeError('a session id must be a string that is not empty')
    if (id === this.currentId || this.state === 'closed') return
    this.endpoint.renameSession(this.self, id)
    this.currentId = id
    this.ownId = true
  }

  get localAddress(): string {
    return this.link.connection.localAddress
  }

  get remoteAddress(): string {
    return this.link.connection.remoteAddress
  }

  get activity(): number {
    return this.link.connection.activity
  }

  get lastSeq(): number {
    return this.calls.open.lastSeq
  }

  get socket(): ConnectionSocket {
    this.currentSocket ??= new ConnectionSocket(this.link.connection)
    return this.currentSocket
  }

  /**
   * Sets the maximum lifetime.
   *
   * @param ms milliseconds from now, 0 for no limit
   */
  setAge(ms: number): void {
    this.age = ms
    if (this.state !== 'closed' && this.state !== 'closing') this.restartAge()
  }

  /** Counts the age from now. */
  protected restartAge(): void {
    if (this.age === 0 && this.ageTimer === undefined) return
    this.ageTimer ??= new ResettableTimer(this.wheel, () => this.onAge())
    this.ageTimer.start(this.age)
  }

  /**
   * Whether the connection, or the last one, has held: it answered a call, or lived long enough. Anything else that a
   * server sends before it closes does not count.
   */
  get stable(): boolean {
    const { answered, since } = this.link
    return answered || this.settings.clock.now() - since >= Math.max(HELD_AFTER, this.redial?.maxDelay ?? 0)
  }

  get accepting(): boolean {
    const { state } = this
    return state === 'open' || state === 'draining' || (state === 'closing' && this.draining?.noticeSent !== true)
  }

  /**
   * Whether pushes of the peer are still accepted while closing: the peer may not have read our notice, and a push
   * cannot be refused.
   */
  get acceptingPushes(): boolean {
    return this.draining?.awaitingAnswer === true
  }

  get finishing(): boolean {
    return this.state === 'closing' && (this.requests.running > 0 || this.acceptingPushes)
  }

  get busy(): boolean {
    const { requests, calls, link } = this
    return requests.waiting || requests.running > 0 || calls.open.size > 0 || calls.writing || link.filters.busy
  }

  checkIdle(): void {
    this.draining?.check()
  }

  onRoom(): void {
    if (this.requests.gated) this.endpoint.onSessionRoom(this.self)
  }

  emitSafely<Name extends keyof SessionEvents>(name: Name, ...args: SessionEvents[Name]): void {
    const { session } = this
    try {
      runInRoot(session.emit as (name: Name, ...args: SessionEvents[Name]) => boolean, session, name, ...args)
    } catch (thrown) {
      this.settings.log.error(`a ${name} listener threw`, { error: describe(thrown) })
    }
  }

  /** Token with which the peer of an accepted session can resume it; undefined for none. */
  get token(): string | undefined {
    return this.redial === undefined ? this.resume?.token : undefined
  }

  openResume(): ResumeProtocol {
    this.resume = new ResumeProtocol(this)
    return this.resume
  }

  idempotency(): ResumeProtocol {
    if (this.resume !== undefined) return this.resume
    const resume = this.openResume()
    resume.stopBuffering() // until the peer asks for a token
    return resume
  }

  requireEarly(): EarlyPhase {
    const { early } = this.link
    if (early === undefined) throw new StatusError(Code.InvalidOperation, undefined, 'the session runs already, or is gone')
    return early
  }

  /**
   * Sends the first word, by which a listener with several protocols recognizes the protocol of a dialling side that is
   * silent.
   */
  breakSilence(): void {
    if (this.state === 'open' && this.extensible)
      this.link.connection.send(outgoing.head(MessageType.Reply, FIRST_WORD_SEQ, -1, '', '', '').content(0, null))
  }

  openDraining(): Draining {
    this.draining ??= new Draining(this)
    return this.draining
  }

  /** This session, as its endpoint knows it. */
  protected abstract get self(): Engine
  abstract close(timeout: number, linger: number): Promise<void>
  abstract destroy(cause?: string): void
  abstract abandonReconnect(reason: number, detail: string): void
  /** Ends the connection gracefully: the session has reached its age. */
  protected abstract onAge(): void
}
