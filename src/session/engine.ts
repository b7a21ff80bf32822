import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { CloseReason, closeReasonText, isViolation } from '../message/close-reason.ts'
import type { Connection } from '../transports/transport.ts'
import { EarlyPhase } from './early-phase.ts'
import type { PeerLink } from './peer-link.ts'
import type { InboundHandler, SessionFace } from './session-owner.ts'
import { SessionParts } from './session-parts.ts'

/** Cause of a session that was closed, or reconnects, because of its age. */
const AGE_PASSED = 'the session reached its age'
const ignore = (): void => {}

/** The life of a session: connections begin, end and are replaced here, and only here does the state change. */
export class SessionEngine extends SessionParts<SessionEngine> {
  /** While redialing: whether the connection of an attempt is open. */
  #attached = false
  #closed: Promise<void> | undefined = undefined
  #onClosed: (() => void) | undefined = undefined
  /** Cause given by this side for closing the session; undefined for none. */
  #cause: string | undefined = undefined

  protected override get self(): this {
    return this
  }

  /** Starts the session on its first connection. */
  start(connection: Connection, handler: InboundHandler, session: SessionFace): void {
    this.handler = handler
    this.session = session
    this.link = this.newLink(connection)
    if (this.state === 'preparing') this.link.early = new EarlyPhase(this.link, this.settings)
    else this.restartAge()
    if (this.extensible && this.redial?.resume === true) this.openResume()
    connection.handler = handler
  }

  /** Runs the session: the hooks about the new connection are done. */
  begin(): void {
    const { early } = this.link
    if (early === undefined || this.state !== 'preparing') return
    this.machine.to('open')
    this.link.early = undefined
    this.restartAge()
    this.handler.deliverEarly(early)
  }

  /** Closes the session, because a hook refused the new connection. What the hook sent is written first. */
  refuse(): void {
    if (this.state !== 'preparing') return
    this.machine.to('closing')
    this.#endEarly('the session is refused')
    this.link.connection.end()
  }

