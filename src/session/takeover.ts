import { ANNOUNCEMENT_KEY } from '../message/announcement.ts'
import { CloseReason } from '../message/close-reason.ts'
import type { Incoming } from '../message/message.ts'
import { Reserved } from '../message/names.ts'
import type { SessionEngine } from './engine.ts'
import { fieldsOf, type PeerExtensions, readBody } from './peer-extensions.ts'
import { readMeta } from './read-message.ts'
import type { ResumeProtocol } from './resume-protocol.ts'

/** Dialling side: asks the peer of the new connection to go on with this session (docs/resume.md). */
export async function resumeOnNewLink(session: SessionEngine): Promise<void> {
  const { resume, link } = session
  const { extensions } = link
  if (resume === undefined || extensions === undefined) return
  if (resume.token === undefined) {
    resume.startFresh(undefined)
    return
  }
  const early = session.requireEarly()
  link.announcing = false // the question does
  await resume.requestResume(extensions, early)
}

/**
 * A CALL to `/dmicro/resume`: the peer asks for a token of this session, or goes on with another one on this connection.
 *
 * @returns false when the message is not for us
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

/** `session` goes on with the connection of `other`, which ends. False when a listener closed it. */
function takeOver(session: SessionEngine, other: SessionEngine, seq: number, fields: Readonly<Record<string, unknown>>): boolean {
  const resume = session.resume as ResumeProtocol
  if (session.state !== 'disconnected') {
    // Its old connection is dead, which only the peer knows yet.
    session.link.silence()
    session.link.connection.destroy(CloseReason.Local)
    if (!session.suspend('disconnected', CloseReason.Peer, 'it came back on another connection')) return false
  }
  resume.stop()
  session.endpoint.onSessionBack(session)
  const { link } = other
  link.announcing = false
  session.requests.inheritDrain(other.requests)
  // Replies to what the other one asked still come: no number of ours may be one of theirs.
  session.calls.open.skipTo(other.lastSeq)
  session.adopt(link)
  other.handOver(session)
  const gap = resume.acceptResume(seq, fields)
  session.resend()
  resume.reportGap(gap)
  session.emitSafely('resumed')
  return true
}
