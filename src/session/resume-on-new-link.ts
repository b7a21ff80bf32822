import type { SessionEngine } from './engine.ts'

/** Dialling side: requests that the peer of the new connection resumes this session (docs/resume.md). */
export async function resumeOnNewLink(session: SessionEngine): Promise<void> {
  const { resume, link } = session
  const { extensions } = link
  if (resume === undefined || extensions === undefined) return
  if (resume.token === undefined) {
    resume.startFresh(undefined)
    return
  }
  const early = session.requireEarly()
  link.announcing = false // the resume request announces this side
  await resume.requestResume(extensions, early)
}
