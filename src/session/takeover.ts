import { ANNOUNCEMENT_KEY } from '../message/announcement.ts'
import { CloseReason } from '../message/close-reason.ts'
import type { Incoming } from '../message/message.ts'
import { Reserved } from '../message/names.ts'
import type { SessionEngine } from './engine.ts'
import { fieldsOf, type PeerExtensions, readBody } from './peer-extensions.ts'
import { readMeta } from './read-message.ts'
import type { ResumeProtocol } from './resume-protocol.ts'

/**
 * Accepting side: handles a CALL to `/dmicro/resume`. The peer requests a token for this session, or resumes another
 * session on this connection.
 *
 * @returns false when the message is no resume request
 */
export function answerResumeCall(session: SessionEngine, extensions: PeerExtensions, message: Incoming): boolean {
  const meta = readMeta(message, session.link, session.settings.limits)
  if (meta === undefined) return true
  const announced = meta[ANNOUNCEMENT_KEY]
  if (announced !== undefined) extensions.onAnnouncement(announced, message.seq)
  if (!extensions.supported || message.route !== Reserved.Resume || session.state !== 'open' || session.redial !== undefined) return false
  const fields = fieldsOf(readBody(message))
  const known = typeof fields.token === 'string' ? session.endpoint.findSession(fields.token) : undefined
  const resumes = known !== undefined && known !== session && known.protocol === session.protocol
  if (resumes && takeOver(known, session, message.seq, fields)) return true
  const resume = session.idempotency()
  resume.grantToken(resume.token ?? session.endpoint.issueToken(session), message.seq, fields.sent)
  return true
}

/**
 * Resumes `session` on the connection of `other`, which ends.
 *
 * @returns false when a listener closed it
 */
function takeOver(session: SessionEngine, other: SessionEngine, seq: number, fields: Readonly<Record<string, unknown>>): boolean {
  const resume = session.resume as ResumeProtocol
  if (session.state !== 'disconnected') {
    // The old connection is dead, but only the peer has noticed so far.
    session.link.silence()
    session.link.connection.destroy(CloseReason.Local)
    if (!session.suspend('disconnected', CloseReason.Peer, 'the peer resumed on another connection')) return false
  }
  resume.stop()
  session.endpoint.onSessionResumed(session)
  const { link } = other
  link.announcing = false
  session.requests.inheritDrain(other.requests)
  // The peer still answers calls of the other session, so our numbers must not repeat its numbers.
  session.calls.open.skipTo(other.lastSeq)
  session.adopt(link)
  other.handOver(session)
  const gap = resume.acceptResume(seq, fields)
  session.resend()
  resume.reportGap(gap)
  session.emitSafely('resumed')
  return true
}
