import { spawn } from 'node:child_process'
import { osAddon } from './native.ts'

/** Longest state that is sent. */
const MAX_STATE = 4096

/**
 * Sends a state such as `READY=1` to the service manager that started this process (sd_notify(3)). Several assignments
 * stand on lines of their own.
 *
 * Without the native addon the program `systemd-notify` sends it, some time after this returns; it needs
 * `NotifyAccess=all` in the unit.
 *
 * @returns whether it was sent: false without a service manager, and when that does not listen
 * @throws TypeError when the state is not text, is empty, too long, or has NUL
 */
export function sdNotify(state: string): boolean {
  if (typeof state !== 'string' || state === '' || state.length > MAX_STATE || state.includes('\0'))
    throw new TypeError(`a state must be a text of 1 to ${MAX_STATE} characters`)
  const socket = process.env.NOTIFY_SOCKET
  if (socket === undefined || !/^[/@][^\0]+$/.test(socket)) return false
  const addon = osAddon()
  if (addon !== undefined) return addon.notifySocket(socket, state) === 0
  return notifyByProgram(state)
}

/** The exit code says nothing: the program waits for an answer that not every manager gives. */
function notifyByProgram(state: string): boolean {
  // Too costly for what is repeated every few seconds.
  if (state === 'WATCHDOG=1') return false
  try {
    const child = spawn('systemd-notify', state.split('\n'), { stdio: 'ignore' })
    child.on('error', () => {})
    child.unref()
    return true
  } catch {
    return false
  }
}
