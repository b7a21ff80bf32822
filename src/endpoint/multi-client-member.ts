import type { Session } from '../session/session.ts'
import { Worker } from './least-busy.ts'

/** A session of the client. Its load is the number of calls without a reply yet. */
export class Member extends Worker {
  readonly session: Session
  /** Time when its last call ended, by the endpoint's clock. */
  idleSince: number

  constructor(session: Session, now: number) {
    super()
    this.session = session
    this.idleSince = now
  }
}
