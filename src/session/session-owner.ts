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

/** The endpoint of a session, as the session sees it. */
export interface SessionOwner<Engine> {
  readonly settings: Settings
  readonly hooks: MessageHooks
  readonly wheel: TimerWheel
  /**
   * Handles a received CALL or PUSH.
   *
   * @param message borrowed during the call
   */
  onRequest(session: Engine, message: Incoming): void
  /** Handles the end of a session. */
  onSessionClosed(session: Engine, reason: number): void
  /** Handles the loss of the connection of a session with redial. */
  onSessionLost(session: Engine): void
  /** Handles the loss of the connection of an accepted session that its peer may resume. */
  onSessionDisconnected(session: Engine): void
  /** Handles the resume of a session by its peer. */
  onSessionResumed(session: Engine): void
  /** Makes a token with which the peer of a session can resume it. */
  issueToken(session: Engine): string
  /** Finds the session with this token; undefined when it is unknown or cannot be resumed any more. */
  findSession(token: string): Engine | undefined
  /** Notes that a session is throttled, because the peer sent more than it may. */
  onSessionThrottled(session: Engine): void
  /** Starts held requests of a session if it is possible now. */
  onSessionRoom(session: Engine): void
  /** Finds an id that no session has: `address`, or one like it. */
  freeId(address: string): string
  /** Changes the id of a session. */
  renameSession(session: Engine, id: string): void
}

/** Handles what is received on the connections of a session. */
export interface InboundHandler extends LinkHandler {
  /** Delivers the messages of the early phase: the session runs. */
  deliverEarly(early: EarlyPhase): void
  /** Stops throttling: the connection is lost. */
  stop(): void
}

/** The public face of a session. */
export type SessionFace = CtxSession & EarlySession & EventEmitter<SessionEvents>

/** Parameters of a new session. */
export interface NewSession {
  readonly id: string
  /** Name of the protocol. */
  readonly protocol: string
  /** Whether the protocol carries meta, and pushes in both directions. */
  readonly extensible: boolean
  /** Whether the session does not run until `begin`. */
  readonly preparing: boolean
  readonly redial: Redial | undefined
}
