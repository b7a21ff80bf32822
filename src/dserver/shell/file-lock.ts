import { spawnSync } from 'node:child_process'

/**
 * Tries to lock an open file for this process, by flock(2): the lock belongs to the open file description, so it ends
 * when the last process that has the descriptor closes it or dies, however it dies.
 *
 * @returns whether the lock was taken; false when another process has it
 * @throws Error when the system cannot lock
 */
export function tryLock(descriptor: number): boolean {
  // The command locks the description it inherits, which stays locked after the command has ended.
  const { status, error, stderr } = spawnSync('flock', ['-n', '3'], { stdio: ['ignore', 'ignore', 'pipe', descriptor] })
  if (status === 0) return true
  if (status === 1) return false
  throw new Error(`cannot lock: ${error?.message ?? String(stderr).trim()}`)
}
