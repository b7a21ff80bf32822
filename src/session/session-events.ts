import type { StatusError } from '../base/errors/status.ts'
import type { Gap } from './resume-state.ts'

/** Events of a session, with the arguments of their listeners. */
export interface SessionEvents {
  /**
   * The session makes no new calls on its connection: the peer announced that it will close (docs/extensions.md; a Go
   * peer never does), or a session with redial reached its age.
   *
   * Open calls are still answered, and requests of the peer are still served. New calls and pushes wait for the next
   * connection within their deadline; without redial they fail with 503 and a `retryAfter`. The event `redialing` or
   * `close` follows.
   */
  draining: []
  /**
   * The connection is lost, and this side reconnects. Open calls have failed with 102, except those that are retried
   * after a resume.
   */
  redialing: [reason: StatusError]
  /** This side has reconnected: the session runs again. */
  redialed: []
  /**
   * The peer of an accepted session lost its connection. The peer may resume the session within `limits.resumeTimeout`.
   */
  disconnected: [reason: StatusError]
  /** The peer has reconnected and resumed this session. */
  resumed: []
  /** Pushes were lost with a connection, or may have been. */
  gap: [gap: Gap]
  /**
   * The session is closed for good. The error is the cause; undefined when this side closed the session without one.
   */
  close: [reason: StatusError | undefined]
}
