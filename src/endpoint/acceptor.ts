import { runInRoot } from '../base/async/root-context.ts'
import { describe, reasonOf } from '../base/errors/error-text.ts'
import { defaultLimits } from '../base/limits.ts'
import { turn } from '../base/time/clock.ts'
import { sleep } from '../base/time/sleep.ts'
import type { WarningThrottle } from '../base/warning-throttle.ts'
import { within } from '../hooks/hook-timeout.ts'
import { CloseReason, closeReasonText, isViolation } from '../message/close-reason.ts'
import { MessageType } from '../message/message.ts'
import { Reserved } from '../message/names.ts'
import { AddressTable } from '../overload/address-table.ts'
import type { EndpointStats } from '../overload/endpoint-stats.ts'
import { ProtocolDetector } from '../protos/connection/protocol-detector.ts'
import type { Protocol } from '../protos/proto-table.ts'
import type { UpgradeAcceptor } from '../protos/websocket/accept.ts'
import type { RequestHead } from '../protos/websocket/handshake.ts'
import { webSockets } from '../protos/websocket/load.ts'
import type { MessageProto } from '../protos/websocket/message-proto.ts'
import type { WebSocketListen } from '../protos/websocket/options.ts'
import type { UpgradeRequest } from '../protos/websocket/upgrade-request.ts'
import type { SessionEngine } from '../session/engine.ts'
import type { LifeHookRunner } from '../session/life-hooks.ts'
import type { Settings } from '../session/options.ts'
import { engineOf, type Session } from '../session/session.ts'
import { discardConnection } from '../transports/discard-connection.ts'
import type { Connection, TransportConnection } from '../transports/transport.ts'
import { type GateKeeper, ListenerGate } from './listener-gate.ts'
import { prepare } from './prepare.ts'
import type { SessionRegistry } from './session-registry.ts'

/** Milliseconds in which the first message of a new connection arrives, if it was sent with the connection. */
const FIRST_MESSAGE_MS = 50
/** Milliseconds that closing waits for hooks about new connections. */
const MAX_PREPARING_MS = 1000
/** Milliseconds in which a dmicro peer that was silent answers an announcement. */
const ANSWER_MS = 2000
/** Milliseconds between looks at connections that have brought nothing yet. */
const LOOK_MS = 20

/** Protocols and WebSockets that a listener offers. */
interface Offer {
  readonly protocols: readonly Protocol[]
  /** Options of WebSockets; undefined where none are taken. */
  readonly webSocket: WebSocketListen | undefined
  /** Whether nothing else is taken; the protocols are then those of WebSockets. */
  readonly onlyWebSocket: boolean
  /** Has checked the limits where connections begin with a handshake (TLS); undefined where they do not. */
  readonly gate: ListenerGate | undefined
}

/** The parts that an acceptor works with. */
interface AcceptorParts {
  readonly settings: Settings
  readonly stats: EndpointStats
  readonly sessions: SessionRegistry
  readonly lifeHooks: LifeHookRunner
  readonly warnings: WarningThrottle
  /** Emits the event `session`: a peer connected, and its session runs. */
  onSession(session: Session): void
}

/** Turns accepted connections into running sessions: checks limits, detects the protocol, runs the hooks. */
export class Acceptor implements GateKeeper {
  readonly #parts: AcceptorParts
  readonly #settings: Settings
  /** Connections whose protocol is not known yet. */
  readonly #undecided = new Set<TransportConnection>()
  /** Counts connections by address; null when no limit by address is set. */
  readonly #addresses: AddressTable | null
  /** The address under which a session is counted. Its peer may reconnect from another one. */
  readonly #counted = new WeakMap<SessionEngine, string>()
  /** Number of connections whose handshake (TLS) runs, all listeners together. */
  #handshakes = 0
  /** Accepted sessions whose hooks run. */
  readonly #preparing = new Set<Promise<void>>()
  /** The module of WebSockets, once it is loaded. */
  #webSockets: typeof import('../protos/websocket/module.ts') | undefined
  /** Whether all connections are refused. */
  #refusing = false
  /** Whether refused connections are not logged, because the endpoint is closing. */
  quiet = false
  /** Time when the last session was accepted, by the clock. */
  #accepted = Number.NEGATIVE_INFINITY

  constructor(parts: AcceptorParts) {
    const { settings } = parts
    const { maxAddressSessions, maxConnectRate } = settings.limits
    const unlimited = maxAddressSessions >= defaultLimits.maxAddressSessions && maxConnectRate >= defaultLimits.maxConnectRate
    this.#parts = parts
    this.#settings = settings
    this.#addresses = unlimited ? null : new AddressTable(maxAddressSessions, maxConnectRate, settings.clock.now)
  }

  /** Loads what WebSockets need. */
  async prepareWebSockets(): Promise<typeof import('../protos/websocket/module.ts')> {
    this.#webSockets = await webSockets.load()
    await this.#webSockets.prepareLlhttp()
    return this.#webSockets
  }

