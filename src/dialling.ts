import { type Address, formatAddress } from './address.ts'
import { sleep, timeoutSignal } from './clock.ts'
import { CloseReason } from './close-reason.ts'
import type { EndpointStats } from './endpoint-stats.ts'
import type { LifeHookRunner } from './life-hooks.ts'
import type { Settings } from './options.ts'
import type { Hooks } from './plugin.ts'
import type { Protocol } from './proto-table.ts'
import { Comeback, type Redial } from './redial.ts'
import { runInRoot } from './root-context.ts'
import type { Session } from './session.ts'
import type { SocketSettings } from './socket-options.ts'
import { Code, StatusError, statusText, textOf } from './status.ts'
import type { SocketWire, Transport, Wire } from './transport.ts'
import { resolveAddress } from './transports/resolve.ts'
import { framingOf } from './wires/detect.ts'

/** Where a session is dialled. */
export interface Target {
  readonly url: string
  readonly address: Address
  readonly protocol: Protocol
  readonly redial: Redial | undefined
  readonly socket: SocketSettings
}

/** What dialling needs of its endpoint. */
export interface DiallingOwner {
  readonly settings: Settings
  readonly stats: EndpointStats
  readonly hooks: Hooks
  /** A session that `target` gave a connection, among those of the endpoint. @param preparing it does not run before its hooks are done */
  addDialled(wire: SocketWire, target: Target, preparing: boolean): Session
  /** The session runs when its hooks are done; when one fails it is closed, and the error thrown on. */
  prepare(session: Session, hooks: Promise<void>): Promise<void>
  speak(wire: SocketWire, protocol: Protocol): Wire
}

/** The connections that an endpoint makes: the first of a session, and with redial all that follow. */
export class Dialling {
  readonly #owner: DiallingOwner
  readonly #transport: Transport
  readonly #run: LifeHookRunner
  readonly #dials = new Set<AbortController>()
  /** Of sessions with redial. */
  readonly #targets = new Map<Session, Target & { abort: AbortController }>()

  constructor(owner: DiallingOwner, transport: Transport, run: LifeHookRunner) {
    this.#owner = owner
    this.#transport = transport
    this.#run = run
  }

  /**
   * @param timeout milliseconds
   * @throws StatusError (rejects) 105 with the last system error as cause, what a plugin refuses with, 499 when `signal` fires
   */
  async dial(target: Target, timeout: number, signal: AbortSignal | undefined): Promise<Session> {
    const { hooks } = this.#owner
    try {
      await this.#run.all(hooks.beforeDial, target.url, false)
    } catch (error) {
      throw error instanceof StatusError ? error : dialFailure(error)
    }
    try {
      return await this.#first(target, timeout, signal)
    } catch (error) {
      await this.#run.watched(hooks.afterDialFail, target.url, error as Error, false)
      throw error
    }
  }

