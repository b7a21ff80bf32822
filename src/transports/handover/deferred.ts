import { Deferred } from '../../base/deferred.ts'
import { hasInherited } from './sockets.ts'

const names = ['DMICRO_RESTART', 'GRACEFUL_INHERIT_LISTEN_PARENT_ADDR', 'LISTEN_FDS']

/** Sockets that this process was given. Loaded where `mayInherit` says that there are any. */
export const adoption = new Deferred(() => import('./adopt.ts'))

/** Whether this process was given sockets that nobody took yet. */
export function mayInherit(): boolean {
  return hasInherited() || names.some((name) => process.env[name] !== undefined)
}
