import type { SessionEngine } from '../session/engine.ts'

/**
 * Runs the session when its hooks are done. When one fails, the session is closed.
 *
 * @throws (rejects) what a hook fails with
 */
export async function prepare(session: SessionEngine, hooks: Promise<void>): Promise<void> {
  try {
    await hooks
  } catch (error) {
    session.refuse()
    throw error
  }
  session.begin()
}
