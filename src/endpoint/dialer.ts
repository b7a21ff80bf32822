import { runInRoot } from '../base/async/root-context.ts'
import { forgetAbort, whenAborted } from '../base/async/when-aborted.ts'
import { reasonOf } from '../base/errors/error-text.ts'
import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { sleep } from '../base/time/sleep.ts'
import { CloseReason } from '../message/close-reason.ts'
import { FirstWord } from '../message/first-word.ts'
import type { EndpointStats } from '../overload/endpoint-stats.ts'
import { framingOf } from '../protos/connection/protocol-detector.ts'
import type { Protocol } from '../protos/proto-table.ts'
import { webSockets } from '../protos/websocket/load.ts'
import type { MessageProto } from '../protos/websocket/message-proto.ts'
import type { WebSocketDial } from '../protos/websocket/options.ts'
import type { SessionEngine } from '../session/engine.ts'
import type { LifeHookRunner } from '../session/life-hooks.ts'
import type { Settings } from '../session/options.ts'
import { ReconnectSchedule } from '../session/reconnect-schedule.ts'
import type { Redial } from '../session/redial.ts'
import { resumeOnNewLink } from '../session/resume-on-new-link.ts'
import type { SessionFace } from '../session/session-owner.ts'
import { type Address, authorityOf } from '../transports/address.ts'
import { javaScriptTransport } from '../transports/choose.ts'
import { discardConnection } from '../transports/discard-connection.ts'
import { firstToConnect } from '../transports/first-to-connect.ts'
import type { QuicSettings } from '../transports/quic-options.ts'
import { type Resolver, resolveAddress } from '../transports/resolve.ts'
import type { SocketSettings } from '../transports/socket-options.ts'
import type { TlsTarget } from '../transports/tls/client-tls.ts'
import type { ConnectionOptions, Transport, TransportConnection } from '../transports/transport.ts'
import { Framing } from '../wire/framing.ts'
import type { KcpSettings } from '../wire/kcp/settings.ts'
import { prepare } from './prepare.ts'
import type { SessionRegistry } from './session-registry.ts'

/** The address and options of a dialled session. */
interface Target {
  readonly url: string
  readonly address: Address
  readonly protocol: Protocol
  readonly redial: Redial | undefined
  readonly socket: SocketSettings
  readonly kcp: KcpSettings | undefined
  readonly quic: QuicSettings | undefined
  /** Makes a WebSocket of each connection; undefined for none. */
  readonly tls: TlsTarget | undefined
  readonly layers: Layering | undefined
}

/** A layer that is put between a dialled connection and its messages. */
interface Layering {
  /** Whether the JavaScript transport must serve it. */
  readonly inJavaScript: boolean
  /** The form of a protocol on it, and how its messages lie in the bytes. */
  over(protocol: Protocol): Protocol | MessageProto
  framing(protocol: Protocol | MessageProto): Framing
  /** Begins it on a connection with framing Peek, and pauses reading. Closes the connection when it fails. */
  begin(connection: TransportConnection, authority: string, framing: Framing, signal: AbortSignal): Promise<void>
}

/** The target of a session with redial. */
interface Lasting extends Target {
  readonly redial: Redial
  readonly abort: AbortController
  /** Times the attempts since a connection held last; undefined after one held. */
  schedule: ReconnectSchedule | undefined
}

/**
 * Makes the connections that an endpoint dials: the first of a session, and with redial (reconnect) the following ones.
 */
export class Dialer {
  readonly #sessions: SessionRegistry
  readonly #settings: Settings
  readonly #stats: EndpointStats
  readonly #transport: Transport
  readonly #run: LifeHookRunner
  readonly #resolver: Resolver
  readonly #dials = new Set<AbortController>()
  /** Targets of sessions with redial. */
  readonly #targets = new Map<SessionEngine, Lasting>()

  constructor(sessions: SessionRegistry, transport: Transport, stats: EndpointStats, lifeHooks: LifeHookRunner) {
    this.#sessions = sessions
    this.#settings = sessions.settings
    this.#stats = stats
    this.#transport = transport
    this.#run = lifeHooks
    this.#resolver = { transport, lookup: sessions.settings.lookup }
  }

  /**
   * Dials a session.
   *
   * @param timeout milliseconds
   * @throws StatusError (rejects) 105 with the last system error as cause; what a plugin refuses with; 499 when
   *   `signal` fires
   */
  dial(target: Target, timeout: number, signal: AbortSignal | undefined): Promise<SessionEngine> {
    const { tracer } = this.#settings
    return tracer === null
      ? this.#dial(target, timeout, signal)
      : tracer.step('dial', target.url, () => this.#dial(target, timeout, signal))
  }

  async #dial(target: Target, timeout: number, signal: AbortSignal | undefined): Promise<SessionEngine> {
    const { hooks } = this.#sessions
    try {
      await this.#run.run(hooks.beforeDial, target.url, false)
    } catch (error) {
      throw error instanceof StatusError ? error : dialFailure(error)
    }
    try {
      return await this.#first(target, timeout, signal)
    } catch (error) {
      await this.#run.runAndLog(hooks.afterDialFail, target.url, error as Error, false)
      throw error
    }
  }

