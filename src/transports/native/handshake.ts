import type { PeerCertificate } from 'node:tls'
import { runInRoot } from '../../base/async/root-context.ts'
import { type ClockTimer, realClock } from '../../base/time/clock.ts'
import { CloseReason } from '../../message/close-reason.ts'
import type { TlsTarget } from '../tls/client-tls.ts'
import type { HelloAnswer, ServerTls } from '../tls/server-tls.ts'
import { CONNECTION_LOST, HANDSHAKE_TIMED_OUT, handshakeError, REFUSED, type TlsFacts } from '../tls/tls-facts.ts'
import type { HandshakeGate } from '../transport.ts'
import { readFacts, readHello, TlsEvent } from './tls-events.ts'

/** The connection of a handshake, and the calls it makes to the core. */
export interface HandshakeConnection {
  /** Answers the client's hello. */
  answer(refuse: boolean, answer: HelloAnswer | undefined): void
  destroy(reason: number): void
}

/** A handshake that runs: gets the events of the connection instead of a `ConnectionHandler`. */
export interface Handshake {
  onEvent(kind: number, payload: Buffer): void
  /** @param detail text of the error; '' for none */
  onClosed(detail: string): void
}

/** The handshake of an accepted connection. */
export class ServerHandshake implements Handshake {
  readonly #tls: ServerTls
  readonly #gate: HandshakeGate | undefined
  readonly #remote: string
  readonly #core: HandshakeConnection
  readonly #onSecure: (facts: TlsFacts) => void
  readonly #timer: ClockTimer
  #failure = ''

  constructor(
    tls: ServerTls,
    gate: HandshakeGate | undefined,
    remote: string,
    core: HandshakeConnection,
    onSecure: (facts: TlsFacts) => void,
  ) {
    this.#tls = tls
    this.#gate = gate
    this.#remote = remote
    this.#core = core
    this.#onSecure = onSecure
    this.#timer = realClock.setTimeout(() => this.#fail(HANDSHAKE_TIMED_OUT), tls.handshakeTimeout)
    this.#timer.unref()
  }

  onEvent(kind: number, payload: Buffer): void {
    if (kind === TlsEvent.Secure) {
      realClock.clearTimeout(this.#timer)
      if (this.#failure === '') this.#onSecure(readFacts(payload))
    } else if (kind === TlsEvent.Hello) {
      const { choose } = this.#tls
      runInRoot(choose, this.#tls, readHello(payload), (error, answer) => {
        if (error !== undefined) this.#failure ||= REFUSED
        this.#core.answer(error !== undefined, answer)
      })
    }
  }

  onClosed(detail: string): void {
    realClock.clearTimeout(this.#timer)
    this.#gate?.fail(this.#remote, this.#failure || detail || CONNECTION_LOST)
  }

  #fail(failure: string): void {
    this.#failure = failure
    this.#core.destroy(CloseReason.Local)
  }
}

/** The handshake of a connection that was dialled. */
export class ClientHandshake implements Handshake {
  readonly #target: TlsTarget
  readonly #core: HandshakeConnection
  readonly #settle: (error: Error | undefined, facts?: TlsFacts) => void
  #error: Error | undefined

  /** @param settle called once: with an error when the connection is closed, or with what the handshake brought */
  constructor(target: TlsTarget, core: HandshakeConnection, settle: (error: Error | undefined, facts?: TlsFacts) => void) {
    this.#target = target
    this.#core = core
    this.#settle = settle
  }

  onEvent(kind: number, payload: Buffer): void {
    if (kind !== TlsEvent.Secure) return
    const facts = readFacts(payload)
    const refused = this.#check(facts)
    if (refused === undefined) {
      this.#settle(undefined, facts)
      return
    }
    this.#error = handshakeError(refused.message, (refused as NodeJS.ErrnoException).code)
    this.#core.destroy(CloseReason.Local)
  }

  onClosed(detail: string): void {
    this.#settle(this.#error ?? handshakeError(detail || CONNECTION_LOST))
  }

  /** Why the server is not the one that was dialled. The core also keeps sessions of servers that are refused here. */
  #check({ peerCertificate }: TlsFacts): Error | undefined {
    const { tls, host } = this.#target
    if (!tls.rejectUnauthorized) return undefined
    if (peerCertificate === undefined) return new Error('the server has no certificate')
    return tls.check(host, peerCertificate.toLegacyObject() as unknown as PeerCertificate)
  }
}
