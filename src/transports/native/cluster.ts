import type { Socket } from 'node:net'
import { isClusterWorker } from '../../base/builtin.ts'
import type { ListenOptions } from '../transport.ts'

/**
 * Whether this process listens through the primary of its cluster, as `node:net` does: only the primary can give the
 * same port to several workers, and pass connections to the remaining ones when a worker exits.
 */
export function listensThroughPrimary({ exclusive, reusePort }: ListenOptions): boolean {
  return exclusive !== true && reusePort !== true && isClusterWorker()
}

/** The descriptor of a socket, which only its handle knows; -1 when it is gone. */
export function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as Socket & { _handle?: { fd?: number } | null }
  return handle?.fd ?? -1
}
