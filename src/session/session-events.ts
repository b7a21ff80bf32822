import type { StatusError } from '../base/errors/status.ts'
import type { Gap } from './resume-state.ts'

export interface SessionEvents {
  /**
   * The peer is about to close, and said so (`docs/extensions.md`), or a session with redial reached its age: open calls are still answered,
   * requests of the peer still served. New calls and pushes wait for another connection within their deadline, or fail with 503 and a `retryAfter`
   * where there is no redial. Then comes `redialing` or `close`. A Go peer never says so.
   */
  draining: []
  /** The connection is lost, and will be made anew. Open calls have failed with 102. */
  redialing: [reason: StatusError]
  /** It is there again. */
  redialed: []
  /** The peer of an accepted session lost its connection, and may come back within `limits.resumeTimeout`. */
  disconnected: [reason: StatusError]
  /** It did. */
  resumed: []
  /** PUSHes were lost with a connection, or may have been. */
  gap: [gap: Gap]
  /** The session is gone. The error says why, and is undefined when this side closed it without a cause. */
  close: [reason: StatusError | undefined]
}
