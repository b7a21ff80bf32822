import type { Socket } from 'node:net'
import { isClusterWorker } from '../../base/builtin.ts'
import type { ListenOptions } from '../transport.ts'

/**
 * Whether this process listens through the primary of its cluster, as `node:net` does there: only the primary can give the same port to several
 * workers, and connections to those that are left when one goes.
 */
export function listensThroughPrimary({ exclusive, reusePort }: ListenOptions): boolean {
  return exclusive !== true && reusePort !== true && isClusterWorker()
}

/** The system's number of a socket, which only its handle knows; -1 when it is gone. */
export function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as Socket & { _handle?: { fd?: number } | null }
  return handle?.fd ?? -1
}
