import { readFileSync, readSync } from 'node:fs'
import { lockFile } from '../os/files.ts'

/**
 * Tries to lock an open file for this process, by flock(2): the lock belongs to the open file description, so it ends
 * when the last process that has the descriptor closes it or dies, however it dies.
 *
 * @param descriptor of a file that says, if anything, the pid of who has it: where the system cannot lock, that counts
 * @returns whether the lock was taken; false when another process has it
 * @throws Error of the system
 */
export function tryLock(descriptor: number): boolean {
  try {
    return lockFile(descriptor)
  } catch (error) {
    // Neither the native addon nor the program `flock` is there.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return !isAlive(pidIn(descriptor))
    throw error
  }
}

/** The pid at the begin of an open file; 0 when there is none. */
export function pidIn(descriptor: number): number {
  const buffer = Buffer.alloc(16)
  const pid = Number(buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, 16, 0)))
  return Number.isInteger(pid) && pid > 0 ? pid : 0
}

/** Whether there is such a process other than this one. A zombie has ended, though it can still be signalled. */
export function isAlive(pid: number): boolean {
  if (pid === 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat[stat.lastIndexOf(')') + 2] !== 'Z'
  } catch {
    return process.platform !== 'linux'
  }
}
