import { osAddon } from './native.ts'

/** The process at the other end of a Unix socket. */
export interface PeerCredentials {
  /** Process id; undefined where the system does not tell it (macOS). */
  readonly pid: number | undefined
  /** Effective user id. */
  readonly uid: number
  /** Effective group id. */
  readonly gid: number
}

/**
 * The process at the other end of a Unix socket, as it was when it connected; the system vouches for it.
 *
 * @returns undefined when the descriptor is no connected Unix socket, and where the native addon does not run
 */
export function peerCredentials(descriptor: number): PeerCredentials | undefined {
  if (!Number.isInteger(descriptor) || descriptor < 0) return undefined
  const result = osAddon()?.peerCredentials(descriptor)
  if (!Array.isArray(result)) return undefined
  const [pid, uid, gid] = result
  return { pid: pid < 0 ? undefined : pid, uid, gid }
}

/** How a process ended. */
export interface ExitStatus {
  /** Exit code; 0 when a signal ended the process. */
  readonly code: number
  /** Number of the signal that ended it, or 0. */
  readonly signal: number
}

/**
 * Takes the exit status of an orphan that came to this process, which is pid 1 or a subreaper. Node.js takes those of
 * the children that it started, so only other pids may be given.
 *
 * @returns undefined while it runs, 'none' when it is no child of this process (or was taken before)
 */
export function reap(pid: number): ExitStatus | 'none' | undefined {
  const result = osAddon()?.reap(pid)
  if (result === undefined) return undefined
  if (typeof result === 'number') return 'none'
  return { code: result[0], signal: result[1] }
}
