import { runInRoot } from '../base/async/root-context.ts'
import { describe } from '../base/errors/error-text.ts'
import { Code, StatusError } from '../base/errors/status.ts'
import { HELD_AFTER } from '../base/limits.ts'
import type { TimerWheel } from '../base/time/timer-wheel.ts'
import type { MessageHooks } from '../hooks/hooks.ts'
import { ConnectionSocket } from '../hooks/session-socket.ts'
import { FIRST_WORD_SEQ } from '../message/first-word.ts'
import { MessageType } from '../message/message.ts'
import type { Connection } from '../transports/transport.ts'
import { Aging } from './aging.ts'
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
 * What a session is made of, and what can be asked of it. What belongs to one connection is its `link`, swapped whole. What this side asks is `calls`, what the
 * peer asks is `requests`; messages come up through `handler`, which is an `Inbound`. `draining` and `resume` are made when they are first needed, since most
 * sessions never do.
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
  /** How the connection ends in peace; undefined while neither side thinks of it. */
  draining: Draining | undefined = undefined
  /** How the session goes on when its connection is lost; undefined where it does not, or that is not agreed upon. */
  resume: ResumeProtocol | undefined = undefined
  /** The session that took over the connection after a resume. */
  successor: Engine | undefined = undefined
  /** Milliseconds that a handler may run, 0 for no limit. */
  handlerTimeout: number
  protected currentId: string
  protected ownId = false
  readonly aging: Aging
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
    this.aging = new Aging(this.wheel, settings.sessionAge, () => this.onAge())
  }

  /** A connection on which nobody has announced anything. */
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

  /** Another session that has this id is closed, as in Go. */
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

  /** @param ms from now, 0 for no limit */
  setAge(ms: number): void {
    this.aging.age = ms
    if (this.state !== 'closed' && this.state !== 'closing') this.aging.restart()
  }

  /** Its connection, also one that is lost by now, answered a call or lives for some time. What a server says before it refuses proves nothing. */
  get stable(): boolean {
    const { answered, since } = this.link
    return answered || this.settings.clock.now() - since >= Math.max(HELD_AFTER, this.redial?.maxDelay ?? 0)
  }

  get accepting(): boolean {
    const { state } = this
    return state === 'open' || state === 'draining' || (state === 'closing' && this.draining?.noticeSent !== true)
  }

  /** The peer may not have read our notice yet: its pushes, which nobody could refuse, are taken. */
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

  /** The token by which the peer of an accepted session can resume it. */
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
    resume.stopBuffering() // until the peer wants it to be resumed
    return resume
  }

  requireEarly(): EarlyPhase {
    const { early } = this.link
    if (early === undefined) throw new StatusError(Code.InvalidOperation, undefined, 'the session runs already, or is gone')
    return early
  }

  /** Says what protocol a silent dialler speaks. */
  breakSilence(): void {
    if (this.state === 'open' && this.extensible)
      this.link.connection.send(outgoing.head(MessageType.Reply, FIRST_WORD_SEQ, -1, '', '', '').content(0, null))
  }

  openDraining(): Draining {
    this.draining ??= new Draining(this)
    return this.draining
  }

  /** This, as its endpoint knows it. */
  protected abstract get self(): Engine
  abstract close(timeout: number, linger: number): Promise<void>
  abstract destroy(cause?: string): void
  abstract abandonReconnect(reason: number, detail: string): void
  /** The age has passed. */
  protected abstract onAge(): void
}
