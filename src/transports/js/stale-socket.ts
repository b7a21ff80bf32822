import { lstat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'

/**
 * Removes the file of a Unix socket whose process is gone, so that its path can be listened on again. Returns false, and
 * removes nothing, when somebody answers there, when that cannot be told, or when the file is not a socket.
 */
export async function removeStaleSocket(path: string): Promise<boolean> {
  const file = await lstat(path).catch(() => undefined)
  if (file === undefined || !file.isSocket() || !(await refuses(path))) return false
  await unlink(path).catch(() => {})
  return true
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
