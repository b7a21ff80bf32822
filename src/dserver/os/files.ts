import { spawnSync } from 'node:child_process'
import { getSystemErrorName } from 'node:util'
import { osAddon } from './native.ts'

/** Status of flock(1) when another process has the lock, as we ask for it. */
const LOCKED = 75

/**
 * Locks an open file (flock(2)). The lock ends when the file is closed, also by a crash, and is not inherited by
 * children that do not get the descriptor. Without the native addon the program `flock` locks it.
 *
 * @returns false when another process, or another open file of this one, has the lock
 * @throws Error of the system: `code` 'EBADF' …
 */
export function lockFile(descriptor: number): boolean {
  requireDescriptor(descriptor)
  const addon = osAddon()
  if (addon === undefined) return lockByProgram(descriptor)
  const result = addon.lockFile(descriptor)
  if (result === 0) return true
  const code = getSystemErrorName(result)
  if (code === 'EAGAIN') return false
  throw Object.assign(new Error(`flock ${code}`), { code, errno: result, syscall: 'flock' })
}

/** The lock belongs to the open file, which this process keeps when the program has ended. */
function lockByProgram(descriptor: number): boolean {
  const stdio = ['ignore', 'ignore', 'ignore', descriptor] as const
  const { status, error } = spawnSync('flock', ['-n', '-E', String(LOCKED), '3'], { stdio: [...stdio] })
  if (error !== undefined) throw error
  if (status === 0 || status === LOCKED) return status === 0
  throw Object.assign(new Error(`flock ended with ${status}`), { syscall: 'flock' })
}

/**
 * Sets whether programs that this process starts do without a descriptor. Node.js sets that for all it opens.
 *
 * @returns false where the native addon does not run, or when the descriptor is closed
 */
export function closeOnExec(descriptor: number, on: boolean): boolean {
  requireDescriptor(descriptor)
  return osAddon()?.closeOnExec(descriptor, on) === 0
}

/**
 * Makes the descriptor `to` another one of the open file `from`; what it was before is closed. Programs that this
 * process starts inherit it.
 *
 * @returns false where the native addon does not run, or when `from` is closed
 */
export function duplicateTo(from: number, to: number): boolean {
  requireDescriptor(from)
  requireDescriptor(to)
  return osAddon()?.duplicateTo(from, to) === 0
}

/** @throws TypeError */
function requireDescriptor(descriptor: number): void {
  if (!Number.isInteger(descriptor) || descriptor < 0 || descriptor > 0x7fffffff)
    throw new TypeError(`a descriptor must be a whole number from 0, got ${String(descriptor)}`)
}
