import { realClock, turn } from '../../base/time/clock.ts'
import { sleep } from '../../base/time/sleep.ts'
import type { OpenSocket } from '../../transports/handover/sockets.ts'

/** Milliseconds in which connections that a process has accepted bring their first message. */
const FIRST_MESSAGE_MS = 5000

/**
 * Leaves listening sockets to another process, which accepts on them, and waits until this one may drain: short
 * connections end by themselves, and who has connected gets an answer, or is known and can be notified.
 *
 * @param grace milliseconds for short connections
 * @param most milliseconds for all besides
 */
export async function releaseSockets(sockets: readonly OpenSocket[], grace: number, most: number): Promise<void> {
  await Promise.all(sockets.map((socket) => socket.release()))
  await sleep(realClock, grace)
  await turn() // requests that have come are read first, however long the event loop was held up
  const owners = new Set(sockets.map(({ owner }) => owner))
  await Promise.all([...owners].map((owner) => owner.hear?.(Math.min(FIRST_MESSAGE_MS, most))))
}
