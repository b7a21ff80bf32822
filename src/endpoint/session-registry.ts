import { runInRoot } from '../base/async/root-context.ts'
import { newSecret } from '../base/time/clock.ts'
import type { TimerWheel } from '../base/time/timer-wheel.ts'
import type { WarningThrottle } from '../base/warning-throttle.ts'
import type { Hooks } from '../hooks/plugin.ts'
import { CloseReason, isViolation } from '../message/close-reason.ts'
import type { Incoming } from '../message/message.ts'
import type { EndpointStats } from '../overload/endpoint-stats.ts'
import { connectionOf } from '../protos/prepare.ts'
import type { Protocol } from '../protos/proto-table.ts'
import type { MessageProto } from '../protos/websocket/message-proto.ts'
import type { SessionEngine } from '../session/engine.ts'
import type { LifeHookRunner } from '../session/life-hooks.ts'
import type { Settings } from '../session/options.ts'
import type { Redial } from '../session/redial.ts'
import { engineOf, type Session, startSession } from '../session/session.ts'
import type { SessionOwner } from '../session/session-owner.ts'
import type { Connection, TransportConnection } from '../transports/transport.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { Router } from './router.ts'
import { SessionTable } from './session-table.ts'

/** The parts that a registry works with. */
interface RegistryParts {
  readonly settings: Settings
  readonly hooks: Hooks
  readonly wheel: TimerWheel
  readonly stats: EndpointStats
  readonly router: Router
  readonly dispatcher: Dispatcher
  readonly lifeHooks: LifeHookRunner
  readonly warnings: WarningThrottle
}

/** Gets further notice of sessions that end or lose their connection. */
interface RegistryListener {
  /** Handles the loss of the connection of a session with redial. */
  onLost(session: SessionEngine): void
  /** Handles the end of a session. */
  onClosed(session: SessionEngine): void
}

/** The sessions of one endpoint: makes them, finds them by id and by resume token, and handles their events. */
export class SessionRegistry implements SessionOwner<SessionEngine> {
  readonly settings: Settings
  readonly hooks: Hooks
  readonly wheel: TimerWheel
  readonly #parts: RegistryParts
  readonly #sessions = new SessionTable<Session>()
  /** Accepted sessions that can be resumed, by tokens that only their peers know. */
  readonly #byToken = new Map<string, SessionEngine>()
  /** Sessions that wait for their peers to reconnect. */
  readonly #disconnected = new Set<SessionEngine>()
  /** Requires to be set before the first session is made. */
  listener!: RegistryListener

  constructor(parts: RegistryParts) {
    this.settings = parts.settings
    this.hooks = parts.hooks
    this.wheel = parts.wheel
    this.#parts = parts
  }

  /**
   * Makes a session.
   *
   * @param authority host and port that were dialled; undefined for an accepted connection
   * @param preparing whether the session does not run until `begin`
   */
  add(
    connection: TransportConnection,
    protocol: Protocol | MessageProto,
    authority: string | undefined,
    preparing: boolean,
    redial?: Redial,
  ): SessionEngine {
    const id = this.freeId(authority === undefined ? connection.remoteAddress : connection.localAddress)
    const extensible = protocol.framing !== 'stream'
    const wrapped = this.wrapProtocol(connection, protocol, authority)
    const engine = startSession(this, wrapped, { id, protocol: protocol.name, extensible, preparing, redial })
    this.#sessions.add(engine.session as Session)
    return engine
  }

  /** Wraps a transport's connection for the messages of `protocol`. */
  wrapProtocol(connection: TransportConnection, protocol: Protocol | MessageProto, authority: string | undefined): Connection {
    if (protocol.framing === 'raw') return connection
    const { limits, filters, clock } = this.settings
    const { router } = this.#parts
    const { calls } = router
    const isSafe = (route: number): boolean | undefined =>
      calls.get(route)?.safe ?? (router.unknownCall === undefined ? undefined : router.unknownSafe)
    const handles = (route: number): boolean => calls.get(route) !== undefined
    const owner = { limits, filters, wheel: this.wheel, clock, handles, isSafe }
    return connectionOf(connection, protocol, owner, authority)
  }

  /** Finds a session by id; undefined when there is none. */
  get(id: string): Session | undefined {
    return this.#sessions.get(id)
  }

  /** Iterates over the sessions that are not closed, in the order they were made. */
  all(): IterableIterator<Session> {
    return this.#sessions.values()
  }

  /** Number of sessions that are not closed. */
  get size(): number {
    return this.#sessions.size
  }

  /**
   * Number of sessions with a connection. Disconnected ones do not count, because otherwise they could keep their own
   * peers from reconnecting.
   */
  get connected(): number {
    return this.#sessions.size - this.#disconnected.size
  }

  /**
   * Closes the sessions that `which` picks.
   *
   * @param timeout milliseconds
   * @param linger milliseconds to wait for a peer that has not announced itself
   */
  async close(timeout: number, linger: (session: Session) => number, which: (session: Session) => boolean): Promise<void> {
    await Promise.all([...this.all()].filter(which).map((session) => engineOf(session).close(timeout, linger(session))))
  }

  freeId(address: string): string {
    return this.#sessions.freeId(address)
  }

  renameSession(engine: SessionEngine, id: string): void {
    void this.#sessions.rename(engine.session as Session, id)?.close()
  }

  issueToken(session: SessionEngine): string {
    const token = newSecret(this.settings.clock)
    this.#byToken.set(token, session)
    return token
  }

  findSession(token: string): SessionEngine | undefined {
    const session = this.#byToken.get(token)
    return session === undefined || session.state === 'closing' || session.state === 'closed' ? undefined : session
  }

  onRequest(session: SessionEngine, message: Incoming): void {
    this.#parts.dispatcher.dispatch(session, message)
  }

  onSessionRoom(session: SessionEngine): void {
    this.#parts.dispatcher.checkHeld(session)
  }

  onSessionThrottled(session: SessionEngine): void {
    this.#parts.stats.throttled++
    this.#parts.warnings.warn('session throttled', session.remoteAddress, 'the peer exceeds limits.maxMessageRate')
  }

  onSessionLost(session: SessionEngine): void {
    this.listener.onLost(session)
  }

  onSessionDisconnected(session: SessionEngine): void {
    this.#disconnected.add(session)
    if (this.#disconnected.size <= this.settings.limits.maxAway) return
    const [longest] = this.#disconnected
    longest.abandonReconnect(CloseReason.Peer, 'too many disconnected sessions (limits.maxAway)')
  }

  onSessionResumed(session: SessionEngine): void {
    this.#disconnected.delete(session)
  }

  onSessionClosed(session: SessionEngine, reason: number): void {
    const { dispatcher, stats, lifeHooks } = this.#parts
    this.#sessions.remove(session.session as Session)
    this.#disconnected.delete(session)
    if (session.token !== undefined) this.#byToken.delete(session.token)
    dispatcher.forget(session, reason === CloseReason.Local)
    this.listener.onClosed(session)
    stats.closed++
    // The session of a connection that another one resumes on was never anybody's.
    if (session.successor === undefined) this.settings.meter?.sessionClosed(reason)
    if (isViolation(reason)) stats.violations++
    const { afterDisconnect } = this.hooks
    if (afterDisconnect !== null) void runInRoot(lifeHooks.runAndLog, lifeHooks, afterDisconnect, session.session)
  }
}