  /** Handles an accepted connection. */
  accept(connection: TransportConnection, offer: Offer): void {
    const { protocols, webSocket, onlyWebSocket, gate } = offer
    const reason = gate !== undefined ? this.#afterHandshake(connection, gate) : this.#fullFor(connection.remoteAddress)
    if (reason !== undefined) this.#refuse(connection, reason)
    else if (onlyWebSocket) this.#await(connection, () => void this.#upgrade(connection, offer))
    else if (protocols.length === 1 && webSocket === undefined) this.#begin(connection, protocols[0], true)
    else this.#detect(connection, offer)
  }

  /**
   * Handles a connection whose request for a WebSocket others have read.
   *
   * @param obstacle why the request is refused whatever it asks for; undefined when it is not
   */
  acceptUpgrade(connection: TransportConnection, offer: Offer, head: RequestHead, obstacle: string | undefined): void {
    const { checkUpgrade, refuseUpgrade } = this.#webSockets!
    const reason = obstacle ?? this.#fullFor(connection.remoteAddress)
    if (reason !== undefined) {
      this.#countRefused(connection.remoteAddress, reason)
      connection.handler = { onMessage: () => {}, onClose: () => {} }
      refuseUpgrade(connection, { status: 503, cause: 'no connection can be accepted now' })
      return
    }
    const checked = checkUpgrade(head, offer.webSocket!, connection.remoteAddress)
    this.#await(connection, () => this.#upgrade(connection, offer).upgrade(checked))
  }