  #endEarly(cause: string): void {
    this.link.early?.fail(cause)
    this.link.early = undefined
  }

  protected override onAge(): void {
    // While redialing or draining, the next connection gets a lifetime of its own.
    if (this.state !== 'open' && this.state !== 'preparing') return
    this.#cause ??= AGE_PASSED
    this.link.answered = true
    if (this.redial === undefined || this.state !== 'open') void this.close(this.settings.closeTimeout, 0)
    else void this.#rotateConnection()
  }

  /** Reconnects because of age. Running calls finish on this connection; calls made meanwhile use the next one. */
  async #rotateConnection(): Promise<void> {
    this.machine.to('draining')
    this.emitSafely('draining')
    const idle = this.openDraining().untilIdle(this.settings.closeTimeout)
    if (idle !== undefined) await idle
    if (this.state !== 'draining') return // lost, or closed
    this.link.filters.drop()
    this.link.connection.end()
  }

  /**
   * Closes gracefully.
   *
   * @param timeout milliseconds to wait for what runs
   * @param linger milliseconds to wait for a peer that has not announced itself, so that it can be notified
   */
  close(timeout: number, linger: number): Promise<void> {
    this.#closed ??= this.#close(timeout, linger)
    return this.#closed
  }

  async #close(timeout: number, linger: number): Promise<void> {
    if (this.machine.rules.reconnects) this.abandonReconnect(CloseReason.Local, '')
    if (this.state === 'draining') {
      if (this.#cause === AGE_PASSED) this.#cause = undefined
      this.draining?.stopWaiting()
    }
    if (this.state === 'closed') return
    if (this.state !== 'closing') this.machine.to('closing')
    this.calls.failOffline(new StatusError(Code.ConnectionClosed))
    const closed = new Promise<void>((resolve) => {
      this.#onClosed = resolve
    })
    await undefined // a handler that closes its own session must still be answered
    const idle = this.openDraining().finish(timeout, linger)
    if (idle !== undefined) await idle
    this.link.filters.drop()
    this.link.connection.end() // a no-op when the peer was faster
    await closed
  }

  destroy(cause?: string): void {
    if (this.state === 'closed') return
    if (this.#cause === AGE_PASSED) this.#cause = undefined
    this.#cause ??= cause
    if (this.machine.rules.reconnects) this.abandonReconnect(CloseReason.Local, '')
    else this.link.connection.destroy(CloseReason.Local)
  }

  /** Handles the loss of the link's connection. */
  onDisconnect(reason: number, detail: string): void {
    if (this.state === 'redialing') {
      // The connection of a reconnect attempt was lost.
      this.link.early?.fail(closeReasonText[reason])
      this.#attached = false
      return
    }
    const { resume, draining } = this
    const lost = this.machine.rules.survives && (reason !== CloseReason.Local || this.#cause !== undefined)
    if (lost && this.redial !== undefined) {
      // Messages that the peer sent after its notice may be lost.
      if (reason !== CloseReason.Peer && draining !== undefined) draining.peerDraining = false
      this.#attached = false
      if (this.suspend('redialing', reason, detail)) this.endpoint.onSessionLost(this)
    } else if (lost && resume?.tokenSent === true && draining?.peerDraining !== true && reason <= CloseReason.WriteTimeout) {
      this.suspend('disconnected', reason, detail, () => {
        resume.awaitPeer()
        this.endpoint.onSessionDisconnected(this)
      })
    } else {
      this.#finishClose(reason, this.#dropConnection('closed', reason, detail))
    }
  }

  /**
   * Suspends the session until it has another connection. Idempotent calls are queued before all others.
   *
   * @param then runs before the event
   * @returns false when a listener closed the session
   */
  suspend(state: 'redialing' | 'disconnected', reason: number, detail: string, then: () => void = ignore): boolean {
    const error = this.#dropConnection(state, reason, detail)
    if (this.state !== state) return false
    const calls = this.calls.open.takeAll()
    this.#cause = undefined
    this.resume?.lost(this.draining?.peerDraining === true)
    for (const call of calls) {
      this.wheel.remove(call)
      call.retry(this.wheel.now())
    }
    then()
    this.emitSafely(state, error)
    return this.state === state
  }

  /**
   * Ends what belongs to the lost connection.
   *
   * @returns the error for open calls and the event
   */
  #dropConnection(next: 'redialing' | 'disconnected' | 'closed', reason: number, detail: string): StatusError {
    // Changed first, because a listener or caller that learns of the loss may close the session.
    this.machine.to(next)
    this.ageTimer?.stop()
    this.#endEarly(closeReasonText[reason])
    this.draining?.stop()
    this.link.filters.drop()
    this.handler.stop()
    this.requests.releaseHeld()
    const cause = reason === CloseReason.Local ? this.#cause : undefined
    const text = cause ?? (detail === '' ? closeReasonText[reason] : `${closeReasonText[reason]}: ${detail}`)
    if (isViolation(reason) || (cause !== undefined && cause !== AGE_PASSED))
      this.settings.log.warn('session closed', { remote: this.remoteAddress, reason: text })
    const error = new StatusError(Code.ConnectionClosed, statusText(Code.ConnectionClosed), text, { stack: false })
    const goesOn = next !== 'closed'
    this.calls.open.failAll(error, goesOn)
    this.requests.abortAll(error, (seq) => goesOn && this.resume?.running(seq) !== undefined)
    return error
  }

  /** Uses the connection of a reconnect attempt while hooks decide about it. */
  attach(connection: Connection): void {
    this.#attached = true
    this.link = this.newLink(connection)
    this.link.early = new EarlyPhase(this.link, this.settings)
    this.currentSocket?.move(connection)
    this.draining?.resetPeerState()
    this.requests.forgetCanceled()
    if (!this.ownId) {
      const id = this.endpoint.freeId(connection.localAddress)
      this.endpoint.renameSession(this, id)
      this.currentId = id
    }
    connection.handler = this.handler
  }

  /**
   * Drops the connection given to `attach`: a hook or the resume handshake rejected it. The session stays `redialing`.
   */
  detach(): void {
    if (this.state !== 'redialing') return
    this.#endEarly('the connection was rejected')
    if (!this.#attached) return
    this.#attached = false
    this.link.silence()
    this.link.connection.end()
  }

  /**
   * Runs the session again on the attached connection.
   *
   * @returns false when that connection is lost
   */
  reopen(): boolean {
    const { early } = this.link
    if (this.state !== 'redialing' || !this.#attached || early === undefined) return false
    this.machine.to('open')
    this.link.early = undefined
    this.restartAge()
    this.resend()
    this.handler.deliverEarly(early)
    this.emitSafely('redialed')
    return true
  }

  /** Resumes this session on the link of another one. */
  adopt(link: PeerLink): void {
    this.link = link
    link.moveTo(this.handler)
    this.currentSocket?.move(link.connection)
    this.draining?.resetPeerState()
    this.machine.to('open')
  }

  /** Ends this session, whose link `successor` uses now. */
  handOver(successor: SessionEngine): void {
    this.successor = successor
    this.machine.to('closed')
    this.requests.releaseHeld()
    this.endpoint.onSessionClosed(this, CloseReason.Local)
    this.resume?.end()
    this.resume = undefined
    const error = new StatusError(Code.ConnectionClosed, undefined, 'another session resumed on its connection', { stack: false })
    this.calls.open.failAll(error)
    this.requests.abortAll(error, () => false)
    this.emitSafely('close', undefined)
  }

  /** Sends unacknowledged pushes again, then queued calls, before anything new. */
  resend(): void {
    this.resume?.resendPushes()
    this.calls.runOffline()
  }

  abandonReconnect(reason: number, detail: string): void {
    if (!this.machine.rules.reconnects) return
    this.detach()
    this.#finishClose(reason, this.#dropConnection('closed', reason, detail))
  }

  #finishClose(reason: number, error: StatusError): void {
    this.resume?.stop()
    this.calls.failOffline(error)
    this.draining?.stopWaiting()
    this.#onClosed?.()
    this.endpoint.onSessionClosed(this, reason)
    this.emitSafely('close', reason === CloseReason.Local && this.#cause === undefined ? undefined : error)
  }
}
