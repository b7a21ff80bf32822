import { type BigIntStats, lstatSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { realClock } from '../../base/time/clock.ts'
import { sleep } from '../../base/time/sleep.ts'

/** Milliseconds after which a file without listener is checked again. */
const PAUSE = 50

/**
 * Removes the file of a Unix socket whose process is gone, so that its path can be listened on again.
 * @returns false, and removes nothing, when a process listens there, when that cannot be found out, or when the file is
 *   not a socket
 */
export async function removeStaleSocket(path: string): Promise<boolean> {
  const file = look(path)
  if (file === undefined || !file.isSocket() || !(await refuses(path))) return false
  // Another process may have bound the file just now, and listen next.
  await sleep(realClock, PAUSE)
  if (!(await refuses(path))) return false
  // Processes that start at the same time do the same: another one may have replaced the file since, and listen on it.
  const now = look(path)
  if (now === undefined || now.ino !== file.ino || now.mtimeNs !== file.mtimeNs) return false
  try {
    unlinkSync(path)
  } catch {
    return false
  }
  return true
}

function look(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true })
  } catch {
    return undefined
  }
}

function refuses(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
}