  /** Starts what finds out about a connection whose protocol is not known yet. */
  #await(connection: TransportConnection, start: () => void): void {
    this.#accepted = this.#settings.clock.now()
    this.#undecided.add(connection)
    start()
  }

  /** Awaits the request for a WebSocket. */
  #upgrade(connection: TransportConnection, { protocols, webSocket }: Offer): UpgradeAcceptor {
    const { UpgradeAcceptor } = this.#webSockets!
    return new UpgradeAcceptor(connection, webSocket!, protocols, {
      within: (promise) => within(promise, this.#settings.hookTimeout),
      onAgreed: ({ protocol, request, id }) => {
        this.#undecided.delete(connection)
        runInRoot(this.#begin, this, connection, protocol, true, { request, id })
      },
      onRefused: (cause) => this.#parts.warnings.warn('WebSocket refused', connection.remoteAddress, cause),
      onClosed: (reason) => this.#neverDecided(connection, reason),
    })
  }

  /** Makes the gate of a listener with TLS, which lets `max` handshakes run at the same time. */
  gate(max: number): ListenerGate {
    return new ListenerGate(max, this)
  }

  admit(remoteAddress: string, full: boolean): boolean {
    const reason = full ? 'too many handshakes of the listener' : this.#fullFor(remoteAddress)
    if (reason === undefined) this.#handshakes++
    else this.#countRefused(remoteAddress, reason)
    return reason === undefined
  }

  failed(remoteAddress: string, reason: string): void {
    this.#handshakes--
    this.#addresses?.leave(remoteAddress)
    if (!this.quiet) this.#parts.warnings.warn('handshake failed', remoteAddress, reason)
  }

  /** Why a connection whose handshake is done is refused all the same; undefined when it is not. */
  #afterHandshake({ remoteAddress }: Connection, gate: ListenerGate): string | undefined {
    gate.finish()
    this.#handshakes--
    if (!this.#refusing) return undefined
    this.#addresses?.leave(remoteAddress)
    return closeReasonText[CloseReason.Refused]
  }

  /** Why a connection is refused; undefined when it is not. */
  #fullFor(remoteAddress: string): string | undefined {
    const connections = this.#parts.sessions.connected + this.#undecided.size + this.#handshakes
    if (this.#refusing || connections >= this.#settings.limits.maxSessions) return closeReasonText[CloseReason.Refused]
    return this.#addresses?.enter(remoteAddress)
  }

  #refuse(connection: Connection, reason: string): void {
    this.#countRefused(connection.remoteAddress, reason)
    discardConnection(connection, CloseReason.Refused)
  }

  #countRefused(remoteAddress: string, reason: string): void {
    if (this.quiet) return
    this.#parts.stats.refused++
    this.#parts.warnings.warn('connection refused', remoteAddress, reason)
  }

  /** Detects the protocol by the first bytes. */
  #detect(connection: TransportConnection, offer: Offer): void {
    const onProtocol = (protocol: Protocol): void => {
      this.#undecided.delete(connection)
      runInRoot(this.#begin, this, connection, protocol, false)
    }
    const onClosed = (reason: number): void => this.#neverDecided(connection, reason)
    const onUpgrade = (): void => void this.#upgrade(connection, offer)
    const owner = { webSocketPath: offer.webSocket?.path, onProtocol, onUpgrade, onClosed }
    this.#await(connection, () => {
      new ProtocolDetector(connection, offer.protocols, this.#settings.limits, owner)
    })
  }

  #neverDecided(connection: TransportConnection, reason: number): void {
    this.#undecided.delete(connection)
    this.#addresses?.leave(connection.remoteAddress)
    if (!isViolation(reason)) return
    this.#parts.stats.violations++
    this.#settings.log.warn('connection closed', { remote: connection.remoteAddress, reason: closeReasonText[reason] })
  }

  /** @param isSilent whether no message of the connection has come yet */
  #begin(
    connection: TransportConnection,
    protocol: Protocol | MessageProto,
    isSilent: boolean,
    upgrade?: { request: UpgradeRequest; id: string | undefined },
  ): void {
    const { stats, sessions, lifeHooks } = this.#parts
    const { afterAccept } = sessions.hooks
    stats.accepted++
    const session = sessions.add(connection, protocol, undefined, afterAccept !== null)
    if (upgrade !== undefined) {
      session.request = upgrade.request
      if (upgrade.id !== undefined) session.setId(upgrade.id)
    }
    this.#accepted = this.#settings.clock.now()
    if (isSilent) session.silentAt = session.activity
    if (this.#addresses !== null) this.#counted.set(session, connection.remoteAddress)
    if (afterAccept === null) {
      this.#announce(session)
      return
    }
    const prepared = prepare(session, lifeHooks.run(afterAccept, session.session)).then(
      () => {
        this.#accepted = this.#settings.clock.now()
        // A session that is resumed on this connection has taken it over.
        if (session.state !== 'closed') this.#announce(session)
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

  /** Handles the end of a session. */
  forget(session: SessionEngine): void {
    const counted = this.#counted.get(session)
    if (counted !== undefined && this.#counted.delete(session)) this.#addresses?.leave(counted)
  }

  /** Milliseconds in which the first message of the newest connection may still arrive. */
  get #firstMessage(): number {
    const { extensions, clock } = this.#settings
    return extensions ? this.#accepted + FIRST_MESSAGE_MS - clock.now() : 0
  }

  /**
   * Milliseconds that the close of a session waits for the peer's first announcement, without which it cannot be
   * notified. One that has sent only a first word, or sends it while the close waits, is asked for its announcement by
   * ours.
   */
  readonly linger = (session: Session): number => {
    const engine = engineOf(session)
    const { link, calls, settings } = engine
    const { extensions } = link
    if (extensions === undefined || extensions.announced) return this.#firstMessage
    if (!link.hasFirstWord) {
      link.onFirstWord = () => engine.draining?.linger(this.linger(session))
      return this.#firstMessage
    }
    const seq = extensions.nextAnnouncementSeq()
    // Which filters the peer requires its announcement says: as a rule those that this side requires.
    const filters = settings.required?.map(({ name }) => name) ?? []
    try {
      const sent = calls.sendReserved(MessageType.Push, seq, Reserved.Hello, extensions.announcement, filters)
      if (typeof sent !== 'number') sent.catch(() => {})
    } catch {
      return this.#firstMessage // a filter has thrown
    }
    return ANSWER_MS
  }

  /**
   * Waits until each connection that was accepted has brought its first message, as its sender may take the connection
   * for one that serves. Of those that were silent for longer than `ms` nothing is expected.
   *
   * @param ms milliseconds at most
   */
  async hear(ms: number): Promise<void> {
    const { clock } = this.#settings
    const end = clock.now() + ms
    // Looked at twice, because IO threads pass on what they have read a moment later.
    for (let heard = 0; heard < 2 && clock.now() < end; ) {
      await sleep(clock, LOOK_MS)
      await turn() // what has come is read first, however long the event loop was held up
      heard = this.#isAnySilent(end - 2 * ms) ? 0 : heard + 1
    }
  }

  /** @param since time; connections that were made before do not count */
  #isAnySilent(since: number): boolean {
    if (this.#undecided.size > 0 || this.#handshakes > 0) return true
    for (const session of this.#parts.sessions.all()) {
      const { silentAt, activity, link } = engineOf(session)
      // Over TLS the first message may come with the end of the handshake, and change nothing after it.
      const isKnown = link.hasFirstWord || link.extensions?.supported === true
      if (activity === silentAt && !isKnown && link.since > since) return true
    }
    return false
  }

  /**
   * Waits for connections whose hooks run or whose protocol is not known yet, then refuses all connections.
   *
   * @param end time to stop waiting, by the clock
   */
  async finish(end: number): Promise<void> {
    const { clock } = this.#settings
    const latest = Math.min(end, clock.now() + MAX_PREPARING_MS)
    const timer = new AbortController()
    const wait = (ms: number): Promise<void> => sleep(clock, Math.max(ms, 0), timer.signal).catch(() => {})
    if (this.#undecided.size > 0) await wait(Math.min(this.#firstMessage, latest - clock.now()))
    if (this.#preparing.size > 0) await Promise.race([Promise.all(this.#preparing), wait(latest - clock.now())])
    timer.abort()
    this.#refusing = true
    for (const connection of this.#undecided) connection.destroy(CloseReason.Local)
  }
}