  /** Loads what a WebSocket needs. */
  async prepareWebSocket(dial: WebSocketDial): Promise<Layering> {
    const module = await webSockets.load()
    await module.prepareLlhttp()
    return {
      inJavaScript: dial.perMessageDeflate,
      over: module.overWebSocket,
      framing: module.framingOfMessages,
      begin: (connection, authority, framing, signal) => module.beginWebSocket(connection, dial, authority, framing, signal),
    }
  }

  /** Aborts all dials: the endpoint is closing. Sessions with redial stop when they are closed. */
  close(): void {
    for (const dial of this.#dials) dial.abort(new Error('the endpoint was closed'))
  }

  /** Reconnects a session with redial that lost its connection. */
  lost(session: SessionEngine): void {
    const target = this.#targets.get(session)
    if (target !== undefined) void runInRoot(this.#redial, this, session, target)
  }

  /** Stops reconnecting: the session is closed. */
  forget(session: SessionEngine): void {
    this.#targets.get(session)?.abort.abort()
    this.#targets.delete(session)
  }

  async #first(target: Target, timeout: number, signal: AbortSignal | undefined): Promise<SessionEngine> {
    const { hooks } = this.#sessions
    const { url, address, protocol, redial, layers } = target
    const abort = new AbortController()
    const { clock } = this.#settings
    const timer = clock.setTimeout(() => abort.abort(tooLate(url, timeout)), timeout)
    const given = { onAbort: (): void => abort.abort(signal?.reason) }
    if (signal?.aborted) given.onAbort()
    else if (signal !== undefined) whenAborted(signal, given)
    this.#dials.add(abort)
    try {
      const connection = await this.#connectWithRetry(target, abort.signal)
      if (abort.signal.aborted) {
        discardConnection(connection) // aborted at the moment when the connection was made
        throw abort.signal.reason
      }
      this.#stats.dialled++
      const { afterDial } = hooks
      const session = this.#sessions.add(connection, layers?.over(protocol) ?? protocol, authorityOf(address), afterDial !== null, redial)
      if (layers !== undefined) connection.resumeReading()
      const word = this.#firstWord(target, session)
      if (redial !== undefined) this.#targets.set(session, { ...target, redial, abort: new AbortController(), schedule: undefined })
      if (afterDial !== null) await prepare(session, this.#run.run(afterDial, session.session, false))
      if (session.state === 'closed') throw new Error('the connection was lost')
      word?.start(clock)
      return session
    } catch (error) {
      if (error instanceof StatusError) throw error // a plugin's own
      throw signal?.aborted ? new StatusError(Code.Canceled, undefined, reasonOf(signal.reason)) : dialFailure(error)
    } finally {
      clock.clearTimeout(timer)
      this.#dials.delete(abort)
      if (signal !== undefined) forgetAbort(signal, given)
    }
  }

  /** Makes the first connection. With redial, it is retried until `signal` fires. */
  async #connectWithRetry(target: Target, signal: AbortSignal): Promise<TransportConnection> {
    const { url, redial } = target
    let schedule: ReconnectSchedule | undefined
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.#connect(target, signal)
        } catch (error) {
          if (redial === undefined || attempt >= redial.times || signal.aborted) throw error
          schedule ??= this.#newSchedule(redial, url)
          await this.#waitForAttempt(schedule, signal).catch(() => {
            throw error
          })
        }
      }
    } finally {
      schedule?.end()
    }
  }

  /**
   * Reconnects a session (docs/spec/behaviour.md#reconnecting). Attempts are counted, and delays grow, until a
   * connection holds.
   */
  async #redial(session: SessionEngine, target: Lasting): Promise<void> {
    let { schedule } = target
    if (schedule === undefined || session.stable) target.schedule = schedule = this.#newSchedule(target.redial, target.url)
    else schedule.again()
    const failure = await this.#redialled(session, target, schedule)
    schedule.end()
    if (failure === undefined) return
    await runInRoot(this.#run.runAndLog<[string, Error, boolean]>, this.#run, this.#sessions.hooks.afterDialFail, target.url, failure, true)
    session.abandonReconnect(CloseReason.Io, reasonOf(failure))
  }

  /**
   * Makes attempts until the session runs again.
   *
   * @returns undefined when it runs again or is closed; otherwise why it cannot reconnect
   */
  async #redialled(session: SessionEngine, target: Lasting, schedule: ReconnectSchedule): Promise<Error | undefined> {
    const { hooks } = this.#sessions
    const { url, address, protocol, redial, abort, layers } = target
    let failure = new Error('no connection held')
    while (schedule.attempts < redial.times) {
      schedule.attempts++
      try {
        await this.#waitForAttempt(schedule, abort.signal)
        await runInRoot(this.#run.runAndLog<[string, boolean]>, this.#run, hooks.beforeDial, url, true)
        const { tracer } = this.#settings
        const connect = (): Promise<TransportConnection> => this.#connectWithin(target, abort.signal)
        const connection = await (tracer === null ? connect() : tracer.step('redial', url, connect))
        if (abort.signal.aborted) {
          // Closed at the moment when the connection was made: no session uses it.
          discardConnection(connection)
          return undefined
        }
        session.attach(this.#sessions.wrapProtocol(connection, layers?.over(protocol) ?? protocol, authorityOf(address)))
        if (layers !== undefined) connection.resumeReading()
        const word = this.#firstWord(target, session)
        this.#stats.dialled++
        await runInRoot(this.#run.run<[SessionFace, boolean]>, this.#run, hooks.afterDial, session.session, true)
        await resumeOnNewLink(session)
        if (session.reopen()) {
          word?.start(this.#settings.clock)
          this.#settings.meter?.redialled(true)
          return undefined
        }
        failure = new Error('the connection was lost')
      } catch (error) {
        failure = error instanceof Error ? error : new Error(reasonOf(error))
        session.detach()
      }
      if (abort.signal.aborted) return undefined // the session is closed
      this.#settings.meter?.redialled(false)
    }
    return failure
  }

  /**
   * Prepares the first word, which only a listener with several protocols waits for. Protocols of such a listener have
   * a `match`.
   */
  #firstWord({ protocol, layers }: Target, session: SessionEngine): FirstWord | undefined {
    return protocol.match === undefined || layers !== undefined ? undefined : new FirstWord(session)
  }

  #newSchedule(redial: Redial, url: string): ReconnectSchedule {
    const { clock } = this.#settings
    return new ReconnectSchedule(redial, url, clock.now(), clock)
  }

  /**
   * Waits for the next attempt. Other sessions that start waiting may delay it.
   *
   * @throws (rejects) when `signal` fires
   */
  async #waitForAttempt(schedule: ReconnectSchedule, signal: AbortSignal): Promise<void> {
    const { clock } = this.#settings
    for (let left: number; (left = schedule.delay(clock.now())) > 0; ) await sleep(clock, left, signal)
    signal.throwIfAborted()
  }

  /**
   * Connects within `dialTimeout`. The timer ends with the attempt, because thousands of sessions may make attempts at
   * once.
   */
  async #connectWithin(target: Target, signal: AbortSignal): Promise<TransportConnection> {
    const { clock, dialTimeout } = this.#settings
    const attempt = new AbortController()
    const timer = clock.setTimeout(() => attempt.abort(tooLate(target.url, dialTimeout)), dialTimeout)
    const onAbort = (): void => attempt.abort(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await this.#connect(target, attempt.signal)
    } finally {
      clock.clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
  }

  async #connect({ address, protocol, socket, kcp, quic, tls, layers }: Target, signal: AbortSignal): Promise<TransportConnection> {
    if (layers === undefined) return this.#connectWith(address, { socket, kcp, quic, tls, framing: framingOf(protocol) }, signal)
    const transport = layers.inJavaScript ? javaScriptTransport() : this.#transport
    const connection = await this.#connectWith(address, { socket, tls, framing: Framing.Peek }, signal, transport)
    await layers.begin(connection, authorityOf(address), layers.framing(layers.over(protocol)), signal)
    return connection
  }

  async #connectWith(
    address: Address,
    how: Pick<ConnectionOptions, 'framing' | 'socket' | 'kcp' | 'quic' | 'tls'>,
    signal: AbortSignal,
    transport = this.#transport,
  ): Promise<TransportConnection> {
    const { limits, meter } = this.#settings
    const options = { ...limits, countsBodies: meter !== null, ...how }
    const addresses = await resolveAddress(address, this.#resolver, signal)
    const dial = (candidate: Address, ends: AbortSignal): Promise<TransportConnection> => transport.dial(candidate, options, ends)
    // An address that needed no lookup is dialled directly.
    if (addresses.length === 1 && addresses[0] === address) return dial(address, signal)
    return firstToConnect(addresses, dial, this.#settings.clock, signal)
  }
}

/** Without the query of the URL, because that may have a token in it. */
function tooLate(url: string, timeout: number): Error {
  return new Error(`no connection to ${url.split('?', 1)[0]} within ${timeout} ms`)
}

function dialFailure(error: unknown): StatusError {
  return new StatusError(Code.DialFailed, statusText(Code.DialFailed), reasonOf(error), { unsent: true })
}
