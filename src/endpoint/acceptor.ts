import { runInRoot } from '../base/async/root-context.ts'
import { describe, reasonOf } from '../base/errors/error-text.ts'
import { defaultLimits } from '../base/limits.ts'
import { sleep } from '../base/time/clock.ts'
import type { WarningThrottle } from '../base/warning-throttle.ts'
import { CloseReason, closeReasonText, isViolation } from '../message/close-reason.ts'
import { AddressTable } from '../overload/address-table.ts'
import type { EndpointStats } from '../overload/endpoint-stats.ts'
import { ProtocolDetector } from '../protos/connection/protocol-detector.ts'
import type { Protocol } from '../protos/proto-table.ts'
import type { SessionEngine } from '../session/engine.ts'
import type { LifeHookRunner } from '../session/life-hooks.ts'
import type { Settings } from '../session/options.ts'
import type { Session } from '../session/session.ts'
import { discardConnection } from '../transports/discard-connection.ts'
import type { Connection, TransportConnection } from '../transports/transport.ts'
import type { SessionRegistry } from './session-registry.ts'

/** Milliseconds in which a new connection brings its first message, when it was on its way. */
const FIRST_MESSAGE_MS = 50

/** What an acceptor is made with. */
export interface AcceptorParts {
  readonly settings: Settings
  readonly stats: EndpointStats
  readonly sessions: SessionRegistry
  readonly lifeHooks: LifeHookRunner
  readonly warnings: WarningThrottle
  /** A peer connected, and its session runs. */
  onSession(session: Session): void
}

/** From an accepted connection to a session that runs: limits, the protocol, the hooks. */
export class Acceptor {
  readonly #parts: AcceptorParts
  readonly #settings: Settings
  /** Connections that have not said their protocol yet. */
  readonly #undecided = new Set<TransportConnection>()
  /** Connections by address; null where no address has a limit of its own. */
  readonly #addresses: AddressTable | null
  /** Where sessions are counted there, though their peers may reconnect from elsewhere. */
  readonly #counted = new WeakMap<SessionEngine, string>()
  /** Accepted sessions whose hooks still run. */
  readonly #preparing = new Set<Promise<void>>()
  /** No connection is taken any more. */
  #refusing = false
  /** The endpoint is closing: what is refused is no news. */
  quiet = false
  /** When a session was accepted last, by the clock. */
  #accepted = Number.NEGATIVE_INFINITY

  constructor(parts: AcceptorParts) {
    const { settings } = parts
    const { maxAddressSessions, maxConnectRate } = settings.limits
    const unlimited = maxAddressSessions >= defaultLimits.maxAddressSessions && maxConnectRate >= defaultLimits.maxConnectRate
    this.#parts = parts
    this.#settings = settings
    this.#addresses = unlimited ? null : new AddressTable(maxAddressSessions, maxConnectRate, settings.clock.now)
  }

  accept(connection: TransportConnection, protocols: readonly Protocol[]): void {
    const reason = this.#fullFor(connection)
    if (reason !== undefined) this.#refuse(connection, reason)
    else if (protocols.length === 1) this.#begin(connection, protocols[0])
    else this.#detect(connection, protocols)
  }

  /** Why one more connection may not stay; undefined: it may. */
  #fullFor(connection: TransportConnection): string | undefined {
    const connections = this.#parts.sessions.connected + this.#undecided.size
    if (this.#refusing || connections >= this.#settings.limits.maxSessions) return closeReasonText[CloseReason.Refused]
    return this.#addresses?.enter(connection.remoteAddress)
  }

  #refuse(connection: Connection, reason: string): void {
    if (!this.quiet) {
      this.#parts.stats.refused++
      this.#parts.warnings.warn('connection refused', connection.remoteAddress, reason)
    }
    discardConnection(connection, CloseReason.Refused)
  }

  /** The first bytes decide. */
  #detect(connection: TransportConnection, protocols: readonly Protocol[]): void {
    this.#accepted = this.#settings.clock.now()
    this.#undecided.add(connection)
    const decided = (protocol: Protocol): void => {
      this.#undecided.delete(connection)
      runInRoot(this.#begin, this, connection, protocol)
    }
    new ProtocolDetector(connection, protocols, this.#settings.limits, decided, (reason) => this.#neverDecided(connection, reason))
  }

  #neverDecided(connection: TransportConnection, reason: number): void {
    this.#undecided.delete(connection)
    this.#addresses?.leave(connection.remoteAddress)
    if (!isViolation(reason)) return
    this.#parts.stats.violations++
    this.#settings.log.warn('connection closed', { remote: connection.remoteAddress, reason: closeReasonText[reason] })
  }

  #begin(connection: TransportConnection, protocol: Protocol): void {
    const { stats, sessions, lifeHooks } = this.#parts
    const { afterAccept } = sessions.hooks
    stats.accepted++
    const session = sessions.add(connection, protocol, undefined, afterAccept !== null)
    this.#accepted = this.#settings.clock.now()
    if (this.#addresses !== null) this.#counted.set(session, connection.remoteAddress)
    if (afterAccept === null) {
      this.#announce(session)
      return
    }
    const prepared = prepare(session, lifeHooks.run(afterAccept, session.session)).then(
      () => {
        this.#accepted = this.#settings.clock.now()
        if (session.state !== 'closed') this.#announce(session) // its connection may have become another's
      },
      (error) => this.#settings.log.warn('session refused', { remote: session.remoteAddress, error: reasonOf(error) }),
    )
    this.#preparing.add(prepared)
    void prepared.finally(() => this.#preparing.delete(prepared))
  }

  #announce({ session }: SessionEngine): void {
    try {
      runInRoot(this.#parts.onSession, this.#parts, session as Session)
    } catch (error) {
      this.#settings.log.error('a session listener threw', { error: describe(error) })
    }
  }

  /** A session of the endpoint is closed. */
  forget(session: SessionEngine): void {
    const counted = this.#counted.get(session)
    if (counted !== undefined && this.#counted.delete(session)) this.#addresses?.leave(counted)
  }

  /** Milliseconds in which the first message of a connection that was just made may come: once it is here its sender can be told. */
  get firstMessage(): number {
    const { extensions, clock } = this.#settings
    return extensions ? this.#accepted + FIRST_MESSAGE_MS - clock.now() : 0
  }

  /** Waits until connections whose hooks run, or that have not said their protocol, are sessions or not. Then takes none any more. @param latest by the clock */
  async finish(latest: number): Promise<void> {
    const { clock } = this.#settings
    const timer = new AbortController()
    const wait = (ms: number): Promise<void> => sleep(clock, Math.max(ms, 0), timer.signal).catch(() => {})
    if (this.#undecided.size > 0) await wait(Math.min(this.firstMessage, latest - clock.now()))
    if (this.#preparing.size > 0) await Promise.race([Promise.all(this.#preparing), wait(latest - clock.now())])
    timer.abort()
    this.#refusing = true
    for (const connection of this.#undecided) connection.destroy(CloseReason.Local)
  }
}

/** The session runs when its hooks are done; when one fails it is closed, and the error thrown on. */
export async function prepare(session: SessionEngine, hooks: Promise<void>): Promise<void> {
  try {
    await hooks
  } catch (error) {
    session.refuse()
    throw error
  }
  session.begin()
}
