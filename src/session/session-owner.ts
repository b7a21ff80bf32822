import type { EventEmitter } from 'node:events'
import type { TimerWheel } from '../base/time/timer-wheel.ts'
import type { MessageHooks } from '../hooks/hooks.ts'
import type { CtxSession, EarlySession } from '../hooks/session-views.ts'
import type { Incoming } from '../message/message.ts'
import type { EarlyPhase } from './early-phase.ts'
import type { Settings } from './options.ts'
import type { LinkHandler } from './peer-link.ts'
import type { Redial } from './redial.ts'
import type { SessionEvents } from './session-events.ts'

/** What a session needs from the endpoint it belongs to. */
export interface SessionOwner<Engine> {
  readonly settings: Settings
  readonly hooks: MessageHooks
  readonly wheel: TimerWheel
  /** A CALL or PUSH arrived. `message` is borrowed. */
  onRequest(session: Engine, message: Incoming): void
  onSessionClosed(session: Engine, reason: number): void
  /** The connection of a session with redial is lost. */
  onSessionLost(session: Engine): void
  /** The connection of an accepted session is lost, which its peer may resume. */
  onSessionAway(session: Engine): void
  /** Its peer has resumed it. */
  onSessionBack(session: Engine): void
  /** Gives a session a token by which its peer can resume it. */
  issueToken(session: Engine): string
  /** The session with this token, when it may go on; undefined when it is not known any more. */
  findSession(token: string): Engine | undefined
  /** The peer sent more than it may: it is not read for a while. */
  onSessionSlowed(session: Engine): void
  /** Requests that wait may perhaps be started. */
  onSessionRoom(session: Engine): void
  /** An id that no session has, best `address`. */
  freeId(address: string): string
  renameSession(session: Engine, id: string): void
}

/** What comes on the connections of a session, until `stop`. */
export interface InboundHandler extends LinkHandler {
  /** The session runs: what came before goes the way of all messages. */
  deliverEarly(early: EarlyPhase): void
  /** The connection is gone: what limits its speed ends with it. */
  stop(): void
}

/** A session as its users see it. */
export type SessionFace = CtxSession & EarlySession & EventEmitter<SessionEvents>

/** What a session is made with. */
export interface NewSession {
  readonly id: string
  /** Name of the protocol it speaks. */
  readonly protocol: string
  /** Its protocol carries meta, and pushes both ways. */
  readonly extensible: boolean
  /** It does not run until `begin`. */
  readonly preparing: boolean
  readonly redial: Redial | undefined
}