  /** The endpoint closes: nothing is dialled any more. Sessions with redial stop when they are closed. */
  close(): void {
    for (const dial of this.#dials) dial.abort(new Error('the endpoint was closed'))
  }

  /** The connection of a session with redial is lost. */
  lost(session: Session): void {
    const target = this.#targets.get(session)
    if (target !== undefined) void runInRoot(this.#redial, this, session, target)
  }

  /** The session is closed. */
  forget(session: Session): void {
    this.#targets.get(session)?.abort.abort()
    this.#targets.delete(session)
  }

  async #first(target: Target, timeout: number, signal: AbortSignal | undefined): Promise<Session> {
    const { settings, stats, hooks } = this.#owner
    const { url, redial } = target
    const abort = new AbortController()
    const { clock } = settings
    const timer = clock.setTimeout(() => abort.abort(new Error(`no connection to ${url} within ${timeout} ms`)), timeout)
    const onAbort = (): void => abort.abort(signal?.reason)
    if (signal?.aborted) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#dials.add(abort)
    try {
      const wire = await this.#connectSoon(target, abort.signal)
      stats.dialled++
      const { afterDial } = hooks
      const session = this.#owner.addDialled(wire, target, afterDial !== null)
      if (redial !== undefined) this.#targets.set(session, { ...target, abort: new AbortController() })
      if (afterDial !== null) await this.#owner.prepare(session, this.#run.all(afterDial, session, false))
      if (session.state === 'closed') throw new Error('the connection was lost')
      return session
    } catch (error) {
      if (error instanceof StatusError) throw error // a plugin's own
      throw signal?.aborted ? new StatusError(Code.Canceled, undefined, textOf(error)) : dialFailure(error)
    } finally {
      clock.clearTimeout(timer)
      this.#dials.delete(abort)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** With redial the first connection is tried for as long as `signal` allows. */
  async #connectSoon(target: Target, signal: AbortSignal): Promise<SocketWire> {
    const { url, redial } = target
    let comeback: Comeback | undefined
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.#connect(target, signal)
        } catch (error) {
          if (redial === undefined || attempt >= redial.times || signal.aborted) throw error
          comeback ??= this.#comeback(redial, url)
          await this.#comesBack(comeback, signal).catch(() => {
            throw error
          })
        }
      }
    } finally {
      comeback?.end()
    }
  }

  /** Makes the connection of a session anew (spec/behaviour.md §1.4); counts attempts afresh after each loss. */
  async #redial(session: Session, target: Target & { abort: AbortController }): Promise<void> {
    const comeback = this.#comeback(target.redial as Redial, target.url)
    const failure = await this.#redialled(session, target, comeback)
    comeback.end()
    if (failure === undefined) return
    await runInRoot(this.#run.watched<[string, Error, boolean]>, this.#run, this.#owner.hooks.afterDialFail, target.url, failure, true)
    session.giveUp(CloseReason.Io, failure.message)
  }

  /** Undefined when it runs again, or is closed; else why it never will. */
  async #redialled(session: Session, target: Target & { abort: AbortController }, comeback: Comeback): Promise<Error | undefined> {
    const { settings, stats, hooks } = this.#owner
    const { url, protocol, redial, abort } = target
    let failure = new Error('no attempt was made')
    for (let attempt = 0; attempt < (redial as Redial).times; attempt++) {
      try {
        await this.#comesBack(comeback, abort.signal)
        await runInRoot(this.#run.watched<[string, boolean]>, this.#run, hooks.beforeDial, url, true)
        const signal = AbortSignal.any([abort.signal, timeoutSignal(settings.clock, settings.dialTimeout)])
        const wire = await this.#connect(target, signal)
        if (abort.signal.aborted) {
          // Closed in the moment that the connection came: nobody else would let go of it.
          ignoreWire(wire)
          return undefined
        }
        session.attach(this.#owner.speak(wire, protocol))
        stats.dialled++
        await runInRoot(this.#run.all<[Session, boolean]>, this.#run, hooks.afterDial, session, true)
        await session.resume()
        if (session.reopen()) return undefined
        failure = new Error('the connection was lost')
      } catch (error) {
        failure = error instanceof Error ? error : new Error(textOf(error))
        session.detach()
      }
      if (abort.signal.aborted) return undefined // the session is closed
    }
    return failure
  }

  #comeback(redial: Redial, url: string): Comeback {
    const { clock } = this.#owner.settings
    return new Comeback(redial, url, clock.now(), clock)
  }

  /** Until the time of the next attempt, which others that wait may put off. Rejects when `signal` fires. */
  async #comesBack(comeback: Comeback, signal: AbortSignal): Promise<void> {
    const { clock } = this.#owner.settings
    for (let left: number; (left = comeback.delay(clock.now())) > 0; ) await sleep(clock, left, signal)
    signal.throwIfAborted()
  }

  async #connect({ address, protocol, socket }: Target, signal: AbortSignal): Promise<SocketWire> {
    const options = { ...this.#owner.settings.limits, framing: framingOf(protocol), socket }
    let failure: unknown = new Error(`${formatAddress(address)} has no address`)
    for (const candidate of await resolveAddress(address, this.#transport)) {
      try {
        return await this.#transport.dial(candidate, options, signal)
      } catch (error) {
        failure = error
        if (signal.aborted) break
      }
    }
    throw failure
  }
}

function dialFailure(error: unknown): StatusError {
  return new StatusError(Code.DialFailed, statusText(Code.DialFailed), textOf(error))
}

/** Closes a connection that no session gets. */
export function ignoreWire(wire: Wire, reason: CloseReason = CloseReason.Local): void {
  wire.sink = { onMessage: () => {}, onClose: () => {} }
  wire.destroy(reason)
}
